"""Stat rows: what lstat said of a directory's names, in a form that compares as bytes.

A page of the stat index is `pack(rows)`; a scan that packs the same bytes again
has nothing to decode, hash or write for that page. Rows by kind:

    file, link, special   (name, st_mode, size, mtime_ns, ctime_ns, inode)
    directory             (name, st_mode, device)
    ignored               (name,)

A row that must not be believed next time (its file was younger than the clock
can tell when it was read) is kept with ctime 0: no lstat ever answers that.
"""

import marshal
from collections.abc import Sequence
from typing import Any

from reconcile.model.treepath import MAX_NAME_BYTES

FINE_CLOCK_NS = 20_000_000
"""File times on Linux file systems move in steps of at most 10 ms."""
COARSE_CLOCK_NS = 2_100_000_000
"""For a time without a fraction: the file system may keep whole or even seconds only."""

Row = tuple[Any, ...]
"""Any: a name, then as many numbers as the kind has (see above); the hottest value there is."""

_VERSION = 2
"""marshal without back-references: equal rows give equal bytes. The index is our own file and
a cache; it never comes from a stranger."""


def pack(rows: Sequence[Row]) -> bytes:
    """The bytes of rows in name order."""
    return marshal.dumps(list(rows), _VERSION)


def unpack(packed: bytes) -> Sequence[Row]:
    """The rows; empty when the bytes are not rows (a cache is never worth an error)."""
    try:
        rows = marshal.loads(packed)  # our own cache, see _VERSION
    except (ValueError, EOFError, TypeError):
        return ()
    return rows if isinstance(rows, list) else ()


def is_racy(mtime_ns: int, seen_ns: int) -> bool:
    """Changed so shortly before it was looked at that one more change may not show in its time."""
    window = FINE_CLOCK_NS if mtime_ns % 1_000_000_000 else COARSE_CLOCK_NS
    return mtime_ns + window >= seen_ns


def is_directory(row: Row) -> bool:
    """A directory that is walked: not ignored, and of a name that has a place in a page."""
    return 3 <= len(row) <= 4 and len(row[0]) <= MAX_NAME_BYTES


def distrusted(row: Row) -> Row:
    """The same row, which the next scan will not believe."""
    return (*row[:4], 0, *row[5:]) if len(row) == 6 else row
