"""Crash: the process ends at every changing call in turn; the next run finishes the work.

Nothing is lost, no final name is torn, no temporary name stays.
"""

from pathlib import Path

import pytest

from reconcile.model.job import Durability
from tests.faults.scenario import LEFT, Scenario
from tests.trees.systems import Counting, Stopped, Stopping


def calls_of(scenario: Scenario, **how: bool) -> int:
    """How many changing calls an undisturbed run makes."""
    counting = Counting()
    scenario.run(counting, **how)
    scenario.reset()
    return counting.count


def crash(scenario: Scenario, at: int, how: str, **options: bool) -> bool:
    """Stop a run at call `at`; False: the run was over before."""
    try:
        scenario.run(Stopping(at, how), **options)
    except Stopped:
        return True
    return False


@pytest.mark.parametrize("how", ["before", "after", "half"])
def test_a_run_that_ends_at_any_call_loses_nothing_and_the_next_one_finishes(
    tmp_path: Path, how: str
) -> None:
    scenario = Scenario(tmp_path)
    total = calls_of(scenario)
    assert total > 40
    for at in range(1, total + 1):
        scenario.reset()
        assert crash(scenario, at, how)
        assert scenario.lost() == set(), f"at call {at} of {total}"
        assert scenario.torn() == {}, f"at call {at} of {total}"
        scenario.settle()
        assert scenario.lost() == set(), f"after the run that followed call {at} of {total}"


def test_what_was_not_superseded_survives_any_crash_without_a_version_area(tmp_path: Path) -> None:
    scenario = Scenario(tmp_path)
    total = calls_of(scenario, versions=False)
    wanted = {thing for thing in LEFT.values() if isinstance(thing, bytes)}
    for at in range(1, total + 1):
        scenario.reset()
        assert crash(scenario, at, "after", versions=False)
        assert scenario.torn() == {}
        assert not wanted & scenario.lost()
        scenario.settle()


def test_crashes_in_a_row_change_nothing(tmp_path: Path) -> None:
    scenario = Scenario(tmp_path)
    total = calls_of(scenario)
    for at in range(1, total + 1, 3):
        scenario.reset()
        crash(scenario, at, "after")
        crash(scenario, max(1, total - at), "half")
        crash(scenario, 1 + at // 2, "before")
        assert scenario.lost() == set()
        assert scenario.torn() == {}
        scenario.settle()


def test_an_interrupted_large_file_is_not_written_again(tmp_path: Path) -> None:
    large = b"".join(b"%08d" % number for number in range((12 << 20) // 8))
    scenario = Scenario(tmp_path, {"large": large})
    counting = Counting()
    scenario.run(counting)
    writes = [k for k, name in enumerate(counting.names, 1) if name == "copy_range"]
    scenario.reset()
    assert crash(scenario, writes[-1] + 1, "before")
    again = Counting()
    scenario.run(again)
    assert "copy_range" not in again.names
    assert "write" not in again.names
    assert scenario.leftovers() == []


def test_a_damaged_part_is_put_away_and_the_file_is_right(tmp_path: Path) -> None:
    large = b"".join(b"%08d" % number for number in range((12 << 20) // 8))
    scenario = Scenario(tmp_path, {"large": large})
    counting = Counting()
    scenario.run(counting)
    created = counting.names.index("create") + 1
    scenario.reset()
    crash(scenario, created + 1, "before")
    [part] = scenario.leftovers()
    assert part.endswith(b".part")
    with open(scenario.right + b"/" + part, "wb") as stream:
        stream.write(b"not the beginning of it")
    scenario.settle()
    with open(scenario.right + b"/large", "rb") as stream:
        assert stream.read() == large


@pytest.mark.parametrize("durability", list(Durability))
def test_flushing_is_what_was_asked_for(tmp_path: Path, durability: Durability) -> None:
    scenario = Scenario(tmp_path)
    counting = Counting()
    scenario.run(counting, durability=durability)
    flushes = {name for name in counting.names if name in ("fsync", "syncfs")}
    assert bool(flushes) is (durability is not Durability.NONE)
    if durability is Durability.FULL:
        assert flushes == {"fsync"}


@pytest.mark.parametrize("count", [3, 30])
def test_content_is_flushed_before_it_is_published_and_names_before_they_count(
    tmp_path: Path, count: int
) -> None:
    scenario = Scenario(tmp_path, {f"f{number}": b"%d" % number for number in range(count)})
    counting = Counting()
    scenario.run(counting, steps=[s for s in scenario.steps() if s.want is not None])
    written = [k for k, name in enumerate(counting.names) if name in ("create", "write")]
    flushed = [k for k, name in enumerate(counting.names) if name in ("fsync", "syncfs")]
    renamed = [k for k, name in enumerate(counting.names) if name == "renameat2"]
    assert len(renamed) == count
    assert any(max(written) < k < min(renamed) for k in flushed)
    assert max(flushed) > max(renamed)
