"""A connection lost at any moment: nothing is lost with it, and the next run goes on."""

import os
from collections import Counter
from pathlib import Path

import pytest

from reconcile.engine.cycle import apply_plan, status
from reconcile.engine.events import silent
from reconcile.engine.planfile import plan_id
from reconcile.model.errors import ExitCode, Unreachable
from reconcile.model.plan import Side
from tests.engine.far_pair import LEFT, RIGHT, FarPair
from tests.trees.looking import all_contents

WAYS = [(RIGHT,), (LEFT,), (LEFT, RIGHT)]
LEFT_THINGS: dict[str, bytes | str | None] = {"new/d/a": b"one", "edited": b"newer", "was": b"f"}
RIGHT_THINGS: dict[str, bytes | str | None] = {"mine/b": b"two", "edited": b"newer"}


def changed_pair(place: Path, remote: tuple[Side, ...]) -> FarPair:
    """Agreed on once, then changed on both sides in every way."""
    pair = FarPair(place, *remote, left=LEFT_THINGS, right=RIGHT_THINGS)
    pair.run()
    pair.put(LEFT, "edited", b"edited at left")
    pair.put(LEFT, "more/deep/x", b"more at left")
    pair.put(RIGHT, "more/y", b"more at right")
    pair.put(RIGHT, "new/d/a", b"edited at right")
    os.unlink(pair.at(RIGHT, "was"))
    os.rename(pair.at(LEFT, "mine/b"), pair.at(LEFT, "mine/c"))
    return pair


def calls_of_a_run(place: Path, remote: tuple[Side, ...]) -> list[tuple[Side, str, int]]:
    """Every operation of a whole run on a far side: side, name, and which of that name."""
    pair = changed_pair(place, remote)
    for far in pair.fars.values():
        far.calls.clear()
    pair.run()
    return [
        (side, call, number)
        for side, far in pair.fars.items()
        for call, count in Counter(far.calls).items()
        for number in range(1, count + 1)
    ]


@pytest.mark.parametrize("remote", WAYS, ids="+".join)
def test_whenever_the_connection_is_lost_the_next_run_completes(
    tmp_path: Path, remote: tuple[Side, ...]
) -> None:
    (tmp_path / "whole").mkdir()
    for side, call, number in calls_of_a_run(tmp_path / "whole", remote):
        place = tmp_path / f"{side}-{call}-{number}"
        place.mkdir()
        pair = changed_pair(place, remote)
        before = all_contents(*pair.roots.values())
        pair.fars[side].lose_at(call, number)
        if call == "end":
            pair.run()
        else:
            with pytest.raises(Unreachable) as lost:
                pair.run()
            assert lost.value.exit_code == ExitCode.UNREACHABLE
            assert lost.value.where == pair.fars[side].url, call
        pair.fars[side].heal()
        outcome = pair.run()
        assert not outcome.not_done, (call, number)
        assert not outcome.conflicts
        pair.assert_equal()
        assert all_contents(*pair.roots.values()) == before
        assert pair.content(LEFT)[b"edited"] == b"f:edited at left"
        assert pair.content(LEFT)[b"new/d/a"] == b"f:edited at right"
        assert b"was" not in pair.content(LEFT)


def test_what_was_done_is_said_and_the_state_says_interrupted(tmp_path: Path) -> None:
    pair = changed_pair(tmp_path, (RIGHT,))
    pair.fars[RIGHT].lose_at("stage")
    with pytest.raises(Unreachable) as lost:
        pair.run()
    assert "steps are done and recorded" in lost.value.changed
    assert "again" in lost.value.hint
    assert [one.state for one in status(pair.job.state_dir)] == ["interrupted"]
    pair.fars[RIGHT].heal()
    pair.run()
    assert [one.state for one in status(pair.job.state_dir)] == ["in sync"]


def test_before_the_first_step_nothing_was_changed(tmp_path: Path) -> None:
    pair = changed_pair(tmp_path, (RIGHT,))
    pair.fars[RIGHT].lose_at("look")
    with pytest.raises(Unreachable) as lost:
        pair.run()
    assert lost.value.changed == "nothing"


def test_what_the_near_side_did_in_the_same_batch_is_recorded(tmp_path: Path) -> None:
    pair = changed_pair(tmp_path, (RIGHT,))
    pair.fars[RIGHT].lose_at("carry_out", 2)
    with pytest.raises(Unreachable) as lost:
        pair.run()
    assert not lost.value.changed.startswith("0 ")
    pair.fars[RIGHT].heal()
    planning = pair.plan()
    assert {step.side for step in planning.plan.steps} == {RIGHT}
    assert not planning.plan.agreements


@pytest.mark.parametrize("call", ["begin", "stage", "carry_out", "carried_out"])
def test_a_saved_plan_goes_on_as_the_same_run(tmp_path: Path, call: str) -> None:
    pair = changed_pair(tmp_path, (RIGHT,))
    plan = pair.plan().plan
    identity = plan_id(plan, 1)
    pair.fars[RIGHT].lose_at(call)
    with pytest.raises(Unreachable):
        apply_plan(pair.job, plan, identity, silent)
    pair.fars[RIGHT].heal()
    outcome = apply_plan(pair.job, plan, identity, silent)
    assert outcome.resumed is (call != "begin")
    assert not outcome.not_done
    pair.assert_equal()


def test_a_step_nobody_heard_of_is_looked_for_and_not_done_twice(tmp_path: Path) -> None:
    pair = changed_pair(tmp_path, (RIGHT,))
    pair.fars[RIGHT].lose_at("carried_out", 2)
    with pytest.raises(Unreachable):
        pair.run()
    pair.fars[RIGHT].heal()
    planning = pair.plan()
    assert planning.plan.is_empty
    assert planning.plan.agreements
    assert pair.run().done == 0
    pair.told()
    pair.assert_equal()
    assert pair.told() == 0
