"""Manifest files put together by hand, record by record, so that any one thing can be wrong.

Hashes and weights are made right unless a caller says otherwise: what is wrong
with a file is then exactly what its vector says. Uses `msgpack`, not our writer.
"""

import struct
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgpack

FILE, DIR, LINK, SPECIAL, UNKNOWN, IGNORED = range(1, 7)
PAGE, LIST, TRAILER = 1, 2, 3
Row = list[Any]
Place = list[Any]


def digest(data: bytes) -> bytes:
    """The hash of every file made here."""
    return sha256(data).digest()


def pack(value: Any) -> bytes:
    """msgpack."""
    return bytes(msgpack.packb(value))


def file(name: bytes, content: bytes = b"", mode: int = 0o644) -> Row:
    """A FILE entry."""
    return [name, FILE, len(content), 0, mode, digest(content), []]


def directory(name: bytes, tree_id: bytes) -> Row:
    """A DIR entry."""
    return [name, DIR, 0, 0, 0o755, tree_id, []]


def page_id(rows: Sequence[Row]) -> bytes:
    """FORMAT.md §4.7, the executable bit tracked."""
    if any(row[1] in (SPECIAL, UNKNOWN) or (row[1] == DIR and not row[5]) for row in rows):
        return b""
    visible = [row for row in rows if row[1] != IGNORED]
    identities = [
        [row[0], row[1], 1 if row[1] == FILE and row[4] & 0o100 else 0, row[5], []]
        for row in visible
    ]
    return digest(b"\0" + pack(identities))


def tree_id(ids: Sequence[bytes]) -> bytes:
    """FORMAT.md §4.8, of several pages."""
    return digest(b"\1" + b"".join(ids))


class Handmade:
    """One file."""

    def __init__(self, header: Row | None = None, coding: str = "none") -> None:
        flags = [True, False, False, False]
        body = pack(header or [1, "sha256", flags, coding, "by hand", 0])
        self.front = b"RMAN1\n" + struct.pack(">I", len(body)) + body
        self.records = b""
        self.counts = [0] * 7

    def count(self, rows: Sequence[Row]) -> None:
        """Add entries to the counts."""
        for row in rows:
            place = {FILE: 0, DIR: 1, LINK: 2, SPECIAL: 3, UNKNOWN: 3, IGNORED: 4}[row[1]]
            self.counts[place] += 1
            self.counts[5] += row[2] if row[1] == FILE else 0

    def record(
        self,
        raw: bytes,
        kind: int = PAGE,
        below: Sequence[Place] = (),
        code: int = 0,
        stored: bytes | None = None,
        claims: tuple[int, int] | None = None,
    ) -> Place:
        """Any record; `stored` where it differs from `raw`, `claims` for the two lengths."""
        body = raw if stored is None else stored
        lengths = claims or (len(body), len(raw))
        record = struct.pack(">BBII", kind, code, *lengths) + body
        offset = len(self.front) + len(self.records)
        self.records += record
        self.counts[6] += 1
        weight = len(record) + sum(place[3] for place in below)
        return [offset, len(record), digest(record), weight]

    def page(self, rows: Sequence[Row], places: Sequence[Place] = ()) -> Place:
        """A page, counted."""
        self.count(rows)
        return self.record(pack([list(rows), list(places)]), PAGE, places)

    def pages(self, rows: Sequence[Row]) -> Place:
        """A page list of `[page id, last, entries, place]` rows."""
        return self.record(pack([list(rows)]), LIST, [row[3] for row in rows])

    def finish(
        self,
        place: Place,
        root: Row,
        *,
        counts: Sequence[int] | None = None,
        trailer: bytes | None = None,
        kind: int = TRAILER,
        code: int = 0,
    ) -> bytes:
        """The whole file."""
        body = pack([root, place, list(counts or self.counts), True])
        body = trailer if trailer is not None else body
        record = struct.pack(">BBII", kind, code, len(body), len(body)) + body
        tail = struct.pack(">I32s", len(record), digest(self.front + record)) + b"1NAMR\n"
        return self.front + self.records + record + tail

    def simple(self, rows: Sequence[Row], places: Sequence[Place] = ()) -> bytes:
        """A file whose root is one page of `rows`."""
        return self.finish(self.page(rows, places), directory(b"", page_id(rows)))
