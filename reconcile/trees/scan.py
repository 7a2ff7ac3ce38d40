"""Scanning: a directory tree into pages, touching only what changed since the index was written.

A directory whose stat rows pack to the bytes of its index row, and whose
subdirectories' ids are what they were, is neither decoded, hashed nor written.
Every access goes through the descriptor of the directory just opened with
O_NOFOLLOW: a link swapped in while we walk is never followed.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from reconcile.model.block import PAGE_ENTRIES, page_id, page_key, subtree_key, tree_id
from reconcile.model.codec import decode, decode_entries, encode, encode_entries
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestError
from reconcile.model.manifest import PageRow
from reconcile.model.plan import Problem
from reconcile.model.statrow import Row, is_directory, pack, unpack
from reconcile.model.treepath import MAX_DEPTH, MAX_PATH_BYTES, TreePath, join
from reconcile.trees.boundaries import Boundaries
from reconcile.trees.listing import Listed, cut
from reconcile.trees.looking import Found, Look, Settings, cannot
from reconcile.trees.reading import PageReader

DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
PageRefRow = tuple[bytes, bytes, bytes, int]
"""id, after, last, length: what `PageRow.refs` packs."""


class Index(Protocol):
    """What is known of earlier scans of the same root."""

    def rows(self, low: bytes, high: bytes | None) -> Iterator[tuple[bytes, bytes, bytes]]:
        """(key, page id, packed stat rows) in key order, low <= key < high."""

    def block(self, key: bytes) -> tuple[bytes, bytes] | None:
        """(encoded entries, refs) of one page; None when there is none."""


class Stored(NamedTuple):
    """An index row."""

    id: bytes
    stat: bytes


class Page(NamedTuple):
    """One page as listed, its subdirectories scanned."""

    path: TreePath
    """The directory it belongs to."""
    key: bytes
    rows: list[Row]
    stored: Stored | None
    """What the index knows of it."""
    children: "dict[bytes, Found | Problem] | None"
    last: bytes = b""
    """On the first page of several: the name it was cut after."""
    following: Sequence[PageRefRow] = ()
    """On the first page of several: the other pages."""
    anew: bool = False
    """It is to be written in any case: a page that it refers to changed."""

    @property
    def head(self) -> list[Row]:
        """The row that counts the pages, where there are several."""
        return self.rows[:1] if self.following else []

    @property
    def visible(self) -> list[Row]:
        """The rows of names."""
        return self.rows[1:] if self.following else self.rows

    @property
    def is_settled(self) -> bool:
        """The index has the same rows, and the subdirectories' ids are what they were."""
        stored, children = self.stored, self.children
        return (
            stored is not None
            and stored.stat == pack(self.rows)
            and bool(stored.id)
            and not self.anew
            and (children is None or all(_is_same(child) for child in children.values()))
        )


class Cursor:
    """Index rows in key order; a walk in preorder meets them without seeking."""

    def __init__(self, rows: Iterator[tuple[bytes, bytes, bytes]]) -> None:
        self._rows = rows
        self._current = next(rows, None)

    def get(self, key: bytes) -> Stored | None:
        """The row of `key`, which is past every key asked for before."""
        current = self._current
        while current is not None and current[0] < key:
            current = next(self._rows, None)
        self._current = current
        if current is None or current[0] != key:
            return None
        return Stored(current[1], current[2])


