"""Instructions: what they tell, and that no block can ask for what is not there."""

from array import array
from collections.abc import Iterator, Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.wire.cuts import FIXED, Batch, Cut, Signature
from reconcile.wire.delta import (
    BLOCK_BYTES,
    Copy,
    Fresh,
    Instruction,
    Zeros,
    decode_block,
    encode_blocks,
    instructions,
)
from reconcile.wire.frames import ProtocolError

CUT = Cut(FIXED, 1024, "sha256", 3)
COUNT = 100_000
"""Chunks of the basis in the tests of the encoding."""

copies = st.integers(0, COUNT - 1).flatmap(
    lambda first: st.builds(Copy, st.just(first), st.integers(1, COUNT - first))
)
tellings = st.lists(
    copies | st.builds(Zeros, st.integers(1, 1 << 60)) | st.binary(min_size=1, max_size=50)
)


def signature(names: str) -> Signature:
    """A basis whose chunks are named by letters."""
    return Signature(CUT, 1024 * len(names), digests(names))


def digests(names: str) -> bytes:
    """Three bytes for each letter."""
    return b"".join(name.encode() * 3 for name in names)


def batches(*parts: str) -> list[Batch]:
    """The new file, each chunk ten bytes long."""
    return [Batch(array("I", [10] * len(names)), digests(names)) for names in parts]


CASES: list[tuple[str, str, Sequence[Copy | Fresh]]] = [
    ("abc", "abc", [Copy(0, 3)]),
    ("abc", "aXbc", [Copy(0, 1), Fresh(10, 10), Copy(1, 2)]),
    ("abc", "XY", [Fresh(0, 20)]),
    ("abc", "cba", [Copy(2, 1), Copy(1, 1), Copy(0, 1)]),
    ("abcab", "abab", [Copy(0, 2), Copy(0, 2)]),
    ("abcabd", "cabd", [Copy(2, 4)]),
    ("aaaa", "aaaaaa", [Copy(0, 4), Copy(0, 2)]),
    ("", "ab", [Fresh(0, 20)]),
    ("abc", "", []),
    ("abc", "bcX", [Copy(1, 2), Fresh(20, 10)]),
]


@pytest.mark.parametrize(("basis", "new", "told"), CASES)
def test_neighbours_are_told_as_one(basis: str, new: str, told: list[Copy | Fresh]) -> None:
    assert list(instructions(batches(new), signature(basis))) == told


def test_batches_do_not_show() -> None:
    assert list(instructions(batches("ab", "", "cX", "Yd"), signature("abcd"))) == [
        Copy(0, 3),
        Fresh(30, 20),
        Copy(3, 1),
    ]


def test_offsets_count_from_where_the_chunks_begin() -> None:
    assert list(instructions(batches("aX"), signature("a"), 5000)) == [
        Copy(0, 1),
        Fresh(5010, 10),
    ]


def test_nothing_is_read_ahead() -> None:
    taken: list[str] = []

    def new() -> Iterator[Batch]:
        for name in "aXbYc":
            taken.append(name)
            yield batches(name)[0]

    told = instructions(new(), signature("abc"))
    assert next(told) == Copy(0, 1)
    assert taken == ["a", "X"]


@given(tellings)
def test_what_is_encoded_comes_back(told: list[Instruction]) -> None:
    back = [one for block in encode_blocks(told) for one in decode_block(block, COUNT)]
    assert back == told


@given(st.lists(st.integers(1, 2 * BLOCK_BYTES), max_size=6), st.booleans())
def test_large_data_is_cut_into_blocks_and_none_is_lost(lengths: list[int], mixed: bool) -> None:
    told: list[Instruction] = []
    for number, length in enumerate(lengths):
        told.append(bytes([number + 1]) * length)
        if mixed:
            told.append(Copy(number, 5000))
    blocks = list(encode_blocks(told))
    assert all(0 < len(block) <= BLOCK_BYTES for block in blocks)
    back = [one for block in blocks for one in decode_block(block, COUNT)]
    assert [one for one in back if isinstance(one, Copy)] == told[1::2] * mixed
    data = (one for one in back if isinstance(one, bytes))
    assert b"".join(data) == b"".join(one for one in told if isinstance(one, bytes))


def test_a_block_of_copies_is_not_held_back_for_long() -> None:
    blocks = list(encode_blocks(Copy(4096 * number, 4096) for number in range(10)))
    assert len(blocks) == 10


HOSTILE = {
    "an empty copy": b"\x00\x00",
    "empty data": b"\x01",
    "no zeros": b"\x02",
    "an unknown kind": b"\x07",
    "a copy without its place": b"\x04",
    "a copy before the first chunk": b"\x04\x01",
    "a copy past the last chunk": b"\x08\x12",
    "a copy of more chunks than there are": b"\xac\x01\x00",
    "a copy of 2**61 chunks": b"\xfc" + b"\xff" * 7 + b"\x7f\x00",
    "a second copy past the last chunk": b"\x20\x00\x20\x00",
    "data cut short": b"\x09\x41",
    "data of 2**61 bytes": b"\xfd" + b"\xff" * 7 + b"\x7f\x41",
    "a number without an end": b"\x84\x80",
    "a number of ten bytes": b"\x84" + b"\x80" * 9 + b"\x00",
    "a number that is longer than it need be": b"\x84\x00\x00",
    "a block that is too long": b"\x05A" * (BLOCK_BYTES // 2 + 1),
}


@pytest.mark.parametrize("block", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_block_that_asks_for_what_is_not_there_is_refused(block: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(decode_block(block, 10))


@given(st.binary(max_size=60), st.integers(0, 20))
def test_any_bytes_tell_of_chunks_that_exist_or_are_refused(block: bytes, count: int) -> None:
    told: list[Instruction] = []
    try:
        told.extend(decode_block(block, count))
    except ProtocolError:
        return
    for one in told:
        if isinstance(one, Copy):
            assert 0 <= one.first < one.first + one.chunks <= count
    assert sum(len(one) for one in told if isinstance(one, bytes)) <= len(block)
    assert b"".join(encode_blocks(told)) == block


def test_a_basis_of_equal_chunks_is_looked_up_as_fast_as_any() -> None:
    many = Signature(CUT, 1024 * 200_000, b"aaa" * 200_000)
    assert list(instructions(batches("Xa"), many)) == [Fresh(0, 10), Copy(0, 1)]


def test_every_chunk_of_a_large_basis_is_found_and_no_other() -> None:
    names = [number.to_bytes(3, "big") for number in range(20_000)]
    basis = Signature(CUT, 1024 * len(names), b"".join(names))
    order = list(range(len(names)))
    Random(1).shuffle(order)
    here = Batch(array("I", [10] * len(order)), b"".join(names[number] for number in order))
    told = list(instructions([here], basis))
    copied = [copy.first + n for copy in told if isinstance(copy, Copy) for n in range(copy.chunks)]
    assert copied == order
    absent = b"".join(number.to_bytes(3, "big") for number in range(20_000, 40_000))
    new = Batch(array("I", [10] * 20_000), absent)
    assert list(instructions([new], basis)) == [Fresh(0, 200_000)]


def test_a_long_run_comes_in_parts_so_that_the_receiver_can_begin() -> None:
    names = b"".join(number.to_bytes(3, "big") for number in range(10_000))
    basis = Signature(CUT, 1024 * 10_000, names)
    told = list(instructions([Batch(array("I", [10] * 10_000), names)], basis))
    assert told == [Copy(0, 4096), Copy(4096, 4096), Copy(8192, 1808)]
