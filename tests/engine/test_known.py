"""An id of a run or a conflict leads to its pair, from any beginning that only one has."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reconcile.engine.cycle import adopt_baseline, apply_job, make_plan
from reconcile.engine.events import silent
from reconcile.engine.history import runs_of
from reconcile.engine.known import find_conflict, find_run, known_pairs, last_run
from reconcile.model.errors import NotFound, UsageError
from reconcile.model.job import Job
from reconcile.model.plan import PlanKind
from reconcile.model.policy import Limits, Rules


def pair(place: Path, name: str, **content: tuple[str | None, str | None]) -> Job:
    for number, side in enumerate(("left", "right")):
        (place / name / side).mkdir(parents=True)
        for file, texts in content.items():
            text = texts[number]
            if text is not None:
                (place / name / side / file).write_text(text)
    sides = (str(place / name / side) for side in ("left", "right"))
    return Job(*sides, str(place / "state"), limits=Limits(max_delete_count=7))


def apply(job: Job) -> str:
    return apply_job(job, silent, lambda planning: planning.plan).run


def test_a_run_is_found_in_the_pair_that_ran_it(tmp_path: Path) -> None:
    one, two = (pair(tmp_path, name, f=("text", None)) for name in ("one", "two"))
    runs = [apply(one), apply(two)]

    known, run = find_run(one.state_dir, runs[0])

    assert (known.left, known.right) == (one.left, one.right)
    assert (run.id, run.kind, run.baseline_after) == (runs[0], PlanKind.SYNC, 1)
    assert find_run(one.state_dir, "last")[1].id == runs[1]
    newest = last_run(one.state_dir)
    assert newest is not None
    assert newest[0].left == two.left


def test_what_was_asked_last_is_known_without_what_was_said_for_one_run(tmp_path: Path) -> None:
    job = pair(tmp_path, "one", f=("text", None))
    run = apply(job)

    [known] = known_pairs(job.state_dir)

    assert known.job == Job(job.left, job.right, job.state_dir, limits=Limits(), rules=Rules())
    stored = find_run(job.state_dir, run)[1].job
    assert stored is not None
    assert (stored.left, stored.state_dir) == (job.left, "")


def test_an_adoption_is_said_to_be_one(tmp_path: Path) -> None:
    job = pair(tmp_path, "one", f=("same", "same"), g=("left", "right"))
    adopt_baseline(job, silent)
    [entry] = runs_of(job.state_dir)
    with pytest.raises(NotFound, match=f"`{entry.id}` adopted baseline #1 and touched no file"):
        find_run(job.state_dir, entry.id[:-1])


@pytest.mark.parametrize(("find", "kind"), [(find_run, "run"), (find_conflict, "conflict")])
def test_an_unknown_id_is_not_found(
    tmp_path: Path, find: Callable[[str, str], object], kind: str
) -> None:
    job = pair(tmp_path, "one", f=("text", None))
    run = apply(job)
    with pytest.raises(NotFound) as caught:
        find(job.state_dir, run[:-1] + "zz")
    assert kind in caught.value.message
    assert ("did you mean" in (caught.value.hint or "")) == (kind == "run")


def test_a_beginning_that_two_runs_share_is_refused(tmp_path: Path) -> None:
    job = pair(tmp_path, "one", f=("text", None))
    apply(job)
    (Path(job.left) / "g").write_text("more")
    apply(job)
    with pytest.raises(UsageError):
        find_run(job.state_dir, "r-")


def test_a_conflict_that_diff_found_is_known_until_it_has_vanished(tmp_path: Path) -> None:
    job = pair(tmp_path, "one", f=("one text", "another"))
    [conflict] = make_plan(job, silent).plan.conflicts

    _, standing = find_conflict(job.state_dir, conflict.id[:4])
    assert standing.conflict == conflict

    (Path(job.right) / "f").write_text("one text")
    make_plan(job, silent)
    with pytest.raises(NotFound):
        find_conflict(job.state_dir, conflict.id)
