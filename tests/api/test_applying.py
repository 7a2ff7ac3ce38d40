"""The iterator of a run: left at any event, the run stops between two steps, the state saved."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reconcile import Event, Outcome, StepEnded, StepStarted, status
from tests.api.conftest import Sides


def running() -> list[str]:
    """Threads of ours that are still there."""
    return [thread.name for thread in threading.enumerate() if thread.name == "reconcile-run"]


def fill(sides: Sides) -> None:
    """Three things to do, one of them a replacement."""
    sides.fill(left_a="old", right_a="old")
    sides.pair().apply()
    sides.fill(left_a="new", left_b="x", right_c="y")


@pytest.mark.parametrize("count", range(18))
def test_a_loop_that_is_left_after_any_event_leaves_a_pair_that_can_be_gone_on_with(
    sides: Sides, count: int
) -> None:
    fill(sides)
    for number, _ in enumerate(sides.pair().applying()):
        if number == count:
            break
    assert running() == []
    assert set(sides.read()[0].values()) <= {"new", "x", "y"}
    sides.pair().apply()
    assert sides.read() == ({"a": "new", "b": "x", "c": "y"},) * 2
    assert status(state_dir=sides.state)[0].state == "in sync"
    kept = [path for path in (sides.right / ".reconcile/versions").rglob("a") if path.is_file()]
    assert [path.read_text(encoding="utf-8") for path in kept] == ["old"]


def test_a_first_run_that_is_left_is_known_by_its_sides(sides: Sides) -> None:
    sides.fill(left_a="x", right_b="y")
    pair = sides.pair()
    for event in pair.applying():
        if isinstance(event, StepStarted):
            break
    (found,) = status(state_dir=sides.state)
    assert found.state == "interrupted"
    assert (found.left, found.right) == (pair.left, pair.right)
    assert found.advice == f"reconcile apply {pair.left} {pair.right}"


def test_an_iterator_that_nobody_reads_begins_nothing(sides: Sides) -> None:
    fill(sides)
    stream = sides.pair().applying()
    stream.close()
    assert running() == []
    assert sides.read()[1] == {"a": "old", "c": "y"}


def test_many_files_are_looked_at_and_copied_by_forked_processes(sides: Sides) -> None:
    for n in range(2000):
        (sides.left / str(n % 40)).mkdir(exist_ok=True)
        (sides.left / str(n % 40) / str(n)).write_text(str(n), encoding="ascii")
    ended = 0
    for event in sides.pair(durability="none").applying():
        ended += isinstance(event, StepEnded)
    assert isinstance(event, Outcome)
    assert ended == event.done == 2040
    assert running() == []


def test_two_iterators_take_turns_with_their_own_readers(sides: Sides, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    others = Sides(other)
    fill(sides)
    fill(others)
    for one, two in zip(sides.pair().applying(), others.pair().applying(), strict=True):
        assert type(one) is type(two)
    assert sides.read() == others.read()


def test_an_interrupt_reaches_the_reader_and_stops_the_run(sides: Sides) -> None:
    fill(sides)

    def read() -> None:
        for event in sides.pair().applying():
            if isinstance(event, StepEnded):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read()
    assert running() == []
    sides.pair().apply()
    assert sides.read() == ({"a": "new", "b": "x", "c": "y"},) * 2


def test_a_program_that_ends_with_a_run_half_read_ends(sides: Sides) -> None:
    fill(sides)
    program = (
        "import sys; from reconcile import Pair\n"
        "stream = Pair(*sys.argv[1:3], state_dir=sys.argv[3]).applying()\n"
        "print(type(next(stream)).__name__)\n"
    )
    words = [str(sides.left), str(sides.right), str(sides.state)]
    answer = subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert (answer.stdout, answer.stderr) == ("Phase\n", "")
    assert sides.pair().apply().done == 3


class Broken(Exception):
    """A listener's own trouble."""


@pytest.mark.parametrize("count", range(18))
def test_a_listener_that_raises_at_any_event_ends_the_run_and_loses_nothing(
    sides: Sides, count: int
) -> None:
    fill(sides)
    heard: list[Event] = []

    def listen(event: Event) -> None:
        heard.append(event)
        if len(heard) == count + 1:
            raise Broken

    try:
        sides.pair().apply(listener=listen)
    except Broken:
        sides.pair().apply()
    assert sides.read() == ({"a": "new", "b": "x", "c": "y"},) * 2
    kept = [path for path in (sides.right / ".reconcile/versions").rglob("a") if path.is_file()]
    assert [path.read_text(encoding="utf-8") for path in kept] == ["old"]
    assert len(heard) > count, "the cases go as far as the events do"
