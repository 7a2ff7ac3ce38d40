"""Manifest: a tree of directory pages, read page by page.

The protocol is what the planner sees of a tree: the root's entry, and for a
directory its pages, each with an id that is comparable without reading it.
`TreeManifest` holds everything in memory (tests, small trees, overlays); the
state database and `.rman` files implement the same protocol by position.

Nobody loads a page whose id is equal on all sides: that is how cost follows the
changes and not the tree.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from operator import lt
from typing import NamedTuple, Protocol, assert_never

import msgspec

from reconcile.model.block import HashName, page_id, paginate, tree_id
from reconcile.model.entry import DEFAULT_TRACKED, Entry, Kind, Tracked
from reconcile.model.errors import ManifestError
from reconcile.model.treepath import (
    MAX_NAME_BYTES,
    ROOT,
    TreePath,
    check_name,
    join,
    order_key,
    split,
)


class Header(msgspec.Struct, frozen=True, array_like=True):
    """What makes two manifests comparable: ids of different headers never compare."""

    hash_name: HashName = "blake3"
    tracked: Tracked = DEFAULT_TRACKED


DEFAULT_HEADER = Header()


class PageRef(NamedTuple):
    """One page of a directory, not yet read. It holds the names in (after, last]."""

    id: bytes
    """Page id; empty: something in it is unknown, and it equals nothing."""
    after: bytes = b""
    """The last name of the page before; empty for the first page."""
    last: bytes = b""
    """The name this page was cut after; empty for the last page (no upper bound)."""
    length: int = 0
    """Entries in it, IGNORED ones included."""
    place: object = None
    """Where the manifest that made this ref finds the page; opaque to everyone else."""


class PageRow(NamedTuple):
    """One page as stored: what scanning writes and position finds."""

    key: bytes
    """`block.page_key` of its directory and first bound: rows in key order are a preorder walk."""
    id: bytes
    """Page id (not the tree id, when there are several pages)."""
    length: int
    """Entries in the page."""
    block: bytes
    """`codec.encode_entries` of them."""
    refs: bytes = b""
    """On a first page of a directory with several: msgpack [[id, after, last, length], …] of
    all its pages. Empty: this page is the whole directory."""
    stat: bytes = b""
    """What lstat said of the names, in a form that compares as bytes; empty in a baseline."""


class Manifest(Protocol):
    """One observed or agreed tree. Immutable."""

    @property
    def header(self) -> Header:
        """Hash algorithm and tracked metadata behind every id in it."""

    @property
    def root(self) -> Entry | None:
        """The root directory (name empty, id its tree id); None: there is no tree."""

    def pages(self, path: TreePath) -> Sequence[PageRef]:
        """The pages of the directory `path`, in name order; empty when it is no directory here."""

    def load(self, path: TreePath, page: PageRef) -> Sequence[Entry]:
        """The entries of one page, in name order."""


def entries(manifest: Manifest, path: TreePath) -> Iterator[Entry]:
    """Every entry of the directory `path` in name order, IGNORED included; one page in memory."""
    for page in manifest.pages(path):
        yield from manifest.load(path, page)


def lookup(manifest: Manifest, path: TreePath) -> Entry | None:
    """The entry at exactly this spelling; None when absent. Cost: one page a component."""
    if not path:
        return manifest.root
    parent, name = split(path)
    for page in manifest.pages(parent):
        if name > page.after and (not page.last or name <= page.last):
            return next((e for e in manifest.load(parent, page) if e.name == name), None)
    return None


def walk(manifest: Manifest, top: TreePath = ROOT) -> Iterator[tuple[TreePath, Entry]]:
    """Everything below `top` in `order_key` order (a directory before its content)."""
    for entry in entries(manifest, top):
        path = join(top, entry.name)
        yield path, entry
        if entry.kind == Kind.DIR:
            yield from walk(manifest, path)


class TreeManifest:
    """A manifest in memory: directory path -> its entries in name order."""

    def __init__(
        self,
        directories: Mapping[TreePath, Sequence[Entry]] | None,
        header: Header = DEFAULT_HEADER,
        root: Entry | None = None,
    ) -> None:
        self._header = header
        self._directories = directories or {}
        self._pages: dict[TreePath, tuple[PageRef, ...]] = {}
        self._root = root
        self._is_tree = directories is not None

    @property
    def header(self) -> Header:
        """See `Manifest.header`."""
        return self._header

    @property
    def root(self) -> Entry | None:
        """See `Manifest.root`. Made when it is asked for: a tree that nobody asks costs no hash."""
        if self._root is None and self._is_tree:
            self._root = Entry(b"", Kind.DIR, mode=0o755, id=self._tree_id(ROOT))
        return self._root

    def pages(self, path: TreePath) -> Sequence[PageRef]:
        """See `Manifest.pages`."""
        if path not in self._directories:
            return ()
        if path not in self._pages:
            self._pages[path] = tuple(page_refs(self._directories[path], self._header))
        return self._pages[path]

    def load(self, path: TreePath, page: PageRef) -> Sequence[Entry]:
        """See `Manifest.load`."""
        del path
        assert isinstance(page.place, tuple)
        return page.place

    def _tree_id(self, path: TreePath) -> bytes:
        return tree_id([page.id for page in self.pages(path)], self._header.hash_name)


def page_refs(directory: Sequence[Entry], header: Header = DEFAULT_HEADER) -> Iterator[PageRef]:
    """The pages of entries in name order, each holding its entries as `place`."""
    after = b""
    pages = list(paginate(directory, header.hash_name))
    for number, page in enumerate(pages):
        final = number == len(pages) - 1
        last = b"" if final else page[-1].name
        yield PageRef(page_id(page, header.tracked, header.hash_name), after, last, len(page), page)
        after = last


def build(things: Mapping[TreePath, Entry], header: Header = DEFAULT_HEADER) -> TreeManifest:
    """A manifest from path -> entry, parents included; names and tree ids are filled in.

    The path's last component is the entry's name. Raises: ManifestError, when
    an entry has no directory above it.
    """
    below: dict[TreePath, list[Entry]] = {ROOT: []}
    paths = sorted(things, key=order_key, reverse=True)
    for path in paths:
        if things[path].kind == Kind.DIR:
            below.setdefault(path, [])
    for path in paths:
        entry = things[path]
        parent, name = split(path)
        if parent not in below:
            raise ManifestError(f"{path!r} lies under something that is no directory")
        if entry.kind == Kind.DIR:
            refs = page_refs(sorted_by_name(below[path]), header)
            entry = msgspec.structs.replace(
                entry, id=tree_id([ref.id for ref in refs], header.hash_name)
            )
        below[parent].append(msgspec.structs.replace(entry, name=name))
    return TreeManifest({path: sorted_by_name(found) for path, found in below.items()}, header)


def sorted_by_name(found: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries in name order."""
    return tuple(sorted(found, key=lambda entry: entry.name))


