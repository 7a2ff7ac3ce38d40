"""Rehash: what was agreed on, carried over to another hash.

Ids of two algorithms never compare. But a file that a side still holds with the
size and the time it had when it was last looked at is the file it was then
(docs/semantics.md §7, weak identity): what the baseline says of its content, the
side's new id says too. Of every other file the baseline keeps the old id, which
equals nothing: where the sides agree that is no matter, and where they do not
it makes a conflict, never a deletion and never something deleted come back.

LIMIT: three whole trees in memory, once, when a pair's hash changes.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from reconcile.engine.opened import Opened
from reconcile.engine.pairs import now_ns
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import StateError
from reconcile.model.manifest import Manifest, TreeManifest, build, walk
from reconcile.model.plan import Side
from reconcile.model.statrow import is_racy
from reconcile.model.treepath import TreePath
from reconcile.store.records import Baseline
from reconcile.trees.base import Observation

RUN = "rehash"
"""The run that such a generation names."""

Marks = Mapping[TreePath, tuple[int, int]]
"""Size and time of files that a side held as the baseline has them."""


class Before(NamedTuple):
    """What was known before the sides are looked at anew."""

    newest: Baseline
    base: Mapping[TreePath, Entry]
    marks: tuple[Marks, ...]


def remember(opened: Opened) -> Before | None:
    """What will be needed; None: the hash does not change. Before any look."""
    newest = opened.baseline()
    if newest is None or newest.header.hash_name == opened.header.hash_name:
        return None
    base = dict(walk(opened.store.manifest("base")))
    return Before(newest, base, tuple(_marks(opened, side, newest, base) for side in Side))


def carry_over(opened: Opened, before: Before, seen: Iterable[Observation]) -> None:
    """Put the baseline under the new hash, into the state where that may be written."""
    things = dict(before.base)
    now = [dict(walk(one.manifest)) for one in seen]
    for path, entry in before.base.items():
        found = {
            there[path].id
            for marks, there in zip(before.marks, now, strict=True)
            if path in marks and path in there and _mark(there[path]) == marks[path]
        }
        if len(found) == 1:
            things[path] = msgspec.structs.replace(entry, id=found.pop())
    manifest = build(things, opened.header)
    if not opened.is_writable:
        opened.rebased = manifest
        return
    info = msgspec.structs.replace(
        before.newest, run=RUN, time_ns=now_ns(), header=opened.header, root=None
    )
    _store(opened, manifest, info)


def _store(opened: Opened, manifest: TreeManifest, info: Baseline) -> None:
    with opened.store.transaction():
        opened.store.baselines.replace(manifest, info)


def _marks(opened: Opened, side: Side, newest: Baseline, base: Mapping[TreePath, Entry]) -> Marks:
    index = opened.store.side(side)
    if index is None or index.header.hash_name != newest.header.hash_name:
        return {}
    try:
        return _held(opened.store.manifest(side), base, index.time_ns - abs(opened.skew_ns))
    except StateError:
        return {}


def _held(manifest: Manifest, base: Mapping[TreePath, Entry], seen_ns: int) -> Marks:
    """Files as the baseline has them, old enough that one more change would show in their time."""
    return {
        path: mark
        for path, entry in walk(manifest)
        if (mark := _mark(entry)) is not None
        and path in base
        and base[path].kind == Kind.FILE
        and base[path].id == entry.id
        and not is_racy(entry.mtime_ns, seen_ns)
    }


def _mark(entry: Entry) -> tuple[int, int] | None:
    return (entry.size, entry.mtime_ns) if entry.kind == Kind.FILE else None
