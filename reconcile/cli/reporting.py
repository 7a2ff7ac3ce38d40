"""Reporting: report files and report answers, for the verbs that make or carry out a plan."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from reconcile.cli.face import REPORTS, TEXT, Face
from reconcile.model.errors import ReconcileError
from reconcile.model.job import Job
from reconcile.model.plan import Plan


def asked_reports(face: Face) -> tuple[str, ...]:
    """Where reports are wanted, once it is sure that they can be written: before anything is done.

    Raises: UsageError, ReportUnwritten.
    """
    if not face.values("report"):
        return ()
    from reconcile.cli.report.files import check_reports

    return check_reports(face.values("report"))


def report_plan(
    face: Face,
    locations: Sequence[str],
    plan: Plan,
    plan_id: str,
    created_ns: int,
    *,
    versions: bool = True,
    notes: Iterable[str] = (),
) -> bool:
    """Write the plan's reports. True: the answer was one, and nothing else is to be printed."""
    answers = face.format in REPORTS
    if not locations and not answers:
        return False
    from reconcile.cli.report.files import parts, write_report
    from reconcile.cli.report.rows import report_of_plan

    report = report_of_plan(plan, plan_id, created_ns, notes=notes, versions=versions)
    for location in locations:
        write_report(location, report)
    if answers:
        for part in parts(report, f".{face.format}"):
            face.say_raw(part)
    return answers


def report_run(face: Face, locations: Sequence[str], directory: str, run: str) -> bool:
    """Write the reports of a run that a pair's state in `directory` knows; see `report_plan`.

    Raises: ReportUnwritten, saying that the run's steps stand.
    """
    answers = face.format in REPORTS
    if not locations and not answers:
        return False
    from reconcile.cli.report.files import parts, write_report
    from reconcile.cli.report.rows import report_of_run
    from reconcile.engine.known import journal_of

    report = report_of_run(*journal_of(directory, run))
    for location in locations:
        try:
            write_report(location, report)
        except ReconcileError as error:
            error.changed = f"what run {run} did stands; only this report is missing"
            raise
    if answers:
        for part in parts(report, f".{face.format}"):
            face.say_raw(part)
    return answers


@contextmanager
def reported_anyway(
    face: Face, locations: Sequence[str], job: Job, of_plan: Callable[[], object], plan_id: str = ""
) -> Iterator[None]:
    """What ends by an error is reported too: the run as far as it came, or by `of_plan` the plan.

    `plan_id`: of a saved plan, whose interrupted run may have gone on.
    """
    began_ns = time.time_ns()
    try:
        yield
    except ReconcileError:
        if locations:
            from reconcile.engine.known import directory_of, newest_run

            run = newest_run(directory_of(job)) if face.wrote else None
            is_ours = run is not None and (
                run.started_ns >= began_ns or run.plan_id == plan_id != ""
            )
            if run is not None and is_ours:
                report_run(face, locations, directory_of(job), run.id)
            else:
                of_plan()
        raise


def tell_reports(face: Face, locations: Iterable[str]) -> None:
    """Say where they are, in text."""
    if face.format == TEXT and not face.quiet:
        for location in locations:
            face.say(f"Report in {face.out.path(os.fsencode(location))}.")
