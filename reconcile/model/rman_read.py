"""A manifest file read by position: only the records on the way to a difference are touched.

Every record is held to what its parent says of it (place, length, hash, weight,
id) before it is used, and to the rules of a page once, here. What can be seen
only by reading everything (counts, stray records, where pages are cut) is
`rman_verify`'s. FORMAT.md §6 to §10.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Generic, NamedTuple, Protocol, TypeVar

from reconcile.model.block import HASHERS, PAGE_LIMIT, is_cut, page_id, tree_id
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestBroken, ManifestError
from reconcile.model.manifest import Header, PageRef, check_page
from reconcile.model.rman import (
    DEFAULT_BUDGET,
    LIST,
    PAGE,
    TAIL_BYTES,
    Budget,
    Counts,
    Front,
    ListBody,
    PageBody,
    Place,
    Trailer,
    decode_front,
    decode_list,
    decode_page,
    decode_trailer,
    front_length,
    open_record,
    reaches_too_far,
    trailer_length,
)
from reconcile.model.treepath import MAX_DEPTH, TreePath, split

T = TypeVar("T")
_GLANCE = 4096
_KNOWN_PLACES = 4096


class Source(Protocol):
    """The bytes of one manifest file: a local file, or a server that answers ranges."""

    @property
    def size(self) -> int:
        """Bytes in all."""

    def read_at(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`; fewer only where the file ends."""

    def close(self) -> None:
        """Let go of the file."""


class Opened(NamedTuple):
    """What both ends of a file say."""

    front: Front
    records_start: int
    records_end: int
    """Where the trailer begins."""
    trailer: Trailer


def open_ends(source: Source, budget: Budget) -> Opened:
    """Front and trailer, checked against each other and the budget. Raises: ManifestBroken."""
    size = source.size
    if size > budget.file_bytes:
        raise ManifestBroken("budget", 0, f"a file of {size} bytes")
    glance = source.read_at(0, min(size, _GLANCE))
    start = front_length(glance, size)
    front = glance[:start] if start <= len(glance) else exact(source, 0, start)
    tail_at = max(start, size - _GLANCE)
    tail = exact(source, tail_at, size - tail_at)
    head = decode_front(front)
    length = trailer_length(tail, size - start - TAIL_BYTES, size)
    end = size - TAIL_BYTES - length
    rest = tail[end - tail_at :] if end >= tail_at else exact(source, end, size - end)
    trailer = decode_trailer(front, rest[:length], rest[length:], end)
    opened = Opened(head, start, end, trailer)
    _check_trailer(opened, budget)
    return opened


def _check_trailer(opened: Opened, budget: Budget) -> None:
    trailer, start, end = opened.trailer, opened.records_start, opened.records_end
    root, place, counts = trailer.root, trailer.place, trailer.counts
    if root.kind != Kind.DIR or root.name or len(root.id) not in (0, 32):
        raise ManifestBroken("trailer", end, "the root is no directory without a name")
    if place.offset < start or place.offset + place.length != end:
        raise ManifestBroken("place", end, "the root's record is not the last one")
    if place.weight != end - start:
        raise ManifestBroken("weight", end, f"{end - start} bytes of records weigh {place.weight}")
    if counts.records > budget.records or counts.entries > budget.entries:
        raise ManifestBroken("budget", end, f"{counts.records} records, {counts.entries} entries")


def exact(source: Source, offset: int, length: int) -> bytes:
    """Exactly these bytes. Raises: ManifestBroken, when the file is shorter than it was."""
    found = source.read_at(offset, length)
    if len(found) != length:
        raise ManifestBroken("truncated", offset + len(found), "the file ends here")
    return found


def check_places(places: Iterable[Place], own: Place, start: int) -> None:
    """What lies below `own` lies before it, and weighs what `own` says. Raises: ManifestBroken.

    So no cycle can be. Each record is held to its weight when it is read, and the
    root's is the file's: reading all of a tree costs at most the file's size.
    """
    weight = own.length
    for place in places:
        end = place.offset + place.length
        if place.offset < start or end > own.offset:
            raise ManifestBroken("place", own.offset, f"a child's record at {place.offset}")
        weight += place.weight
    if weight != own.weight:
        raise ManifestBroken("weight", own.offset, f"it weighs {weight}, not {own.weight}")


