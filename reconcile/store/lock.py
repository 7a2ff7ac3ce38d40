"""One writer per pair: a kernel lock on a file of the pair's directory.

The kernel drops it with the process, however that ends: no stale lock exists,
nothing is ever to be removed by hand. What stands in the file is for the
message only. Forked workers close their copy at once, so they do not keep the
lock of a dead owner.
"""

import contextlib
import fcntl
import os
import time
import weakref

import msgspec

from reconcile.model.errors import Denied, Locked
from reconcile.store.own_files import check_above, check_own, private_directory
from reconcile.store.records import Holder

LOCK_NAME = "lock"
_POLL_S = 0.05

_held: "weakref.WeakSet[PairLock]" = weakref.WeakSet()


class PairLock:
    """The right to write to a pair's state and to change its sides. A context manager."""

    def __init__(self, directory: str, run: str, *, wait_s: float = 0.0) -> None:
        """Take it. Raises: Locked, when another run has it for longer than `wait_s`."""
        check_above(directory)  # before anything is made, behind a link perhaps
        private_directory(directory)
        self._location = os.path.join(directory, LOCK_NAME)
        check_own(self._location)
        self._fd = _acquire(self._location, time.monotonic() + wait_s)
        _held.add(self)
        holder = Holder(os.getpid(), run, time.time_ns())
        with contextlib.suppress(OSError):  # who holds it is for messages; the lock is held
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, msgspec.json.encode(holder), 0)

    def release(self) -> None:
        """Let others in; harmless when done already."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            _held.discard(self)

    def __enter__(self) -> "PairLock":
        return self

    def __exit__(self, *raised: object) -> None:
        self.release()

    def _forget(self) -> None:
        """In a forked child: the lock is the parent's."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def holder(directory: str) -> Holder | None:
    """Who holds the pair's lock now; None: nobody. Takes nothing and waits for nothing."""
    location = os.path.join(directory, LOCK_NAME)
    try:
        fd = os.open(location, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _named(fd)
    finally:
        os.close(fd)
    return None


def _acquire(location: str, until: float) -> int:
    """A locked descriptor of the file at `location`, which nobody ever removes."""
    while True:
        fd = _open(location)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            found = _named(fd)
            os.close(fd)
            if time.monotonic() >= until:
                raise _locked(found, location) from None
            time.sleep(_POLL_S)
        else:
            return fd


def _open(location: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        return os.open(location, flags, 0o600)
    except OSError as error:
        raise Denied(f"the lock cannot be taken: {error.strerror}", where=location) from error


def _named(fd: int) -> Holder:
    with contextlib.suppress(msgspec.MsgspecError):
        return msgspec.json.decode(os.pread(fd, 4096, 0), type=Holder)
    return Holder(0, "", 0)


def _locked(found: Holder, location: str) -> Locked:
    what = f"run {found.run}" if found.run else "another command"
    who = f"{what} (process {found.pid})" if found.pid else "another run"
    since = ""
    if found.since_ns:
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found.since_ns // 10**9))
        since = f" since {clock}"
    return Locked(
        f"{who} is working on this pair{since}",
        where=location,
        hint="wait for it, or give `--lock-wait`; a dead process holds no lock",
    )


def _after_fork() -> None:
    for lock in list(_held):
        lock._forget()


os.register_at_fork(after_in_child=_after_fork)
