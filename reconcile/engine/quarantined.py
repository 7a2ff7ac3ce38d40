"""Quarantined: what interrupted runs left that no run could use, and nobody accounts for.

It may be the only copy of what it holds, so nothing here removes it. LIMIT: only
sides of this machine are looked at.
"""

import os
from collections.abc import Iterator

import msgspec

from reconcile.engine.known import KnownPair
from reconcile.model.plan import Side
from reconcile.model.treepath import TreePath, join
from reconcile.trees.open import is_remote
from reconcile.trees.rooted import Root
from reconcile.trees.temporary import AREA

QUARANTINE = join(AREA, b"quarantine")


class Quarantined(msgspec.Struct, frozen=True):
    """What lies in the quarantine of one side."""

    side: Side
    count: int
    """Files and links."""
    size_bytes: int
    oldest_ns: int
    """When the oldest was put there."""


def quarantined(pair: KnownPair) -> tuple[Quarantined, ...]:
    """What the sides of this machine hold; a side that holds nothing is left out."""
    found = []
    for side, place in ((Side.LEFT, pair.left), (Side.RIGHT, pair.right)):
        if is_remote(place):
            continue
        told = list(_statuses(os.fsencode(os.path.expanduser(place))))
        if told:
            sizes, times = sum(s.st_size for s in told), min(s.st_ctime_ns for s in told)
            found.append(Quarantined(side, len(told), sizes, times))
    return tuple(found)


def _statuses(location: bytes) -> Iterator[os.stat_result]:
    """lstat of everything in the quarantine that is no directory; nothing is followed."""
    try:
        root = Root(location)
    except OSError:
        return
    try:
        waiting = [QUARANTINE]
        while waiting:
            yield from _in_directory(root, waiting.pop(), waiting)
    finally:
        root.close()


def _in_directory(root: Root, path: TreePath, waiting: list[TreePath]) -> Iterator[os.stat_result]:
    try:
        with os.scandir(root.directory(path)) as entries:
            found = list(entries)
    except OSError:
        return
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            waiting.append(join(path, os.fsencode(entry.name)))
            continue
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            continue  # it went
        yield status