class Scanner:
    """Scans subtrees. Pages that changed go to `emit`, vanished ones to `gone`."""

    def __init__(
        self,
        settings: Settings,
        index: Index | None,
        emit: Callable[[PageRow], None],
        *,
        trusted: bool,
        own_paths: frozenset[TreePath] = frozenset(),
        boundaries: "Boundaries | None" = None,
    ) -> None:
        """`own_paths`: where something of ours lies below the root. `boundaries`: None where it
        cannot be seen what is mounted below it."""
        self._boundaries = boundaries
        self.look = Look(settings, trusted=trusted, own_paths=own_paths)
        self._header = settings.header
        self._index = index
        self._emit = emit
        self.gone: list[bytes] = []
        self.gone_subtrees: list[bytes] = []

    def subtree(self, path: TreePath, fd: int) -> Found:
        """Scan the directory open as `fd` and all below it."""
        low = subtree_key(path)
        rows = self._index.rows(low, _successor(low)) if self._index else iter(())
        return self._directory(path, fd, Cursor(rows), os.fstat(fd).st_dev)

    def _directory(self, path: TreePath, fd: int, cursor: Cursor, device: int) -> Found:
        self.look.directories += 1
        listed = self.look.listing.rows(path, fd)
        if not isinstance(listed, Listed):
            return self._large(path, fd, cut(listed, self._header.hash_name), cursor, device)
        rows = listed.rows
        if len(rows) > PAGE_ENTRIES:
            return self._large(path, fd, cut(rows, self._header.hash_name), cursor, device)
        if listed.has_directories or not self.look.trusted:
            return self.page(fd, self._listed(path, fd, rows, cursor, device))
        return self._leaves(path, fd, rows, cursor)

    def _leaves(self, path: TreePath, fd: int, rows: list[Row], cursor: Cursor) -> Found:
        """A directory without subdirectories, as most are: one comparison when nothing changed."""
        key = page_key(path)
        stored = cursor.get(key)
        if stored is not None and stored.stat == pack(rows) and stored.id:
            self._count(rows)
            return Found(stored.id, same=True)
        return self.page(fd, Page(path, key, rows, stored, None))

    def _listed(
        self,
        path: TreePath,
        fd: int,
        rows: list[Row],
        cursor: Cursor,
        device: int,
        after: bytes = b"",
    ) -> Page:
        key = page_key(path, after)
        stored = cursor.get(key)
        return Page(path, key, rows, stored, self._children(path, fd, rows, cursor, device))

    def _large(
        self, path: TreePath, fd: int, pages: Iterator[list[Row]], cursor: Cursor, device: int
    ) -> Found:
        """A directory of many pages; the first is settled last, because it knows the others."""
        first = self._listed(path, fd, next(pages), cursor, device)
        page = next(pages, None)
        if page is None:
            return self.page(fd, first)
        refs: list[PageRefRow] = []
        after, same = first.rows[-1][0], True
        first = first._replace(last=after)
        while page is not None:
            found = self.page(fd, self._listed(path, fd, page, cursor, device, after))
            following = next(pages, None)
            last = page[-1][0] if following is not None else b""
            refs.append((found.id, after, last, len(page)))
            same = same and found.same
            after, page = last, following
        first.rows.insert(0, (b"", len(refs) + 1))
        found = self.page(fd, first._replace(following=refs, anew=not same))
        ids = [found.id, *(ref[0] for ref in refs)]
        return Found(tree_id(ids, self._header.hash_name), same and found.same)

    def _children(
        self, path: TreePath, fd: int, rows: list[Row], cursor: Cursor, device: int
    ) -> "dict[bytes, Found | Problem] | None":
        """Scan the subdirectories among `rows`; None when there are none."""
        names = [row[0] for row in rows if is_directory(row)]
        if not names:
            return None
        return {name: self._child(join(path, name), name, fd, cursor, device) for name in names}

    def _child(
        self, path: TreePath, name: bytes, parent_fd: int, cursor: Cursor, device: int
    ) -> "Found | Problem":
        refusal = too_deep(path)
        if refusal:
            return self.look.problem(path, "E_PATH", refusal)
        try:
            fd = os.open(name, DIRECTORY_FLAGS, dir_fd=parent_fd)
        except OSError as error:
            return self.look.problem(path, "E_DENIED", cannot("open the directory", error))
        try:
            return self.mount_problem(path, fd, device) or self._directory(
                path, fd, cursor, os.fstat(fd).st_dev
            )
        except OSError as error:
            return self.look.problem(path, "E_UNREADABLE", cannot("list the directory", error))
        finally:
            os.close(fd)

    def mount_problem(self, path: TreePath, fd: int, above: int) -> Problem | None:
        """Why a directory in one of the device `above` is not observed. Raises: OSError."""
        if self._boundaries is None:
            return None
        refusal = self._boundaries.refusal(path, fd, above)
        return self.look.problem(path, "E_MOUNT", refusal) if refusal else None

    def page(self, fd: int, page: Page) -> Found:
        """Nothing at all when the page is what the index says, else its entries anew."""
        settled = self.settled(page)
        if settled is not None:
            return settled
        old_entries, old_rows = self.known(page)
        work = PageReader(self.look, page.path, fd, old_entries, old_rows)
        kept, entries = work.entries(page.visible, page.children or {})
        return self.keep(page, kept, entries, old_entries)

    def settled(self, page: Page) -> Found | None:
        """Count the page; what the index says of it when that still holds, else None."""
        self._count(page.rows)
        stored = page.stored
        if self.look.trusted and stored is not None and page.is_settled:
            return Found(stored.id, same=True)
        return None

    def keep(
        self,
        page: Page,
        kept: Sequence[Row],
        entries: Sequence[Entry],
        old_entries: dict[bytes, Entry],
    ) -> Found:
        """Emit the page as it is now, and note what the index has below it in vain."""
        self._forget(page, old_entries, entries)
        identifier = page_id(entries, self._header.tracked, self._header.hash_name)
        refs = b""
        if page.following:
            refs = encode([(identifier, b"", page.last, len(entries)), *page.following])
        block = encode_entries(entries)
        stat = pack([*page.head, *kept])
        self._emit(PageRow(page.key, identifier, len(entries), block, refs, stat))
        stored = page.stored
        same = (
            stored is not None
            and stored.id == identifier
            and _page_count(stored) == 1 + len(page.following)
        )
        return Found(identifier, same)

    def known(self, page: Page) -> tuple[dict[bytes, Entry], dict[bytes, Row]]:
        """Entries and stat rows of the page as the index has it; empty when unusable."""
        found = self._index.block(page.key) if self._index else None
        if found is None:
            return {}, {}
        try:
            entries = {entry.name: entry for entry in decode_entries(found[0])}
        except ManifestError:
            return {}, {}
        rows = unpack(page.stored.stat) if page.stored else ()
        return entries, {row[0]: row for row in rows}

    def _forget(self, page: Page, old: dict[bytes, Entry], new: Sequence[Entry]) -> None:
        """Index rows of directories and pages that are no more."""
        if not old:
            return
        now = {entry.name for entry in new if entry.kind == Kind.DIR}
        for name, entry in old.items():
            if entry.kind == Kind.DIR and name not in now:
                self.gone_subtrees.append(subtree_key(join(page.path, name)))
        found = self._index.block(page.key) if self._index else None
        if found and found[1]:
            kept = {ref[1] for ref in page.following}
            for ref in decode(found[1], list[PageRefRow]):
                if ref[1] and ref[1] not in kept:
                    self.gone.append(page_key(page.path, ref[1]))

    def _count(self, rows: list[Row]) -> None:
        look = self.look
        sizes = [row[2] for row in rows if len(row) == 6 and row[1] & 0o170000 == 0o100000]
        look.files += len(sizes)
        look.size_bytes += sum(sizes)
        if len(sizes) != len(rows):
            look.links += sum(len(row) == 6 for row in rows) - len(sizes)


def _page_count(stored: Stored) -> int:
    """How many pages the directory of this first page had; 1 for every other page."""
    rows = unpack(stored.stat)
    return int(rows[0][1]) if rows and not rows[0][0] else 1


def _is_same(child: "Found | Problem") -> bool:
    return isinstance(child, Found) and child.same


def too_deep(path: TreePath) -> str:
    """Why a path cannot be walked further; empty when it can."""
    if len(path) > MAX_PATH_BYTES:
        return f"the path is longer than {MAX_PATH_BYTES} bytes; left untouched"
    if path.count(b"/") >= MAX_DEPTH:
        return f"deeper than {MAX_DEPTH} directories; left untouched"
    return ""


def _successor(prefix: bytes) -> bytes | None:
    """The least bytes greater than everything that begins with `prefix`; None: no bound."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else None
