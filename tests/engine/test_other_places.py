"""Moves and replacements that the kernel refuses to do in one operation (EXDEV)."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.engine.outcome import Outcome
from reconcile.model.job import Job

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


def run(job: Job) -> Outcome:
    """One apply, everything approved."""
    return apply_job(job, silent, lambda planning: planning.plan)


@contextlib.contextmanager
def mounted(place: Path, *options: str) -> Iterator[None]:
    done = subprocess.run(["mount", *options, str(place)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount here: {done.stderr.decode()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    for name in ("left", "right", "state"):
        (tmp_path / name).mkdir()
    return Job(*(str(tmp_path / name) for name in ("left", "right", "state")))


def test_a_move_into_a_mount_and_out_of_it_is_done_in_the_same_run(job: Job) -> None:
    left, right = Path(job.left), Path(job.right)
    (left / "inner").mkdir()
    (left / "inner" / "out").write_text("goes out")
    (left / "in").write_text("goes in")
    run(job)
    (right / "inner" / "out").unlink()
    with mounted(right / "inner", "-t", "tmpfs", "tmpfs"):
        (right / "inner" / "out").write_text("goes out")
        run(job)
        (left / "in").rename(left / "inner" / "in")
        (left / "inner" / "out").rename(left / "out")
        outcome = run(job)
        assert not outcome.not_done
        assert sorted(os.listdir(right / "inner")) == ["in"]
        assert (right / "inner" / "in").read_text() == "goes in"
        assert (right / "out").read_text() == "goes out"
        assert not (right / "in").exists()
        assert not run(job).planning.plan.steps


def test_a_directory_of_a_lower_layer_is_replaced_by_a_file(job: Job, tmp_path: Path) -> None:
    for name in ("lower", "upper", "work"):
        (tmp_path / name).mkdir()
    for top in (tmp_path / "lower", Path(job.left)):
        (top / "thing").mkdir()
        (top / "thing" / "a").write_text("a")
    layers = ",".join(f"{name}dir={tmp_path / name}" for name in ("lower", "upper", "work"))
    with mounted(Path(job.right), "-t", "overlay", "overlay", "-o", layers):
        run(job)
        (Path(job.left) / "thing" / "a").unlink()
        (Path(job.left) / "thing").rmdir()
        (Path(job.left) / "thing").write_text("a file")
        outcome = run(job)
        assert not outcome.not_done
        assert (Path(job.right) / "thing").read_text() == "a file"
