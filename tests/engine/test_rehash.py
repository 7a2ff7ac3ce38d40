"""Another hash is an explained re-hash: no conflict, no deletion that comes back."""

import os
from hashlib import sha256
from pathlib import Path

import pytest

from reconcile.engine.cycle import baselines
from reconcile.engine.events import silent
from reconcile.engine.opened import Opened
from reconcile.engine.resolving import open_conflicts
from reconcile.model.errors import UsageError
from reconcile.model.manifest import walk
from reconcile.model.plan import Action, Plan, Problem
from tests.engine.far_pair import LEFT, RIGHT, FarPair
from tests.trees.looking import T0


def notes_of(plan: Plan) -> list[Problem]:
    return [problem for problem in plan.problems if problem.severity == "note"]


def downgraded_pair(place: Path) -> FarPair:
    """Agreed on by blake3; now the far side can do sha256 only."""
    pair = FarPair(place, RIGHT)
    pair.run()
    pair.fars[RIGHT].hash_names = ("sha256",)
    return pair


def test_an_unchanged_pair_stays_agreed_on_and_the_plan_says_why_it_was_read(
    tmp_path: Path,
) -> None:
    pair = downgraded_pair(tmp_path)
    planning = pair.plan()
    assert planning.plan.is_empty
    assert not planning.plan.first_run
    assert not planning.plan.conflicts
    [note] = notes_of(planning.plan)
    assert note.code == "E_HASH_CHANGED"
    assert "sha256" in note.reason
    assert planning.left.hashed_files == planning.right.hashed_files == 3
    again = pair.plan()
    assert again.plan.problems == ()
    assert again.left.hashed_files == again.right.hashed_files == 0
    assert not again.plan.agreements


def test_changes_made_meanwhile_travel_as_they_would_have(tmp_path: Path) -> None:
    pair = downgraded_pair(tmp_path)
    pair.put(LEFT, "a", b"edited at left")
    os.unlink(pair.at(RIGHT, "d/b"))
    os.unlink(pair.at(LEFT, "d/e/c"))
    outcome = pair.run()
    assert not outcome.conflicts
    assert pair.content(LEFT) == pair.content(RIGHT)
    assert pair.content(RIGHT)[b"a"] == b"f:edited at left"
    assert not {b"d/b", b"d/e/c"} & pair.content(LEFT).keys()
    pair.assert_equal()


def test_what_cannot_be_told_is_a_conflict_and_loses_nothing(tmp_path: Path) -> None:
    pair = downgraded_pair(tmp_path)
    pair.put(LEFT, "a", b"edited at left")
    pair.put(RIGHT, "a", b"edited at right")
    os.utime(pair.at(RIGHT, "d/b"), ns=(T0 + 1, T0 + 1))
    os.unlink(pair.at(LEFT, "d/b"))
    plan = pair.plan().plan
    assert [(c.path, c.kind) for c in plan.conflicts] == [
        (b"a", "both-changed"),
        (b"d/b", "delete-edit"),
    ]
    assert plan.steps == ()


def test_a_conflict_is_known_with_the_hash_of_its_ids(tmp_path: Path) -> None:
    pair = downgraded_pair(tmp_path)
    pair.put(LEFT, "a", b"left's")
    pair.put(RIGHT, "a", b"right's")
    pair.plan()
    (found,) = open_conflicts(pair.job.state_dir)
    assert found.conflict.left is not None
    assert found.conflict.left.id == sha256(b"left's").digest()
    assert found.pair.hash_name == "sha256"


def test_a_file_too_young_to_be_believed_is_not(tmp_path: Path) -> None:
    pair = FarPair(tmp_path, RIGHT)
    pair.put(LEFT, "a", b"one", 2**62)
    pair.run()
    pair.fars[RIGHT].hash_names = ("sha256",)
    os.unlink(pair.at(LEFT, "a"))
    assert [c.path for c in pair.plan().plan.conflicts] == [b"a"]


def test_the_baseline_is_the_same_tree_under_the_other_hash(tmp_path: Path) -> None:
    pair = downgraded_pair(tmp_path)
    before = baselines(pair.job)
    pair.plan()
    after = baselines(pair.job)
    assert [g.run for g in after] == ["rehash", before[0].run]
    assert (after[0].files, after[0].size_bytes) == (before[0].files, before[0].size_bytes)
    with Opened(pair.job, silent, exclusive=False) as opened:
        left = dict(walk(opened.store.manifest(LEFT)))
        assert {p: e.id for p, e in walk(opened.base())} == {p: e.id for p, e in left.items()}


def test_whoever_may_not_write_the_state_sees_the_same_plan(tmp_path: Path) -> None:
    pair = downgraded_pair(tmp_path)
    os.unlink(pair.at(LEFT, "a"))
    with Opened(pair.job, silent, run="r-x", exclusive=True):
        locked_out = pair.plan().plan
    assert [(s.at, s.action) for s in locked_out.steps] == [(b"a", Action.DELETE)]
    assert next(g.run for g in baselines(pair.job)) != "rehash"
    assert pair.plan().plan.steps == locked_out.steps


def test_the_hash_stays_when_the_far_side_could_do_the_better_one_again(tmp_path: Path) -> None:
    pair = downgraded_pair(tmp_path)
    pair.run()
    pair.fars[RIGHT].hash_names = ("blake3", "sha256")
    assert pair.plan().plan.made_from.header.hash_name == "sha256"
    by_hand = {"hash_name": "blake3", "origins": (("hash", "--hash"),)}
    plan = pair.plan(**by_hand).plan
    assert plan.made_from.header.hash_name == "blake3"
    assert plan.is_empty
    assert [note.code for note in notes_of(plan)] == ["E_HASH_CHANGED"]


def test_two_local_sides_change_their_hash_as_well(tmp_path: Path) -> None:
    pair = FarPair(tmp_path)
    pair.run()
    os.unlink(pair.at(LEFT, "a"))
    plan = pair.plan(hash_name="sha256").plan
    assert [(step.at, step.action, step.side) for step in plan.steps] == [
        (b"a", Action.DELETE, RIGHT)
    ]


def test_sides_without_a_common_hash_are_refused(tmp_path: Path) -> None:
    pair = FarPair(tmp_path, LEFT, RIGHT)
    pair.fars[LEFT].hash_names = ("blake3",)
    pair.fars[RIGHT].hash_names = ("sha256",)
    with pytest.raises(UsageError):
        pair.plan()
