"""The chunk lists of large files, kept so that an unchanged file is not cut again.

One small SQLite file in a directory that is there. Only a cache, and each list
only a hint (what is rebuilt from one is verified): whatever is wrong with the
file, it is empty; what was used longest ago goes when it is full. Nothing raises.
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from reconcile.model.errors import ReconcileError
from reconcile.store.database import result_code
from reconcile.store.own_files import check_own
from reconcile.wire.cuts import Chunks, decode_chunks
from reconcile.wire.frames import ProtocolError

FILE_NAME = "chunks.db"
MOST_BYTES = 64 << 20
"""The lists of about 20 GiB of large files."""
_BUSY_S = 0.2
_MARK = 0x52434348
"""`RCCH`: what tells this file from any other."""
_VERSION = 1
_SUM_BYTES = 8
_TABLE = """
CREATE TABLE lists (
    key BLOB NOT NULL UNIQUE, used INTEGER NOT NULL, size INTEGER NOT NULL, sum BLOB NOT NULL,
    chunks BLOB NOT NULL
)
"""
_PRAGMAS = ("application_id", "user_version")
_BUSY = (5, 6)
"""SQLITE_BUSY, SQLITE_LOCKED: nothing is wrong with the file."""
_HOPELESS = (3, 8, 10, 13, 14)
"""SQLITE_PERM, READONLY, IOERR, FULL, CANTOPEN: a new file would fare no better."""
T = TypeVar("T")


class SqliteChunkCache:
    """See `trees/chunking.py: ChunkCache`. Belongs to one process; others may use the file."""

    def __init__(self, directory: str, most_bytes: int = MOST_BYTES) -> None:
        self._location = os.path.join(directory, FILE_NAME)
        self._most_bytes = most_bytes
        self._connection: sqlite3.Connection | None = None
        self._is_usable = True

    def get(self, key: bytes) -> Chunks | None:
        """The list kept under `key`; None when there is none."""
        return self._guarded(lambda connection: _get(connection, key))

    def put(self, key: bytes, chunks: Chunks) -> None:
        """Keep a list, in place of the one used longest ago if need be."""
        packed = chunks.encode()
        if len(packed) <= self._most_bytes:
            self._guarded(lambda connection: _put(connection, key, packed, self._most_bytes))

    def close(self) -> None:
        """Let go of the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _guarded(self, act: Callable[[sqlite3.Connection], T | None]) -> T | None:
        """What `act` answers; None when the file is damaged (it is made anew) or in use."""
        for _ in range(2):
            if not self._is_usable:
                return None
            try:
                if self._connection is None:
                    self._connection = _open(self._location)
                return act(self._connection)
            except sqlite3.Error as error:
                code = result_code(error)
                if code in _BUSY:
                    return None
                self._is_usable = code not in _HOPELESS
                if self._is_usable:
                    self._throw_away()
            except (OSError, ReconcileError):
                self._is_usable = False
        return None

    def _throw_away(self) -> None:
        """RACE: another process' fresh file may go with it; that is a cache lost."""
        self.close()
        for end in ("-journal", ""):
            try:
                os.unlink(self._location + end)
            except FileNotFoundError:
                pass
            except OSError:
                self._is_usable = False


def _open(location: str) -> sqlite3.Connection:
    """Raises: OSError, StateError, sqlite3.Error."""
    if not check_own(location):
        os.close(os.open(location, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_WRONLY, 0o600))
    connection = sqlite3.connect(location, isolation_level=None, timeout=_BUSY_S)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN IMMEDIATE")
        marks = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _PRAGMAS]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if [*marks, tables] == [0, 0, 0]:
            connection.execute(_TABLE)
            for name, value in zip(_PRAGMAS, (_MARK, _VERSION)):  # noqa: B905 - 3.8
                connection.execute(f"PRAGMA {name} = {value}")
        elif marks != [_MARK, _VERSION]:
            raise sqlite3.DatabaseError("another program's file, or another version's")
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def _get(connection: sqlite3.Connection, key: bytes) -> Chunks | None:
    statement = "SELECT sum, chunks FROM lists WHERE key = ?"
    row = connection.execute(statement, (key,)).fetchone()
    if row is None or _sum(row[1]) != row[0]:
        return None
    try:
        connection.execute(
            "UPDATE lists SET used = 1 + (SELECT max(used) FROM lists) WHERE key = ?", (key,)
        )
    except sqlite3.OperationalError:
        pass  # another process writes: only the order of use suffers
    try:
        return decode_chunks(row[1])
    except ProtocolError:
        return None


def _put(connection: sqlite3.Connection, key: bytes, packed: bytes, most_bytes: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("DELETE FROM lists WHERE key = ?", (key,))
        room = most_bytes - len(packed)
        rows = connection.execute("SELECT rowid, size FROM lists ORDER BY used DESC").fetchall()
        for number, size in rows:
            room -= size
            if room < 0:
                connection.execute("DELETE FROM lists WHERE rowid = ?", (number,))
        connection.execute(
            "INSERT INTO lists SELECT ?, 1 + ifnull(max(used), 0), ?, ?, ? FROM lists",
            (key, len(packed), _sum(packed), packed),
        )
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def _sum(packed: bytes) -> bytes:
    return hashlib.blake2b(packed, digest_size=_SUM_BYTES).digest()
