"""A second reader of manifest files, made from manifests/FORMAT.md alone.

It shares no code with `reconcile`: `msgpack`, the hashes and zstd are all it
uses. It reads a whole file in memory and is slow and strict; the numbers in the
comments are FORMAT.md's. What both readers accept, and refuse, is the format.
"""

import hashlib
import struct
from typing import Any, NamedTuple

import blake3
import msgpack
from backports import zstd

FILE, DIR, LINK, SPECIAL, UNKNOWN, IGNORED = range(1, 7)
RAW_LIMIT = 8 << 20


class RefusedError(Exception):
    """A rule of §10 is broken."""

    def __init__(self, rule: str, offset: int) -> None:
        super().__init__(f"{rule} at {offset}")
        self.rule = rule


class Read(NamedTuple):
    """A whole file."""

    header: list[Any]
    root: list[Any]
    counts: list[int]
    complete: bool
    entries: dict[bytes, list[Any]]
    """path -> [name, kind, size, mtime_ns, mode, id, extra]."""


class Below(NamedTuple):
    """What reading a directory tells its parent."""

    tree_id: bytes
    weight: int


def need(claim: bool, rule: str, offset: int) -> None:
    """§1.5."""
    if not claim:
        raise RefusedError(rule, offset)


def is_number(value: Any, low: int = 0, high: int = 2**63 - 1) -> bool:
    """§1.4."""
    return type(value) is int and low <= value <= high


def is_bytes(value: Any, low: int, high: int) -> bool:
    """A `bin` of so many bytes."""
    return type(value) is bytes and low <= len(value) <= high


def unpack(raw: bytes, rule: str, offset: int) -> list[Any]:
    """One msgpack array and nothing after it."""
    try:
        value = msgpack.unpackb(raw, raw=False)
    except (ValueError, msgpack.UnpackException) as error:
        raise RefusedError(rule, offset) from error
    need(type(value) is list, rule, offset)
    return list(value)


