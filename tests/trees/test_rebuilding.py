"""A changed file rebuilt from an old one: the same bytes, whatever was done to it."""

import hashlib
import os
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconcile.trees.base import ContentChanged
from reconcile.trees.chunking import batches, chunks_of, offered_cuts
from reconcile.trees.copying import digest_of
from reconcile.trees.rebuilding import BasisChanged, Span, answer, pieces, prefix_digest, rebuilt
from reconcile.wire.cuts import ALGORITHMS, FASTCDC, FIXED, Chunks, Cut, decode_signature
from reconcile.wire.delta import Copy, Zeros, decode_block, encode_blocks
from reconcile.wire.frames import ProtocolError

CUTS = [Cut(algorithm, 1024, "sha256", 6) for algorithm in ALGORITHMS]
by_cut = pytest.mark.parametrize("cut", CUTS, ids=ALGORITHMS)
KIB = 1 << 10


@contextmanager
def holding(*contents: bytes) -> Iterator[list[int]]:
    """Open files in memory."""
    opened = []
    try:
        for content in contents:
            fd = os.memfd_create("delta")
            opened.append(fd)
            os.write(fd, content)
        yield opened
    finally:
        for fd in opened:
            os.close(fd)


def transferred(basis: int, new: int, cut: Cut, offset: int = 0) -> tuple[bytes, int]:
    """(what the receiver makes of it, bytes that travelled): both ends, as words on a wire."""
    chunks = chunks_of(basis, cut)
    sent = chunks.signature.encode()
    blocks = list(encode_blocks(answer(new, decode_signature(sent), offset)))
    told = (one for block in blocks for one in decode_block(block, chunks.signature.chunk_count))
    length = os.fstat(new).st_size - offset
    content = b"".join(rebuilt(basis, chunks, told, length))
    return content, len(sent) + sum(map(len, blocks))


@st.composite
def edited(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """An old content and a new one, made of it by a few edits."""
    random = Random(draw(st.integers(0, 1 << 30)))
    old = random.randbytes(draw(st.integers(0, 30 * KIB)))
    if draw(st.booleans()):
        old += bytes(draw(st.integers(0, 20 * KIB)))
    new = old
    for _ in range(draw(st.integers(0, 5))):
        place = draw(st.integers(0, len(new)))
        length = draw(st.integers(0, 9 * KIB))
        match draw(st.sampled_from(["insert", "delete", "overwrite", "move", "double"])):
            case "insert":
                new = new[:place] + random.randbytes(length) + new[place:]
            case "delete":
                new = new[:place] + new[place + length :]
            case "overwrite":
                new = new[:place] + random.randbytes(length) + new[place + length :]
            case "move":
                part, rest = new[place : place + length], new[:place] + new[place + length :]
                there = draw(st.integers(0, len(rest)))
                new = rest[:there] + part + rest[there:]
            case _:
                new = new[:place] + new[place : place + length] + new[place:]
    return old, new


@by_cut
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pair=edited(), share=st.floats(0, 1))
def test_what_is_rebuilt_is_the_new_content_from_any_offset(
    cut: Cut, pair: tuple[bytes, bytes], share: float
) -> None:
    old, new = pair
    with holding(old, new) as (basis, wanted):
        assert transferred(basis, wanted, cut)[0] == new
        offset = int(share * len(new))
        assert transferred(basis, wanted, cut, offset)[0] == new[offset:]


@by_cut
@settings(max_examples=40, deadline=None)
@given(pair=edited())
def test_chunks_cover_the_file_and_keep_to_their_bounds(
    cut: Cut, pair: tuple[bytes, bytes]
) -> None:
    old = pair[0]
    with holding(old) as (fd,):
        chunks = chunks_of(fd, cut)
    assert sum(chunks.lengths) == chunks.size == len(old)
    assert all(cut.minimum <= length <= cut.maximum for length in chunks.lengths[:-1])
    place = 0
    for number, length in enumerate(chunks.lengths):
        digest = hashlib.sha256(old[place : place + length]).digest()[: cut.digest_bytes]
        start = number * cut.digest_bytes
        assert chunks.digests[start : start + cut.digest_bytes] == digest
        place += length


def test_an_insertion_costs_a_few_chunks_where_the_content_decides_the_cuts() -> None:
    old = Random(1).randbytes(400 * KIB)
    new = old[:9999] + b"inserted" + old[9999:]
    with holding(old, new) as (basis, wanted):
        assert transferred(basis, wanted, CUTS[0])[1] < 20 * KIB
        assert transferred(basis, wanted, CUTS[1])[1] > 380 * KIB


