"""The manifest file (`.rman`), bytes to values and back: front, records, trailer, tail.

One shape each way, no state: writing in order is `rman_write`, reading by
position `rman_read`, reading all of it `rman_verify`. Every number that steers
an allocation is checked before it is believed. Source: FORMAT.md §6 to §9.

    file    = front record* trailer tail
    front   = magic ‖ u32 length ‖ msgpack [version, hash, tracked, coding, creator, created_ns]
    record  = u8 type ‖ u8 coding ‖ u32 stored ‖ u32 raw ‖ stored bytes
    tail    = u32 trailer length ‖ H(front ‖ trailer) ‖ end magic
"""

from collections.abc import Sequence
from struct import Struct
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import Meta

from reconcile.model.block import HASHERS, PAGE_LIMIT, HashName
from reconcile.model.codec import decode, encode
from reconcile.model.entry import Count, Entry, Kind, Tracked
from reconcile.model.errors import ManifestBroken, ManifestError
from reconcile.model.manifest import DEFAULT_HEADER, Header
from reconcile.model.squeeze import MAX_RATIO, Squeezer, Unsqueezable, unsqueeze
from reconcile.model.treepath import MAX_DEPTH, MAX_NAME_BYTES, MAX_PATH_BYTES, TreePath

T = TypeVar("T")

MAGIC: Final = b"RMAN1\n"
END_MAGIC: Final = b"1NAMR\n"
VERSION: Final = 1
MAX_FRONT_BYTES: Final = 4096
MAX_RAW_BYTES: Final = 8 * 1024 * 1024
MAX_PAGE_ENTRIES: Final = 1 << 18
MAX_LIST_ROWS: Final = 1 << 16
MAX_COUNT: Final = (1 << 63) - 1

PAGE: Final = 1
LIST: Final = 2
TRAILER: Final = 3
PLAIN: Final = 0
ZSTD: Final = 1

RECORD_HEAD = Struct(">BBII")
_U32 = Struct(">I")
_TAIL = Struct(">I32s6s")
TAIL_BYTES = _TAIL.size
FRONT_HEAD_BYTES = len(MAGIC) + _U32.size

Coding = Literal["none", "zstd"]
Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]


class Front(msgspec.Struct, frozen=True, array_like=True):
    """What stands first: how to read the rest, and who wrote it."""

    version: int = VERSION
    hash_name: HashName = "blake3"
    tracked: Tracked = DEFAULT_HEADER.tracked
    coding: Coding = "zstd"
    """`none`: no record is packed, a reader needs no zstd."""
    creator: Annotated[str, Meta(max_length=255)] = ""
    created_ns: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] = 0
    """0: not told (so that equal trees make equal files)."""

    @property
    def header(self) -> Header:
        """What makes ids comparable."""
        return Header(self.hash_name, self.tracked)


