"""`reconcile diff`: observe, compare, print the plan; save it with `-o`. Writes on no side."""

import os
from collections.abc import Sequence

from reconcile import __version__
from reconcile.cli.answer import nothing_to_say, now_ns, print_planning, shown_of
from reconcile.cli.asked import job_asked
from reconcile.cli.duration import seconds_of
from reconcile.cli.exits import worst
from reconcile.cli.face import TEXT, Face
from reconcile.cli.render_outcome import guard_lines
from reconcile.cli.reporting import asked_reports, report_plan, tell_reports
from reconcile.cli.session import Session
from reconcile.engine.outcome import Planning
from reconcile.engine.planfile import plan_id, save_plan
from reconcile.engine.planning import PlanMaker, judged, make_plan
from reconcile.model.errors import ExitCode, UsageError
from reconcile.model.job import Job
from reconcile.model.plan import Plan
from reconcile.trees.open import is_manifest


def run(face: Face) -> int:
    """The code of docs/exit-codes.md: 0, or what --exit-code and unreadable paths say."""
    shown_of(face)
    return look(face, job_asked(face, face.words))


def look(face: Face, job: Job, make: PlanMaker = judged) -> int:
    """Make a plan and show it; save it and report it where asked."""
    if face.options.get("against") == "":
        raise UsageError("--against names no baseline", hint="#41, r-…, FILE.rman, none")
    reports = asked_reports(face)
    session = Session(face)
    session.begin(job)
    try:
        planning = make_plan(
            job, session, make, keeps=not face.flag("audit"), against=face.value("against")
        )
    finally:
        session.close()
    answer(face, job, planning, reports)
    return code_of(face, planning.plan)


def answer(face: Face, job: Job, planning: Planning, reports: Sequence[str] = ()) -> None:
    """Save the plan and write the reports where asked, print it, and name the next command."""
    location = face.value("out")
    created_ns = now_ns()
    if location:
        save(face, job, planning.plan, location, created_ns)
    identity = plan_id(planning.plan, created_ns)
    plan, versions = planning.plan, job.versions
    if report_plan(face, reports, plan, identity, created_ns, versions=versions):
        return
    print_planning(face, planning, identity, file=location, job=job)
    tell_reports(face, reports)
    if face.format != TEXT or face.quiet:
        return
    for line in guard_lines(planning.plan, face.err):
        face.tell(line)
    if location:
        face.say(f"Saved to {face.out.path(os.fsencode(location))}.")
        if not nothing_to_say(planning.plan) and may_be_applied(job, planning.plan):
            face.say(f"  apply it  reconcile apply {face.out.path(os.fsencode(location))}")


def may_be_applied(job: Job, plan: Plan) -> bool:
    """It was not made only to be looked at."""
    return not plan.made_from.against and not any(map(is_manifest, (job.left, job.right)))


def save(face: Face, job: Job, plan: Plan, location: str, created_ns: int) -> None:
    """Write the plan, to be applied within --expires."""
    save_plan(
        os.path.expanduser(location),
        plan,
        job=job,
        created_ns=created_ns,
        expires_ns=created_ns + int(seconds_of(face.value("expires", "7d")) * 1e9),
        host=os.uname().nodename,
        version=__version__,
    )


def code_of(face: Face, plan: Plan) -> ExitCode:
    """PARTIAL when a path could not be read; the rest only with --exit-code."""
    codes = []
    if any(problem.severity == "error" for problem in plan.problems):
        codes.append(ExitCode.PARTIAL)
    if face.flag("exit_code") or face.flag("audit"):
        if any(not guard.ok for guard in plan.guards):
            codes.append(ExitCode.GUARD)
        if plan.conflicts and not face.flag("conflicts_ok"):
            codes.append(ExitCode.CONFLICTS)
        if plan.steps:
            codes.append(ExitCode.CHANGES)
    return worst(*codes)
