"""Rows: one directory of three trees, name by name, only where they differ.

A page that all asked trees share, same id and same bounds, is passed over
unread. Bounds count: a page's id leaves IGNORED entries out, and with other
bounds the same visible names could hide an IGNORED one that stands elsewhere on
the other side. Everything else is read in windows: names up to the lowest page
bound, one page of each side in memory at a time.

The inner loop is the cost of a comparison; it compares ids, modes and kinds in
one comprehension and asks `same` only about what differs there.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

from reconcile.decide.names import Pairing, may_pair, pair, row_name
from reconcile.decide.spelling import Row
from reconcile.model.entry import Entry, Kind, Tracked, same
from reconcile.model.manifest import Manifest, PageRef
from reconcile.model.treepath import TreePath

Window = tuple[Sequence[Entry], ...]
_name = attrgetter("name")


class Asked(NamedTuple):
    """One tree's part in a comparison."""

    manifest: Manifest
    path: TreePath | None
    """The directory, as this tree spells it; None: it has no directory here."""


def differing(
    trees: Sequence[Asked | None], tracked: Tracked, pairing: Pairing
) -> Iterator[list[Row]]:
    """Rows of one directory that are not the same in all asked trees, in name order.

    `trees` is base, left, right; None: not asked, and its column stays None. A
    tree that has no directory here differs in every name. Holds a page of each
    tree; LIMIT: from the first name on that may have another spelling, the rest
    of the directory's rows are held as well.
    """
    asked = [tree for tree in trees if tree is not None]
    columns = [number for number, tree in enumerate(trees) if tree is not None]
    several = sum(tree.path is not None for tree in asked) > 1
    held: list[Row] | None = None
    for window, is_known in _windows(asked):
        rows = _unequal(window, is_known, columns, tracked)
        if held is not None:
            held += rows
        elif several and any(may_pair(row, pairing) for row in rows):
            held = rows
        elif rows:
            yield rows
    if held:
        yield pair(held, pairing)


class _Cursor:
    """Where the walk stands in one tree's pages of the directory."""

    def __init__(self, asked: Asked) -> None:
        self.manifest = asked.manifest
        self.path = asked.path
        self.pages: Sequence[PageRef] = ()
        if asked.path is not None:
            self.pages = asked.manifest.pages(asked.path)
        self.next = 0
        self.rest: Sequence[Entry] = ()
        self.bound = b""
        """Last name of the page in `rest`; empty: nothing comes after it."""
        self.is_known = True
        """The page in `rest` has an id: nothing in it is unknown."""

    def read(self) -> None:
        """Load the next page, when all of the present one was taken."""
        if self.rest:
            return
        self.bound, self.is_known = b"", True
        if self.next < len(self.pages) and self.path is not None:
            page = self.pages[self.next]
            self.rest, self.bound = self.manifest.load(self.path, page), page.last
            self.is_known = bool(page.id)
            self.next += 1

    def take(self, bound: bytes) -> Sequence[Entry]:
        """The entries up to `bound` (empty: all)."""
        place = bisect_right(self.rest, bound, key=_name) if bound else len(self.rest)
        taken, self.rest = self.rest[:place], self.rest[place:]
        return taken


def _windows(asked: Sequence[Asked]) -> Iterator[tuple[Window, bool]]:
    """Entries of each tree in the same range of names, and whether ids say all about them."""
    cursors = [_Cursor(tree) for tree in asked]
    while any(cursor.rest or cursor.next < len(cursor.pages) for cursor in cursors):
        if _pass_over(cursors):
            continue
        for cursor in cursors:
            cursor.read()
        bound = min((cursor.bound for cursor in cursors if cursor.bound), default=b"")
        is_known = all(cursor.is_known for cursor in cursors)
        yield tuple(cursor.take(bound) for cursor in cursors), is_known


