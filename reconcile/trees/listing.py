"""One directory as stat rows, through its file descriptor.

Filters, our own names and vanished names are settled here; what comes out is
exactly what `model/statrow.py` describes, in name order, cut into pages.
"""

import os
import stat
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from errno import EBUSY
from itertools import islice
from typing import NamedTuple

from reconcile.decide.filters import Filter
from reconcile.model.block import PAGE_ENTRIES, PAGE_LIMIT, HashName, is_cut
from reconcile.model.statrow import Row
from reconcile.model.treepath import TreePath, join
from reconcile.trees.locking import held_below
from reconcile.trees.own_places import STATE, holds_state, is_area_in
from reconcile.trees.sorted_names import sorted_names
from reconcile.trees.temporary import AREA, PREFIX, is_temporary

WHOLE_LISTING = 100_000
"""A directory with more names than this is sorted outside memory."""


class Listed(NamedTuple):
    """A directory's rows, all in memory."""

    rows: list[Row]
    has_directories: bool
    """False: there is certainly none among them."""


class Listing:
    """Lists directories under one set of rules. `deep`: directory rows hold their ctime too."""

    def __init__(
        self,
        rules: Filter | None,
        now_ns: int,
        *,
        deep: bool = False,
        own: frozenset[TreePath] = frozenset(),
    ) -> None:
        """`own`: paths at which something of ours lies."""
        self._filter = rules
        self._now_ns = now_ns
        self._deep = deep
        self._own = own
        self.leftovers: list[TreePath] = []
        self.is_area_misused = False
        """The root has something else under the name of our area."""

    def rows(self, path: TreePath, fd: int) -> "Listed | Iterator[Row]":
        """The rows of the directory, in name order; an iterator when there are very many.

        Raises: OSError, when the listing itself fails.
        """
        listed = self._whole(fd)
        if listed is None:
            names = (_bytes(entry.name) for entry in os.scandir(fd))
            found = (self.row(fd, name) for name in sorted_names(names))
            return self._filtered_stream(path, found)
        before = len(self.leftovers)
        rows = self.admitted(path, listed.rows)
        try:
            self._hide_ours(fd, rows)
        except BlockingIOError:
            del self.leftovers[before:]
            raise
        return Listed(rows, listed.has_directories)

    def admitted(self, path: TreePath, rows: list[Row]) -> list[Row]:
        """The rows of a whole directory, in any order, as the rules have them: sorted, without
        our own names, excluded ones as IGNORED."""
        rows.sort()
        self._remove_own(path, rows)
        if self._own:
            shown = (self._without_own(path, row) for row in rows)
            rows = [row for row in shown if row is not None]
        if self._filter is not None:
            rows = [self._filtered(path, row) for row in rows]
        return rows

    def row(self, fd: int, name: bytes) -> Row | None:
        """The row of one name now; None when it is gone."""
        try:
            status = os.stat(name, dir_fd=fd, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return self._row(name, status)

    def _row(self, name: bytes, status: os.stat_result) -> Row:
        mode = status.st_mode
        if stat.S_ISDIR(mode):
            if self._deep:
                return (name, mode, status.st_dev, status.st_ctime_ns)
            return (name, mode, status.st_dev)
        return (
            name,
            mode,
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
            status.st_ino,
        )

    def _whole(self, fd: int) -> "Listed | None":
        """Every row, unsorted; None when there are too many. The hottest loop of a scan."""
        if self._deep:
            return self._whole_deep(fd)
        rows: list[Row] = []
        add = rows.append
        has_directories = False
        with os.scandir(fd) as found:
            for entry in islice(found, WHOLE_LISTING):
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    self._seen_again(fd, _bytes(entry.name), rows)
                    has_directories = True
                    continue
                mode = status.st_mode
                if mode & 0o170000 == 0o040000:
                    has_directories = True
                    add((_bytes(entry.name), mode, status.st_dev))
                    continue
                name = entry.name
                add(
                    (
                        name.encode() if name.isascii() else _bytes(name),
                        mode,
                        status.st_size,
                        status.st_mtime_ns,
                        status.st_ctime_ns,
                        status.st_ino,
                    )
                )
            if next(found, None) is not None:
                return None
        return Listed(rows, has_directories)

    def _whole_deep(self, fd: int) -> "Listed | None":
        with os.scandir(fd) as found:
            names = [_bytes(entry.name) for entry in islice(found, WHOLE_LISTING + 1)]
        if len(names) > WHOLE_LISTING:
            return None
        rows = [self.row(fd, name) for name in names]
        return Listed([row for row in rows if row is not None], True)

    def _seen_again(self, fd: int, name: bytes, rows: list[Row]) -> None:
        """A name that went between listing and lstat: an editor's save, or really gone."""
        row = self.row(fd, name)
        if row is not None:
            rows.append(row)

    def _remove_own(self, path: TreePath, rows: list[Row]) -> None:
        at = bisect_left(rows, (PREFIX,))
        while at < len(rows) and rows[at][0].startswith(PREFIX):
            if is_temporary(rows[at][0]):
                self.leftovers.append(join(path, rows[at][0]))
                del rows[at]
            else:
                at += 1
        if not path:
            area = position(rows, AREA)
            if area is not None:
                self.is_area_misused = len(rows[area]) == 6
                del rows[area]

    def _without_own(self, path: TreePath, row: Row) -> Row | None:
        """The row; a directory at a place of ours as IGNORED, a file there not at all."""
        if join(path, row[0]) not in self._own:
            return row
        return (row[0],) if len(row) < 6 else None

    def _hide_ours(self, fd: int, rows: list[Row]) -> None:
        """The area of a root inside this one, and a state that somebody keeps here, as IGNORED.

        Raises: BlockingIOError, when another run writes to that root now.
        """
        at = position(rows, AREA)
        if at is not None and 3 <= len(rows[at]) <= 4 and is_area_in(fd, AREA):
            owner = held_below(fd, AREA)
            if owner is not None:
                raise BlockingIOError(EBUSY, f"another run is writing to this root{owner.shown}")
            rows[at] = (AREA,)
        if position(rows, STATE) is not None and holds_state(fd):
            rows[:] = [(row[0],) for row in rows]

    def _filtered_stream(self, path: TreePath, found: Iterable[Row | None]) -> Iterator[Row]:
        for row in found:
            if row is None:
                continue
            if is_temporary(row[0]):
                self.leftovers.append(join(path, row[0]))
                continue
            if not path and row[0] == AREA:
                continue
            shown = self._without_own(path, row)
            if shown is not None:
                yield self._filtered(path, shown) if self._filter is not None else shown

    def _filtered(self, path: TreePath, row: Row) -> Row:
        assert self._filter is not None
        if len(row) == 1:
            return row
        is_dir = len(row) < 6
        if self._filter.excludes(join(path, row[0]), is_dir):
            return (row[0],)
        if (
            not is_dir
            and stat.S_ISREG(row[1])
            and self._filter.excludes_file(row[2], row[3], self._now_ns) is not None
        ):
            return (row[0],)
        return row


def position(rows: list[Row], name: bytes) -> int | None:
    """Where a name stands among sorted rows; None: it is not there."""
    at = bisect_left(rows, (name,))
    return at if at < len(rows) and rows[at][0] == name else None


def cut(rows: Iterable[Row], hash_name: HashName) -> Iterator[list[Row]]:
    """Rows in name order as the pages of `model/block.py`; at least one page."""
    page: list[Row] = []
    visible = 0
    stream = iter(rows)
    for row in stream:
        page.append(row)
        visible += len(row) > 1
        if visible > PAGE_ENTRIES:
            break
    else:
        yield page
        return
    head, page, visible, any_page = page, [], 0, False
    for source in (head, stream):
        for row in source:
            page.append(row)
            if len(row) == 1:
                continue
            visible += 1
            if visible >= PAGE_LIMIT or is_cut(row[0], hash_name):
                yield page
                any_page, page, visible = True, [], 0
    if page or not any_page:
        yield page


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
