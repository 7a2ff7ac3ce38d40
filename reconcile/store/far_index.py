"""FarIndex: what an agent knows of its tree, kept on its own machine between runs.

Pages and stat rows as in a pair's state, each page with the serial of the write
that made it. So "what is newer than your cursor" is one query, and the near
side's copy of the pages follows the tree by exactly what changed. Only a cache:
what is damaged or of another version is thrown away and built anew.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence

import msgspec

from reconcile.decide.advance import SideEdits, restat, revise, stat_keys
from reconcile.model.boundary import Boundary
from reconcile.model.codec import decode, encode
from reconcile.model.entry import Entry
from reconcile.model.errors import ManifestError, StateError
from reconcile.model.manifest import Header, PageRow
from reconcile.store.database import (
    DATABASE_NAME,
    Database,
    connect,
    connect_frozen,
    state_error,
)
from reconcile.store.frozen import Frozen
from reconcile.store.own_files import private_directory
from reconcile.store.pages import (
    PageSink,
    StatIndex,
    StoreManifest,
    checked,
    fetch_page,
    forget_pages,
    stats_of,
)
from reconcile.store.schema import FOREIGN

_SIDE = "left"
_TREE = 1
_MARK = 0x52434E46
"""`RCNF`: what tells this file from any other."""
_VERSION = 1
_SCHEMA = """
CREATE TABLE blocks (
    tree INTEGER NOT NULL, key BLOB NOT NULL, id BLOB NOT NULL, length INTEGER NOT NULL,
    refs BLOB NOT NULL, crc INTEGER NOT NULL, block BLOB NOT NULL, PRIMARY KEY (tree, key)
) WITHOUT ROWID;
CREATE TABLE stats (
    tree INTEGER NOT NULL, key BLOB NOT NULL, id BLOB NOT NULL, stat BLOB NOT NULL,
    PRIMARY KEY (tree, key)
) WITHOUT ROWID;
CREATE TABLE serials (key BLOB PRIMARY KEY, serial INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX serials_serial ON serials (serial);
CREATE TABLE known (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
"""


class Known(msgspec.Struct, frozen=True, array_like=True):
    """What the pages are worth."""

    epoch: bytes
    """Random; another one: the pages have nothing to do with those of before."""
    serial: int
    """Counts the transactions that wrote pages."""
    digest: bytes
    """Of the rules the tree was looked at by."""
    header: Header
    identity: str
    root: Entry
    boundaries: tuple[Boundary, ...] = ()
    """What is mounted below the root, and what was and is missed."""


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """What a reader of the pages has seen."""

    epoch: bytes
    serial: int
    root_id: bytes
    """The tree's id then: whoever revises a copy sees whether it is still one."""


class FarIndex:
    """One tree's index; used by one process at a time, which holds the file's lock."""

    def __init__(self, directory: str, database: Database) -> None:
        self._directory = directory
        self._database = database
        self._known = self._read_known()

    @classmethod
    def open(cls, directory: str) -> "FarIndex":
        """The index in `directory`, made when it is missing, and anew when it is damaged.

        Raises: ReconcileError, when it cannot be used (full, read-only, in use, out of reach);
        it is left as it is then.
        """
        private_directory(directory)
        location = os.path.join(directory, DATABASE_NAME)
        try:
            return cls(directory, _opened(location))
        except StateError:
            _remove(location)
            return cls(directory, _opened(location))

    @classmethod
    def peek(cls, directory: str) -> "FarIndex":
        """The index that is there, only to be read and leaving no trace; to be held locked.

        Raises: ReconcileError, when there is none that can be read.
        """
        database = connect_frozen(Frozen(os.path.join(directory, DATABASE_NAME)))
        try:
            return cls(directory, _checked(database))
        except BaseException:
            database.close()
            raise

    @property
    def known(self) -> Known | None:
        """What the pages are worth; None: there are none."""
        return self._known

    def cursor(self) -> bytes:
        """Where the index stands, for `newer` and for comparing; empty: nowhere."""
        known = self._known
        return encode(Cursor(known.epoch, known.serial, known.root.id)) if known else b""

    def stats(self) -> StatIndex:
        """For the scan; forked workers may use it."""
        return StatIndex(self._directory, _SIDE, self._database.frozen)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, of what is known here too."""
        known = self._known
        try:
            with self._database.transaction():
                yield
        except BaseException:
            self._known = known
            raise

    def sink(self) -> "FarSink":
        """Where a scan writes; inside a transaction, `settle` at its end."""
        return FarSink(self._database, self._serial + 1)

    def clear(self) -> None:
        """Forget everything, and start a new epoch; in a transaction."""
        forget_pages(self._database, _TREE, (), (b"",))
        self._database.run("DELETE FROM serials")
        self._database.run("DELETE FROM known")
        self._known = None

    def settle(
        self,
        digest: bytes,
        header: Header,
        identity: str,
        root: Entry,
        boundaries: "tuple[Boundary, ...]" = (),
    ) -> None:
        """Note what the pages just written are worth; in a transaction."""
        epoch = self._known.epoch if self._known else os.urandom(12)
        known = Known(epoch, self._serial + 1, digest, header, identity, root, boundaries)
        self._note(known)

    def newer(self, cursor: bytes) -> Iterator[PageRow] | None:
        """The pages written since `cursor`; None: it says nothing about this index."""
        known = self._known
        try:
            seen = decode(cursor, Cursor) if cursor else None
        except ManifestError:
            seen = None
        if known is None or seen is None or seen.epoch != known.epoch or seen.serial > known.serial:
            return None
        return self._since(seen.serial)

    def every(self) -> Iterator[PageRow]:
        """All pages."""
        return self._since(-1)

    def note_writes(self, written: SideEdits) -> None:
        """Take our own writes in, as the near side does with its copy."""
        known = self._known
        if known is None or not written.edits:
            return
        try:
            revision = revise(self._manifest(known), written.edits)
        except ManifestError:
            with self.transaction():
                self.clear()
            return
        old = stats_of(self._database, _TREE, stat_keys(revision))
        revision = restat(revision, old, written.stamps)
        with self.transaction():
            sink = self.sink()
            sink.forget(revision.gone, revision.gone_subtrees)
            sink.write(revision.rows)
            self._note(msgspec.structs.replace(known, serial=known.serial + 1, root=revision.root))

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def destroy(self) -> None:
        """Close and remove it: what is damaged is not worth keeping."""
        self._database.close()
        _remove(os.path.join(self._directory, DATABASE_NAME))

    @property
    def _serial(self) -> int:
        return self._known.serial if self._known else 0

    def _manifest(self, known: Known) -> StoreManifest:
        return StoreManifest(
            self._database,
            _TREE,
            lambda key: fetch_page(self._database, _TREE, key),
            known.header,
            known.root,
        )

    def _since(self, serial: int) -> Iterator[PageRow]:
        rows = self._database.rows(
            "SELECT b.key, b.id, b.length, b.refs, b.block, b.crc FROM serials s"
            " JOIN blocks b ON b.tree = ? AND b.key = s.key WHERE s.serial > ?",
            _TREE,
            serial,
        )
        for key, *rest in rows:
            page = checked(tuple(rest), self._database.location, _TREE)
            yield PageRow(key, page.id, page.length, page.block, page.refs)

    def _note(self, known: Known) -> None:
        self._database.run(
            "INSERT OR REPLACE INTO known (number, body) VALUES (1, ?)", encode(known)
        )
        self._known = known

    def _read_known(self) -> Known | None:
        row = self._database.one("SELECT body FROM known WHERE number = 1")
        try:
            return None if row is None else decode(row[0], Known)
        except ManifestError:
            return None


class FarSink:
    """A page sink that stamps what it writes."""

    def __init__(self, database: Database, serial: int) -> None:
        self._pages = PageSink(database, _TREE)
        self._database = database
        self._serial = serial

    def write(self, rows: Sequence[PageRow]) -> None:
        """See `Sink.write`."""
        kept = list(rows)
        self._pages.write(kept)
        self._database.many(
            "INSERT OR REPLACE INTO serials (key, serial) VALUES (?, ?)",
            [(row.key, self._serial) for row in kept],
        )

    def forget(self, keys: Sequence[bytes], subtrees: Sequence[bytes]) -> None:
        """See `Sink.forget`."""
        self._pages.forget(keys, subtrees)


def _opened(location: str) -> Database:
    if not os.path.exists(location):
        try:
            _make(location)
        except (OSError, sqlite3.Error) as error:
            _remove(location)
            raise state_error(error, location) from error
    return _checked(connect(location))


def _make(location: str) -> None:
    os.close(os.open(location, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    with contextlib.closing(sqlite3.connect(location, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_SCHEMA)
        connection.execute(f"PRAGMA application_id = {_MARK}")
        connection.execute(f"PRAGMA user_version = {_VERSION}")


def _checked(database: Database) -> Database:
    marks = database.one("PRAGMA application_id"), database.one("PRAGMA user_version")
    if marks != ((_MARK,), (_VERSION,)) or database.one(FOREIGN) != (0,):
        database.close()
        raise StateError("the file is no index of this version", where=database.location)
    return database


def _remove(location: str) -> None:
    for end in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(location + end)
