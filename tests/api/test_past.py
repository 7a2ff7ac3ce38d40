"""The past from Python: what was done, and taking it back."""

import pytest

from reconcile import (
    ChangedSince,
    NotFound,
    Refused,
    conflicts,
    history,
    history_of,
    pair_of,
    run_detail,
    undo,
    undo_plan,
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


def test_an_undo_can_be_declined(sides: Sides) -> None:
    run = edited(sides)
    after = sides.read()
    undo(run, state_dir=sides.state, approve=lambda shown: False)
    assert sides.read() == after


def test_conflicts_of_every_pair_are_listed(sides: Sides) -> None:
    sides.fill(left_a="x", right_a="y")
    sides.pair().plan()
    (found,) = conflicts(state_dir=sides.state)
    assert (found.conflict.path, found.pair.left) == (b"a", str(sides.left))
