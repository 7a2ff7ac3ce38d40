"""Delta: a file told as pieces of another one that the receiver has. docs/agent-protocol.md.

The receiver sends the signature of its old file, the basis; the sender answers
with instructions in order, packed into blocks. A block is complete in itself:

    COPY   varint(count << 2)      ‖ varint(zigzag(first - expected))
    DATA   varint(length << 2 | 1) ‖ the bytes
    ZEROS  varint(length << 2 | 2)

`expected` is the chunk after the last one copied in this block, 0 at its start.
A varint is LEB128 in its shortest form, at most 9 bytes. Nothing here holds a
file: data is read, and written, by `trees/rebuilding.py`.
"""

from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Union

from reconcile.wire.cuts import Batch, Signature
from reconcile.wire.frames import ProtocolError

BLOCK_BYTES = 1 << 18
"""A block is at most this long."""
_COPY, _DATA, _ZEROS = 0, 1, 2
_RUN = 4096
"""Chunks of one COPY, and of all COPYs of a block: the receiver is never left waiting."""
_HEAD_BYTES = 18


class Copy(NamedTuple):
    """So many chunks of the basis, from chunk `first` on."""

    first: int
    chunks: int


class Zeros(NamedTuple):
    """So many zero bytes."""

    length: int


class Fresh(NamedTuple):
    """Bytes of the new file that the basis does not have."""

    offset: int
    length: int


Instruction = Union[Copy, Zeros, bytes]  # noqa: UP007 - the carried agent runs on Python 3.8
"""`bytes`: data, as it is."""


def instructions(
    new: Iterable[Batch], signature: Signature, offset: int = 0
) -> Iterator[Copy | Fresh]:
    """The new file, whose chunks begin at `offset`, told by the basis; neighbours are joined.

    Where the basis has a chunk twice, the one that goes on with the last copy is
    taken, else the first. Cost: linear; memory: 4 to 16 bytes a chunk of the basis.
    """
    known = _Known(signature)
    copy_first = copy_count = fresh = 0
    for length, number in _found(new, known):
        if number is None:
            if copy_count:
                yield Copy(copy_first, copy_count)
                copy_count = 0
            fresh += length
        else:
            if fresh:
                yield Fresh(offset - fresh, fresh)
                fresh = 0
            if copy_count and (number != copy_first + copy_count or copy_count >= _RUN):
                yield Copy(copy_first, copy_count)
                copy_count = 0
            if not copy_count:
                copy_first = number
            copy_count += 1
        offset += length
    if copy_count:
        yield Copy(copy_first, copy_count)
    if fresh:
        yield Fresh(offset - fresh, fresh)


def encode_blocks(told: Iterable[Instruction]) -> Iterator[bytes]:
    """Blocks of at most BLOCK_BYTES; data that does not fit into one is cut in two."""
    block = bytearray()
    expected = copied = 0
    for one in told:
        if isinstance(one, Copy):
            _put(block, one.chunks << 2 | _COPY)
            _put(block, _zigzag(one.first - expected))
            expected = one.first + one.chunks
            copied += one.chunks
        elif isinstance(one, Zeros):
            _put(block, one.length << 2 | _ZEROS)
        else:
            rest = memoryview(one)
            while rest:
                piece = rest[: BLOCK_BYTES - _HEAD_BYTES - len(block)]
                rest = rest[len(piece) :]
                _put(block, len(piece) << 2 | _DATA)
                block += piece
                if rest:
                    yield bytes(block)
                    block.clear()
                    expected = copied = 0
        if len(block) + 2 * _HEAD_BYTES > BLOCK_BYTES or copied >= _RUN:
            yield bytes(block)
            block.clear()
            expected = copied = 0
    if block:
        yield bytes(block)


def decode_block(block: bytes, count: int) -> Iterator[Instruction]:
    """The instructions of a block, for a basis of `count` chunks. Raises: ProtocolError."""
    if len(block) > BLOCK_BYTES:
        raise ProtocolError(f"a block of {len(block)} bytes")
    place = expected = 0
    while place < len(block):
        head, place = _take(block, place)
        number, kind = head >> 2, head & 3
        if not number:
            raise ProtocolError("an instruction for nothing")
        if kind == _COPY:
            step, place = _take(block, place)
            first = expected + (step >> 1 ^ -(step & 1))
            expected = first + number
            if first < 0 or expected > count:
                raise ProtocolError(f"chunks {first} to {expected} of a basis of {count}")
            yield Copy(first, number)
        elif kind == _DATA:
            data = block[place : place + number]
            if len(data) != number:
                raise ProtocolError("data that is shorter than it says")
            place += number
            yield data
        elif kind == _ZEROS:
            yield Zeros(number)
        else:
            raise ProtocolError("an unknown instruction")


def _found(new: Iterable[Batch], known: "_Known") -> Iterator[tuple[int, int | None]]:
    """(length, chunk of the basis, or None) of each chunk."""
    digests, width = known.digests, known.width
    at = 0
    """Where the digest stands that goes on with the last copy."""
    for batch in new:
        place = 0
        for length in batch.lengths:
            digest = batch.digests[place : place + width]
            place += width
            if digest != digests[at : at + width]:
                number = known.find(digest)
                if number is None:
                    yield length, None
                    continue
                at = number * width
            yield length, at // width
            at += width


class _Known:
    """The basis' digests, and which chunk has a given one."""

    def __init__(self, signature: Signature) -> None:
        self.digests = signature.digests
        self.width = signature.cut.digest_bytes
        self._count = signature.chunk_count
        self._table = array("I")

    def find(self, digest: bytes) -> int | None:
        """The first chunk with this digest."""
        table = self._table or self._build()
        mask = len(table) - 1
        slot = hash(digest) & mask
        while number := table[slot]:
            start = (number - 1) * self.width
            if self.digests[start : start + self.width] == digest:
                return number - 1
            slot = (slot + 1) & mask
        return None

    def _build(self) -> "array[int]":
        """An open table: a dict would take 110 bytes a chunk. `hash` is salted, so no
        stranger's digests can be made to fall on one slot."""
        digests, width = self.digests, self.width
        mask = (1 << (2 * self._count + 1).bit_length()) - 1
        table = array("I", bytes(4 * (mask + 1)))
        for number in range(self._count):
            digest = digests[number * width : (number + 1) * width]
            slot = hash(digest) & mask
            while other := table[slot]:
                if digests[(other - 1) * width : other * width] == digest:
                    break
                slot = (slot + 1) & mask
            else:
                table[slot] = number + 1
        self._table = table
        return table


def _put(block: bytearray, number: int) -> None:
    while number > 0x7F:
        block.append(number & 0x7F | 0x80)
        number >>= 7
    block.append(number)


def _take(block: bytes, place: int) -> tuple[int, int]:
    """(number, where the next thing stands)."""
    number = shift = 0
    for byte in block[place : place + 9]:
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            if not byte and shift:
                break
            return number, place
        shift += 7
    raise ProtocolError("a number that is not in its shortest form, or cut short")


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1
