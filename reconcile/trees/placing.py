"""Placing: a file of our own at a place that somebody named: whole, or not at all.

Every file that is not a side's goes through here: plans, manifests, reports, man
pages, completions, job files. The way to the directory is opened name by name, and
no link is followed that belongs to neither us nor root: whoever may write in a
directory on the way (a sticky one, a shared one) would choose where root writes.
From then on only the opened directory counts. What stands there is replaced when
the caller knows it for its own kind; a link or a fifo never is.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import BinaryIO

from reconcile.trees.syscalls import SYSTEM
from reconcile.trees.temporary import PREFIX
from reconcile.trees.way import open_way

Known = Callable[[bytes], bool]
"""The first bytes of a file that stands there: it is one of ours, which may be replaced."""
HEAD_BYTES = 4096
_BUFFER = 1 << 20
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def none_is_ours(head: bytes) -> bool:
    """Nothing that stands there may be replaced."""
    del head
    return False


def open_directory(location: str | bytes, make: int | None = None) -> int:
    """A descriptor of the directory; the caller closes it. `make`: the mode of missing ones.

    Raises: OSError; `ELOOP`, for a link on the way that is neither ours nor root's.
    """
    way = open_way(location, make)
    try:
        return _readable(way)
    finally:
        os.close(way)


def may_place(location: str, known: Known) -> bool:
    """Nothing stands there, or what `known` knows. Raises: OSError, when nobody can tell."""
    parent, name = os.path.split(os.path.abspath(os.fsencode(location)))
    directory = open_directory(parent)
    try:
        return _is_free(directory, name, known)
    finally:
        os.close(directory)


def try_to_place(location: str, known: Known = none_is_ours) -> None:
    """Whether `placed` would do: a file is made and removed again. Raises: as `placed`."""
    parent, name = os.path.split(os.path.abspath(os.fsencode(location)))
    directory = open_directory(parent)
    try:
        if not _is_free(directory, name, known):
            raise FileExistsError(errno.EEXIST, "it exists and is left as it is", location)
        temporary = PREFIX + token_hex(8).encode()
        os.close(os.open(temporary, _NEW, 0o600, dir_fd=directory))
        os.unlink(temporary, dir_fd=directory)
    finally:
        os.close(directory)


@contextmanager
def placed(
    location: str, known: Known = none_is_ours, *, mode: int = 0o666, make: int | None = None
) -> Iterator[BinaryIO]:
    """A file that appears at `location` whole and durable when the block ends well.

    Raises: OSError; FileExistsError, when something stands there that `known` does
    not know. After an error nothing of it is left.
    """
    parent, name = os.path.split(os.path.abspath(os.fsencode(location)))
    directory = open_directory(parent, make)
    try:
        if not _is_free(directory, name, known):
            raise FileExistsError(errno.EEXIST, "it exists and is left as it is", location)
        temporary = PREFIX + token_hex(8).encode()
        fd = os.open(temporary, _NEW, mode, dir_fd=directory)
        try:
            with open(fd, "wb", buffering=_BUFFER, closefd=False) as sink:
                yield sink
                sink.flush()
                os.fsync(fd)
            _publish(directory, temporary, name, known)
            _check_it_is_ours(directory, name, fd)
        except BaseException:
            _discard(directory, temporary)
            raise
        finally:
            os.close(fd)
        _flush(directory)
    finally:
        os.close(directory)


def place(
    location: str,
    content: Iterable[bytes],
    known: Known = none_is_ours,
    *,
    mode: int = 0o666,
    make: int | None = None,
) -> None:
    """The same, of content that is there. Raises: as `placed`."""
    with placed(location, known, mode=mode, make=make) as sink:
        sink.writelines(content)


def _readable(fd: int) -> int:
    """The same directory, to be flushed; where it may not be read, as it is."""
    try:
        return os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
    except PermissionError:
        return os.dup(fd)


def _is_free(directory: int, name: bytes, known: Known) -> bool:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        fd = os.open(name, flags, dir_fd=directory)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            return False
        raise
    try:
        return stat.S_ISREG(os.fstat(fd).st_mode) and known(os.read(fd, HEAD_BYTES))
    finally:
        os.close(fd)


def _publish(directory: int, temporary: bytes, name: bytes, known: Known) -> None:
    """Give it its name: over what is known, else only where nothing stands."""
    if known is none_is_ours:
        SYSTEM.rename_new(directory, temporary, directory, name)
        return
    if not _is_free(directory, name, known):
        raise FileExistsError(errno.EEXIST, "it exists and is left as it is", os.fsdecode(name))
    os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)


def _check_it_is_ours(directory: int, name: bytes, fd: int) -> None:
    """In a directory that others may write, the name may have been taken by now."""
    there = os.stat(name, dir_fd=directory, follow_symlinks=False)
    if not os.path.samestat(there, os.fstat(fd)):
        raise OSError(errno.ESTALE, "somebody else exchanged it while it was written")


def _discard(directory: int, temporary: bytes) -> None:
    try:
        os.unlink(temporary, dir_fd=directory)
    except OSError:
        return


def _flush(directory: int) -> None:
    try:
        os.fsync(directory)
    except OSError as error:  # a directory that may not be read, or a file system without
        if error.errno not in (errno.EBADF, errno.EINVAL):
            raise
