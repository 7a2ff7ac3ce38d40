"""One writer per root: the file `.reconcile/lock`, held by flock and by its lease.

It can be taken only by who may write to the root: the file and the area that it
lies in are ours alone, or shared as the root itself is. A local run and an agent
hold the kernel's lock on it, which dies with them; a run by SFTP only the lease.
Each sees the other's. Roots above this one and inside it have locks of their
own: who is held from above does not write (`refuse_above`), and what lies below
a held root is not observed (`held_below`).
"""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable

from reconcile.model.errors import Locked
from reconcile.model.plan import Problem
from reconcile.model.treepath import ROOT
from reconcile.trees import lease
from reconcile.trees.lease import LEASE_S, NAME, RENEWED_S, Owner
from reconcile.trees.syscalls import DIRECTORY, SYSTEM
from reconcile.trees.temporary import AREA

_LACKING = frozenset({errno.EBADF, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LOOK = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_ATTEMPTS = 16


class RootLock:
    """The right to write to one root. Forked workers share it until they have ended."""

    def __init__(self, root_fd: int, area_fd: int, fd: int, number: int, text: bytes) -> None:
        self._root_fd = root_fd
        self._area_fd = area_fd
        self._fd = fd
        self._number = number
        self._text = text
        self._renewed = time.monotonic()
        lease.hold(number)
        _taken_here.add(self)

    def renew(self) -> None:
        """Tell those who only see the file that we live; cheap to call often.

        Raises: Locked, when another run has taken the root over.
        """
        if not self.beat():
            raise Locked("the lock of this root was taken away, and the run stops here")

    def beat(self) -> bool:
        """The same; False: another run has taken the root over."""
        if time.monotonic() - self._renewed < RENEWED_S:
            return True
        self._renewed = time.monotonic()
        if not _is_named(self._area_fd, NAME, self._fd):
            return False
        try:
            os.pwrite(self._fd, self._text, 0)
        except OSError:
            pass  # a full disk: the kernel's lock stays
        return True

    def release(self) -> None:
        """Let others write."""
        lease.let_go(self._number)
        _taken_here.discard(self)
        try:
            if _is_named(self._area_fd, NAME, self._fd):
                os.unlink(NAME, dir_fd=self._area_fd)
            os.rmdir(AREA, dir_fd=self._root_fd)
        except OSError:
            pass  # something is kept there
        os.close(self._fd)
        os.close(self._area_fd)


_taken_here: "set[RootLock]" = set()


def beat() -> None:
    """Renew every lock that this process holds, while something takes long; cheap to call often."""
    for held in tuple(_taken_here):
        held.beat()


def lock(
    root_fd: int, where: str, run: str, open_area: "Callable[[], int]"
) -> "tuple[RootLock | None, Problem | None]":
    """Take the root for writing; a note where there can be no lock.

    `open_area` opens `.reconcile`, and raises where a stranger could have made it.

    Raises: Locked, at once.
    """
    refuse_above(root_fd, where)
    try:
        area_fd = open_area()
    except OSError as error:
        return None, _no_lock(f"no lock can be made there ({error.strerror})")
    try:
        return _taken(root_fd, area_fd, where, run)
    except Locked:
        os.close(area_fd)
        raise
    except OSError as error:
        os.close(area_fd)
        return None, _no_lock(f"no lock can be made there ({error.strerror})")


def held_below(root_fd: int, name: bytes) -> "Owner | None":
    """Who writes to the root whose area is `name` in the directory `root_fd`; None: nobody."""
    return _holder_at(root_fd, name)


def _taken(
    root_fd: int, area_fd: int, where: str, run: str
) -> "tuple[RootLock | None, Problem | None]":
    number = lease.new_number()
    draft = NAME + b".%d.%d" % (os.getpid(), number)
    fd = os.open(draft, _NEW, 0o600, dir_fd=area_fd)
    is_published = False
    try:
        os.fchmod(fd, _mode(area_fd))
        has_flock = _flock(fd)
        text = lease.encode(lease.myself(run, number, lease.KERNEL if has_flock else ""))
        try:
            os.pwrite(fd, text, 0)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
        _publish(area_fd, draft, fd, where)
        is_published = True
    finally:
        if not is_published:
            os.unlink(draft, dir_fd=area_fd)
            os.close(fd)
    note = None
    if not has_flock:
        reason = "this file system has no kernel locks; a run that is killed holds the root for"
        note = _no_lock(f"{reason} {LEASE_S // 60} minutes more", still="")
    return RootLock(root_fd, area_fd, fd, number, text), note


def _publish(area_fd: int, draft: bytes, fd: int, where: str) -> None:
    """Give the draft, already locked, the lock's name. Raises: Locked, OSError."""
    for _ in range(_ATTEMPTS):
        try:
            return SYSTEM.rename_new(area_fd, draft, area_fd, NAME)
        except FileExistsError:
            _clear(area_fd, fd, draft + b".old", where)
    raise Locked("another run is writing to this root", where=where, hint=lease.WAIT)


def _clear(area_fd: int, own_fd: int, aside: bytes, where: str) -> None:
    """Take away the lock of a run that is gone. Raises: Locked."""
    try:
        fd = os.open(NAME, os.O_RDWR | _LOOK, dir_fd=area_fd)
    except FileNotFoundError:
        return None
    except OSError as error:
        owner = Owner()
        if _is_aged(os.stat(NAME, dir_fd=area_fd, follow_symlinks=False), own_fd):
            SYSTEM.unlink(area_fd, NAME)
            return None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise _locked(owner, where) from error
        raise
    try:
        owner = lease.decode(os.pread(fd, lease.MOST_BYTES, 0))
        if not _is_gone(fd, own_fd, owner):
            raise _locked(owner, where)
        if not _is_named(area_fd, NAME, fd):
            return None
        # RACE: a run by SFTP may take the name between this look and the rename; its lock is
        # seen then, and put back.
        SYSTEM.rename_new(area_fd, NAME, area_fd, aside)
        if _is_named(area_fd, aside, fd):
            return os.unlink(aside, dir_fd=area_fd)
        SYSTEM.rename_new(area_fd, aside, area_fd, NAME)
        raise _locked(Owner(), where)
    except FileNotFoundError:
        return None
    finally:
        os.close(fd)


def _is_gone(fd: int, own_fd: int, owner: Owner) -> bool:
    """The holder of the file open as `fd` is no more; if it has a kernel lock, that is ours now."""
    has_flock = True
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _LACKING:
            raise
        has_flock = False
    if has_flock and owner.way == lease.KERNEL:
        return True
    return lease.has_ended(owner) or _is_aged(os.fstat(fd), own_fd)


def _is_aged(status: os.stat_result, own_fd: int) -> bool:
    """By the clock of the file system: ours was written now."""
    return os.fstat(own_fd).st_mtime - status.st_mtime > LEASE_S


def _flock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _LACKING:
            raise
        return False
    return True


def _is_named(dir_fd: int, name: bytes, fd: int) -> bool:
    try:
        named = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    except OSError:
        return False
    opened = os.fstat(fd)
    return (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino)


def _is_trap(root_fd: int, area_fd: int) -> bool:
    """Somebody made the area who may not write to all of the root: its lock means nothing."""
    root, area = os.fstat(root_fd), os.fstat(area_fd)
    if area.st_uid in (0, os.geteuid(), root.st_uid):
        return False
    return bool(root.st_mode & stat.S_ISVTX) or not root.st_mode & 0o022


def _mode(area_fd: int) -> int:
    """For exactly those who may write in the area: whoever can only read could block it."""
    writers = os.fstat(area_fd).st_mode & 0o222
    return 0o600 | writers | writers << 1


def refuse_above(root_fd: int, where: str) -> None:
    """Raises: Locked, when another run writes to a root that this one lies in."""
    fd = os.dup(root_fd)
    try:
        while True:
            try:
                above = os.open(b"..", DIRECTORY, dir_fd=fd)
            except OSError:
                return
            here, fd = fd, above
            is_top = os.path.sameopenfile(here, above)
            os.close(here)
            if is_top:
                return
            owner = _holder_at(fd, AREA)
            if owner is not None:
                raise Locked(
                    f"another run is writing to a root that holds this one{owner.shown}",
                    where=where,
                    hint=lease.WAIT,
                )
    finally:
        os.close(fd)


def _holder_at(root_fd: int, name: bytes) -> "Owner | None":
    """Who holds the lock in the area `name`; None: nobody, or a stranger who could not write."""
    try:
        area_fd = os.open(name, DIRECTORY, dir_fd=root_fd)
    except OSError:
        return None
    try:
        fd = os.open(NAME, os.O_RDONLY | _LOOK, dir_fd=area_fd)
    except OSError:
        os.close(area_fd)
        return None
    try:
        if _is_trap(root_fd, area_fd) or not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        return _alive(fd)
    finally:
        os.close(fd)
        os.close(area_fd)


def _alive(fd: int) -> "Owner | None":
    owner = lease.decode(os.pread(fd, lease.MOST_BYTES, 0))
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return owner
    except OSError:
        pass
    else:
        if owner.way == lease.KERNEL:
            return None
    if lease.has_ended(owner) or time.time() - os.fstat(fd).st_mtime > LEASE_S:
        return None
    return owner


def _locked(owner: Owner, where: str) -> Locked:
    return Locked(f"another run is writing to this root{owner.shown}", where=where, hint=lease.WAIT)


def _no_lock(reason: str, still: str = "; only the state is locked") -> Problem:
    return Problem(ROOT, None, "E_NO_LOCK", f"{reason}{still}", "note")
