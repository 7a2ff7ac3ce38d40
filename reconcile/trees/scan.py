"""Scanning: a directory tree into pages, touching only what changed since the index was written.

A directory whose stat rows pack to the bytes of its index row, and whose
subdirectories' ids are what they were, is neither decoded, hashed nor written.
Every access goes through the descriptor of the directory just opened with
O_NOFOLLOW: a link swapped in while we walk is never followed.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec

from reconcile.decide.filters import Filter, looks_like_text
from reconcile.model.block import page_id, page_key, subtree_key, tree_id
from reconcile.model.codec import decode, decode_entries, encode, encode_entries
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestError
from reconcile.model.manifest import DEFAULT_HEADER, Header, PageRow
from reconcile.model.plan import Problem
from reconcile.model.statrow import Row, distrusted, pack, unpack
from reconcile.model.treepath import MAX_DEPTH, MAX_PATH_BYTES, TreePath, join
from reconcile.trees.base import Tally
from reconcile.trees.hashing import Volatile, hash_file, stamp
from reconcile.trees.listing import Listing, cut

DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
FINE_CLOCK_NS = 20_000_000
"""File times on Linux file systems move in steps of at most 10 ms."""
COARSE_CLOCK_NS = 2_100_000_000
"""For a time without a fraction: the file system may keep whole or even seconds only."""

PageRefRow = tuple[bytes, bytes, bytes, int]
"""id, after, last, length: what `PageRow.refs` packs."""


class Settings(msgspec.Struct, frozen=True):
    """How to look. Two scans with equal `digest` give comparable pages."""

    header: Header = DEFAULT_HEADER
    filter: Filter | None = None
    skip_links: bool = False
    paranoid: bool = False
    now_ns: int = 0
    """Start of the scan, by the clock that stamps the files."""
    digest: bytes = b""


class Index(Protocol):
    """What is known of earlier scans of the same root."""

    def rows(self, low: bytes, high: bytes | None) -> Iterator[tuple[bytes, bytes, bytes]]:
        """(key, page id, packed stat rows) in key order, low <= key < high."""

    def block(self, key: bytes) -> tuple[bytes, bytes] | None:
        """(encoded entries, refs) of one page; None when there is none."""


class Found(NamedTuple):
    """A directory after its scan."""

    id: bytes
    """Tree id; empty: something below equals nothing."""
    same: bool
    """The id is what the index says it was."""


class Stored(NamedTuple):
    """An index row."""

    id: bytes
    stat: bytes


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
    ) -> None:
        self.settings = settings
        self._header = settings.header
        self._index = index
        self._trusted = trusted and not settings.paranoid
        self._emit = emit
        tracked = settings.header.tracked
        self._extras = tracked.owner or tracked.xattr
        self.listing = Listing(settings.filter, settings.now_ns, deep=self._extras)
        self.problems: list[Problem] = []
        self.gone: list[bytes] = []
        self.gone_subtrees: list[bytes] = []
        self._counts = [0, 0, 0, 0, 0, 0]

    @property
    def tally(self) -> Tally:
        """What was counted so far."""
        return Tally(*self._counts)

    def subtree(self, path: TreePath, fd: int) -> Found:
        """Scan the directory open as `fd` and all below it."""
        low = subtree_key(path)
        rows = self._index.rows(low, _successor(low)) if self._index else iter(())
        return self._directory(path, fd, Cursor(rows))

    def _directory(self, path: TreePath, fd: int, cursor: Cursor) -> Found:
        self._counts[1] += 1
        rows = self.listing.rows(path, fd)
        if isinstance(rows, list) and len(rows) <= 1024:
            key = page_key(path)
            stored = cursor.get(key)
            children = self._children(path, fd, rows, cursor)
            return self.page(path, fd, key, rows, stored, children)
        return self._large(path, fd, cut(rows, self._header.hash_name), cursor)

    def _large(
        self, path: TreePath, fd: int, pages: Iterator[list[Row]], cursor: Cursor
    ) -> Found:
        """A directory with many pages; the first one is settled last, because it knows them all."""
        first_key = page_key(path)
        first_stored = cursor.get(first_key)
        first = next(pages)
        first_children = self._children(path, fd, first, cursor)
        following = next(pages, None)
        if following is None:
            return self.page(path, fd, first_key, first, first_stored, first_children)
        refs: list[PageRefRow] = []
        after, same = first[-1][0], True
        first_last = after
        while following is not None:
            page, following = following, next(pages, None)
            key = page_key(path, after)
            stored = cursor.get(key)
            children = self._children(path, fd, page, cursor)
            found = self.page(path, fd, key, page, stored, children)
            last = page[-1][0] if following is not None else b""
            refs.append((found.id, after, last, len(page)))
            same = same and found.same
            after = last
        first.insert(0, (b"", len(refs) + 1))
        return self._first_of_many(
            path, fd, first, first_stored, first_children, refs, first_last, same
        )

    def _first_of_many(
        self,
        path: TreePath,
        fd: int,
        rows: list[Row],
        stored: Stored | None,
        children: "dict[bytes, Found | Problem] | None",
        refs: list[PageRefRow],
        last: bytes,
        same: bool,
    ) -> Found:
        key = page_key(path)
        if not same:
            stored = None
        found = self.page(path, fd, key, rows, stored, children, (last, refs))
        ids = [found.id, *(ref[0] for ref in refs)]
        return Found(tree_id(ids, self._header.hash_name), same and found.same)

    def _children(
        self, path: TreePath, fd: int, rows: list[Row], cursor: Cursor
    ) -> "dict[bytes, Found | Problem] | None":
        """Scan the subdirectories among `rows`; None when there are none."""
        names = [row[0] for row in rows if 3 <= len(row) <= 4]
        if not names:
            return None
        return {name: self._child(join(path, name), name, fd, cursor) for name in names}

    def _child(
        self, path: TreePath, name: bytes, parent_fd: int, cursor: Cursor
    ) -> "Found | Problem":
        refusal = too_deep(path)
        if refusal:
            return self.problem(path, "E_PATH", refusal)
        try:
            fd = os.open(name, DIRECTORY_FLAGS, dir_fd=parent_fd)
        except OSError as error:
            return self.problem(path, "E_DENIED", _cannot("open the directory", error))
        try:
            return self._directory(path, fd, cursor)
        except OSError as error:
            return self.problem(path, "E_UNREADABLE", _cannot("list the directory", error))
        finally:
            os.close(fd)

    def page(
        self,
        path: TreePath,
        fd: int,
        key: bytes,
        rows: list[Row],
        stored: Stored | None,
        children: "dict[bytes, Found | Problem] | None",
        many: tuple[bytes, list[PageRefRow]] | None = None,
    ) -> Found:
        """One page: nothing at all when it is what the index says, else its entries anew."""
        packed = pack(rows)
        self._count(rows)
        if (
            stored is not None
            and self._trusted
            and stored.stat == packed
            and stored.id
            and (children is None or all(_is_same(child) for child in children.values()))
        ):
            return Found(stored.id, same=True)
        old_entries, old_rows = self._known(key, stored)
        work = _Page(self, path, fd, old_entries, old_rows)
        visible_rows = rows[1:] if many else rows
        kept, entries = work.entries(visible_rows, children or {})
        self._forget(path, key, old_entries, entries, many)
        identifier = page_id(entries, self._header.tracked, self._header.hash_name)
        refs = b""
        if many:
            kept.insert(0, rows[0])
            refs = encode([(identifier, b"", many[0], len(entries)), *many[1]])
        packed = pack(kept)
        block = encode_entries(entries)
        self._emit(PageRow(key, identifier, len(entries), block, refs, packed))
        return Found(identifier, same=stored is not None and stored.id == identifier)

    def _known(
        self, key: bytes, stored: Stored | None
    ) -> tuple[dict[bytes, Entry], dict[bytes, Row]]:
        """Entries and stat rows of the page as the index has it; empty when unusable."""
        found = self._index.block(key) if self._index else None
        if found is None:
            return {}, {}
        try:
            entries = {entry.name: entry for entry in decode_entries(found[0])}
        except ManifestError:
            return {}, {}
        rows = unpack(stored.stat) if stored else ()
        return entries, {row[0]: row for row in rows}

    def _forget(
        self,
        path: TreePath,
        key: bytes,
        old: dict[bytes, Entry],
        new: Sequence[Entry],
        many: tuple[bytes, list[PageRefRow]] | None,
    ) -> None:
        """Index rows of directories and pages that are no more."""
        if not old:
            return
        now = {entry.name for entry in new if entry.kind == Kind.DIR}
        for name, entry in old.items():
            if entry.kind == Kind.DIR and name not in now:
                self.gone_subtrees.append(subtree_key(join(path, name)))
        found = self._index.block(key) if self._index else None
        if found and found[1]:
            kept = {ref[1] for ref in many[1]} if many else set()
            for ref in decode(found[1], list[PageRefRow]):
                if ref[1] and ref[1] not in kept:
                    self.gone.append(page_key(path, ref[1]))

    def _count(self, rows: list[Row]) -> None:
        sizes = [row[2] for row in rows if len(row) == 6 and stat.S_ISREG(row[1])]
        self._counts[0] += len(sizes)
        self._counts[3] += sum(sizes)

    def counted_hash(self, size_bytes: int) -> None:
        """A file's content was read."""
        self._counts[4] += 1
        self._counts[5] += size_bytes

    def counted_directory(self) -> None:
        """A directory was listed elsewhere."""
        self._counts[1] += 1

    def counted_link(self) -> None:
        """A link was met on a page that is looked at."""
        self._counts[2] += 1

    def problem(self, path: TreePath, code: str, reason: str, severity: str = "error") -> Problem:
        """Note one path that could not be looked at, or is not carried over."""
        problem = Problem(path, None, code, reason, severity)
        self.problems.append(problem)
        return problem


