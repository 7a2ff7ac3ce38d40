"""Regular: a file that somebody names is opened without waiting, and is a file.

A fifo, a device or a socket in the place of a file would keep a reader waiting
for ever, or hand it bytes without an end. Every file that is named on the command
line, in a job file or in the environment is read through here. What the caller
was handed as an open descriptor (`/dev/stdin`, `/dev/fd/63` of a shell's `<(…)`)
is read as it is: it was opened by whoever asks.
"""

import errno
import os
import re
import stat
from typing import NamedTuple

from reconcile.trees.way import open_at

_HANDED = re.compile(r"/dev/stdin|/(dev|proc/self)/fd/[0-9]+")
_BLOCK = 1 << 20


def open_regular(location: str | bytes, flags: int = os.O_RDONLY) -> int:
    """A descriptor of the regular file at `location`; the caller closes it.

    Add `os.O_NOFOLLOW` to refuse a link. Raises: OSError, for what is no regular
    file too (`ENXIO`, "not a regular file").
    """
    return _opened(location, flags, None, location)


def _opened(name: str | bytes, flags: int, dir_fd: int | None, location: str | bytes) -> int:
    flags |= os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    descriptor = os.open(name, flags, dir_fd=dir_fd)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            if _HANDED.fullmatch(os.fsdecode(location)) is None:
                raise OSError(errno.ENXIO, "not a regular file", os.fsdecode(location))
            os.set_blocking(descriptor, True)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


class FoundFile(NamedTuple):
    """An open file, and what was on the way to it when it was opened."""

    descriptor: int
    status: os.stat_result
    name: os.stat_result
    """Of its name: of the link, where it is one."""
    held: os.stat_result
    """Of the directory that has the name."""


def open_found(location: str) -> FoundFile:
    """The regular file at `location`, its name looked up in one open directory; the caller closes
    it. Nobody who renames meanwhile shows another directory or name than the one that was used.

    Raises: as `open_regular`; `ELOOP`, for a link on the way that is neither ours nor root's;
    `ESTALE`, when another file took the name meanwhile.
    """
    above, leaf = os.path.split(location)
    way = open_at(above)
    try:
        name = os.stat(leaf, dir_fd=way, follow_symlinks=False)
        descriptor = _opened(leaf, os.O_RDONLY, way, location)
        status = os.fstat(descriptor)
        if not (stat.S_ISLNK(name.st_mode) or os.path.samestat(status, name)):
            os.close(descriptor)
            raise OSError(errno.ESTALE, "it was exchanged while it was opened", location)
        return FoundFile(descriptor, status, name, os.fstat(way))
    finally:
        os.close(way)


def read_regular(location: str | bytes, limit_bytes: int) -> bytes:
    """All that stands in the regular file at `location`.

    Raises: OSError; `EFBIG`, when it is larger than `limit_bytes`.
    """
    descriptor = open_regular(location)
    try:
        return read_open(descriptor, limit_bytes)
    finally:
        os.close(descriptor)


def read_open(descriptor: int, limit_bytes: int) -> bytes:
    """The rest of an open file. Raises: OSError; `EFBIG`, past `limit_bytes`."""
    parts: list[bytes] = []
    rest = limit_bytes + 1
    while rest > 0:
        part = os.read(descriptor, min(rest, _BLOCK))
        if not part:
            return b"".join(parts)
        parts.append(part)
        rest -= len(part)
    raise OSError(errno.EFBIG, f"larger than {limit_bytes:,} bytes")


def begins_with(location: str | bytes, magic: bytes, flags: int = 0) -> bool:
    """It is a regular file whose first bytes are these; False for all else."""
    try:
        descriptor = open_regular(location, os.O_RDONLY | flags)
    except (OSError, ValueError):  # a NUL is in no name
        return False
    try:
        return os.read(descriptor, len(magic)) == magic
    except OSError:
        return False
    finally:
        os.close(descriptor)
