"""An undo that was interrupted: it is gone on with, and an apply instead loses nothing."""

import os
from pathlib import Path

from reconcile.engine.cycle import apply_job
from reconcile.engine.events import Event, StepEnded
from reconcile.engine.undoing import undo_maker
from reconcile.model.plan import Side
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