def check_page(page: Sequence[Entry], after: bytes = b"", last: bytes = b"") -> None:
    """The rules of one page from a stranger. Raises: ManifestError (FORMAT.md §5).

    Names are components, strictly ascending, inside (after, last]; ids have the
    length their kind demands; names in `extra` ascend. Ranges of numbers are
    the decoder's (`Entry`). Whole columns are looked at first: only a page that
    is wrong somewhere is searched entry by entry.
    """
    names = [entry.name for entry in page]
    if names and (after >= names[0] or (last and names[-1] > last)):
        raise ManifestError(
            f"name {names[0][:80]!r} or {names[-1][:80]!r} is past its page's bound"
        )
    if not all(map(lt, names, names[1:])):
        wrong = next(b for a, b in pairwise(names) if a >= b)
        raise ManifestError(f"names are not strictly ascending at {wrong[:80]!r}")
    if not _are_components(names):
        for name in names:
            check_name(name)
    kinds = {entry.kind for entry in page}
    lengths = {len(entry.id) for entry in page}
    if not (kinds <= _HASHED and lengths <= _DIGEST):
        _check_ids(page)
    for entry in page:
        if entry.extra and not all(a[0] < b[0] for a, b in pairwise(entry.extra)):
            raise ManifestError(f"the extras of {entry.name[:80]!r} are not strictly ascending")


def _check_ids(page: Sequence[Entry]) -> None:
    if all(_id_fits(*shape) for shape in {(entry.kind, len(entry.id)) for entry in page}):
        return
    entry = next(e for e in page if not _id_fits(e.kind, len(e.id)))
    detail = f"{entry.kind.name.lower()} {entry.name[:80]!r}"
    raise ManifestError(f"{detail} has an id of {len(entry.id)} bytes")


def _are_components(names: Sequence[bytes]) -> bool:
    """Each could be one component; `names` ascend strictly."""
    joined = b"\0".join(names)
    return not names or (
        names[0] != b""
        and b"/" not in joined
        and joined.count(b"\0") == len(names) - 1
        and names[bisect_left(names, b".") :][:1] != [b"."]
        and names[bisect_left(names, b"..") :][:1] != [b".."]
        and max(map(len, names)) <= MAX_NAME_BYTES
    )


_HASHED = {Kind.FILE, Kind.DIR}
_DIGEST = {32}


def _id_fits(kind: Kind, length: int) -> bool:
    match kind:
        case Kind.FILE:
            return length == 32
        case Kind.DIR:
            return length in (0, 32)
        case Kind.LINK:
            return 0 < length <= 4096
        case Kind.SPECIAL | Kind.UNKNOWN:
            return length <= 255
        case Kind.IGNORED:
            return length == 0
        case _:
            assert_never(kind)


EMPTY = TreeManifest({ROOT: ()})
"""A tree with nothing in it."""
ABSENT = TreeManifest(None)
"""No tree at all: the baseline of a first run."""
