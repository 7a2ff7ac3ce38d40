"""The schema of a pair's state database, and how a new or older file comes to have it.

sqlite-utils makes the tables. It is imported only when a database is created or
migrated (it costs 200 ms); everything else is plain sqlite3 on the same file.
A file is made, or migrated as a copy, under another name, flushed, and put into
place by one rename: a crash leaves the old state or the new one.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from reconcile.model.errors import Locked

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION_ID = 0x52434E31
"""`RCN1` in the database header: what tells our file from any other."""
PAGE_BYTES = 8192

_PAGES = (
    """
    CREATE TABLE blocks (
        tree INTEGER NOT NULL, key BLOB NOT NULL, id BLOB NOT NULL, length INTEGER NOT NULL,
        refs BLOB NOT NULL, crc INTEGER NOT NULL, block BLOB NOT NULL, PRIMARY KEY (tree, key)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE stats (
        tree INTEGER NOT NULL, key BLOB NOT NULL, id BLOB NOT NULL, stat BLOB NOT NULL,
        PRIMARY KEY (tree, key)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE base_history (
        key BLOB NOT NULL, generation INTEGER NOT NULL, id BLOB, length INTEGER, refs BLOB,
        crc INTEGER, block BLOB, PRIMARY KEY (key, generation)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX base_history_generation ON base_history (generation)",
)
"""What sqlite-utils has no words for: clustered tables, so that key order is disk order."""

FOREIGN = "SELECT count(*) FROM sqlite_master WHERE type IN ('view', 'trigger')"
"""We make neither. One that stands there runs what its maker wrote, also without an end."""
HOLDS_FOREIGN = "a view or a trigger stands in it, which no version of reconcile makes"


def _version_1(db: "Database") -> None:
    for statement in _PAGES:
        db.execute(statement)
    db.table("meta").create({"key": str, "value": bytes}, pk="key")
    db.table("baselines").create({"number": int, "run": str, "body": bytes}, pk="number")
    db.table("sides").create({"tree": int, "body": bytes}, pk="tree")
    db.table("runs").create(
        {
            "id": str,
            "plan_id": str,
            "started_ns": int,
            "ended_ns": int,
            "body": bytes,
            "plan": bytes,
        },
        pk="id",
    )
    db.table("journal").create(
        {"run": str, "step": int, "status": str, "receipt": bytes}, pk=("run", "step")
    )
    db.table("consumed").create({"plan_id": str, "run": str, "time_ns": int}, pk="plan_id")
    versions = db.table("versions")
    versions.create({"id": int, "run": str, "side": str, "path": bytes, "body": bytes}, pk="id")
    versions.create_index(["path"])
    db.table("conflicts").create({"id": str, "body": bytes}, pk="id")


def _version_2(db: "Database") -> None:
    """The journal keeps what each step was, beside how it ended: history and undo live on it."""
    db.execute("ALTER TABLE journal ADD COLUMN path BLOB")
    db.execute("ALTER TABLE journal ADD COLUMN body BLOB")


def _version_3(db: "Database") -> None:
    """Runs keep the order they were written in: a clock may have been ahead, or set back."""
    db.execute("ALTER TABLE runs ADD COLUMN seq INTEGER")
    db.execute("UPDATE runs SET seq = rowid")
    db.execute("CREATE INDEX runs_seq ON runs (seq)")


Migration = Callable[["Database"], None]
MIGRATIONS: tuple[Migration, ...] = (_version_1, _version_2, _version_3)
"""Number n makes version n+1 of version n. Never edited, only added."""
SCHEMA_VERSION = len(MIGRATIONS)


def create(location: str, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Make an empty state at `location`; one that appears there meanwhile is left as it is."""
    fresh = _fresh_name(location)
    try:
        connection = sqlite3.connect(fresh, isolation_level=None)
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        _migrate(connection, migrations)
        _flush(fresh)
        _publish(fresh, location)
    finally:
        _remove(fresh)
    _flush(os.path.dirname(location))


def upgrade(location: str, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring an older state to the present version. Only under the pair's lock.

    Raises: Locked, when somebody reads it: what waits in its log would be taken for the new one's.
    """
    fresh = _fresh_name(location)
    try:
        old = sqlite3.connect(location)
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection = sqlite3.connect(fresh, isolation_level=None)
        old.backup(connection)
        old.close()
        if os.path.lexists(location + "-wal"):
            raise Locked(
                "another process reads the state, which is of an earlier version",
                where=location,
                hint="run it again when that one has ended",
            )
        _migrate(connection, migrations)
        _flush(fresh)
        os.replace(fresh, location)
    finally:
        _remove(fresh)
    _flush(os.path.dirname(location))


def view(old: sqlite3.Connection) -> sqlite3.Connection:
    """An older state as it would be in the present version; the file stays as it is."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    old.backup(connection)
    _apply(connection, MIGRATIONS)
    return connection


def create_in_memory() -> sqlite3.Connection:
    """A state that is written nowhere: for looking at a pair that has none."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    _apply(connection, MIGRATIONS)
    return connection


def _migrate(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    # Nobody knows this file yet and it is flushed once, when it is complete.
    connection.execute("PRAGMA journal_mode = MEMORY")
    connection.execute("PRAGMA synchronous = OFF")
    _apply(connection, migrations)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def _apply(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    """Run what is missing. The marks that make the file ours come last."""
    from sqlite_utils import Database

    (version,) = connection.execute("PRAGMA user_version").fetchone()
    database = Database(connection)
    for migration in migrations[version:]:
        migration(database)
    connection.execute(f"PRAGMA user_version = {len(migrations)}")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _publish(fresh: str, location: str) -> None:
    try:
        os.link(fresh, location)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not os.path.lexists(location):
            os.rename(fresh, location)


def _fresh_name(location: str) -> str:
    name = f"{location}.new-{os.getpid()}"
    _remove(name)
    os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    return name


def _remove(name: str) -> None:
    for end in ("", "-journal", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name + end)


def _flush(name: str) -> None:
    fd = os.open(name or ".", os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