class _Page:
    """One page being looked at: reuses what the index knows, reads the rest."""

    def __init__(
        self,
        scanner: Scanner,
        path: TreePath,
        fd: int,
        old_entries: dict[bytes, Entry],
        old_rows: dict[bytes, Row],
    ) -> None:
        self._scanner = scanner
        self._settings = scanner.settings
        self._path = path
        self._fd = fd
        self._old_entries = old_entries
        self._old_rows = old_rows
        rules = self._settings.filter
        self._text_only = rules is not None and rules.text_only

    def entries(
        self, rows: Sequence[Row], children: "dict[bytes, Found | Problem]"
    ) -> tuple[list[Row], list[Entry]]:
        """(rows to keep in the index, entries), both in name order."""
        kept: list[Row] = []
        entries: list[Entry] = []
        for row in rows:
            if len(row) == 1:
                kept.append(row)
                entries.append(Entry(row[0], Kind.IGNORED))
            elif len(row) < 6:
                kept.append(row)
                entries.append(self._directory(row, children[row[0]]))
            else:
                settled = self._settled(row)
                if settled is not None:
                    kept.append(settled[0])
                    entries.append(settled[1])
        return kept, entries

    def _directory(self, row: Row, child: "Found | Problem") -> Entry:
        if isinstance(child, Problem):
            return Entry(row[0], Kind.UNKNOWN, id=child.code.encode())
        entry = Entry(row[0], Kind.DIR, 0, 0, row[1] & 0o7777, child.id)
        return self._with_extras(entry)

    def _settled(self, row: Row) -> tuple[Row, Entry] | None:
        """The row and entry of a name that is no directory; None when it is gone by now."""
        old = self._old_entries.get(row[0])
        if old is not None and not self._settings.paranoid and self._old_rows.get(row[0]) == row:
            if old.kind in (Kind.FILE, Kind.LINK) or (old.kind == Kind.IGNORED and self._trusted):
                return row, old
        try:
            return self._read(row)
        except FileNotFoundError:
            return self._vanished(row)
        except Volatile:
            return row, self._unknown(row, "E_CHANGED_WHILE_READING", "it changed while being read")
        except OSError as error:
            return row, self._unknown(row, "E_UNREADABLE", _cannot("read it", error))

    @property
    def _trusted(self) -> bool:
        return self._scanner._trusted

    def _read(self, row: Row) -> tuple[Row, Entry]:
        name, mode, size, mtime_ns, ctime_ns, inode = row
        kind = stat.S_IFMT(mode)
        if kind == stat.S_IFREG:
            return self._file(row, (size, mtime_ns, ctime_ns, inode))
        if kind == stat.S_IFLNK:
            self._scanner.counted_link()
            if self._settings.skip_links:
                return row, Entry(name, Kind.IGNORED)
            target = os.readlink(name, dir_fd=self._fd)
            return row, Entry(name, Kind.LINK, 0, mtime_ns, 0, target)
        self._scanner.problem(
            join(self._path, name),
            "E_SPECIAL",
            f"a {_SPECIAL.get(kind, 'special file')} is not carried over; left untouched",
            "note",
        )
        return row, Entry(name, Kind.SPECIAL, id=_SPECIAL.get(kind, "special").encode())

    def _file(self, row: Row, seen: tuple[int, int, int, int]) -> tuple[Row, Entry]:
        heads: list[bytes] = []
        content, status = hash_file(
            row[0],
            self._fd,
            seen,
            self._settings.header.hash_name,
            heads.append if self._text_only else None,
        )
        if status is not None:
            row = (row[0], status.st_mode, *stamp(status))
        self._scanner.counted_hash(row[2])
        if self._text_only and heads and not looks_like_text(heads[-1]):
            return row, Entry(row[0], Kind.IGNORED)
        entry = Entry(row[0], Kind.FILE, row[2], row[3], row[1] & 0o7777, content)
        keep = distrusted(row) if _is_racy(row[3], self._settings.now_ns) else row
        return keep, self._with_extras(entry)

    def _vanished(self, row: Row) -> tuple[Row, Entry] | None:
        """It went after the listing: gone, or saved anew by rename in between."""
        time.sleep(0.01)
        again = self._scanner.listing.row(self._fd, row[0])
        if again is None or len(again) != 6:
            return None
        try:
            return self._read(again)
        except (OSError, Volatile):
            return again, self._unknown(again, "E_VANISHED", "it comes and goes while being read")

    def _unknown(self, row: Row, code: str, reason: str) -> Entry:
        self._scanner.problem(join(self._path, row[0]), code, f"{reason}; left untouched")
        return Entry(row[0], Kind.UNKNOWN, id=code.encode())

    def _with_extras(self, entry: Entry) -> Entry:
        tracked = self._settings.header.tracked
        if not (tracked.owner or tracked.xattr):
            return entry
        extra: list[tuple[str, bytes]] = []
        if tracked.owner:
            status = os.stat(entry.name, dir_fd=self._fd, follow_symlinks=False)
            extra.append(("owner", b"%d:%d" % (status.st_uid, status.st_gid)))
        if tracked.xattr:
            extra.append(("xattr", xattr_digest(entry.name, self._fd)))
        return msgspec.structs.replace(entry, extra=tuple(extra))


