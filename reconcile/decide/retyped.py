"""Options again: what was asked of a job, as it would be typed on a command line.

The inverse of `settle.py` for what shapes a plan; what is said for one run only (guards,
waiting, flushing) is not of it. `settle` makes the same rules of what is answered here.
"""

from collections.abc import Iterator
from shlex import quote

from reconcile.model.job import FilterSpec, Job
from reconcile.model.policy import Mode, Policy, Rights, Rules

Option = tuple[str, str]
"""(`mode`, `--mode mirror`): its name with underscores, and its words quoted for a shell."""
_USUAL = Job("", "", "")
_ALONE = ("exec", "mode", "owner", "xattr")


def options_of(job: Job) -> tuple[Option, ...]:
    """What differs from the defaults, in the order of help."""
    return (*_rules(job.rules), *_filters(job.filters), *_looks(job))


def _rules(rules: Rules) -> Iterator[Option]:
    usual = _USUAL.rules
    if rules.mode is not usual.mode:
        yield "mode", f"--mode {rules.mode.value}"
    if not rules.delete and rules.mode is not Mode.UPDATE:
        yield "delete", "--no-delete"
    for pattern in rules.path_policies:
        yield (
            "on_conflict",
            f"--on-conflict {quote(f'{pattern.pattern}={_words(pattern.policies)}')}",
        )
    if rules.policies != usual.policies:
        yield "on_conflict", f"--on-conflict {_words(rules.policies)}"
    if rules.tie is not usual.tie:
        yield "tie", f"--tie {rules.tie.value}"
    if rules.window_ns != usual.window_ns:
        yield "window", f"--window {_seconds(rules.window_ns)}"
    if rules.keep_name is not usual.keep_name:
        yield "keep_name", f"--keep-name {rules.keep_name.value}"
    if rules.keep_deleted_edit:
        yield "delete_vs_edit", "--delete-vs-edit keep"
    for name, rights in (("left", rules.rights_left), ("right", rules.rights_right)):
        if rights != Rights():
            yield f"rights_{name}", f"--rights-{name} {_rights(rights)}"
    if not rules.pair_unicode:
        yield "unicode", "--unicode exact"
    if rules.fix_case:
        yield "fix_case", "--fix-case"
    if not rules.detect_moves:
        yield "moves", "--no-moves"


def _filters(filters: FilterSpec) -> Iterator[Option]:
    preset = ""
    for rule in filters.rules:
        if rule.origin.startswith("preset "):
            if rule.origin != preset:
                yield "preset", f"--{rule.origin}"
            preset = rule.origin
            continue
        preset = ""
        name = "include" if rule.include else "exclude"
        yield name, f"--{name} {quote(rule.pattern)}"
    for path in filters.select:
        yield "select", f"--select {quote(path.decode('utf-8', 'surrogateescape'))}"
    if filters.text_only:
        yield "text_only", "--text-only"
    if filters.max_size_bytes is not None:
        yield "max_size", f"--max-size {filters.max_size_bytes}"
    if filters.min_age_ns is not None:
        yield "min_age", f"--min-age {_seconds(filters.min_age_ns)}"


def _looks(job: Job) -> Iterator[Option]:
    if job.hash_name != _USUAL.hash_name:
        yield "hash", f"--hash {job.hash_name}"
    if job.tracked != _USUAL.tracked:
        names = [name for name in _ALONE if getattr(job.tracked, name)]
        yield "meta", f"--meta {','.join(names) or 'none'}"
    if job.links != _USUAL.links:
        yield "links", f"--links {job.links}"
    for path in job.limits.require:
        yield "require", f"--require {quote(path.decode('utf-8', 'surrogateescape'))}"


def _words(policies: tuple[Policy, ...]) -> str:
    return ",".join(policy.value for policy in policies)


def _rights(rights: Rights) -> str:
    names = [name for name in ("create", "edit", "delete") if getattr(rights, name)]
    return ",".join(names) or "none"


def _seconds(ns: int) -> str:
    """Exact to the nanosecond."""
    whole, rest = divmod(ns, 10**9)
    return f"{whole}.{rest:09d}".rstrip("0") + "s" if rest else f"{whole}s"
