"""Pages of the three trees, as rows; manifests that read them; the stat index beside them.

A row is never believed on sight: a checksum covers what is stored, the page id
is computed again when a page is loaded, and a directory that its parent names
and that has no row is damage. So a damaged page is an error, never a deletion.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple
from zlib import crc32

from reconcile.model.block import page_id, page_key, tree_id
from reconcile.model.codec import decode, decode_entries
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestError, StateError
from reconcile.model.manifest import Header, PageRef, PageRow, lookup
from reconcile.model.treepath import ROOT, TreePath
from reconcile.store.database import (
    DATABASE_NAME,
    Database,
    connect,
    connect_frozen,
    damaged,
    damaged_index,
)
from reconcile.store.frozen import Frozen

NUMBERS = {"base": 0, "left": 1, "right": 2}
_CHUNK = 512
_CACHED_PAGES = 64

RefRow = tuple[bytes, bytes, bytes, int]


class StoredPage(NamedTuple):
    """A row of `blocks`, its checksum verified."""

    id: bytes
    length: int
    refs: bytes
    block: bytes


Fetch = Callable[[bytes], StoredPage | None]


def fetch_page(database: Database, tree: int, key: bytes) -> StoredPage | None:
    """The page at `key`; None: there is none. Raises: StateError, when it is damaged."""
    row = database.one(
        "SELECT id, length, refs, block, crc FROM blocks WHERE tree = ? AND key = ?", tree, key
    )
    return None if row is None else checked(row, database.location, tree)


def blame(location: str, tree: int, what: str) -> StateError:
    """The error for a page that cannot be believed."""
    return damaged_index(location, what) if tree else damaged(location, what)


def checked(row: tuple[object, ...], location: str, tree: int = 0) -> StoredPage:
    """The page of a row (id, length, refs, block, crc). Raises: StateError."""
    identifier, length, refs, block, crc = row
    if (
        isinstance(identifier, bytes)
        and isinstance(length, int)
        and isinstance(refs, bytes)
        and isinstance(block, bytes)
        and crc == checksum(identifier, refs, block)
    ):
        return StoredPage(identifier, length, refs, block)
    raise blame(location, tree, "a page does not match its checksum")


def checksum(identifier: bytes, refs: bytes, block: bytes) -> int:
    """Over everything of a page that matters."""
    return crc32(block, crc32(refs, crc32(identifier)))


class StoreManifest:
    """A `Manifest` over rows; good until its tree is written to."""

    def __init__(
        self, database: Database, tree: int, fetch: Fetch, header: Header, root: Entry | None
    ) -> None:
        self._database = database
        self._tree = tree
        self._fetch = fetch
        self._header = header
        self._root = root
        self._cache: dict[bytes, StoredPage | None] = {}
        self._loaded: dict[bytes, Sequence[Entry]] = {}
        """Of those in the cache: their entries, checked."""
        self._as_of = database.writes
        if root is not None and root.id:
            ids = [page.id for page in self.pages(ROOT)]
            if tree_id(ids, header.hash_name) != root.id:
                raise self._damaged("the root page is not the one recorded")

    @property
    def header(self) -> Header:
        """See `Manifest.header`."""
        return self._header

    @property
    def root(self) -> Entry | None:
        """See `Manifest.root`."""
        return self._root

    def pages(self, path: TreePath) -> Sequence[PageRef]:
        """See `Manifest.pages`. Raises: StateError, when a row is missing or damaged."""
        if self._root is None:
            return ()
        key = page_key(path)
        row = self._row(key)
        if row is None:
            found = lookup(self, path) if path else self._root
            if found is not None and found.kind == Kind.DIR:
                raise self._damaged(f"the pages of {path[:80]!r} are missing")
            return ()
        if not row.refs:
            return (PageRef(row.id, b"", b"", row.length, key),)
        refs = self._decoded(row.refs, list[RefRow])
        return tuple(PageRef(*ref, page_key(path, ref[1])) for ref in refs)

    def load(self, path: TreePath, page: PageRef) -> Sequence[Entry]:
        """See `Manifest.load`. Raises: StateError, when the entries do not give the page's id."""
        key = page_key(path, page.after)
        row = self._row(key)
        if row is None:
            raise self._damaged(f"a page of {path[:80]!r} is missing")
        known = self._loaded.get(key)
        if known is not None and row.id == page.id:
            return known
        try:
            entries = decode_entries(row.block)
        except ManifestError as error:
            raise self._damaged(error.message) from error
        found = page_id(entries, self._header.tracked, self._header.hash_name)
        if not found == row.id == page.id:
            raise self._damaged(f"a page of {path[:80]!r} has another id")
        if entries and (
            entries[0].name <= page.after or (page.last and entries[-1].name > page.last)
        ):
            raise self._damaged(f"a page of {path[:80]!r} goes past its bounds")
        self._loaded[key] = entries
        return entries

    def _row(self, key: bytes) -> StoredPage | None:
        if self._as_of != self._database.writes:
            self._cache.clear()
            self._loaded.clear()
            self._as_of = self._database.writes
        if key in self._cache:
            self._cache[key] = row = self._cache.pop(key)  # the latest stands last
            return row
        if len(self._cache) >= _CACHED_PAGES:
            oldest = next(iter(self._cache))
            del self._cache[oldest]
            self._loaded.pop(oldest, None)
        row = self._fetch(key)
        self._cache[key] = row
        return row

    def _decoded(self, refs: bytes, kind: type[list[RefRow]]) -> list[RefRow]:
        try:
            return decode(refs, kind)
        except ManifestError as error:
            raise self._damaged(error.message) from error

    def _damaged(self, what: str) -> StateError:
        return blame(self._database.location, self._tree, what)


