"""What a command line of another tool means here: `rsync -avn A B` is `reconcile diff A B -v`.

Pure. Only what the real parser accepts is ever suggested.
"""

import shlex
from collections.abc import Callable

from reconcile.cli.options import COMMON, OPTIONS
from reconcile.cli.parse import parse
from reconcile.cli.verb_table import VERBS
from reconcile.engine.places import redacted

BOTH_WAYS, ONE_WAY, ONLY_ADDS = "both ways", "right as left is", "left to right, deleting nothing"
MIRROR, UPDATE = ("--mode", "mirror"), ("--mode", "update")
LOOK = "--dry-run"

VERBS_MEANT: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "sync": ((BOTH_WAYS, ("apply",)), (ONE_WAY, ("apply", *MIRROR))),
    "bisync": ((BOTH_WAYS, ("apply",)),),
    "mirror": ((ONE_WAY, ("apply", *MIRROR)),),
    **dict.fromkeys(("copy", "cp", "backup", "push"), ((ONLY_ADDS, ("apply", *UPDATE)),)),
    **dict.fromkeys(("ls", "list", "jobs", "pairs"), (("the pairs here", ("status",)),)),
    **dict.fromkeys(("log", "snapshots", "runs"), (("the runs", ("history",)),)),
    **dict.fromkeys(("prune", "clean", "gc"), (("old versions", ("versions", "prune")),)),
    **dict.fromkeys(("revert", "rollback"), (("the last run", ("undo",)),)),
    **dict.fromkeys(("compare", "preview", "dry-run"), (("changes nothing", ("diff",)),)),
    "check": (("every byte of both sides", ("verify",)),),
    "run": ((BOTH_WAYS, ("apply",)),),
}
"""First words that other tools know, and what does that here."""

_WITHOUT_WORDS = ("status", "history", "versions", "undo")
"""What is suggested without the words that followed: they meant something else there."""

LONG_MEANT: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("--archive", "--recursive", "--times", "--partial", "--human-readable"), ()),
    **dict.fromkeys(("--checksum", "--ignore-times"), ("--paranoid",)),
    **dict.fromkeys(("--delete-after", "--delete-before", "--delete-during"), MIRROR),
    "--update": UPDATE,
    "--stats": ("--summary",),
    "--perms": ("--meta", "mode"),
    "--xattrs": ("--meta", "xattr"),
    **dict.fromkeys(("--batch", "-batch"), ("--yes",)),
    **dict.fromkeys(("--auto-approve", "-auto-approve"), ("--yes",)),
}
LETTERS_MEANT: dict[str, tuple[str, ...]] = {
    **dict.fromkeys("artlDhiPgo", ()),
    "n": (LOOK,),
    "v": ("--verbose",),
    "z": ("--compress",),
    "u": UPDATE,
    "c": ("--paranoid",),
    "p": ("--meta", "mode"),
    "X": ("--meta", "xattr"),
}
"""What stands for an option of another tool; nothing: it is so here without asking."""

_FIRST = frozenset(name.split()[0] for verb in VERBS for name in (verb.name, *verb.aliases))
_LONG = {name: option for option in OPTIONS for name in (option.name, option.negative)}
_SHORT = {option.short: option for option in COMMON}


def suggestions(words: list[str], is_place: Callable[[str], bool]) -> list[str]:
    """`why: command` for each way to say it here; empty: nobody knows what was meant.

    `is_place`: tells whether a word names a directory.
    """
    if words in (["-V"], ["-version"], ["version"]):
        return ["the version: reconcile --version"]
    try:
        names, options = _split(words)
    except KeyError:
        return []
    lines = [(why, _fitted(line, options)) for why, line in _ways(names, options, is_place)]
    return [f"{why}: reconcile {_typed(line)}" for why, line in lines if parse(line) is not None]


def _typed(line: list[str]) -> str:
    return " ".join(shlex.quote(redacted(word)) for word in line)


def _ways(
    names: list[str], options: list[str], is_place: Callable[[str], bool]
) -> list[tuple[str, list[str]]]:
    """What the names ask for, and how it is begun here."""
    first, rest = (names[0], names[1:]) if names else ("", [])
    if first in VERBS_MEANT:
        return [
            (why, [*meant, *([] if meant[0] in _WITHOUT_WORDS else rest)])
            for why, meant in VERBS_MEANT[first]
        ]
    if first in _FIRST:
        return [("here", names)]
    if names and not is_place(first):
        return []
    mode = MIRROR if "--delete" in options else ()
    ways = [
        ("changes nothing" if LOOK in options else "look first", ["diff", *names, *mode]),
        ("then", ["apply", *names, *mode]),
    ]
    return ways[:1] if LOOK in options else ways


def _fitted(line: list[str], options: list[str]) -> list[str]:
    """The line with the options: each once, and a look is a `diff`."""
    if LOOK in options and line[0] == "apply":
        line = ["diff", *line[1:]]
    spare = {LOOK, "--yes"} if line[0] == "diff" else set()
    spare |= {"--delete", "--mode", *MIRROR, *UPDATE} if "--mode" in line else set()
    return [*line, *(option for option in options if option not in spare)]


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Names, and our options for theirs. Raises: KeyError, for what nobody knows."""
    names: list[str] = []
    options: list[str] = []
    waiting = iter(words)
    for word in waiting:
        name, equals, _ = word.partition("=")
        own = _LONG.get(name) or _SHORT.get(name)
        if not word.startswith("-") or word == "-":
            names.append(word)
        elif name in LONG_MEANT:
            options += LONG_MEANT[name]
        elif own is not None:
            takes_next = own.takes_value and not equals
            options += [word, *([next(waiting, "")] if takes_next else [])]
        else:
            options += [ours for letter in word[1:] for ours in LETTERS_MEANT[letter]]
    return names, options
