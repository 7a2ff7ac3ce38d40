"""Pairs whose roots lie inside each other, and runs that wait for another's root."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.engine.cycle import apply_job, make_plan
from reconcile.engine.events import Event, Phase
from reconcile.engine.health_sides import side_checks
from reconcile.engine.outcome import Outcome
from reconcile.model.errors import Locked
from reconcile.model.job import Job
from reconcile.trees.base import RunOptions
from reconcile.trees.local import LocalTree


@pytest.fixture
def top(tmp_path: Path) -> Path:
    for name in ("A/sub", "B", "C"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "A/sub/inner").write_text("inner")
    (tmp_path / "A/outer").write_text("outer")
    return tmp_path


@pytest.fixture
def inner(top: Path) -> Iterator[LocalTree]:
    """A run of another pair that writes to `A/sub`."""
    tree = LocalTree(os.fsencode(top / "A/sub"))
    tree.begin(RunOptions("r-inner"), ())
    yield tree
    tree.close()


def job(top: Path, left: str, right: str, wait_s: float = 0) -> Job:
    state = str(top / "state")
    return Job(str(top / left), str(top / right), state_dir=state, lock_wait_s=wait_s)


def agree(job: Job) -> Outcome:
    return apply_job(job, lambda event: None, lambda planning: planning.plan)


def test_what_another_run_writes_to_is_not_touched(top: Path, inner: LocalTree) -> None:
    temporary = top / "A/sub/.rcn-0123456789abcdef.part"
    temporary.write_text("half")

    outcome = agree(job(top, "A", "B"))

    assert [(p.path, p.severity) for p in outcome.problems] == [(b"sub", "error")]
    assert "another run is writing" in outcome.problems[0].reason
    assert "run r-inner" in outcome.problems[0].reason
    assert temporary.read_text() == "half"
    assert (top / "B/outer").read_text() == "outer"
    assert not (top / "B/sub").exists()

    inner.end()
    temporary.unlink()
    assert agree(job(top, "A", "B")).problems == ()
    assert (top / "B/sub/inner").read_text() == "inner"


def test_what_is_deleted_while_another_run_writes_there_stays(top: Path) -> None:
    agree(job(top, "A", "B"))
    (top / "B/sub/inner").unlink()
    (top / "B/sub").rmdir()
    tree = LocalTree(os.fsencode(top / "A/sub"))
    tree.begin(RunOptions("r-inner"), ())

    agree(job(top, "A", "B"))

    assert (top / "A/sub/inner").exists()
    tree.close()
    agree(job(top, "A", "B"))
    assert not (top / "A/sub/inner").exists()


def test_a_run_waits_for_a_root_that_another_pair_writes_to(top: Path) -> None:
    """And looks after it has waited: what the other run brought is in its plan."""
    tree = LocalTree(os.fsencode(top / "A"))
    tree.begin(RunOptions("r-other"), ())
    with pytest.raises(Locked):
        agree(job(top, "A", "B"))

    def finish() -> None:
        (top / "A/late").write_text("late")
        tree.close()

    timer = threading.Timer(0.3, finish)
    timer.start()
    outcome = agree(job(top, "A", "B", wait_s=60))
    timer.join()

    assert outcome.not_done == ()
    assert (top / "B/late").read_text() == "late"


def test_an_inner_run_waits_for_the_outer_one(top: Path) -> None:
    seen: list[type[Exception]] = []

    def listen(event: Event) -> None:
        if isinstance(event, Phase) and event.name == "transfer":
            try:
                agree(job(top, "A/sub", "C"))
            except Locked as error:
                seen.append(type(error))

    apply_job(job(top, "A", "B"), listen, lambda planning: planning.plan)

    assert seen == [Locked]
    assert agree(job(top, "A/sub", "C")).not_done == ()


def test_who_only_looks_needs_no_lock(top: Path, inner: LocalTree) -> None:
    planning = make_plan(job(top, "A/sub", "C"), lambda event: None)
    assert [step.path for step in planning.plan.steps] == [b"inner"]


def test_doctor_says_who_writes_to_a_root(top: Path, inner: LocalTree) -> None:
    def locks() -> list[str]:
        checks = side_checks(str(top / "A/sub"), str(top / "C"), probe=False)
        return [check.message for check in checks if check.topic == "lock"]

    [told] = locks()
    assert "run r-inner" in told
    inner.end()
    assert locks() == []
