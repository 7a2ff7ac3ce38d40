"""Reports: a plan, or the run that carried it out, as a document to be kept.

The rows and the five forms are those of `--report` (docs/reports.md); the face that
prints them owns how they look.
"""

import os
import time
from typing import TYPE_CHECKING

from reconcile.api.options import Place, state_place
from reconcile.engine.known import find_run, journal_of
from reconcile.engine.outcome import Planning
from reconcile.engine.planfile import PlanFile, SavedPlan, plan_id
from reconcile.model.errors import UsageError
from reconcile.model.plan import Plan

if TYPE_CHECKING:
    from reconcile.cli.report.columns import Report

Reportable = Planning | Plan | SavedPlan | PlanFile | str
"""A plan, or a run's id."""
FORMS = ("txt", "md", "csv", "json", "html")


def report(what: Reportable, form: str, *, state_dir: Place | None = None) -> bytes:
    """A plan, or the run of this id, as `txt`, `md`, `csv`, `json` or `html`.

    Raises: NotFound, UsageError.
    """
    from reconcile.cli.report.files import parts

    if form not in FORMS:
        raise UsageError(f"there is no report `{form}`", hint=f"one of {', '.join(FORMS)}")
    return b"".join(parts(_made(what, state_dir), f".{form}"))


def write_report(
    what: Reportable,
    location: Place,
    *,
    state_dir: Place | None = None,
) -> None:
    """The same into a file, the form by its suffix; an older report there is replaced.

    Raises: UsageError; ReconcileError (`E_REPORT`), when something else stands there.
    """
    from reconcile.cli.report.files import check_reports, write_report

    (place,) = check_reports([os.fspath(location)])
    write_report(place, _made(what, state_dir))


def _made(what: Reportable, state_dir: Place | None) -> "Report":
    from reconcile.cli.report.rows import report_of_plan, report_of_run

    if isinstance(what, str):
        pair, run = find_run(state_place(state_dir), what)
        return report_of_run(*journal_of(pair.directory, run.id))
    if isinstance(what, PlanFile):
        what = what.saved
    if isinstance(what, SavedPlan):
        return report_of_plan(what.plan, what.id, what.created_ns, versions=what.job.versions)
    plan = what.plan if isinstance(what, Planning) else what
    now = time.time_ns()
    return report_of_plan(plan, plan_id(plan, now), now)
