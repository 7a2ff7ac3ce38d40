"""All of a manifest file, front to tail, in one pass and bounded memory.

What a reader by position checks on its way is checked for every record; and
what only a whole pass can see: that each record is claimed exactly once, that
directories are cut into pages where FORMAT.md §4 cuts them, that the counts are
right. Memory: one record, and a line for each record that no parent has claimed
yet. FORMAT.md §8, §10.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from reconcile.model.block import HASHERS, PAGE_ENTRIES, PAGE_LIMIT, is_cut, page_id, tree_id
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestBroken
from reconcile.model.manifest import Header, PageRef
from reconcile.model.rman import (
    DEFAULT_BUDGET,
    LIST,
    PAGE,
    RECORD_HEAD,
    Budget,
    Counts,
    ListBody,
    PageBody,
    Place,
    Running,
    decode_list,
    decode_page,
    open_record,
    record_length,
)
from reconcile.model.rman_read import (
    Opened,
    Source,
    check_entries,
    check_places,
    exact,
    list_refs,
    open_ends,
)
from reconcile.model.treepath import MAX_PATH_BYTES

Progress = Callable[[Counts], None]
_WINDOW = 1 << 20
_NEWS_EVERY = 1000


class _Waiting(NamedTuple):
    """A record that no parent has claimed yet."""

    proof: bytes
    """Its hash and its id, joined: what the claim must repeat."""
    length: int
    weight: int
    depth: int
    """Names below it, one under the other; 0 for an empty directory."""
    reach: int
    """Bytes of the longest path below it."""
    page: "_Names | None" = None
    """None: it is a page list."""


class _Names(NamedTuple):
    """What a page list must know of a page it claims."""

    first: bytes
    final: bytes
    """Names of its first and last entry; empty when it has none."""
    ends_in: bytes
    """Name of its last entry that counts."""
    visible: int
    """Entries that count."""
    has_inner_cut: bool
    """A cut falls before the last entry that counts."""
    length: int


def verify(
    source: Source, progress: Progress = lambda _: None, budget: Budget = DEFAULT_BUDGET
) -> Counts:
    """The counts of a file every byte of which was held to FORMAT.md. Raises: ManifestBroken.

    `progress` hears the counts so far, every thousand records and at the end.
    """
    ends = open_ends(source, budget)
    waiting: dict[int, _Waiting] = {}
    running = Running()
    declared = ends.trailer.counts
    for offset, record in _records(source, ends):
        running.add(_take_in(offset, record, ends, budget, waiting))
        if running.records > declared.records or running.entries > declared.entries:
            raise ManifestBroken("counts", offset, "more than the trailer declares")
        if not running.records % _NEWS_EVERY:
            progress(running.settled())
    root = ends.trailer
    found = _claim(waiting, root.place, root.root.id, ends.records_end)
    if found.page and found.page.visible > PAGE_ENTRIES:
        raise ManifestBroken("cut", root.place.offset, f"{found.page.visible} entries in one page")
    assert not waiting  # each record was claimed once, and the root weighs as much as all of them
    counts = running.settled()
    if counts != declared:
        raise ManifestBroken("counts", ends.records_end, f"{counts} found, {declared} declared")
    progress(counts)
    return counts


def _records(source: Source, ends: Opened) -> Iterator[tuple[int, bytes]]:
    """(offset, record) of every record, reading ahead by a window."""
    offset, end = ends.records_start, ends.records_end
    window, window_at = b"", offset
    while offset < end:
        at = offset - window_at
        if len(window) - at < RECORD_HEAD.size:
            window, window_at, at = _ahead(source, offset, end, _WINDOW), offset, 0
        length = record_length(window[at : at + RECORD_HEAD.size], offset, end - offset)
        if len(window) - at < length:
            window, window_at, at = _ahead(source, offset, end, max(length, _WINDOW)), offset, 0
        yield offset, window[at : at + length]
        offset += length


def _ahead(source: Source, offset: int, end: int, length: int) -> bytes:
    return exact(source, offset, min(length, end - offset))


def _take_in(
    offset: int, record: bytes, ends: Opened, budget: Budget, waiting: dict[int, _Waiting]
) -> Sequence[Entry]:
    """Check one record, let it claim what lies below it, and make it wait for its own parent.

    Answers its entries; none, when it is a page list.
    """
    kind, raw = open_record(record, offset, ends.front.coding, budget)
    proof = HASHERS[ends.front.hash_name](record)
    own = Place(offset, len(record), proof, 0)
    if kind == LIST:
        waiting[offset] = _take_list(own, decode_list(raw, offset), ends, waiting)
        return ()
    if kind != PAGE:
        raise ManifestBroken("record-type", offset, "a trailer among the pages")
    body = decode_page(raw, offset, budget)
    waiting[offset] = found = _take_page(own, body, ends, waiting)
    if found.depth > budget.depth or found.reach > MAX_PATH_BYTES:
        raise ManifestBroken("depth", offset, f"{found.depth} names, {found.reach} bytes below it")
    return body.entries


def _take_page(own: Place, body: PageBody, ends: Opened, waiting: dict[int, _Waiting]) -> _Waiting:
    check_entries(body, own.offset)
    own = _weighed(own, body.places, ends)
    entries, header = body.entries, ends.front.header
    depth = 1 if entries else 0
    reach = max([len(entry.name) for entry in entries], default=0)
    directories = [entry for entry in entries if entry.kind == Kind.DIR]
    for entry, place in zip(directories, body.places, strict=True):
        below = _claim(waiting, place, entry.id, own.offset)
        if below.page and below.page.visible > PAGE_ENTRIES:
            raise ManifestBroken("cut", place.offset, f"{below.page.visible} entries in one page")
        depth = max(depth, 1 + below.depth)
        reach = max(reach, len(entry.name) + 1 + below.reach if below.depth else 0)
    proof = own.hash + page_id(entries, header.tracked, header.hash_name)
    return _Waiting(proof, own.length, own.weight, depth, reach, _names(entries, header))


def _names(entries: Sequence[Entry], header: Header) -> _Names:
    visible = [entry.name for entry in entries if entry.kind != Kind.IGNORED]
    return _Names(
        first=entries[0].name if entries else b"",
        final=entries[-1].name if entries else b"",
        ends_in=visible[-1] if visible else b"",
        visible=len(visible),
        has_inner_cut=any(is_cut(name, header.hash_name) for name in visible[:-1]),
        length=len(entries),
    )


def _take_list(own: Place, body: ListBody, ends: Opened, waiting: dict[int, _Waiting]) -> _Waiting:
    own = _weighed(own, [row.place for row in body.rows], ends)
    header = ends.front.header
    refs = list_refs(body, header, own.offset)
    depth = reach = visible = 0
    for ref, row in zip(refs, body.rows, strict=True):
        found = _claim(waiting, row.place, row.id, own.offset)
        _check_cut(found.page, ref, row.place.offset, header)
        depth, reach = max(depth, found.depth), max(reach, found.reach)
        visible += found.page.visible if found.page else 0
    if visible <= PAGE_ENTRIES:
        raise ManifestBroken("cut", own.offset, f"{visible} entries in several pages")
    proof = own.hash + tree_id([ref.id for ref in refs], header.hash_name)
    return _Waiting(proof, own.length, own.weight, depth, reach)


def _check_cut(page: _Names | None, ref: PageRef, offset: int, header: Header) -> None:
    """`page` is what FORMAT.md §4 makes of the names in its bounds. Raises: ManifestBroken."""
    if page is None:
        raise ManifestBroken("record-type", offset, "a page list where a page should be")
    if page.length != ref.length:
        raise ManifestBroken("list", offset, f"{page.length} entries, the list says {ref.length}")
    if page.first <= ref.after or (ref.last and page.final > ref.last):
        raise ManifestBroken("page", offset, "names past the page's bounds")
    is_full = page.visible == PAGE_LIMIT
    ends_well = page.ends_in == ref.last and (is_full or is_cut(ref.last, header.hash_name))
    if page.has_inner_cut or not (ends_well or not ref.last):
        raise ManifestBroken("cut", offset, "the page is not cut where pages are cut")


def _weighed(own: Place, below: Sequence[Place], ends: Opened) -> Place:
    """`own` with the weight its children make. Raises: ManifestBroken, on impossible places."""
    weight = own.length + sum([place.weight for place in below])
    weighed = Place(own.offset, own.length, own.hash, weight)
    check_places(below, weighed, ends.records_start)
    return weighed


def _claim(waiting: dict[int, _Waiting], place: Place, own_id: bytes, offset: int) -> _Waiting:
    """What waits at `place`, which must be what is claimed at `offset`. Raises: ManifestBroken."""
    found = waiting.pop(place.offset, None)
    if found is None or found.length != place.length:
        raise ManifestBroken("place", offset, f"no unclaimed record at {place.offset}")
    if found.proof[:32] != place.hash:
        raise ManifestBroken("hash", place.offset, "the record is not what its parent says")
    if found.weight != place.weight:
        raise ManifestBroken("weight", place.offset, f"it weighs {found.weight}")
    if found.proof[32:] != own_id:
        raise ManifestBroken("tree-id", place.offset, "the entries are not what their id says")
    return found
