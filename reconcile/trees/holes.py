"""Holes: stretches of a file where nothing is stored. They are zeros, and need not be read.

Who copies leaves them out, who hashes takes zeros for them: a file of many
terabytes that holds nearly nothing costs no disk.
"""

import errno
import os
from collections.abc import Iterator

LONG_BYTES = 16 << 20
"""A shorter hole is read: that costs little."""
_SAMPLE_BYTES = 4096


def is_sparse(fd: int, size: int) -> bool:
    """Less is stored of the open file than `size` bytes."""
    return os.fstat(fd).st_blocks * 512 < size


def gap(fd: int, start: int, size: int) -> int:
    """How many bytes from `start` on, within `size`, the file system says are a hole."""
    try:
        return min(os.lseek(fd, start, os.SEEK_DATA), size) - start
    except OSError as error:
        return size - start if error.errno == errno.ENXIO else 0


def extents(fd: int, start: int, size_bytes: int) -> Iterator[tuple[int, int]]:
    """(offset, count) of the data between `start` and `size_bytes`; holes are left out."""
    if not is_sparse(fd, size_bytes):
        if start < size_bytes:
            yield start, size_bytes - start
        return
    while start < size_bytes:
        try:
            data = os.lseek(fd, start, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            raise
        end = min(os.lseek(fd, data, os.SEEK_HOLE), size_bytes)
        if data >= end:
            return
        yield data, end - data
        start = end


def blocks(fd: int, size: int, block_bytes: int) -> Iterator[memoryview]:
    """An open file from its start until it ends, `block_bytes` at once; each is valid until the
    next. A long hole within `size` is told and not read. Raises: OSError.
    """
    buffer = bytearray(block_bytes)
    view = memoryview(buffer)
    sparse = is_sparse(fd, size - LONG_BYTES)
    offset = 0
    while True:
        if sparse and (hole := _hole(fd, offset, size)):
            yield from _zeros(hole, block_bytes)
            offset += hole
        if not (count := os.preadv(fd, [buffer], offset)):
            return
        yield view[:count]
        offset += count


def _hole(fd: int, start: int, size: int) -> int:
    """A long hole's length; 0: there is none here.

    QUIRK: file systems were known to call a hole what was written a moment ago (OpenZFS,
    2023), and a content id must never be taken from that: both ends and the middle are read.
    """
    length = gap(fd, start, size) if start < size else 0
    if length < LONG_BYTES:
        return 0
    places = (start, start + length // 2, start + length - _SAMPLE_BYTES)
    return 0 if any(os.pread(fd, _SAMPLE_BYTES, at).strip(b"\0") for at in places) else length


def _zeros(count: int, block_bytes: int) -> Iterator[memoryview]:
    view = memoryview(bytes(block_bytes))
    for at in range(0, count, block_bytes):
        yield view[: count - at]
