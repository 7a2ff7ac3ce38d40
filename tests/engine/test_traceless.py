"""An audit beside a run: what was read while somebody wrote counts for nothing."""

from pathlib import Path

import pytest

from reconcile.engine.events import silent
from reconcile.engine.opened import Opened
from reconcile.engine.pairs import pair_id
from reconcile.engine.planning import make_plan
from reconcile.model.errors import Locked, StateError
from reconcile.model.job import Job
from reconcile.store.state import Store, pair_directory


@pytest.fixture
def job(tmp_path: Path) -> Job:
    for side in ("left", "right"):
        (tmp_path / side).mkdir()
    job = Job(str(tmp_path / "left"), str(tmp_path / "right"), str(tmp_path / "state"))
    make_plan(job, silent)
    return job


def write(job: Job) -> None:
    store = Store.open(pair_directory(job.state_dir, pair_id(job.left, job.right)))
    with store.transaction():
        store.note(left="elsewhere")
    store.close()


@pytest.mark.parametrize("error", [None, StateError("damaged")])
def test_a_state_written_to_meanwhile_is_locked_not_damaged(
    job: Job, error: Exception | None
) -> None:
    def look() -> None:
        with Opened(job, silent, exclusive=False, keeps=False):
            write(job)
            if error is not None:
                raise error

    with pytest.raises(Locked, match="while it was read"):
        look()


def test_damage_that_nobody_just_made_is_damage(job: Job) -> None:
    def look() -> None:
        with Opened(job, silent, exclusive=False, keeps=False):
            raise StateError("damaged")

    with pytest.raises(StateError, match="damaged"):
        look()
