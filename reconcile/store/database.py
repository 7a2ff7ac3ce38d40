"""A pair's SQLite file: opening it with care, transactions, and errors in our own words.

WAL with synchronous=FULL: a commit survives a crash and a power cut, readers
never wait for the writer. One connection belongs to one process and one thread.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from reconcile.model.errors import (
    Denied,
    Locked,
    NoSpace,
    ReconcileError,
    StateError,
    StateUnavailable,
)
from reconcile.store import schema
from reconcile.store.frozen import Frozen
from reconcile.store.own_files import (
    check_above,
    check_own,
    private_directory,
    refusal,
    unavailable,
)

DATABASE_NAME = "state.db"
BUSY_MS = 5_000
_FULL = 13
_BROKEN = 10, 7
_HELD = 5, 6
_CLOSED = 14, 8, 3
"""Result codes (sqlite.org/rescode.html): FULL; IOERR, NOMEM; BUSY, LOCKED; CANTOPEN, READONLY,
PERM. As numbers: Python names them from 3.11 on, and this runs on a carried agent's 3.8 too."""
_WORDS = {
    "database or disk is full": 13,
    "disk i/o error": 10,
    "out of memory": 7,
    "is locked": 5,
    "unable to open database file": 14,
    "attempt to write a readonly database": 8,
    "access permission denied": 3,
}
"""How SQLite words them (`sqlite3ErrStr`): before 3.11 Python tells nothing else."""
NOT_DAMAGE = (NoSpace, Locked, Denied, StateUnavailable)
"""What `state_error` makes of a state that may well be sound: it is never thrown away for these."""

Value = Any  # whatever SQLite stores: bytes, str, int, None; checked where it is used


