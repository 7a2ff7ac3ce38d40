"""One directory as stat rows, through its file descriptor.

Filters, our own names and vanished names are settled here; what comes out is
exactly what `model/statrow.py` describes, in name order, cut into pages.
"""

import os
import stat
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from reconcile.decide.filters import Filter
from reconcile.model.block import PAGE_ENTRIES, PAGE_LIMIT, HashName, is_cut
from reconcile.model.statrow import Row
from reconcile.model.treepath import TreePath, join
from reconcile.trees.sorted_names import sorted_names

TEMP_PREFIX = b".rcn-"
OWN_DIRECTORY = b".reconcile"
WHOLE_LISTING = 100_000
"""A directory with more names than this is sorted outside memory."""


class Listed(NamedTuple):
    """A directory's rows, all in memory."""

    rows: list[Row]
    has_directories: bool
    """False: there is certainly none among them."""


class Listing:
    """Lists directories under one set of rules. `deep`: directory rows hold their ctime too."""

    def __init__(self, rules: Filter | None, now_ns: int, *, deep: bool = False) -> None:
        self._filter = rules
        self._now_ns = now_ns
        self._deep = deep
        self.leftovers: list[TreePath] = []

    def rows(self, path: TreePath, fd: int) -> "Listed | Iterator[Row]":
        """The rows of the directory, in name order; an iterator when there are very many.

        Raises: OSError, when the listing itself fails.
        """
        listed = self._whole(fd)
        if listed is None:
            names = (_bytes(entry.name) for entry in os.scandir(fd))
            found = (self.row(fd, name) for name in sorted_names(names))
            return self._filtered_stream(path, found)
        return Listed(self.admitted(path, listed.rows), listed.has_directories)

    def admitted(self, path: TreePath, rows: list[Row]) -> list[Row]:
        """The rows of a whole directory, in any order, as the rules have them: sorted, without
        our own names, excluded ones as IGNORED."""
        rows.sort()
        self._remove_own(path, rows)
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
        at = bisect_left(rows, (TEMP_PREFIX,))
        while at < len(rows) and rows[at][0].startswith(TEMP_PREFIX):
            self.leftovers.append(join(path, rows[at][0]))
            del rows[at]
        if not path:
            at = bisect_left(rows, (OWN_DIRECTORY,))
            if at < len(rows) and rows[at][0] == OWN_DIRECTORY:
                del rows[at]

    def _filtered_stream(self, path: TreePath, found: Iterable[Row | None]) -> Iterator[Row]:
        for row in found:
            if row is None:
                continue
            if row[0].startswith(TEMP_PREFIX):
                self.leftovers.append(join(path, row[0]))
            elif path or row[0] != OWN_DIRECTORY:
                yield self._filtered(path, row) if self._filter is not None else row

    def _filtered(self, path: TreePath, row: Row) -> Row:
        assert self._filter is not None
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
