"""Random streams and mutated conversations, at either end: nothing but an error of ours, nothing
outside the root, and no memory beyond the limits."""

import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.frame_inputs import ANSWERS, REQUESTS, Fence, frames_of, near_end

MIB = 1 << 20
QUICK = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def fence() -> Iterator[Fence]:
    with Fence() as made:
        yield made


def bounded(call: Callable[[bytes], object], data: bytes) -> None:
    """It holds, in memory that does not depend on what the stream says."""
    tracemalloc.start()
    try:
        call(data)
        assert tracemalloc.get_traced_memory()[1] < 96 * MIB
    finally:
        tracemalloc.stop()


@st.composite
def mutated(draw: Any, said: list[Any]) -> bytes:
    """A conversation with something done to it."""
    frames = frames_of(said)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(frames) - 1))
        match draw(st.sampled_from(["drop", "twice", "swap", "byte", "cut", "grow", "type"])):
            case "drop":
                frames[at] = b""
            case "twice":
                frames.insert(at, frames[at])
            case "swap":
                other = draw(st.integers(0, len(frames) - 1))
                frames[at], frames[other] = frames[other], frames[at]
            case "byte" if frames[at]:
                place = draw(st.integers(0, min(len(frames[at]), 200) - 1))
                value = bytes([draw(st.integers(0, 255))])
                frames[at] = frames[at][:place] + value + frames[at][place + 1 :]
            case "cut":
                frames[at] = frames[at][: draw(st.integers(0, 60))]
            case "grow":
                frames[at] += draw(st.binary(max_size=40))
            case "type" if len(frames[at]) > 5:
                kind = draw(st.sampled_from([*range(29), 40, 41, 42]))
                frames[at] = frames[at][:4] + bytes([kind]) + frames[at][5:]
    return b"".join(frames)


def test_the_conversations_are_good_ones(fence: Fence) -> None:
    """Else their mutants would end at the first word."""
    assert near_end(b"".join(frames_of(ANSWERS))) == 11
    fence.far_end(b"".join(frames_of(REQUESTS)))
    assert (fence.place / "root" / "larger").exists()


@QUICK
@given(st.binary(max_size=4000))
def test_a_near_side_withstands_any_bytes(data: bytes) -> None:
    bounded(near_end, data)
    bounded(near_end, b"".join(frames_of(ANSWERS[:2])) + data)


@QUICK
@given(st.binary(max_size=4000))
def test_a_far_side_withstands_any_bytes(fence: Fence, data: bytes) -> None:
    bounded(fence.far_end, data)
    bounded(fence.far_end, b"".join(frames_of(REQUESTS[:2])) + data)


@QUICK
@given(mutated(ANSWERS))
def test_a_near_side_withstands_a_changed_conversation(data: bytes) -> None:
    bounded(near_end, data)


@QUICK
@given(mutated(REQUESTS))
def test_a_far_side_withstands_a_changed_conversation(fence: Fence, data: bytes) -> None:
    bounded(fence.far_end, data)
