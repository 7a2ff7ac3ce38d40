"""Settle: what was given, by whatever way, becomes one Job.

Owns which options there are, how each value is read, and the order flag >
environment > job file > default, with the origin of each. Endpoints and the
state directory come settled, in `defaults`: they need the disk. All that is
wrong is said at once.

An option `max_delete` is `--max-delete` as a flag, RECONCILE_MAX_DELETE in the
environment, RECONCILE_JOB__PHOTOS__MAX_DELETE for the job `photos` alone, and
`max_delete` in a job file. What is nearer replaces what is farther; only patterns
and required paths of a job file add up with what is said elsewhere, and come
first, so that what is nearer has the last word. LIMIT: a list in the environment
is separated by commas, so its values hold none; a filter file has no such limit.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Literal, TypeVar

from msgspec.structs import replace

from reconcile.decide.filters import PRESETS, parse_filter_file, parse_rule, preset_rules
from reconcile.decide.given import DEFAULT, Flag, Given, Layer, Wrong, flag_of
from reconcile.decide.globs import NEVER, parse_glob
from reconcile.decide.pacing import parse_limit
from reconcile.decide.units import (
    parse_count_or_share,
    parse_duration_ns,
    parse_share,
    parse_size,
    unknown_word,
)
from reconcile.model.block import HashName
from reconcile.model.entry import Tracked
from reconcile.model.errors import UsageError
from reconcile.model.job import Durability, FilterRule, FilterSpec, Job, Retention
from reconcile.model.plan import Side
from reconcile.model.policy import Limits, Mode, PathPolicy, Policy, Rights, Rules
from reconcile.model.treepath import TreePath, parse

_Word = TypeVar("_Word", bound=StrEnum)
ReadFile = Callable[[str], bytes]
"""The content of a filter file. Raises: OSError."""

_ALIASES = {
    "keep_local": (Policy.LEFT,),
    "keep_server": (Policy.RIGHT,),
    "create_version": (Policy.KEEP_BOTH,),
    "last-write-wins": (Policy.NEWER, Policy.RIGHT),
}
"""The words of BaluHost, and of folder_sync, whose server wins ties."""
_POLICIES = {policy.value: (policy,) for policy in Policy} | _ALIASES
_TIES = {policy.value: policy for policy in (Policy.REPORT, Policy.LEFT, Policy.RIGHT)}
_HASHES: dict[str, HashName] = {"blake3": "blake3", "sha256": "sha256"}
_MOST = 2**63 - 1
ALLOWED = ("space", "empty-side", "root-changed", "went-back", "state-corrupt")
"""Guards that `--allow` lets pass, by the names of their errors."""
_LINKS: dict[str, Literal["preserve", "portable", "skip"]] = {
    "preserve": "preserve",
    "portable": "portable",
    "skip": "skip",
}


def settle(
    flags: Mapping[str, Flag],
    env: Mapping[str, str],
    defaults: Job,
    read_file: ReadFile | None = None,
    layers: Sequence[Layer] = (),
) -> Job:
    """`defaults` with everything that flags, environment or job file say instead, and the origins.

    `flags` holds what was given, by option name with underscores; names that
    are not settled here are passed over. `layers` are the tables of the job file
    that concern the job, the nearest last.
    Raises: UsageError, one for all that is wrong: option, value, where it came
    from, and the nearest word that would do.
    """
    given = Given(flags, env, layers, defaults.name)
    job = _settled(given, defaults, read_file)
    if given.wrong:
        raise UsageError("; ".join(map(str, given.wrong)))
    return replace(job, origins=tuple(sorted(given.origins.items())))


def check(layers: Sequence[Layer], read_file: ReadFile | None = None) -> tuple[Wrong, ...]:
    """What is wrong with the values of a job file, each with its place."""
    given = Given({}, {}, layers)
    _settled(given, Job("", "", ""), read_file)
    return tuple(given.wrong)


def _settled(given: Given, defaults: Job, read_file: ReadFile | None) -> Job:
    tracked = given.take("meta", _meta, defaults.tracked)
    allowed = _allowed(given)
    return replace(
        defaults,
        rules=replace(_rules(given, defaults.rules), tracked=tracked),
        limits=_limits(given, defaults.limits, allowed),
        filters=_filters(given, defaults.filters, read_file),
        tracked=tracked,
        hash_name=given.choose("hash", _HASHES, defaults.hash_name),
        durability=given.choose("durability", _by_value(Durability), defaults.durability),
        versions=given.switch("versions", defaults.versions),
        links=given.choose("links", _LINKS, defaults.links),
        paranoid=given.switch("paranoid", defaults.paranoid),
        accept_new_root="root-changed" in allowed or defaults.accept_new_root,
        accept_older="went-back" in allowed or defaults.accept_older,
        first_run="state-corrupt" in allowed or defaults.first_run,
        lock_wait_s=given.take("lock_wait", _seconds, defaults.lock_wait_s),
        compress=given.switch("compress", defaults.compress),
        bwlimit=given.take("bwlimit", _bwlimit, defaults.bwlimit),
        retention=_retention(given, defaults.retention),
    )


def _rules(given: Given, usual: Rules) -> Rules:
    mode = given.choose("mode", _by_value(Mode), usual.mode)
    policies, path_policies = _policies(given, usual)
    return replace(
        usual,
        mode=mode,
        delete=_delete(given, mode, usual.delete),
        policies=policies,
        path_policies=path_policies,
        tie=given.choose("tie", _TIES, usual.tie),
        window_ns=given.take("window", parse_duration_ns, usual.window_ns),
        keep_name=given.choose("keep_name", _by_value(Side), usual.keep_name),
        keep_deleted_edit=given.choose(
            "delete_vs_edit", {"keep": True, "policy": False}, usual.keep_deleted_edit
        ),
        rights_left=given.take("rights_left", _rights, usual.rights_left),
        rights_right=given.take("rights_right", _rights, usual.rights_right),
        pair_unicode=given.choose("unicode", {"nfc": True, "exact": False}, usual.pair_unicode),
        fix_case=given.switch("fix_case", usual.fix_case),
        detect_moves=given.switch("moves", usual.detect_moves),
    )


def _delete(given: Given, mode: Mode, usual: bool) -> bool:
    """By mode, unless said: `update` deletes nothing, whatever is asked."""
    wanted = given.switch("delete", usual and mode is not Mode.UPDATE)
    if wanted and mode is Mode.UPDATE:
        origin = "delete = true" if given.is_filed("delete") else given.origins["delete"]
        given.complain("delete", f"`{origin}`: mode `update` deletes nothing")
    return wanted


def _policies(given: Given, usual: Rules) -> tuple[tuple[Policy, ...], tuple[PathPolicy, ...]]:
    """`newer,left` for every path; `PATTERN=newer,left` for those that a pattern matches."""
    policies, by_path = usual.policies, list(usual.path_policies)
    for text in given.many("on_conflict", split=False):
        pattern, chosen = given.read("on_conflict", text, _pattern_and_policies) or (None, policies)
        if pattern is None:
            policies = chosen
        else:
            by_path.append(PathPolicy(pattern, chosen, given.origins["on_conflict"]))
    return policies, tuple(by_path)


def _pattern_and_policies(text: str) -> tuple[str | None, tuple[Policy, ...]]:
    pattern, equals, policies = text.rpartition("=")
    words = [word.strip() for word in policies.split(",")]
    for word in words:
        if word not in _POLICIES:
            raise unknown_word(word, _POLICIES)
    chosen = tuple(policy for word in words for policy in _POLICIES[word])
    return (_useful(pattern) if equals else None), chosen


def _useful(pattern: str) -> str:
    """A pattern by hand that can match nothing is a slip; in a file it is as git has it."""
    if parse_glob(_raw(pattern)).regex == NEVER:
        raise ValueError("no pattern that could match anything")
    return pattern


def _rights(text: str) -> Rights:
    every = ("create", "edit", "delete")
    words = _some_of(text, every, {"all": every, "none": ()})
    return Rights("create" in words, "edit" in words, "delete" in words)


def _meta(text: str) -> Tracked:
    """`mtime` may be said: times are carried in any case."""
    words = _some_of(text, ("exec", "mode", "owner", "xattr", "mtime"), {"none": ()})
    return Tracked("exec" in words, "mode" in words, "owner" in words, "xattr" in words)


def _some_of(
    text: str, words: tuple[str, ...], alone: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Some of `words`, separated by commas, or one of those that stand alone."""
    if text in alone:
        return alone[text]
    chosen = tuple(word.strip() for word in text.split(","))
    for word in chosen:
        if word in alone:
            raise ValueError(f"`{word}` stands alone")
        if word not in words:
            raise unknown_word(word, (*words, *alone))
    return chosen