class Reader:
    """Reads one file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.front_end = 0
        self.entries: dict[bytes, list[Any]] = {}
        self.unclaimed: set[int] = set()
        self.counts = [0] * 7

    def read(self) -> Read:
        """§6; fields after the last that is known are passed over (§11)."""
        header = self.read_front()
        end, trailer = self.read_tail()
        root, place, counts, complete = trailer[:4]
        need(place[0] >= self.front_end and place[0] + place[1] == end, "place", end)
        need(place[3] == end - self.front_end, "weight", end)  # §7.3
        self.find_records(end)
        found = self.directory(b"", root, place, end)
        need(found.weight == place[3], "weight", place[0])
        need(not self.unclaimed, "place", end)
        need(self.counts == counts, "counts", end)
        return Read(header, root, counts, complete, self.entries)

    def read_front(self) -> list[Any]:
        """§6.1."""
        data = self.data
        need(data[:6] == b"RMAN1\n", "magic", 0)
        need(len(data) >= 10, "truncated", len(data))
        (length,) = struct.unpack(">I", data[6:10])
        need(length <= 4096, "front", 6)
        need(len(data) >= 10 + length, "truncated", len(data))
        header = unpack(data[10 : 10 + length], "front", 10)
        need(bool(header) and type(header[0]) is int, "front", 10)
        need(header[0] == 1, "version", 10)
        header += [1, "blake3", [True, False, False, False], "zstd", "", 0][len(header) :]
        need(header[1] in ("blake3", "sha256") and header[3] in ("none", "zstd"), "front", 10)
        need(type(header[2]) is list, "front", 10)
        header[2] = header[2][:4] + [True, False, False, False][len(header[2]) :]
        need({type(flag) for flag in header[2]} == {bool}, "front", 10)
        need(type(header[4]) is str and len(header[4]) <= 255, "front", 10)
        need(is_number(header[5], -(2**63)), "front", 10)
        self.front_end = 10 + length
        self.hash_name, self.tracked, self.coding = header[1], header[2], header[3]
        return header

    def read_tail(self) -> tuple[int, list[Any]]:
        """§6: the trailer's own offset, and the trailer."""
        data = self.data
        need(len(data) - self.front_end >= 42 and data[-6:] == b"1NAMR\n", "truncated", len(data))
        length, digest = struct.unpack(">I32s", data[-42:-6])
        end = len(data) - 42 - length
        need(10 <= length <= RAW_LIMIT and end >= self.front_end, "trailer", len(data) - 42)
        record = data[end:-42]
        need(self.digest(data[: self.front_end] + record) == digest, "digest", end)
        kind, raw = self.open(record, end, "none")
        need(kind == 3, "record-type", end)
        trailer = unpack(raw, "trailer", end)
        need(len(trailer) >= 4 and type(trailer[3]) is bool, "trailer", end)
        root, place, counts = trailer[:3]
        need(type(root) is list, "trailer", end)
        filled = self.entry(root, "trailer", end)
        need(filled[0] == b"" and filled[1] == DIR and len(filled[5]) in (0, 32), "trailer", end)
        self.check_place(place, "trailer", end)
        need(type(counts) is list and all(map(is_number, counts[:7])), "trailer", end)
        return end, [filled, place, counts[:7] + [0] * (7 - len(counts)), trailer[3]]

    def digest(self, data: bytes) -> bytes:
        """§1.3."""
        if self.hash_name == "sha256":
            return hashlib.sha256(data).digest()
        return blake3.blake3(data).digest()

    def open(self, record: bytes, offset: int, coding: str) -> tuple[int, bytes]:
        """§6.2, §6.3: (type, raw bytes)."""
        kind, code, stored, raw = struct.unpack(">BBII", record[:10])
        body = record[10:]
        need(stored == len(body), "record-length", offset)
        need(kind in (1, 2, 3), "record-type", offset)
        need(raw <= RAW_LIMIT, "raw-size", offset)
        if code == 0:
            need(raw == stored, "raw-size", offset)
            return kind, body
        need(code == 1 and coding == "zstd", "coding", offset)
        need(raw <= 100 * stored, "raw-size", offset)
        window = {zstd.DecompressionParameter.window_log_max: 23}
        unpacker = zstd.ZstdDecompressor(options=window)
        try:
            body = unpacker.decompress(body, max_length=raw + 1)
        except zstd.ZstdError as error:
            raise RefusedError("zstd", offset) from error
        need(unpacker.eof and not unpacker.unused_data and len(body) == raw, "zstd", offset)
        return kind, body

    def check_place(self, place: Any, rule: str, offset: int) -> None:
        """§7: the shape of one."""
        good = type(place) is list and len(place) >= 4
        good = good and is_number(place[0]) and is_number(place[1], 10, 10 + RAW_LIMIT)
        need(good and is_bytes(place[2], 32, 32) and is_number(place[3]), rule, offset)

    def entry(self, row: Any, rule: str, offset: int) -> list[Any]:
        """§3: the shape of an entry, its missing fields filled in."""
        need(type(row) is list and len(row) >= 2, rule, offset)
        row = row[:7] + [b"", 0, 0, 0, 0, b"", []][len(row) :]
        name, kind, size, mtime_ns, mode, own_id, extra = row
        good = is_bytes(name, 0, 255) and is_number(kind, 1, 6) and is_number(size)
        good = good and is_number(mtime_ns, -(2**63)) and is_number(mode, 0, 0o7777)
        good = good and is_bytes(own_id, 0, 4096) and type(extra) is list and len(extra) <= 8
        need(good, rule, offset)
        for pair in extra:
            need(type(pair) is list and len(pair) == 2 and type(pair[0]) is str, rule, offset)
            need(len(pair[0]) <= 64 and is_bytes(pair[1], 0, 4096), rule, offset)
        return row

    def fetch(self, place: list[Any], above: int) -> tuple[int, bytes]:
        """The record at a place, proven; `above` is where its parent begins."""
        offset, length, digest = place[:3]
        need(self.front_end <= offset and offset + length <= above, "place", above)
        record = self.data[offset : offset + length]
        need(self.digest(record) == digest, "hash", offset)
        need(offset in self.unclaimed, "place", above)
        self.unclaimed.remove(offset)
        self.counts[6] += 1
        return self.open(record, offset, self.coding)

    def directory(self, path: bytes, own: list[Any], place: list[Any], above: int) -> Below:
        """§6.2.3."""
        kind, raw = self.fetch(place, above)
        offset = place[0]
        need(kind in (1, 2), "record-type", offset)
        if kind == 1:
            rows, below = self.page(path, raw, place, b"", b"")
            need(own[5] == below.tree_id, "tree-id", offset)
            need(sum(row[1] != IGNORED for row in rows) <= 1024, "cut", offset)
            return below
        body = unpack(raw, "shape", offset)
        rows = body[0] if body else None
        need(type(rows) is list and 2 <= len(rows) <= 1 << 16, "shape", offset)
        for row in rows:
            good = type(row) is list and len(row) >= 4 and is_bytes(row[0], 0, 32)
            need(good and is_bytes(row[1], 0, 255) and is_number(row[2]), "shape", offset)
            self.check_place(row[3], "shape", offset)
        weight = place[1] + sum(row[3][3] for row in rows)
        self.check_weights([row[3] for row in rows], place)
        self.check_list(rows, offset)
        ids = [row[0] for row in rows]
        tree = self.digest(b"\1" + b"".join(ids)) if all(ids) else b""
        need(own[5] == tree, "tree-id", offset)
        self.read_pages(path, rows, offset)
        return Below(tree, weight)

    def check_list(self, rows: list[Any], offset: int) -> None:
        """The bounds of a page list."""
        after = b""
        for number, row in enumerate(rows):
            page_id, last, entries = row[:3]
            final = number == len(rows) - 1
            need(not last if final else last > after, "list", offset)
            need(final or self.is_cut(last) or entries >= 8192, "cut", offset)
            need(len(page_id) in (0, 32) and entries > 0, "list", offset)
            after = last

    def read_pages(self, path: bytes, rows: list[Any], offset: int) -> None:
        """The pages of a list, and that they are cut where §4.3 says."""
        after = b""
        total = 0
        for page_id, last, entries, place in [row[:4] for row in rows]:
            kind, raw = self.fetch(place, offset)
            need(kind == 1, "record-type", place[0])
            found, below = self.page(path, raw, place, after, last)
            need(len(found) == entries, "list", place[0])
            need(below.tree_id == page_id, "tree-id", place[0])
            need(below.weight == place[3], "weight", place[0])
            names = [row[0] for row in found if row[1] != IGNORED]
            inner = any(self.is_cut(name) for name in names[:-1])
            need(not inner, "cut", place[0])
            ends = bool(names) and names[-1] == last
            need(not last or (ends and (self.is_cut(last) or len(names) == 8192)), "cut", place[0])
            total += len(names)
            after = last
        need(total > 1024, "cut", offset)

    def page(
        self, path: bytes, raw: bytes, place: list[Any], after: bytes, last: bytes
    ) -> tuple[list[list[Any]], Below]:
        """§5, and everything below the page."""
        offset = place[0]
        body = unpack(raw, "shape", offset)
        good = len(body) >= 2 and type(body[0]) is list and type(body[1]) is list
        need(good and len(body[0]) <= 1 << 18 and len(body[1]) <= 8192, "shape", offset)
        rows = [self.entry(row, "shape", offset) for row in body[0]]
        for child in body[1]:
            self.check_place(child, "shape", offset)
        self.check_names(rows, offset, after, last)
        need(sum(row[1] != IGNORED for row in rows) <= 8192, "cut", offset)
        directories = [row for row in rows if row[1] == DIR]
        need(len(directories) == len(body[1]), "places", offset)
        self.check_weights(body[1], place)
        for row in rows:
            below = path + b"/" + row[0] if path else row[0]
            need(len(below) <= 4096 and below.count(b"/") < 128, "depth", offset)
            self.entries[below] = row
            kind = {SPECIAL: 3, UNKNOWN: 3, IGNORED: 4}.get(row[1], row[1] - 1)
            self.counts[kind] += 1
            size = row[2] if row[1] == FILE else 0
            self.counts[5] = min(self.counts[5] + size, 2**63 - 1)
        page_id = self.page_id(rows)
        for row, child in zip(directories, body[1], strict=True):
            where = path + b"/" + row[0] if path else row[0]
            need(self.directory(where, row, child, offset).weight == child[3], "weight", child[0])
        return rows, Below(page_id, place[1] + sum(child[3] for child in body[1]))

    def check_weights(self, places: list[list[Any]], own: list[Any]) -> None:
        """§7.1, §7.2, before anything below is looked at."""
        for child in places:
            end = child[0] + child[1]
            need(self.front_end <= child[0] and end <= own[0], "place", own[0])
        need(own[1] + sum(child[3] for child in places) == own[3], "weight", own[0])

    def check_names(self, rows: list[Any], offset: int, after: bytes, last: bytes) -> None:
        """§5.1, §5.2."""
        lengths = {FILE: (32,), DIR: (0, 32), LINK: range(1, 4097), IGNORED: (0,)}
        for name, kind, _size, _mtime_ns, _mode, own_id, extra in rows:
            need(name > after and (not last or name <= last), "page", offset)
            need(not set(b"/\0") & set(name) and name not in (b"", b".", b".."), "page", offset)
            need(len(own_id) in lengths.get(kind, range(256)), "page", offset)
            keys = [pair[0] for pair in extra]
            need(keys == sorted(set(keys)), "page", offset)
            after = name

    def page_id(self, rows: list[list[Any]]) -> bytes:
        """§4.6, §4.7."""
        identities = []
        exec_, mode, owner, xattr = self.tracked[:4]
        for name, kind, _size, _mtime_ns, bits, own_id, extra in rows:
            if kind in (SPECIAL, UNKNOWN) or (kind == DIR and not own_id):
                return b""
            if kind == IGNORED:
                continue
            meta = 1 if exec_ and kind == FILE and bits & 0o100 else 0
            if mode:
                meta = bits & 0o777 if kind in (FILE, DIR) else 0
            wanted = (["owner"] if owner else []) + (["xattr"] if xattr else [])
            pairs = [pair for pair in extra if pair[0] in wanted]
            identities.append([name, kind, meta, own_id, pairs])
        return self.digest(b"\0" + bytes(msgpack.packb(identities)))

    def is_cut(self, name: bytes) -> bool:
        """§4.3."""
        digest = self.digest(name)
        return digest[31] == 0 and digest[30] % 4 == 0

    def find_records(self, end: int) -> None:
        """Where records begin: they fill the space between front and trailer."""
        offset = self.front_end
        while offset < end:
            need(end - offset >= 10, "record-length", offset)
            (stored,) = struct.unpack(">I", self.data[offset + 2 : offset + 6])
            need(offset + 10 + stored <= end, "record-length", offset)
            self.unclaimed.add(offset)
            offset += 10 + stored


def read(data: bytes) -> Read:
    """What a manifest file holds. Raises: RefusedError."""
    return Reader(data).read()
