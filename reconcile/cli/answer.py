"""A plan as the answer of a verb, in whichever form was asked for."""

import time

from reconcile.cli.face import LINES, PORCELAIN, Face
from reconcile.cli.render_plan import (
    about_lines,
    first_run_lines,
    header_lines,
    in_sync_line,
    nothing_line,
    resumed_lines,
    row_lines,
    summary_lines,
)
from reconcile.cli.rows import CLASSES, Shown
from reconcile.engine.outcome import Planning
from reconcile.model.errors import UsageError
from reconcile.model.job import Job
from reconcile.model.plan import Plan, Problem
from reconcile.model.treepath import ROOT


def shown_of(face: Face, *, full: bool = False) -> Shown:
    """The display options. Raises: UsageError."""
    only = tuple(word for word in face.value("only").split(",") if word)
    for word in only:
        if word not in CLASSES:
            raise UsageError(f"--only knows no class `{word}`", hint=" ".join(CLASSES))
    full = full or face.flag("full")
    depth = max(1, face.number("depth", 1)) if "depth" in face.options else None
    limit = face.number("limit", 200)
    return Shown(
        only=only,
        full=full,
        depth=None if full else depth,
        limit=10**9 if full and "limit" not in face.options else limit,
        sort=face.value("sort", "path"),
    )


def print_planning(
    face: Face, planning: Planning, plan_id: str, *, file: str = "", job: Job | None = None
) -> None:
    """The whole answer of `diff`: header, rows, summary; or events, or porcelain.

    `job` tells its name, its labels and whether versions are kept.
    """
    plan = planning.plan
    if face.format == LINES:
        from reconcile.cli.to_json import plan_events  # 10 ms that text does not need

        for event in plan_events(plan, plan_id, file):
            face.lines.emit(event)
        return
    if face.format == PORCELAIN:
        print_porcelain(face, plan)
        return
    quiet_enough = nothing_to_say(plan)
    if face.quiet > 1 or (face.quiet and quiet_enough):
        return
    if quiet_enough:
        face.say(nothing_line(plan, face.out) or in_sync_line(planning))
        for line in resumed_lines(planning):
            face.say(line)
        for line in row_lines(plan, shown_of(face), face.out):
            face.say(line)
        return
    if not face.quiet:
        for line in [*about_lines(plan, face.out), *header_lines(planning, face.out, job)]:
            face.say(line)
        for line in first_run_lines(planning, face.out):
            face.say(line)
        face.say("")
    print_plan(face, plan, plan_id, versions=job is None or job.versions)


def print_plan(face: Face, plan: Plan, plan_id: str, *, versions: bool = True) -> None:
    """Rows and summary, as text."""
    if not face.flag("summary"):
        lines = row_lines(plan, shown_of(face), face.out)
        for line in lines:
            face.say(line)
        if lines:
            face.say("")
    for line in summary_lines(plan, plan_id, face.out, versions=versions):
        face.say(line)


def print_porcelain(face: Face, plan: Plan) -> None:
    """Porcelain v1."""
    from reconcile.cli.porcelain import porcelain

    face.say_raw(b"".join(porcelain(plan, null=face.flag("null"))))


def nothing_to_say(plan: Plan) -> bool:
    """No step, no conflict, no problem but what every run over these connections says."""
    said = (problem for problem in plan.problems if not _is_of_a_connection(problem))
    return not (plan.steps or plan.conflicts or any(said))


def _is_of_a_connection(problem: Problem) -> bool:
    """A note on a whole side, or on the whole run."""
    return problem.severity == "note" and problem.path == ROOT


def now_ns() -> int:
    """The controller's clock."""
    return time.time_ns()
