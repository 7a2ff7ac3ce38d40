"""What two ends say about chunks: sizes that fit the file, and nothing believed unread."""

import struct
from array import array
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.wire.cuts import (
    ALGORITHMS,
    FASTCDC,
    FIXED,
    MAX_CHUNKS,
    MAX_SIZE,
    SIGNATURE_LIMIT,
    Batch,
    Chunks,
    Cut,
    Signature,
    cut_for,
    decode_chunks,
    decode_signature,
    joined,
)
from reconcile.wire.frames import ProtocolError

HEAD = struct.Struct(">BBBBQI")
SIZES = st.integers(0, 45).flatmap(lambda power: st.integers(0, 1 << power))


def listed(cut: Cut, size: int) -> Chunks:
    """A file whose chunks are average, but for the last."""
    lengths = [min(cut.average, size - start) for start in range(0, size, cut.average)]
    digests = b"".join(number.to_bytes(cut.digest_bytes, "big") for number, _ in enumerate(lengths))
    return Chunks(cut, size, array("I", lengths), digests)


@given(SIZES, st.sampled_from(ALGORITHMS))
def test_the_cut_for_a_size_bounds_the_chunks_and_the_chance_of_a_false_match(
    size: int, algorithm: str
) -> None:
    cut = cut_for(algorithm, size, "blake3")
    if cut is None:
        assert size >= MAX_SIZE
        return
    assert -(-size // cut.minimum) <= MAX_CHUNKS
    chunks = max(1, size // cut.average)
    assert 2 ** (8 * cut.digest_bytes) >= chunks * chunks * 2**24


def test_the_average_grows_with_the_file() -> None:
    sizes = [1 << power for power in range(10, 41)]
    averages = [cut.average for size in sizes if (cut := cut_for(FASTCDC, size, "blake3"))]
    assert all(a <= b for a, b in pairwise(averages))
    assert averages[:1] == [1024]
    gibibyte = cut_for(FASTCDC, 1 << 30, "blake3")
    assert gibibyte is not None
    assert (gibibyte.average, gibibyte.digest_bytes) == (4096, 8)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [0, 1, 100_000, 3 << 20])
def test_lists_and_signatures_come_back_as_they_were(algorithm: str, size: int) -> None:
    cut = cut_for(algorithm, size, "sha256")
    assert cut is not None
    chunks = listed(cut, size)
    assert decode_chunks(chunks.encode()) == chunks
    assert decode_signature(chunks.signature.encode()) == chunks.signature
    assert len(chunks.signature.encode()) <= SIGNATURE_LIMIT


def test_batches_join_to_the_whole_file() -> None:
    cut = Cut(FIXED, 1024, "sha256", 5)
    halves = [
        Batch(array("I", [1024, 1024]), b"aaaaabbbbb"),
        Batch(array("I", [7]), b"ccccc"),
    ]
    assert joined(cut, halves) == Chunks(cut, 2055, array("I", [1024, 1024, 7]), b"aaaaabbbbbccccc")


def head(
    algorithm: int = 1,
    hashed: int = 1,
    power: int = 12,
    width: int = 8,
    size: int = 8192,
    count: int = 2,
) -> bytes:
    """A signature's first bytes, right but for what is said."""
    return HEAD.pack(algorithm, hashed, power, width, size, count)


HOSTILE = {
    "nothing at all": b"",
    "a head cut short": head()[:-1],
    "an unknown algorithm": head(algorithm=3) + bytes(16),
    "algorithm zero": head(algorithm=0) + bytes(16),
    "an unknown hash": head(hashed=3) + bytes(16),
    "an average of 2**255 bytes": head(power=255) + bytes(16),
    "an average of one byte": head(power=0, size=2) + bytes(16),
    "digests of no bytes": head(width=0),
    "digests of 255 bytes": head(width=255) + bytes(510),
    "more chunks than the file can have": head(count=5) + bytes(40),
    "fewer chunks than the file must have": head(size=1 << 20) + bytes(16),
    "no chunks of a file that is not empty": head(count=0),
    "chunks of an empty file": head(size=0, count=1) + bytes(8),
    "4 billion chunks": head(size=2**64 - 1, power=21, count=2**32 - 1),
    "a count that the bytes do not bear out": head() + bytes(8),
    "a byte too many": head() + bytes(17),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_signature_that_cannot_be_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_signature(data)


def test_the_hostile_ones_differ_from_a_good_one_by_what_they_are_named_for() -> None:
    cut = Cut(FASTCDC, 4096, "blake3", 8)
    assert decode_signature(head() + bytes(16)) == Signature(cut, 8192, bytes(16))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_signature_or_refused(data: bytes) -> None:
    try:
        signature = decode_signature(data)
    except ProtocolError:
        return
    assert signature.encode() == data


@pytest.mark.parametrize(
    ("size", "lengths"),
    [(8192, [4096, 4095]), (8192, [8192, 1]), (8192, [0xFFFFFFFF, 0]), (20_001, [20_000, 1])],
    ids=["too short", "too long", "beyond all", "a chunk above the most"],
)
def test_a_list_whose_lengths_lie_is_refused(size: int, lengths: list[int]) -> None:
    data = head(size=size) + bytes(16) + struct.pack("<2I", *lengths)
    with pytest.raises(ProtocolError):
        decode_chunks(data)