def check_entries(body: PageBody, offset: int, after: bytes = b"", last: bytes = b"") -> None:
    """The rules of a page (FORMAT.md §5). Raises: ManifestBroken."""
    try:
        check_page(body.entries, after, last)
    except ManifestError as error:
        raise ManifestBroken("page", offset, error.message) from error
    kinds = [entry.kind for entry in body.entries]
    visible = len(kinds) - kinds.count(Kind.IGNORED)
    if visible > PAGE_LIMIT:
        raise ManifestBroken("cut", offset, f"a page of {visible} entries")
    directories = kinds.count(Kind.DIR)
    if directories != len(body.places):
        detail = f"{len(body.places)} places for {directories} directories"
        raise ManifestBroken("places", offset, detail)


def list_refs(body: ListBody, header: Header, offset: int) -> tuple[PageRef, ...]:
    """The pages of a list, its bounds checked. Raises: ManifestBroken."""
    refs = []
    after = b""
    for number, row in enumerate(body.rows):
        final = number == len(body.rows) - 1
        if (row.last <= after) if not final else row.last:
            raise ManifestBroken("list", offset, f"a page bound {row.last[:80]!r} out of order")
        if not final and not is_cut(row.last, header.hash_name) and row.length < PAGE_LIMIT:
            raise ManifestBroken("cut", offset, f"no page ends after {row.last[:80]!r}")
        if len(row.id) not in (0, 32) or not row.length:
            detail = f"a page of {row.length} entries with an id of {len(row.id)} bytes"
            raise ManifestBroken("list", offset, detail)
        refs.append(PageRef(row.id, after, row.last, row.length, row.place))
        after = row.last
    return tuple(refs)


class _Page:
    """A page as kept at hand."""

    __slots__ = ("_below", "entries", "places")

    def __init__(self, body: PageBody) -> None:
        self.entries = body.entries
        self.places = body.places
        self._below: dict[bytes, tuple[Entry, Place]] | None = None

    def directory(self, name: bytes) -> tuple[Entry, Place] | None:
        """The subdirectory of that name."""
        if self._below is None:
            directories = [entry for entry in self.entries if entry.kind == Kind.DIR]
            pairs = zip(directories, self.places, strict=True)
            self._below = {entry.name: (entry, place) for entry, place in pairs}
        return self._below.get(name)


_Refs = tuple[PageRef, ...]


