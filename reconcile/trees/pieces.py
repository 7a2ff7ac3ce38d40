"""Pieces: a file grown from a stream of bytes, zeros and ranges of another file.

Ranges are copied by the kernel (which shares blocks where it can), else by
hand. Long runs of zeros become holes. Nothing here verifies; but a stream that
brings more than was asked for, or names what the other file lacks, is stopped.
"""

import os
from collections.abc import Iterable, Iterator

from reconcile.trees.base import ContentChanged
from reconcile.trees.copying import BLOCK, NOT_THIS_WAY, write_all
from reconcile.trees.holes import extents
from reconcile.trees.rebuilding import Piece
from reconcile.trees.syscalls import System
from reconcile.wire.delta import Zeros

HOLE = 64 << 10
"""Zeros in a row that are worth a hole."""


def write_pieces(
    system: System,
    fd: int,
    size_bytes: int,
    pieces: Iterable[Piece | tuple[int, int]],
    basis_fd: int | None = None,
) -> None:
    """Append the pieces to `fd`, which holds the beginning of `size_bytes`.

    (offset, length), as in a span, is a range of the file `basis_fd`.
    Raises: OSError; ContentChanged, for pieces that cannot be the content.
    """
    growth = _Growth(system, fd, size_bytes, basis_fd)
    offset = length = 0  # a span that is not copied yet, because the next may adjoin it
    for piece in pieces:
        if isinstance(piece, bytes):
            growth.copy(offset, length)
            length = 0
            growth.put(piece)
        elif isinstance(piece, Zeros):
            growth.copy(offset, length)
            length = 0
            growth.skip(piece.length)
        elif length and piece[0] == offset + length:
            length += piece[1]
        else:
            growth.copy(offset, length)
            offset, length = piece
    growth.copy(offset, length)
    growth.finish()


class _Growth:
    """How far a file has come."""

    def __init__(self, system: System, fd: int, size_bytes: int, basis_fd: int | None) -> None:
        self._system = system
        self._fd = fd
        self._size = size_bytes
        self._basis = -1 if basis_fd is None else basis_fd
        self._basis_size = 0 if basis_fd is None else os.fstat(basis_fd).st_size
        self._position = os.fstat(fd).st_size
        self._in_kernel = True

    def put(self, data: bytes) -> None:
        """These bytes are next; long runs of zeros become holes."""
        end = self._room(len(data))
        for at, count in _stretches(data):
            os.lseek(self._fd, self._position + at, os.SEEK_SET)
            write_all(self._system, self._fd, data if count == len(data) else data[at : at + count])
        self._position = end

    def skip(self, count: int) -> None:
        """So many zeros are next."""
        self._position = self._room(count)

    def copy(self, offset: int, count: int) -> None:
        """This range of the basis is next; its holes stay holes."""
        if not count:
            return
        end = self._room(count)
        if offset < 0 or offset + count > self._basis_size:
            raise ContentChanged
        shift = self._position - offset
        for at, length in extents(self._basis, offset, offset + count):
            self._copy(at, at + shift, length)
        self._position = end

    def finish(self) -> None:
        """Nothing comes any more: a hole at the end becomes part of the file."""
        if os.fstat(self._fd).st_size < self._position:
            self._system.truncate(self._fd, self._position)

    def _room(self, count: int) -> int:
        end = self._position + count
        if count < 0 or end > self._size:
            raise ContentChanged
        return end

    def _copy(self, offset: int, to_offset: int, count: int) -> None:
        end = offset + count
        while self._in_kernel and offset < end:
            try:
                done = self._system.copy_piece(
                    self._basis, self._fd, offset, to_offset, min(end - offset, 64 * BLOCK)
                )
            except OSError as error:
                if error.errno not in NOT_THIS_WAY:
                    raise
                done = 0
            self._in_kernel = done > 0
            offset += done
            to_offset += done
        os.lseek(self._fd, to_offset, os.SEEK_SET)
        while offset < end:
            data = os.pread(self._basis, min(BLOCK, end - offset), offset)
            if not data:
                raise ContentChanged  # it became shorter meanwhile
            write_all(self._system, self._fd, data)
            offset += len(data)


def _stretches(data: bytes) -> Iterator[tuple[int, int]]:
    """(offset, count) of what is to be written; long runs of zeros are left out."""
    start = 0
    for at in range(0, len(data) - HOLE + 1, HOLE):
        if data[at] or data[at + HOLE - 1] or data.count(0, at, at + HOLE) != HOLE:
            continue
        if at > start:
            yield start, at - start
        start = at + HOLE
    if start < len(data):
        yield start, len(data) - start
