"""Recut: a directory's pages after some of its names changed, by the rules of `model/block.py`.

A removed cut joins two pages, an added one splits a page, and a directory that
crosses `PAGE_ENTRIES` visible names becomes paged or single again. Pages whose
names and bounds stay are kept by reference and never loaded.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from reconcile.model.block import PAGE_ENTRIES, PAGE_LIMIT, HashName, is_cut
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import Manifest, PageRef
from reconcile.model.treepath import TreePath

_NO_PAGE = PageRef(b"")


class Piece(NamedTuple):
    """One page afterwards: the names past `after`."""

    after: bytes
    entries: tuple[Entry, ...] | None
    """None: exactly the page `kept`, not loaded."""
    kept: PageRef = _NO_PAGE


class Directory:
    """The pages of a directory as they were, loaded when asked for."""

    def __init__(self, manifest: Manifest, path: TreePath, existed: bool) -> None:
        self.existed = existed
        self.refs: Sequence[PageRef] = manifest.pages(path) if existed else (_NO_PAGE,)
        self._manifest = manifest
        self._path = path
        self._lasts = [ref.last for ref in self.refs[:-1]]
        self._loaded: dict[int, Sequence[Entry]] = {}

    def number(self, name: bytes) -> int:
        """Which page has `name` in its range."""
        return bisect_left(self._lasts, name)

    def page(self, number: int) -> Sequence[Entry]:
        """The entries of one page; empty when the directory did not exist."""
        if not self.existed:
            return ()
        if number not in self._loaded:
            self._loaded[number] = self._manifest.load(self._path, self.refs[number])
        return self._loaded[number]

    def find(self, name: bytes) -> Entry | None:
        """The entry of that name; None: there was none."""
        entries = self.page(self.number(name)) if self.existed else ()
        if not entries:
            return None
        at = bisect_left(entries, name, key=lambda entry: entry.name)
        return entries[at] if at < len(entries) and entries[at].name == name else None

    def differs(self, piece: Piece) -> bool:
        """The page is not what stood at the same place before."""
        if piece.entries is None:
            return False
        for number, ref in enumerate(self.refs):
            if ref.after == piece.after:
                return not self.existed or tuple(self.page(number)) != piece.entries
        return True


def recut(
    directory: Directory, changes: Mapping[bytes, Entry | None], hash_name: HashName
) -> list[Piece]:
    """The directory's pages after `changes` (None removes the name), in order; at least one."""
    touched: dict[int, dict[bytes, Entry | None]] = {}
    if len(directory.refs) == 1:
        touched[0] = dict(changes)
    for name, entry in changes.items() if not touched else ():
        touched.setdefault(directory.number(name), {})[name] = entry
    if not _is_paged(directory, changes, touched):
        numbers = range(len(directory.refs))
        merged = (e for n in numbers for e in _merged(directory.page(n), touched.get(n, {})))
        return [Piece(b"", tuple(merged))]
    cutter = _Cutter(hash_name)
    for number, ref in enumerate(directory.refs):
        if number not in touched and len(directory.refs) > 1 and cutter.stands_at(ref.after):
            cutter.keep(ref)
        else:
            cutter.feed(_merged(directory.page(number), touched.get(number, {})))
    return cutter.finish(directory)


def _is_paged(
    directory: Directory,
    changes: Mapping[bytes, Entry | None],
    touched: Mapping[int, object],
) -> bool:
    """The directory has more than `PAGE_ENTRIES` visible names afterwards.

    Pages are loaded only until that many are counted: lengths count IGNORED
    entries as well, so they prove nothing.
    """
    if len(directory.refs) == 1 and len(directory.page(0)) + len(changes) <= PAGE_ENTRIES:
        return False  # not even if all are visible, and new
    grows = sum(
        _is_visible(entry) - _is_visible(directory.find(name)) for name, entry in changes.items()
    )
    if len(directory.refs) > 1 and grows >= 0:
        return True
    visible = grows
    for number in sorted(range(len(directory.refs)), key=lambda n: n not in touched):
        visible += sum(_is_visible(entry) for entry in directory.page(number))
        if visible > PAGE_ENTRIES:
            return True
    return False


def _is_visible(entry: Entry | None) -> bool:
    return entry is not None and entry.kind != Kind.IGNORED


def _merged(page: Sequence[Entry], changes: Mapping[bytes, Entry | None]) -> Iterator[Entry]:
    """The page's entries after the changes, in name order."""
    if not changes:
        yield from page
        return
    kept = {entry.name: entry for entry in page}
    for name, entry in changes.items():
        if entry is None:
            kept.pop(name, None)
        else:
            kept[name] = entry
    yield from (kept[name] for name in sorted(kept))


class _Cutter:
    """Cuts a paged directory anew, from the first changed page to where the old cuts fit again."""

    def __init__(self, hash_name: HashName) -> None:
        self._hash_name = hash_name
        self._pieces: list[Piece] = []
        self._after = b""
        self._pending: list[Entry] = []
        self._visible = 0

    def stands_at(self, after: bytes) -> bool:
        """A page that starts after this name could follow unchanged."""
        return not self._pending and self._after == after

    def keep(self, ref: PageRef) -> None:
        """The next page is the old one."""
        self._pieces.append(Piece(ref.after, None, ref))
        self._after = ref.last

    def feed(self, entries: Iterator[Entry]) -> None:
        """Cut what follows."""
        for entry in entries:
            self._pending.append(entry)
            if entry.kind == Kind.IGNORED:
                continue
            self._visible += 1
            if self._visible >= PAGE_LIMIT or is_cut(entry.name, self._hash_name):
                self._pieces.append(Piece(self._after, tuple(self._pending)))
                self._after, self._pending, self._visible = entry.name, [], 0

    def finish(self, directory: Directory) -> list[Piece]:
        """All pages. What follows the last cut and is all IGNORED joins the page before it."""
        rest, self._pending = tuple(self._pending), []
        if not self._pieces or self._visible:
            return [*self._pieces, Piece(self._after, rest)]
        if rest:
            last = self._pieces.pop()
            before = last.entries
            if before is None:
                before = tuple(directory.page(directory.refs.index(last.kept)))
            self._pieces.append(Piece(last.after, (*before, *rest)))
        return self._pieces