def _allowed(given: Given) -> tuple[str, ...]:
    """The guards that pass, this once: neither a variable nor a job file may say it."""
    words = given.once("allow")
    for word in words:
        if word not in ALLOWED:
            given.complain("allow", f"`{{}}{word}`: {unknown_word(word, ALLOWED)}")
    return words


def _limits(given: Given, usual: Limits, allowed: tuple[str, ...]) -> Limits:
    """The floor belongs to the built-in share: a share that was given means what it says."""
    limits = replace(
        usual,
        max_change_share=given.take("max_change", parse_share, usual.max_change_share),
        max_delete_bytes=given.take("max_delete_size", parse_size, usual.max_delete_bytes),
        allow_empty=given.switch("allow_empty_side", usual.allow_empty) or "empty-side" in allowed,
        check_space=given.switch("space_check", usual.check_space) and "space" not in allowed,
        require=(*_required(given), *_paths(given, "require", filed=False)) or usual.require,
    )
    most = given.take("max_delete", parse_count_or_share, None)
    if isinstance(most, int):
        limits = replace(limits, max_delete_count=most)
    elif most is not None:
        limits = replace(limits, max_delete_count=None, max_delete_share=most, max_delete_floor=0)
    origins = [given.origins[name] for name in ("max_delete", "max_delete_size", "max_change")]
    told = ", ".join(origin for origin in origins if origin != DEFAULT)
    return replace(limits, origin=told or usual.origin)


