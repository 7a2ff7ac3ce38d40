"""HashLog: what a look at one root has hashed so far, kept until its index is committed.

A first look may hash for hours, and its index is one transaction at the end. What is
hashed meanwhile is appended to a file beside the index; a look that is cut short,
however hard, leaves it there, and the next one takes over what still is as it was:
by the stat row, as with the index, and never anything but the content of single files.

The file is blocks, each `MARK, length, sum, body` and each for files of one directory
of one root. Whatever is no whole block (a torn end, damage, another's bytes) is passed
over, and so is what another root or another hash algorithm has left. It is a cache:
nothing here raises, and whoever cannot write it reads everything again next time.
"""

import contextlib
import marshal
import os
import stat
import struct
import time
from collections.abc import Iterator, Mapping

from reconcile.decide.identity import Kinship, kinship
from reconcile.model.errors import ReconcileError
from reconcile.model.statrow import Row
from reconcile.model.treepath import TreePath
from reconcile.store.own_files import check_own

MARK = b"\x89rcnhsh1"
MOST_BYTES = 256 << 20
"""The hashes of some two million files; what comes after these is not kept."""
BATCH_BYTES = 16 << 20
"""At the latest when so much was hashed, or after `BATCH_S`, what is known is written."""
BATCH_S = 1.0
_HEAD = struct.Struct("<8sI16s")
_VERSION = 2
"""Of marshal, without back-references; the file is our own and nobody else can write it."""
Noted = Mapping[bytes, "tuple[Row, bytes]"]
"""Name to the stat row and the content id that belongs to it."""
_NOTHING: Noted = {}


class HashLog:
    """The log of one root. Several processes may append to it, each through a copy of this."""

    def __init__(self, location: str, *, writes: bool, most_bytes: int = MOST_BYTES) -> None:
        """`writes`: False leaves no trace, and only reads what is there."""
        self._location = location
        self._writes = writes
        self._most_bytes = most_bytes
        self._mark = ("", "")
        self._is_begun = False
        self._places: dict[bytes, list[tuple[int, int]]] = {}
        self._fd = -1
        self._pending: dict[bytes, list[tuple[Row, bytes]]] = {}
        self._pending_bytes = 0
        self._written_s = time.monotonic()

    @property
    def keeps(self) -> bool:
        """A look goes on, and what it hashes is kept as far as can be told."""
        return self._is_begun and self._writes

    def begin(self, identity: str, kind: str) -> None:
        """A look at the root of this identity begins; `kind` says what an id means.

        Reads through what is there (at most `MOST_BYTES`, once).
        """
        self.close()
        self._mark = (identity, kind)
        self._is_begun = True
        self._written_s = time.monotonic()
        self._fd = _opened(self._location, os.O_RDONLY)
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                self._find_places(os.pread(self._fd, self._most_bytes, 0))

    def noted(self, directory: TreePath) -> Noted:
        """What earlier looks had found in a directory of this root."""
        places = self._places.get(directory)
        if not places:
            return _NOTHING
        found: dict[bytes, tuple[Row, bytes]] = {}
        for offset, length in places:
            with contextlib.suppress(OSError):
                for _, body in _blocks(os.pread(self._fd, length, offset)):
                    found.update((row[0], (row, content)) for row, content in body[3])
        return found

    def note(self, directory: TreePath, row: Row, content: bytes) -> None:
        """A file was hashed; its row is one to be believed. Written with others, now and then."""
        if not self._writes:
            return
        self._pending.setdefault(directory, []).append((row, content))
        self._pending_bytes += row[2]
        if (
            self._pending_bytes >= BATCH_BYTES
            or time.monotonic() - self._written_s >= BATCH_S
        ):  # fmt: skip
            self.write()

    def write(self) -> None:
        """Append what was noted since the last time."""
        pending, self._pending, self._pending_bytes = self._pending, {}, 0
        self._written_s = time.monotonic()
        if not pending:
            return
        data = b"".join(_block((*self._mark, path, files)) for path, files in pending.items())
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        fd = _opened(self._location, flags)
        if fd < 0:
            self._writes = False
            return
        try:
            room = self._most_bytes - os.fstat(fd).st_size
            self._writes = len(data) <= room and os.write(fd, data) == len(data)
        except OSError:
            self._writes = False
        finally:
            os.close(fd)

    def remove(self) -> None:
        """The index holds all of it now. Nothing happens where nothing is to be written."""
        self.close()
        if self._writes:
            with contextlib.suppress(OSError):
                os.unlink(self._location)

    def close(self) -> None:
        """Let go of the file; what was not written yet is forgotten."""
        fd, self._fd = self._fd, -1
        self._places, self._pending, self._pending_bytes = {}, {}, 0
        if fd >= 0:
            os.close(fd)

    def _find_places(self, data: bytes) -> None:
        identity, kind = self._mark
        for (offset, length), body in _blocks(data):
            if body[1] == kind and kinship(body[0], identity) is Kinship.SAME and body[0]:
                self._places.setdefault(body[2], []).append((offset, length))


def _block(body: "tuple[str, str, bytes, list[tuple[Row, bytes]]]") -> bytes:
    packed = marshal.dumps(body, _VERSION)
    return _HEAD.pack(MARK, len(packed), _sum(packed)) + packed


def _blocks(
    data: bytes,
) -> "Iterator[tuple[tuple[int, int], tuple[str, str, bytes, list[tuple[Row, bytes]]]]]":
    """((offset, length), body) of every whole block, whatever lies between them."""
    at = data.find(MARK)
    while at >= 0:
        start = at + _HEAD.size
        packed = b""
        if start <= len(data):
            _, length, told = _HEAD.unpack_from(data, at)
            packed = data[start : start + length]
        if packed and len(packed) == length and _sum(packed) == told:
            yield (at, _HEAD.size + length), marshal.loads(packed)  # our own: its sum is right
            at = data.find(MARK, start + length)
        else:
            at = data.find(MARK, at + 1)


def _sum(packed: bytes) -> bytes:
    from hashlib import blake2b  # 3 ms at start-up, and most looks are not cut short

    return blake2b(packed, digest_size=16).digest()


def _opened(location: str, flags: int) -> int:
    """A descriptor; -1, where there is none or a stranger could have written it."""
    fd = -1
    try:
        check_own(location)
        fd = os.open(location, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        status = os.fstat(fd)
        if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
            return fd
    except (OSError, ReconcileError):
        pass
    if fd >= 0:
        os.close(fd)
    return -1
