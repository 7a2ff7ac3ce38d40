"""Writing a manifest file in one pass: children before parents, memory bounded by what is open.

Feed pages while the tree is scanned (`RmanWriter`), or a whole `Manifest`
(`write_tree`). A directory's places wait only until its parent's page is
written. Nothing here opens files: `trees/rman_file.py` does. FORMAT.md §6, §8.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from reconcile.model.block import HASHERS, page_id, tree_id
from reconcile.model.codec import decode, decode_entries, encode_entries
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestError
from reconcile.model.manifest import (
    DEFAULT_HEADER,
    Header,
    Manifest,
    PageRow,
    check_page,
)
from reconcile.model.rman import (
    LIST,
    MAX_LIST_ROWS,
    MAX_PAGE_ENTRIES,
    MAX_RAW_BYTES,
    PAGE,
    Coding,
    Counts,
    Front,
    ListRow,
    Place,
    Running,
    Trailer,
    encode_end,
    encode_front,
    encode_list,
    encode_page,
    encode_record,
    reaches_too_far,
)
from reconcile.model.squeeze import Squeezer
from reconcile.model.treepath import ROOT, TreePath, join, split


class _Page(NamedTuple):
    """A page that is written, of a directory that is not."""

    after: bytes
    final_name: bytes
    """Its last entry's name; empty when it has none."""
    page_id: bytes
    length: int
    place: Place


class _Open(msgspec.Struct):
    """A directory that is not written out yet."""

    pages: dict[bytes, _Page]
    """By `after`."""
    children: dict[bytes, tuple[bytes, Place]]
    """Written subdirectories that no page has named yet: name -> (tree id, place)."""
    expected: int = 0
    """Pages it has; 0: not known yet."""


