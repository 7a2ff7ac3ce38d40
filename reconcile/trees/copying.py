"""Moving bytes: whole files by the cheapest way the two file systems offer, and their hashes.

Ways in order: reflink, copy_file_range, read and write. Holes stay holes. No way
verifies: the caller hashes what was written.
"""

import errno
import hashlib
import os

from blake3 import blake3

from reconcile.model.block import HashName
from reconcile.trees.hashing import new_hasher
from reconcile.trees.holes import blocks, extents
from reconcile.trees.locking import beat
from reconcile.trees.pulse import went
from reconcile.trees.syscalls import System

BLOCK = 1 << 20
NOT_THIS_WAY = frozenset(
    {
        errno.EXDEV,
        errno.EOPNOTSUPP,
        errno.ENOSYS,
        errno.EINVAL,
        errno.ENOTTY,
        errno.EPERM,
        errno.ETXTBSY,
        errno.EBADF,
        errno.EISDIR,
    }
)
"""Errors that say: this file system cannot, try the next way."""


def digest_of(data: bytes, hash_name: HashName) -> bytes:
    """The content id of these bytes."""
    return blake3(data).digest() if hash_name == "blake3" else hashlib.sha256(data).digest()


def hash_fd(fd: int, hash_name: HashName) -> bytes:
    """The content id of an open file, read from its start."""
    hasher = new_hasher(hash_name)
    size = os.fstat(fd).st_size
    offset = 0
    for block in blocks(fd, size, min(BLOCK, max(size, 1))):
        beat()
        hasher.update(block)
        offset += len(block)
        if offset > BLOCK:
            went(len(block) // 2)
    return hasher.digest()


def same_bytes(fd: int, other_fd: int) -> bool:
    """Two open files hold the same, by reading both from their starts."""
    offset = 0
    while data := os.pread(fd, BLOCK, offset):
        if os.pread(other_fd, len(data), offset) != data:
            return False
        offset += len(data)
    return not os.pread(other_fd, 1, offset)


def write_all(system: System, fd: int, data: bytes) -> None:
    """Every byte, however short the single writes are."""
    written = system.write(fd, data)
    if written == len(data):
        return
    view = memoryview(data)
    while written < len(data):
        written += system.write(fd, view[written:])


def read_up_to(fd: int, size_bytes: int) -> bytes:
    """The content, or one byte more than `size_bytes` of it when it is longer."""
    data = os.read(fd, size_bytes + 1)
    if len(data) in (size_bytes, 0):
        return data
    parts = [data]
    missing = size_bytes + 1 - len(data)
    while missing > 0 and (data := os.read(fd, missing)):
        parts.append(data)
        missing -= len(data)
    return b"".join(parts)


def copy_content(system: System, source_fd: int, fd: int, start: int, size_bytes: int) -> None:
    """Bring `fd`, which holds the first `start` bytes, to `size_bytes` of the source.

    Raises: OSError. The source may change meanwhile; the caller's hash tells.
    """
    if start == 0 and _cloned(system, source_fd, fd):
        return
    in_kernel = True
    for offset, count in extents(source_fd, start, size_bytes):
        if in_kernel:
            in_kernel = _copied_in_kernel(system, source_fd, fd, offset, count)
        if not in_kernel:
            _copy_by_hand(system, source_fd, fd, offset, count)
    if os.fstat(fd).st_size < size_bytes:
        system.truncate(fd, size_bytes)


def _cloned(system: System, source_fd: int, fd: int) -> bool:
    try:
        system.clone(source_fd, fd)
    except OSError as error:
        if error.errno in NOT_THIS_WAY:
            return False
        raise
    return True


def _copied_in_kernel(system: System, source_fd: int, fd: int, offset: int, count: int) -> bool:
    """False, and nothing of this extent is there, when the kernel cannot."""
    end = offset + count
    first = True
    while offset < end:
        beat()
        try:
            done = system.copy_range(source_fd, fd, offset, min(end - offset, 16 * BLOCK))
        except OSError as error:
            if first and error.errno in NOT_THIS_WAY:
                return False
            raise
        if not done:
            # QUIRK: some file systems (procfs, old FUSE) answer 0 instead of an error.
            return not first
        first = False
        offset += done
        went(done // 2)
    return True


def _copy_by_hand(system: System, source_fd: int, fd: int, offset: int, count: int) -> None:
    os.lseek(fd, offset, os.SEEK_SET)
    end = offset + count
    while offset < end:
        beat()
        data = os.pread(source_fd, min(BLOCK, end - offset), offset)
        if not data:
            return
        write_all(system, fd, data)
        offset += len(data)
        went(len(data) // 2)
