"""What may come next on a command line: `reconcile __complete -- WORD...`, asked by the shells.

The last word is the one being typed. The first line of the answer says which names
of files the shell offers itself; every other is one word and, after a tab, what it
means. Nothing heavy is imported and nothing is written: the answer is there
before the finger has left the key (tests/cli/test_completion.py).
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from reconcile.cli.options import HELPING, OPTIONS, options_of
from reconcile.cli.parse import Scan, scan
from reconcile.cli.table import SWITCH, Option, Verb
from reconcile.cli.verb_table import VERBS, verb_named

NOTHING, FILES, DIRECTORIES, PLANS, MANIFESTS = "-", "files", "dirs", "files rplan", "files rman"

SHELLS = ("bash", "zsh", "fish")
POLICIES = (
    "report", "newer", "older", "larger", "smaller", "left", "right", "keep-both", "merge",
)  # fmt: skip
CLASSES = ("create", "update", "delete", "move", "meta", "conflict", "error")
_LISTS = {
    "--on-conflict": POLICIES,
    "--only": CLASSES,
    "--meta": ("exec", "mode", "owner", "xattr", "none"),
    "--rights-left": ("all", "none", "create", "edit", "delete"),
    "--rights-right": ("all", "none", "create", "edit", "delete"),
    "--preset": ("temp", "hidden"),
    "--keep": ("left", "right", "both", "newer", "older", "base", "merge"),
}
"""Values that are a list with commas, of these words."""


class Offer(NamedTuple):
    """One word that may come next."""

    word: str
    about: str = ""


class Place(NamedTuple):
    """Where the word being typed stands."""

    found: Scan
    """The words before it."""
    typed: str
    env: Mapping[str, str]

    def value(self, name: str) -> str:
        """An option given before; empty when it was not."""
        values = [value for option, value in self.found.given if option.name == name]
        return str(values[-1]) if values else ""


def answer(words: list[str]) -> int:
    """Print what may come after `words`, of which the last is being typed. Always 0."""
    try:
        files, offers = complete(words[1:] if words[:1] == ["--"] else words, os.environ)
        lines = [files, *("\t".join(filter(None, map(_line, offer))) for offer in offers)]
    except Exception:  # a completion that fails offers nothing, and says nothing into the prompt
        lines = [NOTHING]
    sys.stdout.buffer.write("\n".join(lines).encode("utf-8", "surrogateescape") + b"\n")
    return 0


def complete(words: list[str], env: Mapping[str, str]) -> tuple[str, list[Offer]]:
    """(which files the shell adds, words that fit), in the order in which they are shown."""
    *before, typed = words or [""]
    place = Place(scan(before), typed, env)
    directory = place.value("--directory")
    if directory:
        os.chdir(os.path.expanduser(directory))
    waiting = place.found.waits_for
    if waiting is not None:
        return _value(waiting, place)
    name, equals, value = typed.partition("=")
    if typed.startswith("--") and equals:
        option = next((o for o in OPTIONS if o.name == name and o.takes_value), None)
        if option is None:
            return NOTHING, []
        files, offers = _value(option, place._replace(typed=value))
        return files, [Offer(f"{name}={offer.word}", offer.about) for offer in offers]
    verb, others = _verb(place.found.words)
    if typed.startswith("-") and "--" not in before:
        return NOTHING, _fitting(_options(verb), typed)
    if verb is None:
        return NOTHING, _fitting(_verbs(place.found.words), typed)
    return _word(verb, others, place)


def _verb(words: list[str]) -> tuple[Verb | None, list[str]]:
    is_group = any(verb.name.startswith(f"{words[0]} ") for verb in VERBS) if words else False
    count = 2 if is_group else 1
    verb = verb_named(" ".join(words[:count])) if len(words) >= count else None
    return verb, words[count:]


def _verbs(before: list[str]) -> Iterator[Offer]:
    """Commands; below a group its own."""
    groups = set()
    for verb in VERBS:
        first, _, second = verb.name.partition(" ")
        if before == [first] and second:
            yield Offer(second, verb.help)
        elif not before and not second:
            yield Offer(first, verb.help)
        elif not before and first not in groups:
            groups.add(first)
            names = [v.name.partition(" ")[2] for v in VERBS if v.name.startswith(f"{first} ")]
            yield Offer(first, ", ".join(names))


def _options(verb: Verb | None) -> Iterator[Offer]:
    if verb is None:
        yield Offer("--version", "Print the version.")
    common = [option for option in OPTIONS if len(option.verbs) >= len(VERBS)]
    for option in common if verb is None else options_of(verb.name):
        yield Offer(option.name, option.help)
        if option.kind == SWITCH:
            yield Offer(option.negative, option.help)
    yield from (Offer(option.name, option.help) for option in HELPING)


def _value(option: Option, place: Place) -> tuple[str, list[Offer]]:
    if option.choices:
        return NOTHING, _fitting(map(Offer, option.choices), place.typed)
    if option.name in _LISTS:
        first, comma, last = place.typed.rpartition(",")
        pattern, equals, rest = last.rpartition("=")
        fixed = f"{first}{comma}{pattern}{equals}"
        return NOTHING, [
            Offer(fixed + offer.word)
            for offer in _fitting(map(Offer, _LISTS[option.name]), rest)
        ]  # fmt: skip
    return _named(option.metavar, place, default=NOTHING)


def _word(verb: Verb, before: list[str], place: Place) -> tuple[str, list[Offer]]:
    """What the next argument of the verb may be."""
    left = len(before)
    for word in verb.words:
        if word.most == 0 or left < word.most:
            break
        left -= word.most
    else:
        return NOTHING, []
    if verb.name == "history" and "--" in place.found.argv:
        return FILES, []
    if not left and verb.name in _FINDERS:
        return _named(verb.name, place)
    if word.name == "WHAT" and (left or verb.name == "apply"):
        files, offers = _named("WHAT", place) if not left else (DIRECTORIES, [])
        return (PLANS if not left else files), offers
    return _named(word.name, place)


def _named(name: str, place: Place, default: str = FILES) -> tuple[str, list[Offer]]:
    """By what the table calls it."""
    if name in _FILES:
        return _FILES[name], []
    if name in _FINDERS:
        return _FILES_TOO.get(name, NOTHING), _fitting(_FINDERS[name](place), place.typed)
    return default, []


def _fitting(offers: Iterable[Offer], typed: str) -> list[Offer]:
    return [offer for offer in offers if offer.word.startswith(typed)]


def _jobs(place: Place) -> Iterator[Offer]:
    """Names of jobs; `@name` of endpoints once the sign is typed."""
    file = _job_file(place)
    if place.typed.startswith("@"):
        yield from (Offer(f"@{name}", _url(end)) for name, end in _table(file, "endpoint"))
        return
    for name, job in _table(file, "job"):
        yield Offer(name, f"{job.get('left', '')} and {job.get('right', '')}")


def _job_file(place: Place) -> list[dict[str, object]]:
    """The job file and what it includes, as far as it can be read."""
    import glob
    import tomllib

    from reconcile.engine.job_places import MAX_BYTES, find
    from reconcile.trees.regular import read_regular

    found = find(place.value("--config"), place.env)
    files: list[dict[str, object]] = []
    names = [] if found is None else [found.location]
    while names:
        name = names.pop(0)
        try:
            files.append(tomllib.loads(read_regular(name, MAX_BYTES).decode()))
        except (OSError, ValueError):
            continue
        include = files[-1].get("include") if len(files) == 1 else None
        for pattern in include if isinstance(include, list) else ():
            names += sorted(glob.glob(os.path.join(os.path.dirname(name), str(pattern))))
    return files


def _table(files: list[dict[str, object]], name: str) -> Iterator[tuple[str, dict[str, object]]]:
    for file in files:
        table = file.get(name)
        for key, value in table.items() if isinstance(table, dict) else ():
            yield str(key), value if isinstance(value, dict) else {}


def _url(end: dict[str, object]) -> str:
    return str(end.get("url", ""))


def _state_dir(place: Place) -> str:
    from reconcile.engine.places import state_dir

    return state_dir(place.value("--state-dir"), place.env)


def _runs(place: Place) -> Iterator[Offer]:
    import time

    from reconcile.store.ids import run_ids

    found = run_ids(_state_dir(place))
    if found:
        yield Offer("last", "the newest of all")
    for run in found:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.started_ns / 1e9))
        yield Offer(run.id, when if run.ended_ns else f"{when} interrupted")


def _jobs_and_runs(place: Place) -> Iterator[Offer]:
    yield from _jobs(place)
    yield from _runs(place)


def _conflicts(place: Place) -> Iterator[Offer]:
    from reconcile.store.ids import conflict_ids

    return map(Offer, conflict_ids(_state_dir(place), place.typed))


def _conflicts_and_jobs(place: Place) -> Iterator[Offer]:
    yield from _conflicts(place)
    yield from _jobs(place)


def _topics(place: Place) -> Iterator[Offer]:
    from reconcile.cli.manual_pages import TOPICS, error_codes

    if place.typed.startswith("E"):
        yield from map(Offer, error_codes())
        return
    yield from _verbs([word for word in place.found.words if word != "help"])
    yield from (Offer(name, about) for name, (_, about) in TOPICS.items())


def _shells(_: Place) -> Iterator[Offer]:
    return map(Offer, SHELLS)


def _pages(_: Place) -> Iterator[Offer]:
    from reconcile.cli.manpages import PAGES

    return (Offer(page.name, page.about) for page in PAGES)


_FILES = {
    "FILE": FILES, "DIR": DIRECTORIES, "SIDES": DIRECTORIES, "LEFT": MANIFESTS, "RIGHT": MANIFESTS,
    "ENDPOINT": DIRECTORIES, "PLAN": PLANS, "MANIFEST": MANIFESTS, "HOST": NOTHING,
    "OLD": DIRECTORIES, "NEW": DIRECTORIES,
}  # fmt: skip
_FINDERS: dict[str, Callable[[Place], Iterable[Offer]]] = {
    "WHAT": _jobs, "JOB": _jobs, "RUN": _runs, "REF": _runs, "ID": _conflicts,
    "TOPIC": _topics, "PAGE": _pages, "SHELL": _shells,
    "history": _jobs_and_runs, "undo": _jobs_and_runs, "conflicts resolve": _conflicts_and_jobs,
}  # fmt: skip
"""By the name of a word; by the verb, what its first word may be besides."""
_FILES_TOO = {"WHAT": DIRECTORIES, "history": DIRECTORIES, "undo": DIRECTORIES, "REF": MANIFESTS}


def _line(text: str) -> str:
    """One field: no tab, no end of line, nothing that moves a cursor."""
    return text if text.isprintable() else "".join(c for c in text if c.isprintable())
