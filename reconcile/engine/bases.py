"""Bases: the content of what both sides last agreed on, where it can still be had.

A baseline keeps names and ids, no content. But small texts that a run agrees on
are kept in the state, within a budget, and what a run superseded lies in the
version area of its side: where that is the base, it is read from there. All of
it is verified by its id; what is lost is "not kept", never another content.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from reconcile.decide.filters import TEXT_HEAD_BYTES, looks_like_text
from reconcile.engine.opened import Opened
from reconcile.engine.pairs import now_ns
from reconcile.model.block import HASHERS
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ReconcileError
from reconcile.model.manifest import Manifest, walk
from reconcile.model.plan import Plan, Side
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.store.content import ContentStore
from reconcile.store.records import Version
from reconcile.trees.base import ChangeableTree, ContentChanged
from reconcile.trees.versions import place_of

LIMIT_BYTES = 1 << 20
"""Larger texts are not kept for merging, and not merged."""
RESTORE_BYTES = 64 << 20
"""Larger contents are not brought back as a base: they pass through memory."""


_MOST_KEPT = 8192
_NEVER_BEFORE_NS = 30 * 24 * 3600 * 1_000_000_000
"""Younger contents stay: a saved plan or an open conflict may want them."""


class Budget(NamedTuple):
    """What one run keeps without being asked."""

    names: int = 256
    """So many of the names agreed on are looked at."""
    size_bytes: int = 64 << 10
    """Of one file."""


NO_LIMIT = Budget(1 << 60, LIMIT_BYTES)


def contents(opened: Opened) -> ContentStore:
    """The pair's kept contents."""
    return ContentStore(opened.directory, opened.header.hash_name)


def content_at(tree: ChangeableTree, path: TreePath, entry: Entry, hash_name: str) -> bytes | None:
    """The content of a file when it is still what `entry` says; else None."""
    try:
        content = b"".join(tree.read(path, entry))
    except (OSError, ContentChanged):
        return None
    return content if HASHERS[hash_name](content) == entry.id else None


class Bases:
    """Finds the content of files of the baseline."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._kept = contents(opened)
        self._by_content: dict[bytes, Version] | None = None

    def content(self, path: TreePath, entry: Entry) -> bytes | None:
        """What the baseline had at `path`; None: it is not kept, or too large.

        Cost: the first one that is in no likely place reads the list of all versions.
        """
        if entry.kind != Kind.FILE or entry.size > RESTORE_BYTES:
            return None
        content = self._kept.get(entry.id) if entry.size else b""
        if content is not None:
            return content
        for version in self._versions(path, entry):
            content = self._read(version, entry)
            if content is not None:
                return content
        return None

    def _versions(self, path: TreePath, entry: Entry) -> Iterator[Version]:
        for version in self._opened.store.versions.find(path):
            if version.content_id == entry.id:
                yield version
        if self._by_content is None:
            every: Sequence[Version] = self._opened.store.versions.find()
            self._by_content = {version.content_id: version for version in reversed(every)}
        found = self._by_content.get(entry.id)
        if found is not None and found.path != path:
            yield found

    def _read(self, version: Version, entry: Entry) -> bytes | None:
        place = place_of(version.run, version.path, version.place)
        if place is None:
            return None
        try:
            tree = self._opened.tree(version.side)
            kept = msgspec.structs.replace(entry, mtime_ns=version.mtime_ns)  # as SFTP checks it
            return content_at(tree, place, kept, self._opened.header.hash_name)
        except ReconcileError:
            return None  # the side cannot be reached: what it keeps is not at hand


def text_at(opened: Opened, side: Side, path: TreePath, entry: Entry) -> bytes | None:
    """The file's content when it is a text to merge and still what was seen; else None."""
    if entry.kind != Kind.FILE or entry.size > LIMIT_BYTES:
        return None
    content = content_at(opened.tree(side), path, entry, opened.header.hash_name)
    return content if content is not None and is_text(content) else None


def is_text(content: bytes) -> bool:
    """It can be shown and merged by lines."""
    return looks_like_text(content[:TEXT_HEAD_BYTES])


def keep_bases(
    opened: Opened,
    plan: Plan,
    receipts: Iterable[Receipt],
    left: Manifest,
    budget: Budget = NO_LIMIT,
) -> None:
    """Keep the texts that both sides now agree on: the bases of later merges.

    Read on this machine where either side is here. Under a budget nothing is
    fetched from afar.
    """
    kept = contents(opened)
    done = {receipt.step for receipt in receipts if receipt.status is Status.DONE}
    is_new = False
    for entry, places in islice(_agreed(plan, done, left), budget.names):
        if entry.kind != Kind.FILE or not 0 < entry.size <= budget.size_bytes:
            continue
        if kept.get(entry.id) is None:
            is_new = True
            _keep(opened, kept, entry, places, from_afar=budget is NO_LIMIT)
    if is_new and budget is not NO_LIMIT:
        standing = [each.conflict for each in opened.store.conflicts.standing()]
        spoken_of = [entry for c in standing for entry in (c.base, c.left, c.right)]
        wanted = [entry.id for entry in spoken_of if entry is not None]
        kept.trim(_MOST_KEPT, now_ns() - _NEVER_BEFORE_NS, wanted)


def _keep(
    opened: Opened, kept: ContentStore, entry: Entry, places: list["Place"], *, from_afar: bool
) -> None:
    for side, path in sorted(places, key=lambda place: opened.remote(place[0]) is not None):
        if opened.remote(side) is not None and not from_afar:
            return
        text = text_at(opened, side, path, entry)
        if text is not None:
            kept.put(text)
            return


Place = tuple[Side, TreePath]


def _agreed(plan: Plan, done: set[int], left: Manifest) -> Iterator[tuple[Entry, list[Place]]]:
    """What is agreed on now, and where it stands, or stood a moment ago."""
    for step in plan.steps:
        if step.id in done and step.want is not None:
            places = [(step.side, step.at)]
            source = step.source
            if source is not None and source.side is not None:
                places.append((source.side, source.path))
            yield step.want, places
    for agreement in plan.agreements:
        if agreement.entry is None:
            continue
        yield agreement.entry, _on_both(agreement.path)
        if agreement.entry.kind == Kind.DIR:
            for path, entry in walk(left, agreement.path):
                yield entry, _on_both(path)


def _on_both(path: TreePath) -> list[Place]:
    return [(side, path) for side in Side]