class RmanManifest:
    """A manifest file as a `Manifest`; reads what is asked for and keeps little.

    Raises, from every method: ManifestBroken (the file breaks a rule) and what
    `source` raises. The file must not change while it is open.
    """

    def __init__(self, source: Source, budget: Budget = DEFAULT_BUDGET) -> None:
        self._source = source
        self._budget = budget
        self._ends = open_ends(source, budget)
        self._header = self._ends.front.header
        self._records: _Cache[_Page | _Refs] = _Cache(budget.cached_entries)
        self._known: _Cache[tuple[bytes, Place] | None] = _Cache(_KNOWN_PLACES)

    @property
    def header(self) -> Header:
        """See `Manifest.header`."""
        return self._header

    @property
    def root(self) -> Entry | None:
        """See `Manifest.root`; never None: a file without a tree is not written."""
        return self._ends.trailer.root

    @property
    def front(self) -> Front:
        """Who wrote it, when and how."""
        return self._ends.front

    @property
    def counts(self) -> Counts:
        """What it claims to hold; `rman_verify` counts."""
        return self._ends.trailer.counts

    @property
    def complete(self) -> bool:
        """False: the listing ended early; nothing may be concluded from an absence."""
        return self._ends.trailer.complete

    def pages(self, path: TreePath) -> Sequence[PageRef]:
        """See `Manifest.pages`. Cost: a record a component, those at hand excepted."""
        found = self._find(path)
        if found is None:
            return ()
        directory = self._directory(path, *found)
        if isinstance(directory, _Page):
            return (PageRef(found[0], length=len(directory.entries), place=found[1]),)
        return directory

    def load(self, path: TreePath, page: PageRef) -> Sequence[Entry]:
        """See `Manifest.load`. Cost: one record, unless it is at hand."""
        return self._page(path, page).entries

    def close(self) -> None:
        """Let go of the file."""
        self._source.close()

    def _find(self, path: TreePath) -> tuple[bytes, Place] | None:
        """(tree id, place) of a directory; None when `path` is none."""
        if not path:
            return self._ends.trailer.root.id, self._ends.trailer.place
        known = self._known.get(path)
        if known is None and path.count(b"/") < MAX_DEPTH:
            known = self._find_below(path)
            if known:
                self._known.put(path, known, 1)
        return known

    def _find_below(self, path: TreePath) -> tuple[bytes, Place] | None:
        parent, name = split(path)
        above = self._find(parent)
        if above is None:
            return None
        directory = self._directory(parent, *above)
        if not isinstance(directory, _Page):
            final = len(directory) - 1
            number = bisect_left(directory, name, hi=final, key=attrgetter("last"))
            directory = self._page(parent, directory[number])
        found = directory.directory(name)
        return (found[0].id, found[1]) if found else None

    def _directory(self, path: TreePath, own_id: bytes, place: Place) -> _Page | _Refs:
        """The record a directory's entry points at: its only page, or its pages' list."""
        kept = self._records.get((place.offset, place.hash, own_id, b""))
        if kept is not None:
            return kept
        kind, raw = self._read(place)
        if kind == PAGE:
            return self._accept(path, PageRef(own_id, place=place), raw)
        if kind != LIST:
            raise ManifestBroken("record-type", place.offset, "a trailer in the place of a page")
        body = decode_list(raw, place.offset)
        check_places([row.place for row in body.rows], place, self._ends.records_start)
        refs = list_refs(body, self._header, place.offset)
        if tree_id([ref.id for ref in refs], self._header.hash_name) != own_id:
            raise ManifestBroken("tree-id", place.offset, "the pages are not what their id says")
        self._records.put((place.offset, place.hash, own_id, b""), refs, len(refs))
        return refs

    def _page(self, path: TreePath, ref: PageRef) -> _Page:
        place = ref.place
        assert isinstance(place, Place)
        kept = self._records.get((place.offset, place.hash, ref.id, ref.after))
        if isinstance(kept, _Page):
            return kept
        kind, raw = self._read(place)
        if kind != PAGE:
            raise ManifestBroken("record-type", place.offset, "no page where a page should be")
        return self._accept(path, ref, raw)

    def _accept(self, path: TreePath, ref: PageRef, raw: bytes | memoryview) -> _Page:
        """The page `raw`, held to everything that is claimed of it."""
        place = ref.place
        assert isinstance(place, Place)
        body = decode_page(raw, place.offset, self._budget)
        check_entries(body, place.offset, ref.after, ref.last)
        check_places(body.places, place, self._ends.records_start)
        if ref.length not in (0, len(body.entries)):
            detail = f"{len(body.entries)} entries, its list says {ref.length}"
            raise ManifestBroken("list", place.offset, detail)
        if reaches_too_far(path, body.entries, self._budget.depth):
            raise ManifestBroken(
                "depth", place.offset, f"too deep or too long below {path[-80:]!r}"
            )
        if page_id(body.entries, self._header.tracked, self._header.hash_name) != ref.id:
            raise ManifestBroken("tree-id", place.offset, "the entries are not what their id says")
        page = _Page(body)
        self._records.put((place.offset, place.hash, ref.id, ref.after), page, len(body.entries))
        return page

    def _read(self, place: Place) -> tuple[int, bytes | memoryview]:
        record = exact(self._source, place.offset, place.length)
        if HASHERS[self._header.hash_name](record) != place.hash:
            raise ManifestBroken("hash", place.offset, "the record is not what its parent says")
        return open_record(record, place.offset, self._ends.front.coding, self._budget)


class _Cache(Generic[T]):
    """The values used last, up to a total weight; always at least the last one."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._total = 0
        self._kept: dict[object, tuple[T, int]] = {}

    def get(self, key: object) -> T | None:
        found = self._kept.pop(key, None)
        if found is None:
            return None
        self._kept[key] = found
        return found[0]

    def put(self, key: object, value: T, weight: int) -> None:
        assert key not in self._kept
        self._kept[key] = (value, weight + 1)
        self._total += weight + 1
        while self._total > self._limit and len(self._kept) > 1:
            oldest = next(iter(self._kept))
            self._total -= self._kept.pop(oldest)[1]
