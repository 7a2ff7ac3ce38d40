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


def distrusted(row: Row) -> Row:
    """The same row, which the next scan will not believe."""
    return (*row[:4], 0, *row[5:]) if len(row) == 6 else row