class Place(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a record stands, and proof of it. Weight: stored bytes of it and all below it."""

    offset: Count
    length: Annotated[int, Meta(ge=RECORD_HEAD.size, le=RECORD_HEAD.size + MAX_RAW_BYTES)]
    hash: Digest
    weight: Count


class PageBody(msgspec.Struct, frozen=True, array_like=True):
    """A page: entries in name order, and one place for each DIR among them, in their order."""

    entries: Annotated[tuple[Entry, ...], Meta(max_length=MAX_PAGE_ENTRIES)]
    places: Annotated[tuple[Place, ...], Meta(max_length=PAGE_LIMIT)]


class ListRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One page of a directory that has several."""

    id: Annotated[bytes, Meta(max_length=32)]
    last: Annotated[bytes, Meta(max_length=255)]
    """The name it was cut after; empty for the last page."""
    length: Count
    place: Place


class ListBody(msgspec.Struct, frozen=True, array_like=True):
    """The pages of a large directory, in name order."""

    rows: Annotated[tuple[ListRow, ...], Meta(min_length=2, max_length=MAX_LIST_ROWS)]


class Counts(msgspec.Struct, frozen=True, array_like=True):
    """What the whole file holds; the root itself is not counted."""

    files: Count = 0
    directories: Count = 0
    links: Count = 0
    others: Count = 0
    """SPECIAL and UNKNOWN."""
    ignored: Count = 0
    size_bytes: Count = 0
    """Of the files' content; no more than `MAX_COUNT`, which then means "at least"."""
    records: Count = 0
    """Pages and page lists."""

    @property
    def entries(self) -> int:
        """Names of every kind."""
        return self.files + self.directories + self.links + self.others + self.ignored


class Running:
    """Counts in the making."""

    __slots__ = ("_counts", "entries", "records")

    def __init__(self) -> None:
        self._counts = [0] * 6
        self.entries = 0
        self.records = 0

    def add(self, entries: Sequence[Entry] = ()) -> None:
        """One more record, with these entries (none: a page list, or an empty page)."""
        self.records += 1
        if not entries:
            return
        self.entries += len(entries)
        counts = self._counts
        kinds = [entry.kind for entry in entries]
        counts[0] += kinds.count(Kind.FILE)
        counts[1] += kinds.count(Kind.DIR)
        counts[2] += kinds.count(Kind.LINK)
        counts[3] += kinds.count(Kind.SPECIAL) + kinds.count(Kind.UNKNOWN)
        counts[4] += kinds.count(Kind.IGNORED)
        counts[5] += sum([entry.size for entry in entries if entry.kind == Kind.FILE])

    def settled(self) -> Counts:
        """What was added so far."""
        files, directories, links, others, ignored, size_bytes = self._counts
        size_bytes = min(size_bytes, MAX_COUNT)
        return Counts(files, directories, links, others, ignored, size_bytes, self.records)


def reaches_too_far(path: TreePath, entries: Sequence[Entry], depth: int = MAX_DEPTH) -> bool:
    """Some entry of the directory `path` has a path that `treepath.parse` would refuse."""
    if path and entries and path.count(b"/") + 2 > depth:
        return True
    if len(path) + 1 + MAX_NAME_BYTES <= MAX_PATH_BYTES:
        return False
    longest = max([len(entry.name) for entry in entries], default=0)
    return len(path) + 1 + longest > MAX_PATH_BYTES


class Trailer(msgspec.Struct, frozen=True, array_like=True):
    """The way in: the root's entry and place, and what all of it amounts to."""

    root: Entry
    place: Place
    counts: Counts
    complete: bool
    """False: the listing ended early; nothing may be concluded from an absence."""


class Budget(msgspec.Struct, frozen=True):
    """What a reader is ready to spend on a file; all of it is checked before it is spent."""

    file_bytes: int = 1 << 40
    records: int = 50_000_000
    entries: int = 500_000_000
    block_bytes: int = MAX_RAW_BYTES
    page_entries: int = MAX_PAGE_ENTRIES
    depth: int = 128
    cached_entries: int = 16_384
    """Decoded entries that `RmanManifest` keeps at hand (about 400 bytes each)."""


DEFAULT_BUDGET = Budget()


def encode_front(front: Front) -> bytes:
    """Everything before the first record."""
    body = encode(front)
    assert len(body) <= MAX_FRONT_BYTES
    return MAGIC + _U32.pack(len(body)) + body


def front_length(head: bytes, size: int) -> int:
    """How long the front is, from its first `FRONT_HEAD_BYTES`. Raises: ManifestBroken."""
    if head[: len(MAGIC)] != MAGIC:
        raise ManifestBroken("magic", 0, "this is no manifest file, or one of another major format")
    if len(head) < FRONT_HEAD_BYTES:
        raise ManifestBroken("truncated", len(head), "the file ends within its front")
    (length,) = _U32.unpack_from(head, len(MAGIC))
    if length > MAX_FRONT_BYTES:
        raise ManifestBroken("front", len(MAGIC), f"a header of {length} bytes")
    if FRONT_HEAD_BYTES + length > size:
        raise ManifestBroken("truncated", size, "the file ends within its front")
    return FRONT_HEAD_BYTES + int(length)


def decode_front(front: bytes) -> Front:
    """The header of a whole front. Raises: ManifestBroken."""
    body = front[FRONT_HEAD_BYTES:]
    version = _shaped(_Version, body, "front", FRONT_HEAD_BYTES).version
    if version != VERSION:
        raise ManifestBroken("version", FRONT_HEAD_BYTES, f"format version {version}")
    return _shaped(Front, body, "front", FRONT_HEAD_BYTES)


class _Version(msgspec.Struct, array_like=True):
    """The one field that every version shares."""

    version: int


def encode_record(kind: int, raw: bytes, squeezer: Squeezer | None) -> bytes:
    """A whole record; packed when there is a squeezer and it helps."""
    packed = squeezer.squeeze(raw) if squeezer else None
    if packed is None:
        return RECORD_HEAD.pack(kind, PLAIN, len(raw), len(raw)) + raw
    return RECORD_HEAD.pack(kind, ZSTD, len(packed), len(raw)) + packed


def record_length(head: bytes, offset: int, room: int) -> int:
    """How long the record is that starts with `head`, within `room`. Raises: ManifestBroken."""
    if len(head) < RECORD_HEAD.size:
        raise ManifestBroken("record-length", offset, "the records end within a record")
    length = RECORD_HEAD.size + int(RECORD_HEAD.unpack_from(head)[2])
    if length > room:
        raise ManifestBroken("record-length", offset, f"a record of {length} bytes in {room}")
    return length


def open_record(
    record: bytes, offset: int, coding: Coding, budget: Budget = DEFAULT_BUDGET
) -> tuple[int, bytes | memoryview]:
    """(type, raw bytes) of a whole record. Raises: ManifestBroken.

    Holds no more than the declared raw size, which is bounded by the budget and
    by `MAX_RATIO` times what is stored.
    """
    kind, code, stored, raw = RECORD_HEAD.unpack_from(record)
    if stored != len(record) - RECORD_HEAD.size:
        raise ManifestBroken("record-length", offset, f"{stored} bytes do not fill the record")
    if kind not in (PAGE, LIST, TRAILER):
        raise ManifestBroken("record-type", offset, f"a record of type {kind}")
    if raw > budget.block_bytes:
        raise ManifestBroken("raw-size", offset, f"a record of {raw} raw bytes")
    if code == PLAIN:
        if raw != stored:
            raise ManifestBroken("raw-size", offset, f"{stored} plain bytes called {raw}")
        return kind, memoryview(record)[RECORD_HEAD.size :]
    if code != ZSTD or coding != "zstd":
        raise ManifestBroken("coding", offset, f"coding {code} in a file of coding `{coding}`")
    if raw > stored * MAX_RATIO:
        raise ManifestBroken("raw-size", offset, f"{stored} bytes that claim to hold {raw}")
    try:
        return kind, unsqueeze(record[RECORD_HEAD.size :], raw)
    except Unsqueezable as error:
        raise ManifestBroken("zstd", offset, str(error)) from error


def encode_page(block: bytes, places: tuple[Place, ...]) -> bytes:
    """The raw bytes of a page whose entries are encoded already (`codec.encode_entries`)."""
    return b"\x92" + block + encode(places)


def encode_list(rows: tuple[ListRow, ...]) -> bytes:
    """The raw bytes of a page list."""
    return encode(ListBody(rows))


def encode_end(front: bytes, trailer: Trailer) -> bytes:
    """Trailer and tail: everything after the last page or page list."""
    record = encode_record(TRAILER, encode(trailer), None)
    hash_name = decode_front(front).hash_name
    return record + _TAIL.pack(len(record), HASHERS[hash_name](front + record), END_MAGIC)


def decode_page(raw: bytes | memoryview, offset: int, budget: Budget = DEFAULT_BUDGET) -> PageBody:
    """Shape and ranges only; order and names are `check_page`'s. Raises: ManifestBroken."""
    body = _shaped(PageBody, raw, "shape", offset)
    if len(body.entries) > budget.page_entries:
        raise ManifestBroken("budget", offset, f"a page of {len(body.entries)} entries")
    return body


def decode_list(raw: bytes | memoryview, offset: int) -> ListBody:
    """Shape and ranges only. Raises: ManifestBroken."""
    return _shaped(ListBody, raw, "shape", offset)


def trailer_length(tail: bytes, room: int, size: int) -> int:
    """How long the trailer is, by the file's last bytes, within `room`. Raises: ManifestBroken."""
    if len(tail) < TAIL_BYTES or tail[-len(END_MAGIC) :] != END_MAGIC:
        raise ManifestBroken("truncated", size, "the file does not end as a manifest ends")
    length = int(_TAIL.unpack(tail[-TAIL_BYTES:])[0])
    if not RECORD_HEAD.size <= length <= min(room, MAX_RAW_BYTES):
        raise ManifestBroken("trailer", size - TAIL_BYTES, f"a trailer of {length} bytes")
    return length


def decode_trailer(front: bytes, record: bytes, tail: bytes, offset: int) -> Trailer:
    """The trailer, its digest checked before it is looked at. Raises: ManifestBroken."""
    head = decode_front(front)
    if HASHERS[head.hash_name](front + record) != _TAIL.unpack(tail)[1]:
        raise ManifestBroken("digest", offset, "header and trailer are not what was written")
    kind, raw = open_record(record, offset, "none")
    if kind != TRAILER:
        raise ManifestBroken("record-type", offset, f"a record of type {kind} as the trailer")
    return _shaped(Trailer, raw, "trailer", offset)


def _shaped(kind: type[T], raw: bytes | memoryview, rule: str, offset: int) -> T:
    try:
        return decode(raw, kind)
    except ManifestError as error:
        raise ManifestBroken(rule, offset, error.message) from error