def _pass_over(cursors: Sequence[_Cursor]) -> bool:
    """All are at the start of the same page: go past it unread."""
    first = cursors[0]
    if len(cursors) < 2 or first.next >= len(first.pages) or not first.pages[first.next].id:
        return False
    key = first.pages[first.next][:3]
    for cursor in cursors:
        if cursor.rest or cursor.next >= len(cursor.pages):
            return False
        if cursor.pages[cursor.next][:3] != key:
            return False
    for cursor in cursors:
        cursor.next += 1
    return True


def _unequal(window: Window, is_known: bool, columns: Sequence[int], tracked: Tracked) -> list[Row]:
    """Rows of one window; `columns` says which trees the window's parts are."""
    if len(window) == 1:
        found: list[tuple[Entry | None, ...]] = [(entry,) for entry in window[0]]
    else:
        by_id = is_known and not (tracked.owner or tracked.xattr)
        rows = _triples(window, by_id) if len(window) == 3 else _pairs(window, by_id)
        found = [row for row in rows if not _settled(row, tracked)]
    if len(columns) == 3:
        return found  # type: ignore[return-value]  # three columns make a Row
    return [_spread(entries, columns) for entries in found]


def _spread(entries: tuple[Entry | None, ...], columns: Sequence[int]) -> Row:
    row: list[Entry | None] = [None, None, None]
    for column, entry in zip(columns, entries, strict=True):
        row[column] = entry
    return row[0], row[1], row[2]


def _triples(window: Window, by_id: bool) -> Sequence[tuple[Entry | None, ...]]:
    base, left, right = window
    return _candidates(base, left, right, by_id)


def _pairs(window: Window, by_id: bool) -> list[tuple[Entry | None, ...]]:
    """Two trees are compared as three, the second standing in twice."""
    first, second = window
    return [row[:2] for row in _candidates(first, second, second, by_id)]


def _candidates(
    base: Sequence[Entry], left: Sequence[Entry], right: Sequence[Entry], by_id: bool
) -> Sequence[tuple[Entry | None, ...]]:
    """Every name that differs, and some that do not, in name order.

    With `by_id`, an entry whose id, mode and kind are equal everywhere is the
    same; else that is left to `_settled`.
    """
    if len(base) == len(left) == len(right):
        rows = _changed(base, left, right, by_id)
        if all(a.name == b.name == c.name for a, b, c in rows):
            return rows
    names = {entry.name for entry in base}
    shared = names.intersection(map(_name, left), map(_name, right))
    parts, odd = [], []
    for part in (base, left, right):
        is_same = len(part) == len(shared)
        odd.append({} if is_same else {e.name: e for e in part if e.name not in shared})
        parts.append(part if is_same else [e for e in part if e.name in shared])
    found: list[tuple[Entry | None, ...]] = [*_changed(parts[0], parts[1], parts[2], by_id)]
    strays = odd[0].keys() | odd[1].keys() | odd[2].keys()
    found += [(odd[0].get(name), odd[1].get(name), odd[2].get(name)) for name in strays]
    found.sort(key=_first_name)
    return found


def _changed(
    base: Sequence[Entry], left: Sequence[Entry], right: Sequence[Entry], by_id: bool
) -> list[tuple[Entry, Entry, Entry]]:
    """Of entries in step, those that may differ; or whose names do, when they are out of step."""
    if not by_id:
        return list(zip(base, left, right, strict=True))
    return [
        (a, b, c)
        for a, b, c in zip(base, left, right, strict=True)
        if not (
            a.id == b.id == c.id
            and a.name == b.name == c.name
            and a.mode == b.mode == c.mode
            and a.kind is b.kind is c.kind
        )
    ]


def _first_name(row: tuple[Entry | None, ...]) -> bytes:
    return next(entry.name for entry in row if entry is not None)


def _settled(row: tuple[Entry | None, ...], tracked: Tracked) -> bool:
    """The same content in every asked tree, and nothing unknown about it."""
    first = row[0]
    return (
        first is not None
        and first.kind <= Kind.LINK
        and bool(first.id)
        and all(same(first, other, tracked) for other in row[1:])
    )


__all__ = ["Asked", "Row", "differing", "row_name"]