def _is_same(child: "Found | Problem") -> bool:
    return isinstance(child, Found) and child.same


_SPECIAL = {
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFBLK: "block device",
    stat.S_IFCHR: "character device",
}


def xattr_digest(name: bytes, directory_fd: int) -> bytes:
    """The user's extended attributes of a file or directory, packed; empty when none."""
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory_fd)
    try:
        names = sorted(key for key in os.listxattr(fd) if key.startswith("user."))
        return encode([(key, os.getxattr(fd, key)) for key in names]) if names else b""
    finally:
        os.close(fd)


def too_deep(path: TreePath) -> str:
    """Why a path cannot be walked further; empty when it can."""
    if len(path) > MAX_PATH_BYTES:
        return f"the path is longer than {MAX_PATH_BYTES} bytes; left untouched"
    if path.count(b"/") >= MAX_DEPTH:
        return f"deeper than {MAX_DEPTH} directories; left untouched"
    return ""


def _is_racy(mtime_ns: int, now_ns: int) -> bool:
    """Younger than the clock can tell from an edit right after it was read."""
    window = FINE_CLOCK_NS if mtime_ns % 1_000_000_000 else COARSE_CLOCK_NS
    return mtime_ns + window >= now_ns


def _cannot(what: str, error: OSError) -> str:
    return f"cannot {what}: {error.strerror or error}; left untouched"


def _successor(prefix: bytes) -> bytes | None:
    """The least bytes greater than everything that begins with `prefix`; None: no bound."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else None
