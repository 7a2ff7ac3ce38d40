"""Packing of records: it comes back, it is worth it, and it is never a bomb."""

import random

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from reconcile.model.squeeze import MAX_RATIO, Squeezer, Unsqueezable, unsqueeze

TEXT = b"".join(b"name-%05d" % number for number in range(200))
SQUEEZER = Squeezer()


@given(st.lists(st.sampled_from([TEXT, b"other", b"\xff" * 40]), min_size=1, max_size=20))
def test_what_is_packed_comes_back(parts: list[bytes]) -> None:
    raw = TEXT + b"".join(parts)
    packed = SQUEEZER.squeeze(raw)
    assert packed is None or unsqueeze(packed, len(raw)) == raw


def test_packing_is_repeatable_and_smaller() -> None:
    packed = SQUEEZER.squeeze(TEXT)
    assert packed is not None
    assert len(packed) < len(TEXT)
    assert SQUEEZER.squeeze(TEXT) == packed == Squeezer().squeeze(TEXT)


PLAIN = {
    "too small to be worth it": b"a" * 200,
    "noise": random.Random(1).randbytes(5000),
    "better than a reader would believe": b"a" * 100_000,
}


@pytest.mark.parametrize("why", PLAIN)
def test_stored_plain(why: str) -> None:
    assert SQUEEZER.squeeze(PLAIN[why]) is None


def test_what_is_packed_stays_within_the_ratio() -> None:
    for count in range(300, 60_000, 1111):
        packed = SQUEEZER.squeeze(TEXT + b"a" * count)
        assert packed is None or len(TEXT) + count <= len(packed) * MAX_RATIO


FRAME = zstd.compress(TEXT)


@pytest.mark.parametrize(
    ("packed", "length"),
    [
        (FRAME, len(TEXT) - 1),
        (FRAME, len(TEXT) + 1),
        (FRAME[:-1], len(TEXT)),
        (FRAME + FRAME, len(TEXT)),
        (FRAME + b"\0", len(TEXT)),
        (b"", 0),
        (b"\0" * 9, 9),
    ],
    ids=["less", "more", "cut short", "twice", "something after it", "nothing", "no frame"],
)
def test_not_one_frame_of_the_declared_size(packed: bytes, length: int) -> None:
    with pytest.raises(Unsqueezable):
        unsqueeze(packed, length)


def test_a_window_that_is_too_large_is_refused() -> None:
    options = {zstd.CompressionParameter.window_log: 24}
    maker = zstd.ZstdCompressor(options=options)
    packed = maker.compress(TEXT) + maker.flush()
    with pytest.raises(Unsqueezable):
        unsqueeze(packed, len(TEXT))
