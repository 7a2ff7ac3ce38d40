"""An undo that was interrupted: it is gone on with, and an apply instead loses nothing."""

import os
from pathlib import Path

import pytest

from reconcile.engine.cycle import apply_job
from reconcile.engine.events import Event, StepEnded, silent
from reconcile.engine.history import runs_of
from reconcile.engine.outcome import Planning
from reconcile.engine.restoring import Asked, restore_maker
from reconcile.engine.undoable import newest_undoable
from reconcile.engine.undoing import undo_maker
from reconcile.model.errors import Denied
from reconcile.model.plan import Plan, Side
from reconcile.model.treepath import TreePath
from tests.engine.test_undoing import agreed, moved
from tests.engine.undone import Undone
from tests.trees.looking import all_contents

L, R = Side.LEFT, Side.RIGHT


def interrupted(pair: Undone, run: str, after: int) -> bool:
    """An undo that ends when `after` steps are recorded; False: it was over before."""
    heard = 0

    def stop(event: Event) -> None:
        nonlocal heard
        heard += isinstance(event, StepEnded)
        if heard == after:
            raise KeyboardInterrupt

    try:
        apply_job(pair.job, stop, lambda planning: planning.plan, undo_maker(run))
    except KeyboardInterrupt:
        return True
    return False


def much(pair: Undone) -> None:
    """Changes of many kinds."""
    moved(pair)
    pair.put(L, {"n/e/w": b"new", "other": b"edited"})
    pair.remove(R, "sub")
    pair.put(R, {"link2": "x"})


def test_an_undo_that_was_interrupted_is_gone_on_with(tmp_path: Path) -> None:
    for after in range(1, 30):
        pair = agreed(tmp_path / str(after))
        much(pair)
        before, found = pair.seen(), pair.differences()
        run = pair.run()
        stopped = interrupted(pair, run.run, after)
        pair.undo(run.run)
        assert pair.seen() == before
        assert pair.differences() == found
        if not stopped:
            return
    raise AssertionError("it never came to an end")


def test_last_goes_on_with_an_interrupted_undo(tmp_path: Path) -> None:
    pair = agreed(tmp_path)
    much(pair)
    run = pair.run().run
    assert interrupted(pair, run, 1)
    assert newest_undoable(pair.job.state_dir).run.id == run


def test_an_undo_that_did_nothing_does_not_count(tmp_path: Path) -> None:
    pair = agreed(tmp_path)
    pair.put(L, {"other": b"edited"})
    run = pair.run().run

    def edited_meanwhile(planning: Planning) -> Plan:
        pair.put(R, {"other": b"edited meanwhile"})
        return planning.plan

    outcome = apply_job(pair.job, silent, edited_meanwhile, undo_maker(run))
    assert len(outcome.not_done) == 1
    assert {entry.undone_by for entry in runs_of(pair.job.state_dir)} == {""}


def test_an_apply_after_an_interrupted_undo_loses_nothing(tmp_path: Path) -> None:
    for after in range(1, 30):
        pair = agreed(tmp_path / str(after))
        much(pair)
        run = pair.run()
        contents = all_contents(*(os.fsencode(root) for root in pair.roots.values()))
        stopped = interrupted(pair, run.run, after)
        pair.run()
        assert pair.plan().is_empty
        now = all_contents(*(os.fsencode(root) for root in pair.roots.values()))
        assert contents <= now
        if not stopped:
            return
    raise AssertionError("it never came to an end")


def test_what_may_not_be_looked_at_is_not_said_to_be_gone(tmp_path: Path) -> None:
    pair = agreed(tmp_path)
    pair.put(L, {"other": b"edited"})
    before = pair.seen()
    run = pair.run().run
    area = pair.at(R, ".reconcile/versions")
    area.rename(tmp_path / "aside")
    area.symlink_to("versions")  # a loop: no rights of root's lead through

    restoring = restore_maker(Asked((TreePath(b"other"),)))
    for act in (lambda: pair.undo(run), lambda: pair.run(make=restoring)):
        with pytest.raises(Denied, match="is no directory"):
            act()

    area.unlink()
    (tmp_path / "aside").rename(area)
    assert not pair.undo(run).not_done
    assert pair.seen()[R]["other"] == before[R]["other"]
