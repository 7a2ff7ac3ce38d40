"""Files from a stranger: cut short, altered, or made to cost more than they are worth."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestBroken
from reconcile.model.manifest import build, walk
from reconcile.model.rman_read import RmanManifest
from reconcile.model.rman_verify import verify
from reconcile.model.treepath import TreePath
from tests.faults.manifest_inputs import MODES, one_input, seeds, within_calls
from tests.model.sources import BytesSource, file_of
from tests.vectors.handmade import Handmade, directory, file, page_id

SMALL = file_of(
    build(
        {
            TreePath(b"d"): Entry(b"", Kind.DIR, mode=0o755),
            TreePath(b"d/f"): Entry(b"", Kind.FILE, 1, 2, 0o644, b"\1" * 32),
            TreePath(b"l"): Entry(b"", Kind.LINK, id=b"d/f"),
        }
    ),
    "none",
)
SEEDS = list(seeds().values())


def refuses(data: bytes) -> bool:
    """Both ways of reading do."""
    with pytest.raises(ManifestBroken):
        verify(BytesSource(data))
    with pytest.raises(ManifestBroken):
        list(walk(RmanManifest(BytesSource(data))))
    return True


def test_a_file_cut_short_anywhere_is_refused() -> None:
    assert all(refuses(SMALL[:length]) for length in range(len(SMALL)))


def test_a_file_with_a_hole_anywhere_is_refused() -> None:
    assert all(refuses(SMALL[:at] + SMALL[at + 1 :]) for at in range(len(SMALL)))


def test_a_file_with_one_bit_flipped_anywhere_is_refused() -> None:
    for at in range(len(SMALL)):
        for bit in (1, 0x80):
            assert refuses(SMALL[:at] + bytes([SMALL[at] ^ bit]) + SMALL[at + 1 :])


def test_a_file_that_shrinks_while_it_is_read_is_refused() -> None:
    source = BytesSource(SMALL)
    found = RmanManifest(source)
    source._data = SMALL[:60]
    with pytest.raises(ManifestBroken, match="truncated"):
        list(walk(found))


MUTATIONS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 2), st.binary(max_size=4)), max_size=4
)


@given(st.sampled_from(SEEDS), st.integers(0, MODES - 1), MUTATIONS)
@settings(max_examples=1200, deadline=None)
def test_altered_files_are_refused_alike_by_every_reader(
    seed: bytes, mode: int, changes: list[tuple[int, int, bytes]]
) -> None:
    data = bytearray(seed)
    data[0] = mode if changes else data[0]
    for at, drop, put in changes:
        data[at : at + drop] = put
    within_calls(bytes(data))


@given(st.integers(0, MODES - 1), st.binary(max_size=200))
@example(1, b"\x92\xdd\xff\xff\xff\xff")
@example(1, b"\x92\x91\x97\xc4\x01a\x06\x00\x00\x00\xc4\x00\xdd\xff\xff\xff\xff")
@example(2, b"\x91\xdd\xff\xff\xff\xff")
@example(4, b"\x94" * 100)
@settings(max_examples=500, deadline=None)
def test_any_bytes_at_all_are_refused_alike_by_every_reader(mode: int, body: bytes) -> None:
    within_calls(bytes([mode]) + body)


def test_the_fuzzer_reaches_what_lies_behind_the_hashes() -> None:
    whole = seeds()
    assert one_input(b"\0" + SMALL) == ""
    assert [one_input(whole[name]) for name in ("page", "below")] == ["counts"] * 2
    assert one_input(whole["packed"]) == ""
    assert one_input(b"\1" + b"\x92\x91\x90\x90") == "shape"
    assert one_input(b"\7" + b"\x92\x90\x90" * 2) == "cut"


def test_many_records_without_a_parent_cost_little() -> None:
    made = Handmade()
    for _ in range(20_000):
        made.page([])
    with pytest.raises(ManifestBroken, match="weight"):
        verify(BytesSource(made.finish(made.page([file(b"a")]), directory(b"", page_id([])))))
