"""Rebuilding: the two ends of a delta that touch files.

The sender answers a signature with instructions, the receiver turns them into
content. Either file may change meanwhile: nothing here proves the result, the
caller compares the whole content's id and asks for all of it when that fails.
"""

import os
from array import array
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import NamedTuple, Union

from reconcile.model.block import HashName
from reconcile.trees.base import ContentChanged
from reconcile.trees.chunking import ChunkCache, batches
from reconcile.trees.hashing import BLOCK_BYTES, new_hasher
from reconcile.trees.holes import blocks, extents
from reconcile.wire.cuts import Chunks, Signature
from reconcile.wire.delta import Copy, Instruction, Zeros, encode_blocks, instructions
from reconcile.wire.frames import ProtocolError

DATA_BYTES = 1 << 17
"""Fresh bytes are read, and told, in pieces of at most this length."""
_ZEROS = bytes(BLOCK_BYTES)


class BasisChanged(Exception):
    """The basis is no longer what its signature said; the content must come whole."""


class Span(NamedTuple):
    """A range of the basis."""

    offset: int
    length: int


Piece = Union[Span, Zeros, bytes]  # noqa: UP007 - the carried agent runs on Python 3.8


def answer(
    fd: int, signature: Signature, offset: int = 0, cache: ChunkCache | None = None
) -> Iterator[Instruction]:
    """The open file from `offset` on, told by the basis; ready for `encode_blocks`.

    Where nothing is alike it is data, and holes are zeros.
    Raises: OSError, ContentChanged.
    """
    before = _marks(fd)
    new = batches(fd, signature.cut, cache, offset)
    for one in instructions(new, signature, offset):
        if isinstance(one, Copy):
            yield one
        else:
            yield from _data(fd, one.offset, one.offset + one.length)
    if _marks(fd) != before:
        raise ContentChanged


def told_by(
    fd: int, signature: Signature, size: int, cache: ChunkCache | None = None
) -> Iterator[bytes]:
    """The open file, which has `size` bytes, as blocks of instructions.

    Raises: OSError; ContentChanged, also when it has another size.
    """
    if os.fstat(fd).st_size != size:
        raise ContentChanged
    yield from encode_blocks(answer(fd, signature, 0, cache))


def pieces(chunks: Chunks, told: Iterable[Instruction], length: int) -> Iterator[Piece]:
    """The content as ranges of the basis, zeros and data: `length` bytes, neither more nor less.

    Raises: ProtocolError, before a piece that would be too much.
    """
    starts = array("Q", accumulate(chunks.lengths, initial=0))
    for one in told:
        piece: Piece
        if isinstance(one, Copy):
            end = one.first + one.chunks
            if not 0 <= one.first < end < len(starts):
                raise ProtocolError(f"chunks {one.first} to {end} of {len(starts) - 1}")
            piece = Span(starts[one.first], starts[end] - starts[one.first])
        else:
            piece = one
        length -= len(piece) if isinstance(piece, bytes) else piece.length
        if length < 0:
            raise ProtocolError("more content came than the file holds")
        yield piece
    if length:
        raise ProtocolError(f"{length} bytes of the content did not come")


def rebuilt(
    basis_fd: int, chunks: Chunks, told: Iterable[Instruction], length: int
) -> Iterator[bytes]:
    """The same as blocks of at most 1 MiB.

    Raises: ProtocolError; BasisChanged, when the basis has become shorter; OSError.
    """
    for piece in pieces(chunks, told, length):
        if isinstance(piece, bytes):
            yield piece
        elif isinstance(piece, Zeros):
            for start in range(0, piece.length, BLOCK_BYTES):
                yield _ZEROS[: piece.length - start]
        else:
            end = piece.offset + piece.length
            for start in range(piece.offset, end, BLOCK_BYTES):
                yield _exactly(basis_fd, start, min(BLOCK_BYTES, end - start), BasisChanged)


def prefix_digest(fd: int, length: int, hash_name: HashName) -> bytes | None:
    """The hash of the first `length` bytes, by which two ends agree where to go on.

    None: the file is shorter. Raises: OSError.
    """
    hasher = new_hasher(hash_name)
    missing = length
    if missing:
        for block in blocks(fd, length, min(BLOCK_BYTES, length)):
            hasher.update(block[:missing])
            missing -= len(block[:missing])
            if not missing:
                break
    return None if missing else hasher.digest()


def _marks(fd: int) -> tuple[int, int, int]:
    status = os.fstat(fd)
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _data(fd: int, start: int, end: int) -> Iterator[Instruction]:
    for stored, count in extents(fd, start, end):
        if stored > start:
            yield Zeros(stored - start)
        start = stored + count
        for place in range(stored, start, DATA_BYTES):
            yield _exactly(fd, place, min(DATA_BYTES, start - place), ContentChanged)
    if start < end:
        yield Zeros(end - start)


def _exactly(fd: int, offset: int, count: int, short: type[Exception]) -> bytes:
    data = os.pread(fd, count, offset)
    while len(data) < count:
        more = os.pread(fd, count - len(data), offset + len(data))
        if not more:
            raise short
        data += more
    return data
