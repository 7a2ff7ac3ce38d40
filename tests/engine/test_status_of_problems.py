"""A pair that a problem keeps apart is not in sync, whatever run was last."""

import os
from pathlib import Path

from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.engine.inspection import status
from reconcile.model.job import Job


def test_a_fifo_in_front_of_a_file_keeps_the_pair_from_being_in_sync(tmp_path: Path) -> None:
    left, right, state = tmp_path / "left", tmp_path / "right", tmp_path / "state"
    for side in (left, right):
        side.mkdir()
    (left / "f").write_text("f")
    job = Job(str(left), str(right), str(state))

    def applied() -> None:
        apply_job(job, silent, lambda planning: planning.plan)

    applied()
    (left / "f").unlink()
    os.mkfifo(left / "f")
    (left / "new").write_text("new")
    for run in (applied, applied):
        run()
        assert [(each.state, each.pending) for each in status(str(state))] == [("differs", 1)]
    (left / "f").unlink()
    (right / "f").unlink()
    applied()
    assert [each.state for each in status(str(state))] == ["in sync"]