def _retention(given: Given, usual: Retention) -> Retention:
    """`--keep-versions` says the count or the age, and the other only when it is said elsewhere."""
    kept = Retention(
        given.take("versions_keep", _count, usual.keep),
        given.take("versions_max_age", _age, usual.max_age_ns),
        given.take("versions_max_size", lambda text: min(parse_size(text), _MOST),
                   usual.max_size_bytes),
    )  # fmt: skip
    return given.take("keep_versions", lambda text: _kept(kept, text), kept)


def _kept(kept: Retention, text: str) -> Retention:
    try:
        if text.isdecimal():
            return replace(kept, keep=_count(text))
        return replace(kept, max_age_ns=_age(text))
    except ValueError:
        raise ValueError("neither a count like `5` nor a duration like `90d`") from None


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ValueError("no whole number like `5`")
    return int(text)


def _age(text: str) -> int:
    return min(parse_duration_ns(text), _MOST)


def _filters(given: Given, usual: FilterSpec, read_file: ReadFile | None) -> FilterSpec:
    """Presets, then files, `--exclude`, `--include`: the last that matches has the last word.

    With `filters`, the three options as they stood on the command line, each
    as `exclude=GLOB`, their own order counts.
    """
    hidden = preset_rules("hidden") if not given.switch("hidden", True) else ()
    rules = list(usual.rules)
    rules += (*(hidden if given.is_filed("hidden") else ()), *_filed_rules(given, read_file))
    for names in given.many("preset", filed=False):
        rules += given.read("preset", names, _presets) or ()
    rules += hidden if not given.is_filed("hidden") else ()
    in_order = given.many("filters", split=False)
    apart = [
        f"{name}={value}"
        for name in ("filter_from", "exclude", "include")
        for value in given.many(name, filed=False)
        if not in_order or given.origins[name] != flag_of(name)
    ]
    for one in (*apart, *in_order):
        name, _, value = one.partition("=")
        rules += given.read(name, value, _rule_reader(name, given.origins[name], read_file)) or ()
    return replace(
        usual,
        rules=tuple(rules),
        select=_paths(given, "select") or usual.select,
        text_only=given.switch("text_only", usual.text_only),
        max_size_bytes=given.take("max_size", parse_size, usual.max_size_bytes),
        min_age_ns=given.take("min_age", parse_duration_ns, usual.min_age_ns),
    )


def _filed_rules(given: Given, read_file: ReadFile | None) -> list[FilterRule]:
    """The job file's patterns, table by table; a pattern's own line is its origin."""
    rules: list[FilterRule] = []
    for layer in given.layers:
        for name in ("preset", "filter_from", "exclude", "include"):
            for text, spot in layer[name].parts() if name in layer else ():
                reader = _rule_reader(name, spot.origin, read_file)
                rules += given.read(name, text, reader, spot) or ()
    return rules


def _presets(text: str) -> tuple[FilterRule, ...]:
    names = _some_of(text, tuple(PRESETS), {})
    return tuple(rule for name in names for rule in preset_rules(name))


def _rule_reader(
    name: str, origin: str, read_file: ReadFile | None
) -> Callable[[str], tuple[FilterRule, ...]]:
    """How a value of `--exclude`, `--include`, `--filter-from` or `--preset` becomes rules."""

    def read_rules(value: str) -> tuple[FilterRule, ...]:
        if name == "preset":
            return _presets(value)
        if name == "filter_from":
            return parse_filter_file(_content(value, read_file), value)
        if name == "include":
            return (FilterRule(_useful(value), True, origin),)
        _useful(value.removeprefix("!"))
        return (parse_rule(_raw(value), origin),)

    return read_rules


def _content(name: str, read_file: ReadFile | None) -> bytes:
    if read_file is None:
        raise ValueError("no file can be read here")
    try:
        return read_file(name)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from error


def _required(given: Given) -> tuple[TreePath, ...]:
    """The paths that the job file's tables require."""
    parts = [
        part for layer in given.layers if "require" in layer for part in layer["require"].parts()
    ]
    read = (given.read("require", text, _path, spot) for text, spot in parts)
    return tuple(path for path in read if path is not None)


def _paths(given: Given, name: str, *, filed: bool = True) -> tuple[TreePath, ...]:
    read = (given.read(name, text, _path) for text in given.many(name, filed=filed))
    return tuple(path for path in read if path is not None)


def _path(text: str) -> TreePath:
    """A path below the root, as people write it: `./docs/` too."""
    if text.startswith("/"):
        raise ValueError("not relative to the root of the trees")
    path = parse(_raw(text.removeprefix("./").rstrip("/")))
    if not path:
        raise ValueError("the root itself")
    return path


def _seconds(text: str) -> float:
    return parse_duration_ns(text) / 10**9


def _bwlimit(text: str) -> str:
    """The limit as it was given, once it is known to be one."""
    parse_limit(text)
    return text


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _by_value(words: type[_Word]) -> dict[str, _Word]:
    return {str(word.value): word for word in words}
