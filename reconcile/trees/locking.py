"""One writer per root: flock on the root directory itself.

Nothing is left behind: the kernel lets go when the last descriptor of a dead
process is closed. Forked workers share the lock until they have ended.
"""

import errno
import fcntl

from reconcile.model.errors import Locked
from reconcile.model.plan import Problem
from reconcile.model.treepath import ROOT

_LACKING = frozenset({errno.EBADF, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})


def lock(fd: int, where: str) -> Problem | None:
    """Take the root for writing; a note where the file system has no such locks (NFS).

    Raises: Locked, at once.
    """
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Locked("another run is writing to this root", where=where) from error
    except OSError as error:
        if error.errno not in _LACKING:
            raise
        reason = "this file system has no locks on directories; only the state is locked"
        return Problem(ROOT, None, "E_NO_LOCK", reason, "note")
    return None


def unlock(fd: int) -> None:
    """Let others write."""
    fcntl.flock(fd, fcntl.LOCK_UN)
