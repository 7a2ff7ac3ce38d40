"""Blocks: a directory's entries, cut into pages, and the ids that make trees comparable.

A directory of at most `PAGE_ENTRIES` visible entries is one page. A larger one
is cut after each name whose hash ends in ten zero bits, so that a page's bounds
depend on names, not on position: one inserted file changes one page. IGNORED
entries ride along in the page of their range and count for nothing.

    page id   H(0x00 ‖ msgpack [[name, kind, meta, id, attributes], …])
    tree id   the page's id, or for several pages H(0x01 ‖ page ids)

Sizes and times stay outside. A SPECIAL or UNKNOWN entry, or a directory whose
id is empty, makes the page's id empty: it never equals anything. FORMAT.md §4.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from blake3 import blake3

from reconcile.model.codec import encode
from reconcile.model.entry import DEFAULT_TRACKED, Entry, Kind, Tracked, attributes, meta
from reconcile.model.treepath import TreePath

HashName = Literal["blake3", "sha256"]
PAGE_ENTRIES = 1024
PAGE_LIMIT = 8192
"""A page is cut here in any case: names chosen to avoid every cut stay bounded."""


def _sha256(data: bytes) -> bytes:
    from hashlib import sha256  # 3 ms at start-up, and most pairs speak blake3

    return sha256(data).digest()


HASHERS: dict[str, Callable[[bytes], bytes]] = {
    "blake3": lambda data: blake3(data).digest(),
    "sha256": _sha256,
}


def page_id(
    entries: Iterable[Entry], tracked: Tracked = DEFAULT_TRACKED, hash_name: HashName = "blake3"
) -> bytes:
    """The id of one page's visible entries, which are in name order; empty when one is unknown."""
    page = entries if isinstance(entries, tuple | list) else tuple(entries)
    kinds = {entry.kind for entry in page}
    if Kind.SPECIAL in kinds or Kind.UNKNOWN in kinds:
        return b""
    if Kind.DIR in kinds and not all(entry.id for entry in page if entry.kind == Kind.DIR):
        return b""
    if Kind.IGNORED in kinds:
        page = [entry for entry in page if entry.kind != Kind.IGNORED]
    return HASHERS[hash_name](b"\0" + encode(_identities(page, tracked)))


def _identities(page: Sequence[Entry], tracked: Tracked) -> list[tuple[object, ...]]:
    """What of each entry counts, as rows. The default set is spelled out: 5 times faster."""
    if tracked != DEFAULT_TRACKED:
        return [(e.name, e.kind, meta(e, tracked), e.id, attributes(e, tracked)) for e in page]
    file = Kind.FILE
    return [(e.name, e.kind, 1 if e.mode & 0o100 and e.kind == file else 0, e.id, ()) for e in page]


def tree_id(page_ids: Sequence[bytes], hash_name: HashName = "blake3") -> bytes:
    """A directory's id from its pages' ids, in order (at least one); empty when one is empty."""
    if len(page_ids) == 1:
        return page_ids[0]
    if not all(page_ids):
        return b""
    return HASHERS[hash_name](b"\1" + b"".join(page_ids))


def page_key(path: TreePath, after: bytes = b"") -> bytes:
    """Where a page stands among all pages of a tree: keys ascend as a preorder walk meets pages.

    Each component of `path` followed by NUL; then NUL for a first page, or the
    name it starts after followed by 0x01. So a directory's keys are exactly
    those that begin with `subtree_key(path)`.
    """
    return subtree_key(path) + (after + b"\1" if after else b"\0")


def subtree_key(path: TreePath) -> bytes:
    """The prefix that the keys of the directory `path` and of all below it share."""
    return path.replace(b"/", b"\0") + b"\0" if path else b""


def directory_of(key: bytes) -> bytes:
    """The `subtree_key` of the directory whose page `key` is."""
    return key[: key.rfind(b"\0", 0, -1) + 1]


def is_cut(name: bytes, hash_name: HashName = "blake3") -> bool:
    """A page ends after this name, in a directory that has pages."""
    digest = HASHERS[hash_name](name)
    return not digest[-1] and not digest[-2] & 3


def paginate(
    entries: Iterable[Entry], hash_name: HashName = "blake3", *, paged: bool | None = None
) -> Iterator[tuple[Entry, ...]]:
    """Cut entries in name order into pages; an empty directory is one empty page.

    `paged` forces the decision (True when these are some pages of a directory
    known to be large); `None` counts. IGNORED entries after the last cut join
    the page before it: no page exists for their sake, or they would count.
    Holds one page in memory, or `PAGE_ENTRIES` while it is still counting.
    """
    stream = iter(entries)
    if paged is None:
        head = []
        visible = 0
        for entry in stream:
            head.append(entry)
            visible += entry.kind != Kind.IGNORED
            if visible > PAGE_ENTRIES:
                return _cut(_chain(head, stream), hash_name)
        return iter((tuple(head),))
    return _cut(stream, hash_name) if paged else iter((tuple(stream),))


def _cut(stream: Iterable[Entry], hash_name: HashName) -> Iterator[tuple[Entry, ...]]:
    page: list[Entry] = []
    visible = 0
    ended = 0  # entries of `page` up to its cut, once there is one
    for entry in stream:
        if entry.kind != Kind.IGNORED:
            if ended:
                yield tuple(page[:ended])
                page, visible, ended = page[ended:], 0, 0
            visible += 1
            if visible >= PAGE_LIMIT or is_cut(entry.name, hash_name):
                ended = len(page) + 1
        page.append(entry)
    yield tuple(page)


def _chain(head: list[Entry], rest: Iterator[Entry]) -> Iterator[Entry]:
    yield from head
    yield from rest