def write_pages(database: Database, tree: int, rows: Iterable[PageRow]) -> None:
    """Put rows in place of those with their keys. Streams; inside a transaction."""
    assert database.in_transaction
    database.writes += 1
    stream = iter(rows)
    while chunk := list(islice(stream, _CHUNK)):
        database.many(
            "INSERT OR REPLACE INTO blocks (tree, key, id, length, refs, crc, block)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (tree, r.key, r.id, r.length, r.refs, checksum(r.id, r.refs, r.block), r.block)
                for r in chunk
            ],
        )
        if tree:
            database.many(
                "INSERT OR REPLACE INTO stats (tree, key, id, stat) VALUES (?, ?, ?, ?)",
                [(tree, r.key, r.id, r.stat) for r in chunk],
            )


def forget_pages(
    database: Database, tree: int, keys: Iterable[bytes], subtrees: Iterable[bytes]
) -> None:
    """Drop single pages, and all whose key begins with one of `subtrees`. In a transaction."""
    assert database.in_transaction
    database.writes += 1
    gone = [(tree, key) for key in keys]
    prefixes = list(subtrees)
    for table in ("blocks", "stats") if tree else ("blocks",):
        database.many(f"DELETE FROM {table} WHERE tree = ? AND key = ?", gone)
        for prefix in prefixes:
            where, values = key_range(prefix)
            database.run(f"DELETE FROM {table} WHERE tree = ? AND {where}", tree, *values)


def key_range(prefix: bytes) -> tuple[str, tuple[bytes, ...]]:
    """A condition on `key`, and its values: it begins with the `subtree_key` `prefix`."""
    if not prefix:
        return "key >= ?", (b"",)
    # A subtree key ends in NUL: what follows all of its keys ends in 0x01.
    return "key >= ? AND key < ?", (prefix, prefix[:-1] + b"\1")


def stats_of(database: Database, tree: int, keys: Iterable[bytes]) -> Mapping[bytes, bytes]:
    """Packed stat rows by key; a key without any is left out."""
    found = {}
    for key in keys:
        row = database.one("SELECT stat FROM stats WHERE tree = ? AND key = ?", tree, key)
        if row is not None and isinstance(row[0], bytes):
            found[key] = row[0]
    return found


class PageSink:
    """Where a scan writes what changed on a side; inside the store's transaction."""

    def __init__(self, database: Database, tree: int) -> None:
        self._database = database
        self._tree = tree

    def write(self, rows: Sequence[PageRow]) -> None:
        """Keep these pages in place of those with the same keys."""
        write_pages(self._database, self._tree, rows)

    def forget(self, keys: Sequence[bytes], subtrees: Sequence[bytes]) -> None:
        """Drop single pages, and all pages whose key begins with one of `subtrees`."""
        forget_pages(self._database, self._tree, keys, subtrees)


class StatIndex:
    """A side's stat rows for the scan, on a connection of its own, opened when first used.

    Made before a fork and used after it: each process opens its own. Damage
    reads as "nothing known": the scan then looks for itself.
    """

    def __init__(self, directory: str, side: str, frozen: Frozen | None = None) -> None:
        """`frozen`: the same state, opened without a trace, and open for longer than this."""
        self._frozen = frozen
        self._location = os.path.join(directory, DATABASE_NAME)
        self._tree = NUMBERS[side]
        self._pid = 0
        self._database: Database | None = None
        self._inherited: list[Database] = []

    def rows(self, low: bytes, high: bytes | None) -> Iterator[tuple[bytes, bytes, bytes]]:
        """(key, page id, packed stat rows) with low <= key < high, ascending."""
        database = self._own()
        if database is None:
            return
        statement = "SELECT key, id, stat FROM stats WHERE tree = ? AND key >= ?"
        values = (self._tree, low)
        try:
            if high is None:
                yield from database.rows(f"{statement} ORDER BY key", *values)
            else:
                yield from database.rows(f"{statement} AND key < ? ORDER BY key", *values, high)
        except StateError:
            return

    def block(self, key: bytes) -> tuple[bytes, bytes] | None:
        """(encoded entries, refs) of one page; None when there is none that can be believed."""
        database = self._own()
        if database is None:
            return None
        try:
            page = fetch_page(database, self._tree, key)
        except StateError:
            return None
        return None if page is None else (page.block, page.refs)

    def close(self) -> None:
        """End this process's connection."""
        if self._database is not None and self._pid == os.getpid():
            self._database.close()
        self._database = None

    def _own(self) -> Database | None:
        if self._pid != os.getpid():
            if self._database is not None:
                # A forked copy must never be closed here: keep it from the collector.
                self._inherited.append(self._database)
            self._pid = os.getpid()
            self._database = self._connected()
        return self._database

    def _connected(self) -> Database | None:
        if self._frozen is not None:
            database = connect_frozen(self._frozen)
            database.frozen = None
            return database
        return connect(self._location) if os.path.exists(self._location) else None
