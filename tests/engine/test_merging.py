"""Merging texts: what there is to merge, and why not when there is none."""

import shutil
from pathlib import Path

import pytest

from reconcile.engine.cycle import apply_job, apply_plan, make_plan
from reconcile.engine.events import silent
from reconcile.engine.planfile import SavedPlan, save_plan
from reconcile.model.errors import NotFound, StalePlan
from reconcile.model.job import Job
from reconcile.model.plan import Action, Plan, Side
from reconcile.model.policy import Policy, Rules

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="`git merge-file` merges")
BASE = "one\n\n\n\n\ntwo\n"


def note_after(
    place: Path, first: tuple[Policy, ...], left: bytes, right: bytes, versions: bool = True
) -> str:
    """Agree on `BASE` under `first`, change both sides, merge: the note of what stays; or empty."""
    for side in ("left", "right"):
        (place / side).mkdir()
        (place / side / "a").write_text(BASE)
    run(place, first, versions)
    (place / "left/a").write_bytes(left)
    (place / "right/a").write_bytes(right)
    return run(place, (Policy.MERGE,))


def run(place: Path, policies: tuple[Policy, ...], versions: bool = True) -> str:
    job = Job(
        str(place / "left"),
        str(place / "right"),
        state_dir=str(place / "state"),
        rules=Rules(policies=policies),
        versions=versions,
    )
    outcome = apply_job(job, silent, lambda planning: planning.plan)
    return "; ".join(conflict.note for conflict in outcome.conflicts)


LEFT, RIGHT, TORN = (
    BASE.replace(old, new).encode() for old, new in (("one", "1"), ("two", "2"), ("one", "I"))
)


@needs_git
@pytest.mark.parametrize(
    ("first", "right", "note"),
    [
        (Policy.MERGE, RIGHT, ""),
        (Policy.MERGE, TORN, "the changes do not merge cleanly"),
        (Policy.MERGE, b"\0", "right's content is no text to merge"),
        (Policy.REPORT, RIGHT, ""),
    ],
)
def test_a_merge_or_the_reason_why_not(
    first: Policy, right: bytes, note: str, tmp_path: Path
) -> None:
    assert note_after(tmp_path, (first,), LEFT, right) == note


def test_where_nothing_superseded_is_kept_no_base_is_kept_unasked(tmp_path: Path) -> None:
    note = note_after(tmp_path, (Policy.REPORT,), LEFT, RIGHT, versions=False)
    assert note == "the base text is not kept"


@needs_git
def test_where_there_is_no_merge_the_next_policy_is_asked(tmp_path: Path) -> None:
    assert note_after(tmp_path, (Policy.MERGE,), LEFT, TORN) == "the changes do not merge cleanly"
    assert run(tmp_path, (Policy.MERGE, Policy.LEFT)) == ""
    assert (tmp_path / "right/a").read_bytes() == LEFT


@needs_git
def test_a_mode_that_one_side_changed_is_merged_too(tmp_path: Path) -> None:
    def changed(policies: tuple[Policy, ...]) -> str:
        (tmp_path / "right/a").chmod(0o755)
        return run(tmp_path, policies)

    assert note_after(tmp_path, (Policy.MERGE,), LEFT, TORN)
    (tmp_path / "right/a").write_bytes(RIGHT)
    assert changed((Policy.MERGE,)) == ""
    for side in ("left", "right"):
        assert (tmp_path / side / "a").stat().st_mode & 0o100


def test_without_git_nothing_merges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert note_after(tmp_path, (Policy.MERGE,), LEFT, RIGHT) == "`git` is not installed"


@needs_git
def test_who_only_looks_merges_too_and_keeps_nothing(tmp_path: Path) -> None:
    job = torn(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    seen = make_plan(job, silent, keeps=False).plan
    assert sorted(tmp_path.rglob("*")) == before
    assert [(step.action, step.side) for step in seen.steps] == [
        (Action.UPDATE, Side.LEFT), (Action.UPDATE, Side.RIGHT),
    ]  # fmt: skip
    with pytest.raises(NotFound, match="the state where they would wait was not written"):
        save(seen, job, tmp_path)
    assert make_plan(job, silent).plan.steps == seen.steps


@needs_git
def test_a_plan_whose_merged_texts_are_gone_is_stale(tmp_path: Path) -> None:
    job = torn(tmp_path)
    saved = save(make_plan(job, silent).plan, job, tmp_path)
    for kept in (tmp_path / "state").rglob("content/*/*"):
        kept.unlink()
    with pytest.raises(StalePlan, match="no longer kept"):
        apply_plan(job, saved.plan, saved.id, silent)
    assert (tmp_path / "left/a").read_bytes() == LEFT


def torn(place: Path) -> Job:
    """Both sides changed the agreed text, apart from each other."""
    note_after(place, (Policy.MERGE,), BASE.encode(), BASE.encode())
    (place / "left/a").write_bytes(LEFT)
    (place / "right/a").write_bytes(RIGHT)
    sides = (str(place / side) for side in ("left", "right"))
    return Job(*sides, state_dir=str(place / "state"), rules=Rules(policies=(Policy.MERGE,)))


def save(plan: Plan, job: Job, place: Path) -> SavedPlan:
    location = str(place / "p.rplan")
    return save_plan(
        location, plan, job=job, created_ns=1, expires_ns=1 << 62, host="h", version="0"
    )
