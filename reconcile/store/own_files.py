"""Our own files: private directories, and nothing believed that another could have written."""

import os
import secrets
import stat
from collections.abc import Callable, Iterator
from errno import EDQUOT, ELOOP, ENOSPC, ENOTDIR, EROFS

from reconcile.model.errors import (
    Denied,
    NoSpace,
    ReconcileError,
    StateError,
    StateUnavailable,
)
from reconcile.trees.above import open_above
from reconcile.trees.way import open_way

_DEEP = 3
"""`STATE/pairs/PAIR`."""


def private_directory(location: str) -> str:
    """`location`, made with mode 0700 where it is missing, parents too.

    Raises: StateError, when it is not ours alone to write; what `refusal` makes.
    """
    try:
        os.close(open_way(location, 0o700))
    except OSError as error:
        raise refusal(error, location) from error
    check_own(location, stat.S_ISDIR)
    return location


def refusal(error: OSError, location: str) -> ReconcileError:
    """What the file system says of a place of the state, in our own words."""
    if error.errno in (ENOSPC, EDQUOT):
        return NoSpace("no space for the state", where=location)
    if isinstance(error, PermissionError) or error.errno == EROFS:
        return Denied(f"the state cannot be written: {_words(error)}", where=location)
    return unavailable(error, location)


def unavailable(error: Exception, location: str) -> StateUnavailable:
    """The error for a state that the disk does not give or take."""
    return StateUnavailable(
        f"the state cannot be read or written: {_words(error)}",
        where=location,
        changed="nothing that is not recorded or found again by the next run",
        hint="look at the disk that holds the state, then run again",
    )


def _words(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()


def check_above(directory: str) -> None:
    """Refuse a pair's directory that a stranger could exchange: it, `pairs` and the state's own,
    and all that lies above.

    Raises: StateError.
    """
    for _ in range(_DEEP):
        check_own(directory, stat.S_ISDIR)
        directory, below = os.path.split(os.path.abspath(directory))
    check_way(os.path.join(directory, below))


def check_way(location: str) -> None:
    """Refuse a directory in whose place somebody else could put another, there or not.

    Raises: StateError; what `refusal` makes.
    """
    try:
        theirs = open_above(location)
        if not theirs:
            return
        status = os.stat(theirs)
        if status.st_uid in (os.geteuid(), 0) and not _keeps_modes(theirs):
            raise _open_to_all(location, stat.S_IMODE(status.st_mode))
        problem, hint = f"others may write in `{theirs}`", "; or, when it is yours: `chmod go-w`"
    except OSError as error:
        if error.errno not in (ELOOP, ENOTDIR):
            raise refusal(error, location) from error
        problem, hint = _words(error), ""
    raise StateError(
        f"{problem}, and could put another state in the place of this one",
        where=location,
        changed="nothing",
        hint=f"keep the state in a directory of your own: --state-dir DIR{hint}",
    )


def check_own(location: str, is_kind: Callable[[int], bool] = stat.S_ISREG) -> bool:
    """False when there is nothing.

    Raises: StateError, when a stranger could have written it; what `refusal` makes.

    lstat only: closing another descriptor of a database would drop SQLite's
    locks in this process.
    """
    try:
        status = os.lstat(location)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise refusal(error, location) from error
    problem = ""
    if not is_kind(status.st_mode):
        problem = "is not a regular file" if is_kind is stat.S_ISREG else "is not a directory"
    elif status.st_uid not in (os.geteuid(), 0):
        problem = f"belongs to user {status.st_uid}, not to us"
    elif status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX:
        if not _keeps_modes(location if is_kind is stat.S_ISDIR else os.path.dirname(location)):
            raise _open_to_all(location, stat.S_IMODE(status.st_mode))
        problem = f"can be written by others (mode {stat.S_IMODE(status.st_mode):04o})"
    if problem:
        raise StateError(
            f"`{os.path.basename(location)}` in the state {problem}, so it is not believed",
            where=location,
            changed="nothing",
            hint="look who made it; when it is yours: `chmod go-w`, `chown`",
        )
    return True


def _keeps_modes(directory: str) -> bool:
    """What is made there is as private as it was asked for. A directory comes and goes."""
    tried = os.path.join(directory, f"probe-{secrets.token_hex(8)}")
    try:
        os.mkdir(tried, 0o700)
        try:
            return not os.lstat(tried).st_mode & 0o077
        finally:
            os.rmdir(tried)
    except OSError:
        return True


def _open_to_all(location: str, mode: int) -> StateUnavailable:
    return StateUnavailable(
        f"the disk keeps no modes: all that lies on it is open to others (mode {mode:04o}), so no "
        "state there can be believed",
        where=location,
        changed="nothing but, at most, empty directories of the state",
        hint="keep the state elsewhere: --state-dir DIR or RECONCILE_STATE_DIR, on a disk that "
        "keeps modes; or mount this one for you alone (umask=077). chmod does not help there",
    )


def names(directory: str) -> Iterator[str]:
    """The names in a directory, sorted; none when it is not there."""
    try:
        yield from sorted(os.listdir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return
