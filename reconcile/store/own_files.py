"""Our own files: private directories, and nothing believed that another could have written."""

import os
import stat
from collections.abc import Callable, Iterator
from errno import EROFS

from reconcile.model.errors import Denied, StateError


def private_directory(location: str) -> str:
    """`location`, made with mode 0700 where it is missing, parents too.

    Raises: StateError, when it is not ours alone to write; Denied.
    """
    try:
        _make(location)
    except OSError as error:
        if isinstance(error, PermissionError) or error.errno == EROFS:
            raise Denied("the state directory cannot be made", where=location) from error
        raise StateError(f"the state directory cannot be made: {error}", where=location) from error
    check_own(location, stat.S_ISDIR)
    return location


def check_above(directory: str) -> None:
    """Refuse a pair's directory that a stranger could exchange: it, `pairs` and the state's own.

    Raises: StateError.
    """
    for _ in range(3):
        check_own(directory, stat.S_ISDIR)
        directory = os.path.dirname(os.path.abspath(directory))


def _make(location: str) -> None:
    if os.path.isdir(location):
        return
    parent = os.path.dirname(location)
    if parent != location and parent:
        _make(parent)
    try:
        os.mkdir(location, 0o700)
    except FileExistsError:
        if not os.path.isdir(location):
            raise


def check_own(location: str, is_kind: Callable[[int], bool] = stat.S_ISREG) -> bool:
    """False when there is nothing. Raises: StateError, when a stranger could have written it.

    lstat only: closing another descriptor of a database would drop SQLite's
    locks in this process.
    """
    try:
        status = os.lstat(location)
    except (FileNotFoundError, NotADirectoryError):
        return False
    problem = ""
    if not is_kind(status.st_mode):
        problem = "is not a regular file" if is_kind is stat.S_ISREG else "is not a directory"
    elif status.st_uid not in (os.geteuid(), 0):
        problem = f"belongs to user {status.st_uid}, not to us"
    elif status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX:
        problem = f"can be written by others (mode {stat.S_IMODE(status.st_mode):04o})"
    if problem:
        raise StateError(
            f"`{os.path.basename(location)}` in the state {problem}, so it is not believed",
            where=location,
            changed="nothing",
            hint="look who made it; when it is yours: `chmod go-w`, `chown`",
        )
    return True


def names(directory: str) -> Iterator[str]:
    """The names in a directory, sorted; none when it is not there."""
    try:
        yield from sorted(os.listdir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return