@by_cut
def test_edits_in_place_and_appended_bytes_cost_what_they_are_and_the_signature(cut: Cut) -> None:
    old = Random(2).randbytes(400 * KIB)
    new = bytearray(old)
    for place in (5_000, 100_000, 300_000):
        new[place : place + 10] = b"0123456789"
    new += b"more" * 300
    with holding(old, bytes(new)) as (basis, wanted):
        content, cost = transferred(basis, wanted, cut)
    assert content == new
    assert cost < 20 * KIB


@by_cut
def test_equal_files_cost_the_signature(cut: Cut) -> None:
    old = Random(3).randbytes(400 * KIB)
    with holding(old, old) as (basis, wanted):
        content, cost = transferred(basis, wanted, cut)
        signature = chunks_of(basis, cut).signature.encode()
    assert content == old
    assert cost < len(signature) + 20


@by_cut
def test_files_that_share_nothing_cost_no_more_than_the_file_and_the_signature(cut: Cut) -> None:
    old, new = Random(4).randbytes(300 * KIB), Random(5).randbytes(300 * KIB)
    with holding(old, new) as (basis, wanted):
        content, cost = transferred(basis, wanted, cut)
        signature = chunks_of(basis, cut).signature.encode()
    assert content == new
    assert cost < len(new) + len(signature) + 50