class RmanWriter:
    """Takes pages in post-order and hands the file's bytes to `write`, front to tail.

    Every subdirectory must be closed before the page that names it is added;
    pages of one directory come in any order. What it accepts, it has checked.
    Raises: ManifestError, when a rule is broken (the file is then worthless).
    """

    def __init__(
        self,
        write: Callable[[bytes], object],
        header: Header = DEFAULT_HEADER,
        coding: Coding = "zstd",
        creator: str = "",
        created_ns: int = 0,
    ) -> None:
        front = Front(
            hash_name=header.hash_name,
            tracked=header.tracked,
            coding=coding,
            creator=creator,
            created_ns=created_ns,
        )
        self._write = write
        self._header = header
        self._squeezer = Squeezer() if coding == "zstd" else None
        self._open: dict[TreePath, _Open] = {}
        self._running = Running()
        self._front = encode_front(front)
        self._offset = len(self._front)
        self._root: tuple[bytes, Place] | None = None
        write(self._front)

    def add_page(
        self,
        path: TreePath,
        entries: Sequence[Entry],
        after: bytes = b"",
        known_id: bytes | None = None,
    ) -> None:
        """One page of the directory `path`: its names after `after`.

        `known_id`: its page id, where the caller has it already.
        """
        if known_id is None:
            known_id = page_id(entries, self._header.tracked, self._header.hash_name)
        self._add(path, entries, after, known_id, encode_entries(entries))

    def close_directory(self, path: TreePath) -> None:
        """All pages of `path` are added: its parent's page may name it from now on."""
        opened = self._open.pop(path, None)
        if opened is None or b"" not in opened.pages:
            raise ManifestError(f"directory {path[-80:]!r} is closed without its first page")
        if opened.children:
            raise ManifestError(f"no page names {min(opened.children)[:80]!r} in {path[-80:]!r}")
        pages = sorted(opened.pages.values())
        own_id = tree_id([page.page_id for page in pages], self._header.hash_name)
        place = pages[0].place if len(pages) == 1 else self._write_list(pages)
        if not path:
            self._root = (own_id, place)
            return
        parent, name = split(path)
        siblings = self._directory(parent).children
        if name in siblings:
            raise ManifestError(f"directory {path[-80:]!r} is written twice")
        siblings[name] = (own_id, place)

    def add_row(self, row: PageRow) -> None:
        """One page as a scan stores it; its directory closes itself with its last page."""
        path, after = place_of_key(row.key)
        self._add(path, decode_entries(row.block), after, row.id, row.block)
        opened = self._open[path]
        if not after:
            refs = decode(row.refs, list[tuple[bytes, bytes, bytes, int]]) if row.refs else []
            opened.expected = max(1, len(refs))
        if opened.expected == len(opened.pages):
            self.close_directory(path)

    def finish(self, root: Entry, complete: bool = True) -> Counts:
        """Write the trailer. `root`: the root's entry, its name empty; `complete`: see Trailer."""
        if self._root is None or self._open:
            raise ManifestError(f"directory {min(self._open, default=ROOT)[-80:]!r} was not closed")
        root_id, place = self._root
        if root.kind != Kind.DIR or root.name or root.id != root_id:
            raise ManifestError("the root's entry is not that of the pages written")
        counts = self._running.settled()
        self._write(encode_end(self._front, Trailer(root, place, counts, complete)))
        return counts

    def _directory(self, path: TreePath) -> _Open:
        if not path and self._root:
            raise ManifestError("the root directory is closed already")
        if path not in self._open:
            self._open[path] = _Open({}, {})
        return self._open[path]

    def _add(
        self, path: TreePath, entries: Sequence[Entry], after: bytes, own_id: bytes, block: bytes
    ) -> None:
        check_page(entries, after)
        if len(entries) > MAX_PAGE_ENTRIES:
            raise ManifestError(f"a page of {path[-80:]!r} holds {len(entries)} entries")
        if reaches_too_far(path, entries):
            raise ManifestError(f"what {path[-80:]!r} holds lies too deep or has too long a path")
        opened = self._directory(path)
        if after in opened.pages:
            raise ManifestError(f"two pages of {path[-80:]!r} start after {after[:80]!r}")
        places = tuple(_take(opened, path, entry) for entry in entries if entry.kind == Kind.DIR)
        place = self._put(PAGE, encode_page(block, places), places)
        final_name = entries[-1].name if entries else b""
        opened.pages[after] = _Page(after, final_name, own_id, len(entries), place)
        self._running.add(entries)

    def _write_list(self, pages: Sequence[_Page]) -> Place:
        if len(pages) > MAX_LIST_ROWS:
            raise ManifestError(f"a directory of {len(pages)} pages")
        for page, following in pairwise(pages):
            if page.final_name != following.after:
                raise ManifestError(f"no page ends with {following.after[:80]!r}")
        lasts = [page.after for page in pages[1:]] + [b""]
        rows = tuple(
            ListRow(page.page_id, last, page.length, page.place)
            for page, last in zip(pages, lasts, strict=True)
        )
        self._running.add()
        return self._put(LIST, encode_list(rows), tuple(page.place for page in pages))

    def _put(self, kind: int, raw: bytes, below: tuple[Place, ...]) -> Place:
        if len(raw) > MAX_RAW_BYTES:
            raise ManifestError(f"a page of {len(raw)} bytes passes the limit of {MAX_RAW_BYTES}")
        record = encode_record(kind, raw, self._squeezer)
        digest = HASHERS[self._header.hash_name](record)
        weight = len(record) + sum(place.weight for place in below)
        place = Place(self._offset, len(record), digest, weight)
        self._write(record)
        self._offset += len(record)
        return place


def _take(opened: _Open, path: TreePath, entry: Entry) -> Place:
    """The place of the subdirectory `entry`, which must be what was written under its name."""
    found = opened.children.pop(entry.name, None)
    if found is None:
        raise ManifestError(f"directory {join(path, entry.name)[-80:]!r} is named, not written")
    if found[0] != entry.id:
        raise ManifestError(f"directory {join(path, entry.name)[-80:]!r} has another tree id")
    return found[1]


def place_of_key(key: bytes) -> tuple[TreePath, bytes]:
    """(directory, after) of a page key: the inverse of `block.page_key`."""
    rest, mark = key[:-1], key[-1:]
    if mark == b"\1":
        above, _, after = rest.rpartition(b"\0")
        return TreePath(above.replace(b"\0", b"/")), after
    return TreePath(rest[:-1].replace(b"\0", b"/")), b""


def write_tree(manifest: Manifest, writer: RmanWriter, complete: bool = True) -> Counts:
    """The whole of `manifest`, depth first, one page a level in memory, trailer included.

    Raises: ManifestError, when there is no tree or it breaks a rule.
    """
    if manifest.root is None:
        raise ManifestError("there is no tree to write")
    _write_directory(manifest, ROOT, writer)
    return writer.finish(manifest.root, complete)


def _write_directory(manifest: Manifest, path: TreePath, writer: RmanWriter) -> None:
    for page in manifest.pages(path):
        entries = manifest.load(path, page)
        for entry in entries:
            if entry.kind == Kind.DIR:
                _write_directory(manifest, join(path, entry.name), writer)
        writer.add_page(path, entries, page.after, page.id)
    writer.close_directory(path)
