"""Cuts: how a file is taken apart into chunks, and the words two ends say about its chunks.

The cut itself, which reads, is `trees/chunking.py`; the algorithms are pinned in
manifests/FORMAT.md §14. A signature carries digests only: who sends it knows its
own lengths, and equal digests mean equal bytes.
"""

import struct
import sys
from array import array
from collections.abc import Iterable
from typing import NamedTuple

from reconcile.model.block import HashName
from reconcile.wire.frames import ProtocolError

FASTCDC = "fastcdc-2020"
FIXED = "fixed"
ALGORITHMS = (FASTCDC, FIXED)
"""In order of preference; every program can do the last."""
MAX_CHUNKS = 1 << 21
MIN_AVERAGE = 1 << 10
MAX_AVERAGE = 1 << 21
MAX_SIZE = 1 << 41
"""Larger files are not cut."""
MAX_DIGEST_BYTES = 12
_SPARE_BITS = 24
"""Of a digest: two files that share nothing are taken to share a chunk once in 2**24 times."""
_HASHES: tuple[HashName, ...] = ("blake3", "sha256")
_HEAD = struct.Struct(">BBBBQI")
"""Algorithm, hash, log2 of the average, bytes of a digest, size of the file, chunks."""
SIGNATURE_LIMIT = _HEAD.size + MAX_CHUNKS * MAX_DIGEST_BYTES
"""Bytes of the longest signature; gather no more than this."""


class Cut(NamedTuple):
    """One way of cutting. Both ends must cut alike, or nothing is found."""

    algorithm: str
    average: int
    """Bytes, a power of two."""
    hash_name: HashName
    digest_bytes: int
    """Of each chunk's hash so many bytes are kept; the whole content's id is checked anyway."""

    @property
    def minimum(self) -> int:
        """Bytes of every chunk but the last."""
        return self.average if self.algorithm == FIXED else self.average // 2

    @property
    def maximum(self) -> int:
        """No chunk is longer."""
        return self.average if self.algorithm == FIXED else self.average * 4


class Batch(NamedTuple):
    """Chunks that follow each other in a file."""

    lengths: "array[int]"
    digests: bytes
    """`digest_bytes` for each."""


class Signature(NamedTuple):
    """What the sender must know of the basis: its chunks' digests, in order."""

    cut: Cut
    size: int
    digests: bytes

    @property
    def chunk_count(self) -> int:
        """Chunks."""
        return len(self.digests) // self.cut.digest_bytes

    def encode(self) -> bytes:
        """The bytes that travel; at most SIGNATURE_LIMIT."""
        return _encode(self.cut, self.size, self.chunk_count) + self.digests


class Chunks(NamedTuple):
    """A whole file as chunks, as its own side keeps it."""

    cut: Cut
    size: int
    lengths: "array[int]"
    digests: bytes

    @property
    def signature(self) -> Signature:
        """The part of it that the other end needs."""
        return Signature(self.cut, self.size, self.digests)

    @property
    def batch(self) -> Batch:
        """All of it as one batch."""
        return Batch(self.lengths, self.digests)

    def encode(self) -> bytes:
        """For a cache: the signature, then the lengths (u32, little-endian)."""
        return self.signature.encode() + _swapped(self.lengths).tobytes()


def cut_for(algorithm: str, size: int, hash_name: HashName) -> Cut | None:
    """The cut that serves files of about `size` bytes (the larger of the two) best.

    An edit costs about one chunk, a chunk costs a digest: small chunks, until
    digests and the time they take outweigh that. At most 2**20 average chunks.
    None: the file is too large.
    """
    if size >= MAX_SIZE:
        return None
    average = 1 << 10 if size < 1 << 20 else 1 << 11 if size < 1 << 26 else 1 << 12
    while size >> 20 >= average and average < MAX_AVERAGE:
        average <<= 1
    bits = 2 * (size // average).bit_length() + _SPARE_BITS
    return Cut(algorithm, average, hash_name, min(-(-bits // 8), MAX_DIGEST_BYTES))


def joined(cut: Cut, batches: Iterable[Batch]) -> Chunks:
    """All batches of a file as one."""
    lengths = array("I")
    digests = bytearray()
    for batch in batches:
        lengths += batch.lengths
        digests += batch.digests
    return Chunks(cut, sum(lengths), lengths, bytes(digests))


def decode_signature(data: bytes) -> Signature:
    """The other end's signature. Raises: ProtocolError, before anything is made of it."""
    cut, size, count = _decode_head(data)
    if len(data) != _HEAD.size + count * cut.digest_bytes:
        raise ProtocolError(f"a signature of {count} chunks has {len(data)} bytes")
    return Signature(cut, size, data[_HEAD.size :])


def decode_chunks(data: bytes) -> Chunks:
    """What `Chunks.encode` made. Raises: ProtocolError, for anything else."""
    cut, size, count = _decode_head(data)
    middle = _HEAD.size + count * cut.digest_bytes
    if len(data) != middle + 4 * count:
        raise ProtocolError(f"a list of {count} chunks has {len(data)} bytes")
    lengths = _swapped(array("I", data[middle:]))
    if sum(lengths) != size or (lengths and max(lengths) > cut.maximum):
        raise ProtocolError("a list of chunks whose lengths do not fit its file")
    return Chunks(cut, size, lengths, data[_HEAD.size : middle])


def _encode(cut: Cut, size: int, count: int) -> bytes:
    return _HEAD.pack(
        ALGORITHMS.index(cut.algorithm) + 1,
        _HASHES.index(cut.hash_name) + 1,
        cut.average.bit_length() - 1,
        cut.digest_bytes,
        size,
        count,
    )


def _decode_head(data: bytes) -> tuple[Cut, int, int]:
    if len(data) < _HEAD.size:
        raise ProtocolError("a signature without its head")
    algorithm, hashed, power, digest_bytes, size, count = _HEAD.unpack_from(data)
    if not 1 <= algorithm <= len(ALGORITHMS) or not 1 <= hashed <= len(_HASHES):
        raise ProtocolError(f"an unknown cut: algorithm {algorithm}, hash {hashed}")
    average = 1 << min(power, 64)
    if not MIN_AVERAGE <= average <= MAX_AVERAGE or not 3 <= digest_bytes <= MAX_DIGEST_BYTES:
        raise ProtocolError(f"a cut of 2^{power} bytes with digests of {digest_bytes} is refused")
    cut = Cut(ALGORITHMS[algorithm - 1], average, _HASHES[hashed - 1], digest_bytes)
    least, most = -(-size // cut.maximum), -(-size // cut.minimum)
    if not least <= count <= min(most, MAX_CHUNKS):
        raise ProtocolError(f"{count} chunks cannot be those of a file of {size} bytes")
    return cut, size, count


def _swapped(lengths: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        lengths = lengths[:]
        lengths.byteswap()
    return lengths