@by_cut
def test_reading_in_other_blocks_gives_the_same_chunks(
    cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    with holding(Random(6).randbytes(3 << 20)) as (fd,):
        whole = chunks_of(fd, cut)
        for size in (1, 7 * KIB, 64 * KIB, 5 << 20):
            monkeypatch.setattr("reconcile.trees.chunking.READ_BYTES", size)
            assert chunks_of(fd, cut) == whole


@by_cut
def test_holes_give_the_chunks_that_their_zeros_would(cut: Cut, tmp_path: Path) -> None:
    content = Random(7).randbytes(50_000)
    with open(tmp_path / "holes", "w+b") as holes, open(tmp_path / "full", "w+b") as full:
        for place in (100_000, 5_000_000):
            holes.seek(place)
            holes.write(content)
        holes.truncate(9_000_001)
        holes.flush()
        holes.seek(0)
        full.write(holes.read())
        full.flush()
        assert os.fstat(holes.fileno()).st_blocks < os.fstat(full.fileno()).st_blocks
        assert chunks_of(holes.fileno(), cut) == chunks_of(full.fileno(), cut)
        nothing = Chunks(cut, 0, chunks_of(full.fileno(), cut).lengths[:0], b"")
        told = list(answer(holes.fileno(), nothing.signature))
        assert sum(len(one) for one in told if isinstance(one, bytes)) < 200_000
        assert b"".join(rebuilt(0, nothing, told, 9_000_001)) == (tmp_path / "full").read_bytes()


@by_cut
def test_a_hole_is_not_read(cut: Cut, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = cut._replace(average=1 << 20)
    with open(tmp_path / "holes", "w+b") as holes:
        holes.truncate(1 << 40)
        most = cut.maximum
        read = os.preadv

        def read_the_end(fd: int, buffers: list[memoryview], offset: int) -> int:
            assert offset >= (1 << 40) - most
            return read(fd, buffers, offset)

        monkeypatch.setattr(os, "preadv", read_the_end)
        chunks = chunks_of(holes.fileno(), cut)
        assert sum(chunks.lengths) == 1 << 40


@by_cut
def test_equal_files_cost_nothing_more_from_an_odd_offset(cut: Cut) -> None:
    old = Random(15).randbytes(3 << 20)
    with holding(old, old) as (basis, wanted):
        content, cost = transferred(basis, wanted, cut, 1_234_567)
        signature = chunks_of(basis, cut).signature.encode()
    assert content == old[1_234_567:]
    assert cost < len(signature) + 10 * cut.maximum


def test_a_cut_begun_inside_joins_the_one_from_the_start() -> None:
    with holding(Random(8).randbytes(200 * KIB)) as (fd,):
        every = edges(0, [length for batch in batches(fd, CUTS[0]) for length in batch.lengths])
        some = [length for batch in batches(fd, CUTS[0], None, 77_777) for length in batch.lengths]
    later = edges(77_777, some)
    assert later[0] == 77_777
    assert [edge for edge in later[8:] if edge not in every] == []


def edges(start: int, lengths: list[int]) -> list[int]:
    """Where chunks begin and end."""
    found = [start]
    for length in lengths:
        found.append(found[-1] + length)
    return found


def test_a_file_cut_short_while_it_is_cut_gives_a_shorter_list() -> None:
    for cut in CUTS:
        with holding(Random(9).randbytes(3 << 20)) as (fd,):
            cutting = batches(fd, cut)
            first = next(cutting)
            os.ftruncate(fd, 1_500_000)
            rest = list(cutting)
        total = sum(sum(batch.lengths) for batch in (first, *rest))
        assert total <= 1_500_000


def test_a_sender_whose_file_changes_says_so() -> None:
    content = Random(10).randbytes(3 << 20)
    with holding(content, content) as (basis, wanted):
        signature = chunks_of(basis, CUTS[0]).signature
        telling = answer(wanted, signature)
        next(telling)
        os.ftruncate(wanted, 2 << 20)
        with pytest.raises(ContentChanged):
            list(telling)
        telling = answer(wanted, signature)
        next(telling)
        os.pwrite(wanted, b"!", 2 << 20)
        with pytest.raises(ContentChanged):
            list(telling)


def test_a_basis_that_shrank_is_noticed_when_it_is_read() -> None:
    content = Random(11).randbytes(300 * KIB)
    with holding(content, content) as (basis, wanted):
        chunks = chunks_of(basis, CUTS[0])
        told = list(answer(wanted, chunks.signature))
        os.ftruncate(basis, 200 * KIB)
        with pytest.raises(BasisChanged):
            list(rebuilt(basis, chunks, told, len(content)))


def test_ranges_and_zeros_can_be_had_as_such() -> None:
    with holding(Random(12).randbytes(20 * KIB)) as (fd,):
        chunks = chunks_of(fd, CUTS[1])
    told = [Copy(2, 3), b"xyz", Zeros(5), Copy(19, 1)]
    found = list(pieces(chunks, told, 3 * KIB + 3 + 5 + KIB))
    assert found == [Span(2 * KIB, 3 * KIB), b"xyz", Zeros(5), Span(19 * KIB, KIB)]


HOSTILE = {
    "more data than the file": [bytes(5000)],
    "more zeros than memory": [Zeros(1 << 60)],
    "the basis again and again": [Copy(0, 20)] * 1000,
    "less than the file": [b"x"],
    "nothing": [],
    "chunks past the last": [Copy(19, 2)],
    "chunks before the first": [Copy(-1, 1)],
}


@pytest.mark.parametrize("told", [Copy(-1, 1), Copy(-2, 5), Copy(5, -1), Copy(5, 0)], ids=str)
def test_a_copy_that_cannot_be_is_refused_at_once(told: Copy) -> None:
    chunks = Chunks(CUTS[1], 10 * KIB, array("I", [KIB] * 10), bytes(60))
    with pytest.raises(ProtocolError, match="chunks"):
        next(pieces(chunks, [told], 10 * KIB))


@pytest.mark.parametrize("told", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_more_and_no_less_comes_than_the_file_holds(told: list[Copy | Zeros | bytes]) -> None:
    with holding(Random(13).randbytes(20 * KIB)) as (fd,):
        chunks = chunks_of(fd, CUTS[1])
        made: list[bytes] = []
        with pytest.raises(ProtocolError):
            made.extend(rebuilt(fd, chunks, told, 4000))
        assert sum(map(len, made)) <= 4000


@pytest.mark.parametrize("hash_name", ["blake3", "sha256"])
def test_a_prefix_has_the_hash_of_its_bytes(hash_name: str) -> None:
    content = Random(14).randbytes(3 << 20)
    with holding(content, content + b"more", content[:-1]) as (one, longer, shorter):
        lengths = [0, 1, 1_500_001, 2 << 20, 3 << 20]
        for length in lengths:
            wanted = digest_of(content[:length], hash_name)  # type: ignore[arg-type]
            digests = [prefix_digest(fd, length, hash_name) for fd in (one, longer)]  # type: ignore[arg-type]
            assert digests == [wanted, wanted]
        assert prefix_digest(shorter, 3 << 20, hash_name) is None  # type: ignore[arg-type]
        found = [prefix_digest(one, length, hash_name) for length in lengths]  # type: ignore[arg-type]
        assert all(a != b for a, b in pairwise(found))


def test_this_program_offers_both_cuts() -> None:
    assert offered_cuts() == (FASTCDC, FIXED)


def test_without_the_library_only_fixed_blocks_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconcile.trees.chunking.find_spec", lambda name: None)
    assert offered_cuts() == (FIXED,)
    with holding(bytes(5000)) as (fd,):
        assert len(chunks_of(fd, CUTS[1]).lengths) == 5
        with pytest.raises(ProtocolError):
            chunks_of(fd, CUTS[0])
