"""Health: whether one pair's state proves right, and what lies beside it. For `doctor`.

Reads only, takes no lock, waits for nobody; SQLite itself looks through the file.
"""

import contextlib
import os
import sqlite3
from collections.abc import Sequence

import msgspec

from reconcile.store.database import DATABASE_NAME
from reconcile.store.own_files import names
from reconcile.store.schema import APPLICATION_ID, FOREIGN, HOLDS_FOREIGN, SCHEMA_VERSION

_BUSY_S = 2.0
_MOST_PROBLEMS = 3


class StateHealth(msgspec.Struct, frozen=True):
    """What was found in a pair's directory."""

    size_bytes: int
    version: int
    """Of the schema; 0: not known."""
    problems: Sequence[str] = ()
    """What SQLite's `quick_check` complains of; empty: nothing."""
    leftovers: Sequence[str] = ()
    """Names of files that an interrupted making of the state left, and nobody needs."""
    set_aside: Sequence[str] = ()
    """Names of damaged states that were kept."""

    @property
    def is_newer(self) -> bool:
        """A later program made it."""
        return self.version > SCHEMA_VERSION


def state_health(directory: str) -> StateHealth:
    """Look through the state in `directory`. Cost: the whole file is read."""
    found = tuple(names(directory))
    version, problems = _checked(os.path.join(directory, DATABASE_NAME))
    return StateHealth(
        size_bytes=sum(_size(os.path.join(directory, name)) for name in found),
        version=version,
        problems=problems,
        leftovers=tuple(n for n in found if n.startswith(f"{DATABASE_NAME}.new-") and _is_old(n)),
        set_aside=tuple(n for n in found if ".damaged-" in n and not n.endswith(("-wal", "-shm"))),
    )


def _checked(location: str) -> tuple[int, Sequence[str]]:
    if not os.path.lexists(location):
        return 0, ("there is no state file",)
    try:
        # Not `ro`: who closes a WAL database last must be able to put its files away.
        uri = f"{_file_uri(location)}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None)
        with contextlib.closing(connection):
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if application != APPLICATION_ID:
                return 0, ("the file is no state of reconcile",)
            if connection.execute(FOREIGN).fetchone() != (0,):
                return version, (HOLDS_FOREIGN,)
            rows = connection.execute(f"PRAGMA quick_check({_MOST_PROBLEMS})").fetchall()
    except sqlite3.Error as error:
        return 0, (str(error),)
    return version, tuple(text for (text,) in rows if text != "ok")


def _file_uri(location: str) -> str:
    from urllib.parse import quote

    return "file:" + quote(os.fsencode(os.path.abspath(location)))


def _size(location: str) -> int:
    try:
        return os.lstat(location).st_size
    except OSError:
        return 0


def _is_old(name: str) -> bool:
    """The process that was making it is gone."""
    digits = name.rpartition("-")[2]
    return not (digits.isdecimal() and os.path.exists(f"/proc/{digits}"))
