"""Frozen: a state read without a trace. No lock, no journal beside it, not a byte written.

SQLite makes two files beside a database that is only read. Where nothing waits
in its write-ahead log the file is complete and is opened as one that nobody
changes (sqlite.org/uri.html, `immutable`); else a copy of both is read, in a
temporary directory. Whoever writes meanwhile is noticed: `check`.
"""

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from reconcile.model.errors import Denied, Locked

if TYPE_CHECKING:
    import tempfile

_TRIES = 5


class _Stamp(NamedTuple):
    inode: int
    mtime_ns: int
    ctime_ns: int
    size_bytes: int


class Frozen:
    """Where to read a state that is not to be touched. Close it after use."""

    def __init__(self, location: str) -> None:
        """`location` is an existing database. Raises: Locked, when it never stands still."""
        self._original = location
        self._room: tempfile.TemporaryDirectory[str] | None = None
        self.location = location
        self.is_copy = False
        self._stamps = _stamps(location)
        log = self._stamps[1]
        if log is not None and log.size_bytes:
            self._copy()

    def check(self) -> None:
        """Raises: Locked, when somebody wrote to what was read here."""
        if not self.is_copy and _stamps(self._original)[0] != self._stamps[0]:
            raise _busy(self._original)

    def close(self) -> None:
        """Remove the copy, when there is one."""
        if self._room is not None:
            self._room.cleanup()

    def _copy(self) -> None:
        import shutil
        import tempfile  # 4 ms at start-up, and mostly nobody is writing

        try:
            self._room = tempfile.TemporaryDirectory(prefix="reconcile-")
        except OSError as error:
            raise Denied(
                "the state has a log that was not taken in, and a copy can be written nowhere",
                where=self._original,
                hint="TMPDIR=DIR, a directory that can be written",
            ) from error
        self.is_copy = True
        self.location = os.path.join(self._room.name, os.path.basename(self._original))
        for _ in range(_TRIES):
            before = _stamps(self._original)
            for end in ("", "-wal"):
                with suppress(FileNotFoundError):
                    os.unlink(self.location + end)
                with suppress(FileNotFoundError):
                    shutil.copyfile(self._original + end, self.location + end)
            if _stamps(self._original) == before:
                return
        self.close()
        raise _busy(self._original)


def _stamps(location: str) -> tuple[_Stamp | None, _Stamp | None]:
    return _stamp(location), _stamp(location + "-wal")


def _stamp(location: str) -> _Stamp | None:
    try:
        status = os.stat(location)
    except FileNotFoundError:
        return None
    return _Stamp(status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)


def _busy(location: str) -> Locked:
    return Locked(
        "another command wrote to the state while it was read",
        where=location,
        hint="run it again when that one has ended",
    )
