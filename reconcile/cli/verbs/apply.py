"""`reconcile apply`: do what `diff` shows, after asking; or carry out a saved plan."""

import os
from collections.abc import Callable, Sequence
from functools import partial

from reconcile.cli.answer import now_ns, print_planning, shown_of
from reconcile.cli.asked import job_asked, job_of_plan, what_of
from reconcile.cli.exits import worst
from reconcile.cli.face import LINES, TEXT, Face
from reconcile.cli.obeying import obeyed, refuse_unobeyed
from reconcile.cli.places import state_dir_of
from reconcile.cli.prompt import Said, ask_past_guards, ask_to_apply
from reconcile.cli.render_outcome import AGAIN, ANEW, outcome_lines
from reconcile.cli.render_plan import row_lines
from reconcile.cli.reporting import (
    asked_reports,
    report_plan,
    report_run,
    reported_anyway,
    tell_reports,
)
from reconcile.cli.session import Session
from reconcile.cli.to_json import problem_event, summary_event
from reconcile.cli.verbs.diff import run as run_diff
from reconcile.cli.verbs.diff import save
from reconcile.engine.cycle import PlanMaker, apply_job, apply_plan
from reconcile.engine.known import directory_of
from reconcile.engine.outcome import Outcome, Planning
from reconcile.engine.planfile import SavedPlan, is_plan_file, load_plan, made_anew, plan_id
from reconcile.engine.planning import judged
from reconcile.engine.planstate import notes_on
from reconcile.model.errors import ExitCode, NeedsApproval, Refused, StalePlan, UsageError
from reconcile.model.job import Job
from reconcile.model.plan import Plan


def run(face: Face) -> int:
    """The code of docs/exit-codes.md."""
    if face.words and _is_saved_plan(face.words[0]):
        return _apply_saved(face, *face.words)
    if len(face.words) > 2:
        raise UsageError(
            "two sides are wanted, and these are three",
            hint="reconcile apply LEFT RIGHT, or FILE.rplan LEFT RIGHT",
        )
    if face.value("trust_owner"):
        raise UsageError("--trust-owner is about a saved plan", hint="reconcile apply FILE.rplan")
    if face.flag("only_show"):
        return run_diff(face)
    shown_of(face)
    job = job_asked(face, face.words)
    return change(
        face, job, hint="add --yes, or save the plan first: reconcile diff LEFT RIGHT -o FILE.rplan"
    )


def change(face: Face, job: Job, make: PlanMaker = judged, *, hint: str) -> int:
    """Make a plan, show it, ask, carry it out; `hint`: what else can be done when nobody can
    answer. The code of docs/exit-codes.md."""
    reports = asked_reports(face)
    if not face.may_ask and not face.flag("yes"):
        raise NeedsApproval(
            "it would have to ask before it changes anything, and nobody can answer", hint=hint
        )
    session = Session(face)
    session.begin(job)
    approval = Approval(face, job, session)
    with reported_anyway(face, reports, job, lambda: approval.report(reports)):
        try:
            outcome = apply_job(job, session, approval, make)
        except Refused:
            allowed = approval.ask_past_guards()
            if allowed is None:
                raise
            approval = Approval(face, allowed, session, already_shown=approval.plan)
            outcome = apply_job(allowed, session, approval, make)
        finally:
            session.close()
    if outcome.run:
        report_run(face, reports, directory_of(job), outcome.run)
    else:
        approval.report(reports)
    code = _finish(face, outcome, approval, job)
    tell_reports(face, reports)
    return code


