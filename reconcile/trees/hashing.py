"""Content ids of files, read so that a change while reading is never missed.

A hash counts only when the open file, after its last byte was read, still has
the size, times and inode that were seen before the first.
"""

import os
import stat
import time
from collections.abc import Callable
from typing import Protocol

from blake3 import blake3

from reconcile.model.block import HASHERS, HashName
from reconcile.trees.holes import blocks
from reconcile.trees.pulse import went

SMALL_BYTES = 256 * 1024
BLOCK_BYTES = 1 << 20
WIDE_BYTES = 16 << 20
"""Above this, blake3 hashes one read with all cores."""
RETRIES = 2
_RETRY_DELAY_S = 0.02
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Hasher(Protocol):
    """What every hash library offers."""

    def update(self, data: bytes | memoryview, /) -> object:
        """Take more bytes."""

    def digest(self) -> bytes:
        """The id."""


def new_hasher(hash_name: HashName) -> Hasher:
    """An empty hasher of the pair's algorithm."""
    if hash_name == "blake3":
        return blake3()
    from hashlib import sha256  # 3 ms at start-up, and most pairs speak blake3

    return sha256()


class Volatile(Exception):
    """The file changed each time it was read."""


Stamp = tuple[int, int, int, int]
"""size, mtime_ns, ctime_ns, inode."""


def stamp(status: os.stat_result) -> Stamp:
    """What must be the same before and after reading."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def hash_file(
    name: bytes,
    directory_fd: int,
    seen: Stamp,
    hash_name: HashName = "blake3",
    head: Callable[[bytes], None] | None = None,
) -> tuple[bytes, os.stat_result | None]:
    """(content id, None), or (content id, what lstat says now) when the file had changed since
    `seen` and was read again in a settled state.

    `head` is given the first block, once a try. Raises: Volatile, OSError
    (FileNotFoundError: it vanished; ELOOP: it became a link).
    """
    status: os.stat_result | None = None
    for attempt in range(RETRIES + 1):
        if attempt:
            time.sleep(_RETRY_DELAY_S * attempt)
        fd = os.open(name, _FLAGS, dir_fd=directory_fd)
        try:
            if attempt:
                status = os.fstat(fd)
                if not stat.S_ISREG(status.st_mode):
                    raise Volatile
                seen = stamp(status)
            digest, count = _hash_fd(fd, seen[0], hash_name, head)
            if count == seen[0] and stamp(os.fstat(fd)) == seen:
                return digest, status
        finally:
            os.close(fd)
    raise Volatile


def _hash_fd(
    fd: int, size: int, hash_name: HashName, head: Callable[[bytes], None] | None
) -> tuple[bytes, int]:
    if size <= SMALL_BYTES:
        data = os.read(fd, size + 1)
        if head:
            head(data)
        if hash_name == "blake3":
            return blake3(data).digest(), len(data)
        return HASHERS["sha256"](data), len(data)
    return _hash_large(fd, size, hash_name, head)


def _hash_large(
    fd: int, size: int, hash_name: HashName, head: Callable[[bytes], None] | None
) -> tuple[bytes, int]:
    wide = size > WIDE_BYTES and hash_name == "blake3"
    hasher = blake3(max_threads=blake3.AUTO) if wide else new_hasher(hash_name)
    count = 0
    for block in blocks(fd, size, WIDE_BYTES if wide else BLOCK_BYTES):
        if head and not count:
            head(bytes(block[:SMALL_BYTES]))
        hasher.update(block)
        count += len(block)
        went(len(block))
    return hasher.digest(), count
