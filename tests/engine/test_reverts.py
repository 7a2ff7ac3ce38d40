"""A plan that takes the baseline back: before its first step, and its steps settle nothing."""

from pathlib import Path

import msgspec
import pytest

from reconcile.engine.cycle import PlanMaker, Sight, apply_job, make_plan
from reconcile.engine.events import Event, StepEnded, silent
from reconcile.engine.inspection import status
from reconcile.engine.opened import Opened
from reconcile.model.job import Job
from reconcile.model.manifest import lookup
from reconcile.model.plan import Action, Agreement, Plan, PlanKind, Side, Step
from reconcile.model.treepath import TreePath

F = TreePath(b"f")


def agreed_pair(place: Path) -> Job:
    for side in ("left", "right"):
        (place / side).mkdir()
    (place / "left" / "f").write_text("text")
    (place / "left" / "g").write_text("another")
    job = Job(str(place / "left"), str(place / "right"), str(place / "state"))
    apply_job(job, silent, lambda planning: planning.plan)
    return job


def take_back(kind: PlanKind) -> PlanMaker:
    """Right's `f` goes, and the baseline forgets it."""

    def make(opened: Opened, sight: Sight) -> Plan:
        del opened
        found = lookup(sight.right.manifest, F)
        step = Step(1, Side.RIGHT, Action.DELETE, F, F, found, None)
        return Plan(sight.made_from, (step,), kind=kind, of="r-1", reverts=(Agreement(F, None),))

    return make


def undo_is_stopped_after_its_first_step(job: Job) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, StepEnded):
            raise KeyboardInterrupt

    with pytest.raises(BaseException):  # noqa: B017, PT011  # how a run ends is not the point
        apply_job(job, stop, lambda planning: planning.plan, take_back(PlanKind.UNDO))


def base_names(job: Job) -> set[bytes]:
    with Opened(job, silent, exclusive=False) as opened:
        return {name for name in (b"f", b"g") if lookup(opened.base(), TreePath(name))}


def test_done_steps_of_an_undo_do_not_enter_the_baseline(tmp_path: Path) -> None:
    job = agreed_pair(tmp_path)

    outcome = apply_job(job, silent, lambda planning: planning.plan, take_back(PlanKind.UNDO))

    assert outcome.baseline_after == 2
    assert base_names(job) == {b"g"}
    [again] = make_plan(job, silent).plan.steps
    assert (again.side, again.action, again.path) == (Side.RIGHT, Action.CREATE, F)


def test_the_baseline_is_taken_back_before_the_first_step(tmp_path: Path) -> None:
    job = agreed_pair(tmp_path)
    undo_is_stopped_after_its_first_step(job)

    assert base_names(job) == {b"g"}
    apply_job(job, silent, lambda planning: planning.plan)
    assert (tmp_path / "left" / "f").read_text() == (tmp_path / "right" / "f").read_text()


def test_status_names_the_command_after_an_undo_and_after_half_of_one(tmp_path: Path) -> None:
    job = agreed_pair(tmp_path)
    undo_is_stopped_after_its_first_step(job)
    [halfway] = status(job.state_dir)
    assert (halfway.state, halfway.advice) == ("interrupted", "reconcile undo r-1")

    apply_job(job, silent, lambda planning: planning.plan)
    apply_job(job, silent, lambda planning: planning.plan, take_back(PlanKind.UNDO))
    [after] = status(job.state_dir)
    assert (after.state, after.advice.partition(" /")[0]) == ("taken back", "reconcile diff")


def test_conflicts_stand_after_an_undo_as_before_it(tmp_path: Path) -> None:
    job = agreed_pair(tmp_path)
    for side in ("left", "right"):
        (tmp_path / side / "g").write_text(f"of {side}")
    [conflict] = make_plan(job, silent).plan.conflicts

    apply_job(job, silent, lambda planning: planning.plan, take_back(PlanKind.RESTORE))

    with Opened(job, silent, exclusive=False) as opened:
        [standing] = opened.store.conflicts.standing()
    assert msgspec.structs.replace(standing.conflict, policy="") == msgspec.structs.replace(
        conflict, policy=""
    )


def test_what_was_agreed_on_no_longer_is_a_conflict_at_once(tmp_path: Path) -> None:
    job = agreed_pair(tmp_path)
    (tmp_path / "right" / "f").write_text("of right")

    def forget(opened: Opened, sight: Sight) -> Plan:
        del opened
        return Plan(sight.made_from, (), kind=PlanKind.UNDO, reverts=(Agreement(F, None),))

    apply_job(job, silent, lambda planning: planning.plan, forget)

    with Opened(job, silent, exclusive=False) as opened:
        [standing] = opened.store.conflicts.standing()
    assert (standing.conflict.path, standing.conflict.kind) == (F, "both-created")


def test_a_restore_makes_no_baseline_where_there_is_none(tmp_path: Path) -> None:
    for side in ("left", "right"):
        (tmp_path / side).mkdir()
    (tmp_path / "right" / "f").write_text("text")
    job = Job(str(tmp_path / "left"), str(tmp_path / "right"), str(tmp_path / "state"))

    outcome = apply_job(job, silent, lambda planning: planning.plan, take_back(PlanKind.RESTORE))

    assert (outcome.done, outcome.baseline_after) == (1, 0)
    assert make_plan(job, silent).plan.first_run