class Approval:
    """Shows the plan and asks; answers the plan, or None for no."""

    def __init__(
        self, face: Face, job: Job, session: Session, already_shown: Plan | None = None
    ) -> None:
        self._face = face
        self._job = job
        self._session = session
        self._created_ns = 0
        self.plan = already_shown
        """The plan that was shown last."""
        self.keeps_answers = False
        """Answers that somebody typed would be lost with a no (`ask_to_apply`)."""
        self.said = Said.APPLY
        """What was answered; APPLY too where nobody was asked."""

    @property
    def was_declined(self) -> bool:
        """Somebody was asked and did not say yes."""
        return self.said is not Said.APPLY

    def __call__(self, planning: Planning) -> Plan | None:
        """See `cycle.Approve`."""
        self.show(planning)
        plan = planning.plan
        if any(not guard.ok for guard in plan.guards):
            return None
        if plan.is_empty or self._face.flag("yes"):
            return plan
        self.said = ask_to_apply(
            self._face,
            plan,
            lambda: self._details(plan),
            self._save(plan),
            keeps=self.keeps_answers,
        )
        return plan if self.said is Said.APPLY else None

    def show(self, planning: Planning) -> None:
        """Print the plan, unless just this one was shown before."""
        if not self._created_ns:
            self._created_ns = now_ns()
        if self.plan is not None and self.plan.steps == planning.plan.steps:
            return
        self.plan = planning.plan
        self._session.pause()
        self._print(planning)

    def _print(self, planning: Planning) -> None:
        identity = plan_id(planning.plan, self._created_ns)
        print_planning(self._face, planning, identity, job=self._job)

    def report(self, locations: Sequence[str]) -> None:
        """Write the reports of the plan that was shown last, where nothing of it was done."""
        if self.plan is not None:
            identity = plan_id(self.plan, self._created_ns)
            versions = self._job.versions
            report_plan(
                self._face, locations, self.plan, identity, self._created_ns, versions=versions
            )

    def ask_past_guards(self) -> Job | None:
        """The job with the numbers typed for its guards; None: none was typed."""
        if self.plan is None or self._face.flag("yes") or not self._face.may_ask:
            return None
        return ask_past_guards(self._face, self._job, self.plan)

    def _details(self, plan: Plan) -> None:
        for line in row_lines(plan, shown_of(self._face, full=True), self._face.err):
            self._face.tell(line)

    def _save(self, plan: Plan) -> Callable[[str], None]:
        def write(name: str) -> None:
            save(self._face, self._job, plan, name, self._created_ns)
            self._face.tell(f"saved to {self._face.err.path(os.fsencode(name))}")

        return write


def _apply_saved(face: Face, location: str, *where: str) -> int:
    """A saved plan is itself the approval: nothing is asked, unless it alone says where."""
    if not is_plan_file(location):
        raise UsageError(
            f"`{location}` is no saved plan", hint="reconcile apply LEFT RIGHT, or a FILE.rplan"
        )
    refuse_unobeyed(face, location)
    file = load_plan(location)
    saved = file.saved
    if saved.expires_ns < now_ns():
        hint = made_anew(saved.plan)
        raise StalePlan(f"plan {saved.id} has expired", where=location, hint=hint)
    job, limits = obeyed(face, job_of_plan(face, file, where), is_foreign=bool(file.distrust))
    reports = asked_reports(face)
    session = Session(face)
    session.begin(job)
    with reported_anyway(
        face, reports, job, partial(_report_saved, face, reports, saved), saved.id
    ):
        try:
            outcome = apply_plan(job, saved.plan, saved.id, session, limits=limits)
        finally:
            session.close()
    if outcome.run:
        report_run(face, reports, directory_of(job), outcome.run)
    else:
        _report_saved(face, reports, saved)
    code = _finish(face, outcome, None, job)
    tell_reports(face, reports)
    return code


def _report_saved(face: Face, reports: Sequence[str], saved: SavedPlan) -> None:
    notes = notes_on(saved, state_dir_of(face), now_ns())
    versions = saved.job.versions
    report_plan(
        face, reports, saved.plan, saved.id, saved.created_ns, versions=versions, notes=notes
    )


def _finish(face: Face, outcome: Outcome, approval: Approval | None, job: Job) -> int:
    if approval is not None and approval.was_declined:
        face.tell("not applied: nothing was changed")
        return ExitCode.DECLINED
    if face.format == LINES:
        _emit(face, outcome)
    elif face.format == TEXT and face.quiet < 2:
        again = AGAIN if approval is not None else ANEW  # a saved plan asked nobody
        pair = what_of(face, job)
        if approval is None and not outcome.run:
            face.say("The plan changes nothing: nothing was done, and it is not used up.")
        for line in outcome_lines(outcome, face.out, pair, again, kept=job.versions):
            face.say(line)
    return code_of(face, outcome)


def code_of(face: Face, outcome: Outcome) -> ExitCode:
    """PARTIAL when something was not done or not readable, CONFLICTS when some are left."""
    codes = []
    if outcome.not_done or any(problem.severity == "error" for problem in outcome.problems):
        codes.append(ExitCode.PARTIAL)
    if outcome.conflicts and not face.flag("conflicts_ok"):
        codes.append(ExitCode.CONFLICTS)
    return worst(*codes)


def _emit(face: Face, outcome: Outcome) -> None:
    face.lines.run = outcome.run
    known = set(outcome.planning.plan.problems)
    for problem in outcome.problems:
        if problem not in known:
            face.lines.emit(problem_event(problem))
    face.lines.emit(summary_event(outcome))


def _is_saved_plan(word: str) -> bool:
    """Not a job: a plan's name, or one of its own that holds a plan."""
    return word.endswith(".rplan") or ("/" in word and os.path.isfile(word)) or is_plan_file(word)