class Database:
    """One connection. Every sqlite3 error leaves it as a `ReconcileError`."""

    def __init__(
        self, connection: sqlite3.Connection, location: str, frozen: Frozen | None = None
    ) -> None:
        self._connection = connection
        self.location = location
        self.frozen = frozen
        """How it is read without a trace; None: as databases are."""
        self.writes = 0
        """Counts transactions that wrote, so that caches know when to forget."""

    def one(self, statement: str, *values: Value) -> tuple[Value, ...] | None:
        """The first row; None when there is none."""
        with self._translated():
            row: tuple[Value, ...] | None = self._connection.execute(statement, values).fetchone()
        return row

    def rows(self, statement: str, *values: Value) -> Iterator[tuple[Value, ...]]:
        """Rows as they are read; not to be held across a write to the same table."""
        with self._translated():
            yield from self._connection.execute(statement, values)

    def run(self, statement: str, *values: Value) -> int:
        """Execute; how many rows it changed."""
        with self._translated():
            return self._connection.execute(statement, values).rowcount

    def many(self, statement: str, rows: Iterable[tuple[Value, ...]]) -> None:
        """Execute once a row."""
        with self._translated():
            self._connection.executemany(statement, rows)

    @property
    def in_transaction(self) -> bool:
        """Between the begin and the end of a transaction."""
        return self._connection.in_transaction

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, durable on return (one flush). Raises: Locked, when another writes."""
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        finally:
            self.writes += 1

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """One unchanging view of the state, whatever is committed meanwhile."""
        self.run("BEGIN")
        try:
            self.one("SELECT count(*) FROM sides")
            yield
        finally:
            self._roll_back()
            self.writes += 1

    def as_of_now(self) -> "Database":
        """An older state as it would be in the present version; this one is closed by it.

        Cost: the whole state, in memory.
        """
        with self._translated(), contextlib.ExitStack() as last:
            if self.frozen is not None:
                last.callback(self.frozen.close)
            with contextlib.closing(self._connection):
                seen = schema.view(self._connection)
            last.pop_all()
            return Database(seen, self.location, self.frozen)

    def close(self) -> None:
        """End the connection."""
        with self._translated():
            self._connection.close()
        if self.frozen is not None:
            self.frozen.close()

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.rollback()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise state_error(error, self.location) from error


def open_database(
    directory: str, *, create: bool, busy_ms: int = BUSY_MS, traceless: bool = False
) -> Database:
    """The state in `directory`; an empty one when there is none.

    `create` makes the missing file (and brings an older one to the present
    version); without it, what is missing is empty and written nowhere, and an
    older one is read as it would be.
    `traceless`: nothing is written in the directory at all; so it is too where
    nothing can be.
    Raises: StateError, when it is damaged, unsafe, or of a later version.
    """
    location = os.path.join(directory, DATABASE_NAME)
    check_above(directory)
    if create:
        private_directory(directory)
        check_above(directory)
    if not check_own(location):
        if not create:
            return Database(schema.create_in_memory(), location)
        try:
            schema.create(location)
        except (OSError, sqlite3.Error) as error:
            raise state_error(error, location) from error
    for end in ("-wal", "-shm"):
        check_own(location + end)
    traceless = traceless or not (create or os.access(directory, os.W_OK))
    database = connect_frozen(Frozen(location)) if traceless else connect(location, busy_ms)
    if _version(database) == schema.SCHEMA_VERSION:
        return database
    if not create:
        return database.as_of_now()
    database.close()
    try:
        schema.upgrade(location)
    except sqlite3.Error as error:
        raise state_error(error, location) from error
    return connect(location, busy_ms)


def connect(location: str, busy_ms: int = BUSY_MS) -> Database:
    """A connection to an existing state file. Raises: StateError."""
    try:
        connection = sqlite3.connect(
            f"file:{_quoted(location)}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=busy_ms / 1000,
            cached_statements=64,
        )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA temp_store = MEMORY")
    except sqlite3.Error as error:
        raise state_error(error, location) from error
    return Database(connection, location)


def connect_frozen(frozen: Frozen) -> Database:
    """A connection that leaves no trace; it closes `frozen` at its end. Raises: StateError."""
    if frozen.is_copy:
        database = connect(frozen.location)
        database.frozen = frozen
        return database
    try:
        connection = sqlite3.connect(
            f"file:{_quoted(frozen.location)}?mode=ro&immutable=1", uri=True, isolation_level=None
        )
        connection.execute("PRAGMA temp_store = MEMORY")
    except sqlite3.Error as error:
        raise state_error(error, frozen.location) from error
    return Database(connection, frozen.location, frozen)


def set_aside(directory: str) -> str | None:
    """Move a damaged state out of the way, never deleting it; its new place. Under the lock."""
    location = os.path.join(directory, DATABASE_NAME)
    number = 1
    while os.path.lexists(f"{location}.damaged-{number}"):
        number += 1
    aside = f"{location}.damaged-{number}"
    moved = None
    for end in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            os.rename(location + end, aside + end)
            moved = aside
    return moved


def damaged(location: str, what: str) -> StateError:
    """The error that says what a damaged state means, and what it does not."""
    return StateError(
        f"the state of this pair is damaged: {what}; lost is the knowledge of what both sides "
        "had agreed on, and no file",
        where=location,
        changed="nothing",
        hint="`--allow state-corrupt` goes on without it: the damaged file is kept aside, equal "
        "files are agreed on anew, different ones are conflicts, nothing is taken for deleted",
    )


def damaged_index(location: str, what: str) -> StateError:
    """The same for what a scan saw of a side: only a cache, made anew when it is not believed."""
    return StateError(
        f"the index of a side is damaged: {what}; lost is only what the last scan saw",
        where=location,
        changed="nothing",
        hint="`--paranoid` reads both sides anew and repairs it",
    )


def state_error(error: Exception, location: str) -> ReconcileError:
    """An error of SQLite or of the file system, in our own words."""
    if isinstance(error, OSError):
        return refusal(error, location)
    code = result_code(error)
    if code == _FULL:
        return NoSpace("no space for the state", where=location)
    if code in _HELD:
        return Locked("another process is writing to the state", where=location)
    if code in _CLOSED:
        return Denied(f"the state cannot be opened: {error}", where=location)
    if code in _BROKEN:
        return unavailable(error, location)
    return damaged(location, str(error))


def result_code(error: Exception) -> int:
    """SQLite's primary result code; 0: none is known."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return int(code) & 0xFF
    words = str(error).lower()
    return next((code for text, code in _WORDS.items() if text in words), 0)


def _version(database: Database) -> int:
    application = database.one("PRAGMA application_id")
    if application != (schema.APPLICATION_ID,):
        raise damaged(database.location, "the file is no state of reconcile")
    if database.one(schema.FOREIGN) != (0,):
        raise damaged(database.location, schema.HOLDS_FOREIGN)
    row = database.one("PRAGMA user_version")
    version = int(row[0]) if row else 0
    if version > schema.SCHEMA_VERSION:
        raise StateError(
            f"the state is of version {version}, this program knows {schema.SCHEMA_VERSION}",
            where=database.location,
            hint="use the newer program; or `--allow state-corrupt`, which keeps this file aside",
        )
    return version


def _quoted(location: str) -> str:
    """The path inside a `file:` URI; every byte but the plainest escaped."""
    raw = os.fsencode(os.path.abspath(location))
    return "".join(chr(byte) if chr(byte) in _PLAIN else f"%{byte:02X}" for byte in raw)


_PLAIN = frozenset("/-_.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
