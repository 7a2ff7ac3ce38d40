"""Undo of a run that was asked for otherwise than the pair is now, or that was killed."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconcile.engine.events import silent
from reconcile.engine.known import known_pairs
from reconcile.engine.opened import Opened
from reconcile.engine.resolving import open_conflicts
from reconcile.engine.undoing import run_to_undo, undo_maker
from reconcile.model.job import KEEP_ALL, Retention
from reconcile.model.plan import Plan, Side
from reconcile.model.policy import Mode, Rules
from tests.engine.undone import UNGUARDED, Undone
from tests.trees.looking import all_contents

L, R = Side.LEFT, Side.RIGHT


def agreed(place: Path) -> Undone:
    pair = Undone(place, {"file": b"text", "other": b"another"})
    pair.run()
    return pair


def codes(plan: Plan) -> list[str]:
    """Of what the plan says of the whole run."""
    return [problem.code for problem in plan.problems if not problem.path]


@pytest.mark.parametrize("ended", [False, True])
def test_of_a_killed_run_it_is_said_that_its_last_steps_may_not_be_known(
    tmp_path: Path, ended: bool
) -> None:
    pair = agreed(tmp_path)
    pair.put(L, {"file": b"edited"})
    done = pair.run().run
    assert codes(pair.plan(undo_maker(done))) == ["E_COMES_AGAIN"]
    with Opened(pair.job, silent, exclusive=True) as opened, opened.store.transaction():
        run = opened.store.runs.get(done)
        assert run is not None
        killed = replace(run, id="r-killed", ended_ns=0, result="", counts=(), baseline_after=0)
        opened.store.runs.begin(killed)
        if ended:
            opened.store.runs.end(replace(killed, ended_ns=1, result="interrupted"))
    assert "E_NOT_UNDONE" in codes(pair.plan(undo_maker("r-killed")))


def test_what_was_asked_of_a_run_undone_is_not_asked_of_the_pair_again(tmp_path: Path) -> None:
    pair = agreed(tmp_path)
    pair.put(L, {"file": b"edited"})
    run = pair.run(rules=Rules(mode=Mode.MIRROR), retention=Retention(keep=1))
    pair.put(L, {"new": b"1"})
    pair.run()
    for side, content in ((L, b"mine"), (R, b"theirs")):
        pair.put(side, {"other": content})
    pair.plan()

    pair.job = replace(run_to_undo(pair.job.state_dir, run.run)[2], limits=UNGUARDED)
    assert pair.job.retention == KEEP_ALL
    pair.undo(run.run)

    [known] = known_pairs(pair.job.state_dir)
    assert known.job is not None
    assert known.job.rules.mode is Mode.TWO_WAY
    assert [found.conflict.path for found in open_conflicts(pair.job.state_dir)] == [b"other"]


def test_what_is_taken_back_is_kept_also_where_the_run_kept_nothing(tmp_path: Path) -> None:
    pair = agreed(tmp_path)
    pair.put(L, {"new": b"1"})
    run = pair.run(versions=False)
    pair.remove(L, "new")
    pair.job = replace(run_to_undo(pair.job.state_dir, run.run)[2], limits=UNGUARDED)
    pair.undo(run.run)
    assert b"1" in all_contents(*(os.fsencode(root) for root in pair.roots.values()))
