"""The way to a directory that somebody named: opened name by name, no stranger's link followed.

Whoever may write in a directory on the way (a sticky one, a shared one) would choose
with a link where we read and write. A link is followed where it is ours or root's.
"""

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import AnyStr

from reconcile.model.errors import Denied

_MOST_LINKS = 40
_TRIES = 100
_STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_WAY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_LINK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def open_way(
    location: str | bytes, make: int | None = None, judge: Callable[[int], object] = int
) -> int:
    """The directory as an `O_PATH` descriptor; the caller closes it.

    `make`: the mode of missing ones. `judge` is given each directory before a name is looked
    up in it; what it raises ends the way. Cost: three calls a name. Raises: OSError;
    `ELOOP`, for a link on the way that is neither ours nor root's.
    """
    rest = _parts(os.path.join(os.getcwdb(), os.fsencode(location)))
    fd = os.open(b"/", _STEP)
    links = 0
    try:
        while rest:
            name = rest.pop()
            judge(fd)
            target = _read_link(fd, name)
            if target is not None:
                links += 1
                if links > _MOST_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fsdecode(name))
                if target.startswith(b"/"):
                    fd = _instead(fd, os.open(b"/", _STEP))
                rest += _parts(target)
                continue
            fd = _instead(fd, _step(fd, name, make))
        return fd
    except BaseException:
        os.close(fd)
        raise


def open_to_read(location: str | bytes) -> int:
    """The same, to be listed. Raises: as `open_way`."""
    way = open_way(location)
    try:
        return os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=way)
    finally:
        os.close(way)


def open_at(location: str) -> int:
    """As `open_way`; where we work, for the empty name, whatever that is called by now."""
    return open_way(location) if location else os.open(".", _WAY)


def file_behind(location: str) -> str:
    """Where the file stands that `location` names, there or not: links that are ours or root's
    are followed. Raises: OSError; `ELOOP`, for another's.
    """
    for _ in range(_MOST_LINKS):
        above, name = os.path.split(location)
        try:
            way = open_way(above)
        except FileNotFoundError:
            return location
        try:
            target = _read_link(way, os.fsencode(name))
        finally:
            os.close(way)
        if target is None:
            return location
        location = os.path.join(above, os.fsdecode(target))
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), location)


def real_path(location: AnyStr) -> AnyStr:
    """The absolute path without links, as `os.path.realpath`, of a missing name too.

    That one looks whether a name is a link and reads it then: where somebody made a
    directory of it in between, it ends with `EINVAL`, and is asked again here.

    Raises: Denied, when it ends so every time.
    """
    for _ in range(_TRIES):
        try:
            return os.path.realpath(location)
        except OSError as error:
            failed = error
    place = os.fsdecode(location)
    raise Denied(
        f"cannot tell where `{place}` lies: {failed.strerror}", where=place,
        hint="something renames directories on the way to it all the time: stop that first",
    )  # fmt: skip


def ids_above(location: str) -> list[tuple[int, int]]:
    """Device and inode of each directory that holds it, the nearest first, links seen through.

    They are gone through by `..`, so that nobody who renames on the way leads elsewhere.
    It ends before what we may not enter.
    """
    found: list[tuple[int, int]] = []
    at = -1
    try:
        at = os.open(location, _WAY)
        while _id(at) not in found[-1:]:
            found.append(_id(at))
            at = _instead(at, os.open("..", _WAY, dir_fd=at))
    except OSError:
        pass
    finally:
        if at >= 0:
            os.close(at)
    return found[1:]


def _id(fd: int) -> tuple[int, int]:
    status = os.fstat(fd)
    return status.st_dev, status.st_ino


def _parts(path: bytes) -> list[bytes]:
    """Names in reverse order: the next one is the last."""
    return [part for part in reversed(path.split(b"/")) if part not in (b"", b".")]


def _instead(old: int, new: int) -> int:
    os.close(old)
    return new


def _read_link(fd: int, name: bytes) -> bytes | None:
    """Where the link leads; None: it is none. Raises: OSError, when it is a stranger's."""
    try:
        found = os.open(name, _LINK, dir_fd=fd)
    except FileNotFoundError:
        return None
    try:
        status = os.fstat(found)
        if not stat.S_ISLNK(status.st_mode):
            return None
        if status.st_uid not in (0, os.geteuid()):
            raise OSError(
                errno.ELOOP, f"a link of user {status.st_uid} is not followed", os.fsdecode(name)
            )
        return os.readlink(b"", dir_fd=found)
    finally:
        os.close(found)


def _step(fd: int, name: bytes, make: int | None) -> int:
    try:
        return os.open(name, _STEP, dir_fd=fd)
    except FileNotFoundError:
        if make is None:
            raise
    with suppress(FileExistsError):  # made by another process of ours, or judged as it is opened
        os.mkdir(name, make, dir_fd=fd)
    return os.open(name, _STEP, dir_fd=fd)
