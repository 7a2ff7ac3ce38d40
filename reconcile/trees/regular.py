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

_HANDED = re.compile(r"/dev/stdin|/(dev|proc/self)/fd/[0-9]+")
_BLOCK = 1 << 20


def open_regular(location: str | bytes, flags: int = os.O_RDONLY) -> int:
    """A descriptor of the regular file at `location`; the caller closes it.

    Add `os.O_NOFOLLOW` to refuse a link. Raises: OSError, for what is no regular
    file too (`ENXIO`, "not a regular file").
    """
    descriptor = os.open(location, flags | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            if _HANDED.fullmatch(os.fsdecode(location)) is None:
                raise OSError(errno.ENXIO, "not a regular file", os.fsdecode(location))
            os.set_blocking(descriptor, True)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


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
