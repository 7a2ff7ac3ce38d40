"""The past from Python: what was done, and taking it back."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconcile import (
    ChangedSince,
    NotFound,
    Outcome,
    Refused,
    StepEnded,
    UsageError,
    conflicts,
    events,
    history,
    history_of,
    pair_of,
    restore,
    run_detail,
    undo,
    undo_plan,
    write_version,
)
from tests.api.conftest import Sides


def edited(sides: Sides) -> str:
    """One run that replaced `a`, made `b` and deleted `c` on the right; its id."""
    sides.fill(left_a="old", left_c="c")
    sides.pair().apply()
    sides.fill(left_a="new", left_b="b")
    (sides.left / "c").unlink()
    return sides.pair().apply().run


def test_runs_are_listed_with_what_they_did(sides: Sides) -> None:
    run = edited(sides)
    newest, oldest = history(state_dir=sides.state)
    assert (newest.id, newest.result, oldest.baseline_before) == (run, "done", 0)
    detail = run_detail(run[:-1], state_dir=sides.state)
    assert sorted((s.action.value, s.path) for s in detail.done) == [
        ("create", b"b"),
        ("delete", b"c"),
        ("update", b"a"),
    ]
    assert [event.run.id for event in history_of("a", state_dir=sides.state)] == [run, oldest.id]
    with pytest.raises(NotFound):
        run_detail("r-none", state_dir=sides.state)


def test_a_run_is_taken_back_and_so_is_the_taking_back(sides: Sides) -> None:
    run = edited(sides)
    after = sides.read()
    assert len(undo_plan(run, state_dir=sides.state).plan.steps) == 3
    assert sides.read() == after, "a plan is only a plan"
    undone = undo(run, state_dir=sides.state)
    assert sides.read()[1] == {"a": "old", "c": "c"}
    undo(undone.run, state_dir=sides.state)
    assert sides.read() == after
    assert pair_of(run, state_dir=sides.state).left == str(sides.left)


def test_what_changed_since_is_not_taken_back(sides: Sides) -> None:
    run = edited(sides)
    sides.fill(right_a="later")
    with pytest.raises(ChangedSince):
        undo(run, state_dir=sides.state)
    assert sides.read()[1] == {"a": "later", "b": "b"}
    undo(run, skip_changed=True, state_dir=sides.state)
    assert sides.read()[1] == {"a": "later", "c": "c"}


def test_the_guards_of_an_undo_take_their_numbers_from_its_options(sides: Sides) -> None:
    sides.fill(**{f"left_{n}": "x" for n in range(40)})
    run = sides.pair().apply().run
    with pytest.raises(Refused):
        undo(run, state_dir=sides.state)
    assert undo(run, state_dir=sides.state, max_delete=40).done == 40


def test_whatever_takes_a_listener_can_be_iterated(sides: Sides) -> None:
    run = edited(sides)
    heard = list(events(lambda listen: undo(run, state_dir=sides.state, listener=listen)))
    assert isinstance(heard[-1], Outcome)
    assert sum(isinstance(event, StepEnded) for event in heard) == 3


def test_an_undo_can_be_declined(sides: Sides) -> None:
    run = edited(sides)
    after = sides.read()
    undo(run, state_dir=sides.state, approve=lambda shown: False)
    assert sides.read() == after


def test_a_file_is_brought_back_or_written_elsewhere(sides: Sides, tmp_path: Path) -> None:
    run = edited(sides)
    write_version("a", tmp_path / "a.before", state_dir=sides.state)
    assert (tmp_path / "a.before").read_text(encoding="utf-8") == "old"
    with pytest.raises(UsageError):
        write_version("a", tmp_path / "a.before", state_dir=sides.state)
    assert sides.read()[1] == {"a": "new", "b": "b"}
    restore("a", "c", state_dir=sides.state)
    assert sides.read()[1] == {"a": "old", "b": "b", "c": "c"}
    sides.pair().apply()
    assert sides.read()[0] == {"a": "old", "b": "b", "c": "c"}
    restore("a", at=run, side="right", pair=sides.pair())


@pytest.mark.parametrize("at", ["v1", datetime(2000, 1, 1, tzinfo=UTC), "v9"])
def test_a_past_that_is_not_kept_is_not_found(sides: Sides, at: str | datetime) -> None:
    edited(sides)
    with pytest.raises(NotFound):
        restore("none", at=at, state_dir=sides.state)
    for wrong in ("x", "v0", "vx"):
        with pytest.raises(UsageError):
            restore("a", at=wrong, state_dir=sides.state)
    with pytest.raises(UsageError):
        restore("a", side="middle", state_dir=sides.state)


def test_conflicts_of_every_pair_are_listed(sides: Sides) -> None:
    sides.fill(left_a="x", right_a="y")
    sides.pair().plan()
    (found,) = conflicts(state_dir=sides.state)
    assert (found.conflict.path, found.pair.left) == (b"a", str(sides.left))
