"""A path as people type it: below the roots, in full, or as it lies from the current directory."""

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from reconcile.engine.known import KnownPair
from reconcile.model.errors import UsageError
from reconcile.model.treepath import ROOT, TreePath, parse

IsKnown = Callable[[TreePath], bool]


class Named(NamedTuple):
    """What a word names."""

    path: TreePath
    pair: str = ""
    """The pair's id, where the word names a place below its roots; empty: any."""


def named(word: str, known: Sequence[KnownPair], is_known: IsKnown) -> Named:
    """The path below the roots that a word stands for.

    `./x` and a word that only the roots know are below the roots. A word that lies below a
    root from the current directory is that, when below the roots nothing is known of it.
    Raises: UsageError, when both are known and differ, or a full path is below no root;
    PathRefused.
    """
    if word.startswith("/"):  # `~/x` too: the shell has made it a full path
        found = _below(os.path.normpath(word), known)
        if found is None:
            raise UsageError(
                f"`{word}` lies below the roots of no pair that is known",
                hint="see: reconcile status",
            )
        return found
    plain = word.removeprefix("./").rstrip("/")
    here = None if word.startswith("./") else _below(os.path.abspath(word), known)
    if here is not None and os.path.normpath(word).startswith(".."):
        return here
    typed = ROOT if plain in ("", ".") else parse(os.fsencode(plain))
    if here is None or here.path == typed or not is_known(here.path):
        return Named(typed)
    if is_known(typed):
        raise UsageError(
            f"`{word}` is known below the roots, and from here it is another path",
            hint=f"below the roots: ./{word}; from here: {os.path.abspath(word)}",
        )
    return here


def _below(location: str, known: Sequence[KnownPair]) -> Named | None:
    for pair in known:
        for root in (pair.left, pair.right):
            if root.startswith("/") and (location + "/").startswith(root.rstrip("/") + "/"):
                return Named(parse_below(location, root), pair.pair)
    return None


def parse_below(location: str, root: str) -> TreePath:
    """A place in a root as a path; the root itself is `ROOT`."""
    below = location[len(root.rstrip("/")) + 1 :]
    return parse(os.fsencode(below)) if below else ROOT
