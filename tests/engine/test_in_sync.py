"""Nothing changed: no judgement is asked for, and it would have said the same."""

import os
from pathlib import Path

import msgspec

from reconcile.decide import planner
from reconcile.engine.cycle import apply_job, make_plan
from reconcile.engine.events import silent
from reconcile.engine.opened import Opened
from reconcile.engine.planning import plan_now, rules_of
from reconcile.model.job import Job


def pair(tmp_path: Path) -> Job:
    for side in ("left", "right"):
        (tmp_path / side / "d").mkdir(parents=True)
    (tmp_path / "left" / "a").write_text("x")
    os.utime(tmp_path / "left" / "a", ns=(1, 1))  # older than any clock's step: believed at once
    (tmp_path / "left" / "d" / "b").symlink_to("../a")
    return Job(str(tmp_path / "left"), str(tmp_path / "right"), str(tmp_path / "state"))


def test_the_plan_of_an_unchanged_pair_is_the_one_the_planner_makes(tmp_path: Path) -> None:
    job = pair(tmp_path)
    apply_job(job, silent, lambda planning: planning.plan)

    with Opened(job, silent, exclusive=False) as opened:
        seen = plan_now(opened)
        plan = seen.planning.plan
        judged = planner.make_plan(
            opened.base(),
            seen.left.manifest,
            seen.right.manifest,
            rules_of(opened),
            made_from=plan.made_from,
        )

    assert msgspec.structs.replace(judged, guards=plan.guards, rules=plan.rules) == plan
    assert plan.is_empty


def test_an_unchanged_pair_reads_no_content_and_makes_no_generation(tmp_path: Path) -> None:
    job = pair(tmp_path)
    first = apply_job(job, silent, lambda planning: planning.plan)

    second = apply_job(job, silent, lambda planning: planning.plan)
    planning = make_plan(job, silent)

    assert second.baseline_after == first.baseline_after == 1
    assert planning.left.hashed_files == planning.right.hashed_files == 0
