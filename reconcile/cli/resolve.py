"""Resolve: the answers to conflicts, asked or given, become plans and are applied.

One pair at a time, each by the ordinary apply: it is shown, guarded, confirmed,
journalled and can be undone. What cannot be done stays a conflict and says why.
"""

import os
from collections.abc import Sequence
from itertools import groupby

import msgspec

from reconcile.cli.answer import now_ns, print_plan
from reconcile.cli.asked import job_between
from reconcile.cli.exits import worst
from reconcile.cli.face import LINES, TEXT, Face
from reconcile.cli.prompt import Said
from reconcile.cli.render_conflict import answer_lines
from reconcile.cli.render_outcome import guard_lines, outcome_lines
from reconcile.cli.session import Session
from reconcile.cli.to_json import (
    conflict_resolved_event,
    plan_events,
    problem_event,
    summary_event,
)
from reconcile.cli.verbs.apply import Approval
from reconcile.cli.verbs.diff import save
from reconcile.cli.words import counted
from reconcile.decide.chosen import Answer, Choice, Ending
from reconcile.engine.bases import RESTORE_BYTES
from reconcile.engine.cycle import apply_job
from reconcile.engine.kept_answers import forget_answers
from reconcile.engine.outcome import Outcome, Planning
from reconcile.engine.planfile import plan_id
from reconcile.engine.planning import make_plan
from reconcile.engine.resolving import Decided, OpenConflict, Resolution
from reconcile.model.errors import ExitCode, NeedsApproval, ReconcileError, Refused, UsageError
from reconcile.model.job import Job
from reconcile.model.plan import Plan
from reconcile.trees.regular import read_regular

_PATIENCE_S = 60.0
"""Another run is waited for so long before answers that somebody typed are given up."""
_WORDS = tuple(choice for choice in Choice if choice is not Choice.CONTENT)


def resolve(
    face: Face, ids: Sequence[str], asked: Job | None, found: Sequence[OpenConflict]
) -> int:
    """The code of docs/exit-codes.md: CONFLICTS when one that was decided stays."""
    keep = face.value("keep")
    choice, content = _answer(keep, found) if keep else (None, b"")
    _check_line(face, ids, found, is_given=choice is not None)
    session = Session(face)
    if not found:
        return _nothing_stands(face)
    codes = []
    groups = [list(group) for _, group in groupby(found, key=lambda each: each.pair.pair)]
    for group in groups:
        job = _job(face, asked, group[0])
        if len(groups) > 1 and face.format == TEXT and not face.quiet:
            face.tell(face.err.text(f"{job.left} and {job.right}"))
        if choice is not None:
            decided, is_enough = [Decided(each.conflict, choice, content) for each in group], False
        else:
            from reconcile.cli.asking import ask_about

            decided, is_enough = ask_about(face, job, group)
            patient = max(job.lock_wait_s, _PATIENCE_S)
            job = msgspec.structs.replace(job, lock_wait_s=patient)
        if decided:
            try:
                typed_in = group[0].pair.directory if choice is None else ""
                codes.append(_Resolving(face, job, session, decided, typed_in).carry_out())
            except ReconcileError as error:
                _own_up(error, bool(codes))
                raise
        elif face.format == TEXT:
            face.tell("nothing was decided: nothing was changed")
        if is_enough:
            break
    return worst(*codes)


def _own_up(error: ReconcileError, has_done: bool) -> None:
    """An error speaks of its own pair; what was done in those before it stands."""
    if has_done and error.changed.startswith("nothing"):
        more = error.changed.removeprefix("nothing")
        error.changed = f"nothing in this pair{more}; what was resolved before it stands"


def _answer(keep: str, found: Sequence[OpenConflict]) -> tuple[Choice, bytes]:
    """The choice that --keep names, or the content of its file. Raises: UsageError."""
    if keep in _WORDS:
        return Choice(keep), b""
    if keep == "keep-both":
        return Choice.BOTH, b""
    location = os.path.expanduser(keep)
    if not os.path.isfile(location):
        hint = f"one of {' '.join(_WORDS)}, or a file"
        raise UsageError(f"`--keep {keep}` is no answer, and there is no such file", hint=hint)
    if len(found) != 1:
        raise UsageError(
            f"a file answers one conflict, not {len(found):,}",
            hint=f"reconcile conflicts resolve ID --keep {keep}",
        )
    try:
        content = read_regular(location, RESTORE_BYTES)
    except OSError as error:
        raise UsageError(f"`{keep}` cannot be read: {error.strerror}") from error
    return Choice.CONTENT, content


def _check_line(
    face: Face, ids: Sequence[str], found: Sequence[OpenConflict], *, is_given: bool
) -> None:
    """Raises: UsageError, NeedsApproval, before anything is looked at."""
    if not is_given and not face.may_ask:
        from reconcile.cli.verbs.conflicts import typed_again

        which = " ".join(typed_again(face)) or "--all"
        raise NeedsApproval(
            "it would have to ask what to keep, and nobody can answer",
            hint=f"reconcile conflicts resolve {which} --keep newer, or another answer",
        )
    named = ids or face.words or face.flag("all") or face.value("glob")
    if is_given and not named:
        raise UsageError(
            "which conflicts? name their ids, a pair, --only GLOB, or say --all",
            hint="reconcile conflicts",
        )
    only_plans = face.flag("only_show") or face.value("out")
    if not (face.may_ask or face.flag("yes") or only_plans):
        raise NeedsApproval(
            "it would have to ask before it changes anything, and nobody can answer",
            hint="add --yes, look first with -n, or save the plan: -o FILE.rplan",
        )
    if face.value("out") and len({each.pair.pair for each in found}) > 1:
        raise UsageError(
            "one plan is for one pair, and these conflicts are of several",
            hint="name the pair: reconcile conflicts resolve LEFT RIGHT -o FILE.rplan",
        )


def _nothing_stands(face: Face) -> int:
    if face.format == LINES:
        face.lines.hello()
    elif not face.quiet:
        face.say("No such conflict stands, as far as the last `diff` or `apply` saw.")
    return ExitCode.OK


def _job(face: Face, asked: Job | None, found: OpenConflict) -> Job:
    """The pair's job with this line's guards."""
    from reconcile.cli.verbs.conflicts import job_behind

    job = job_behind(face, asked, found)
    said = job_between(face, job.left, job.right)
    changes: dict[str, object] = {
        "limits": msgspec.structs.replace(said.limits, require=job.limits.require),
        "lock_wait_s": said.lock_wait_s,
        "accept_new_root": said.accept_new_root,
        "state_dir": said.state_dir,
    }
    for name in ("durability", "versions"):
        if name in face.options:
            changes[name] = getattr(said, name)
    return msgspec.structs.replace(job, **changes)


class _Resolving:
    """One pair's answers on their way."""

    def __init__(
        self,
        face: Face,
        job: Job,
        session: Session,
        decided: Sequence[Decided],
        typed_in: str,
    ) -> None:
        """`typed_in`: where answers that somebody typed are kept; empty: nobody did."""
        self._typed_in = typed_in
        self._count = len(decided)
        self._face = face
        self._job = job
        self._session = session
        self._resolution = Resolution(decided)

    def carry_out(self) -> ExitCode:
        """Show the plan, ask, apply; or only show, or save it."""
        if self._face.format == LINES:
            self._face.lines.run = ""  # that of the pair before is over
        self._session.begin(self._job)
        if self._face.flag("only_show") or self._face.value("out"):
            return self._only_plan()
        approval = _Approval(self._face, self._job, self._session, self._resolution)
        approval.keeps_answers = bool(self._typed_in)
        try:
            outcome = self._apply(approval)
        finally:
            self._session.close()
        if approval.was_declined:
            return self._declined(approval.said)
        if self._typed_in:
            forget_answers(self._typed_in)
        answers = self._resolution.settle(outcome)
        self._report(outcome, answers)
        return _code(outcome, answers)

    def _declined(self, said: Said) -> ExitCode:
        self._face.tell("not applied: nothing was changed")
        if self._typed_in and said is Said.NO:
            forget_answers(self._typed_in)
        elif self._typed_in:
            kept = counted(self._count, "answer")
            self._face.tell(f"{kept} kept:  reconcile conflicts resolve goes on with them")
        return ExitCode.DECLINED

    def _apply(self, approval: "_Approval") -> Outcome:
        try:
            return apply_job(self._job, self._session, approval, self._resolution)
        except Refused:
            allowed = approval.ask_past_guards()
            if allowed is None:
                raise
            again = _Approval(self._face, allowed, self._session, self._resolution, approval.plan)
            again.keeps_answers = approval.keeps_answers
            outcome = apply_job(allowed, self._session, again, self._resolution)
            approval.said = again.said
            return outcome

    def _only_plan(self) -> ExitCode:
        face, location = self._face, self._face.value("out")
        try:
            planning = make_plan(self._job, self._session, self._resolution)
        finally:
            self._session.close()
        plan, created_ns = planning.plan, now_ns()
        if location:
            save(face, self._job, plan, location, created_ns)
        _print_resolution(face, plan, self._resolution, created_ns, self._job, location)
        answers = self._resolution.answers
        if face.format == LINES:
            for answer in answers:
                face.lines.emit(conflict_resolved_event(answer, planned=True))
        elif face.quiet < 2:
            for line in answer_lines(answers, face.out)[1:]:
                face.say(line)
            for line in guard_lines(plan, face.err):
                face.tell(line)
            if location:
                shown = face.out.path(os.fsencode(location))
                face.say(f"Saved to {shown}.")
                face.say(f"  apply it  reconcile apply {shown}")
        return worst(*_left_over(answers))

    def _report(self, outcome: Outcome, answers: Sequence[Answer]) -> None:
        face = self._face
        if face.format == LINES:
            face.lines.run = outcome.run
            for answer in answers:
                face.lines.emit(conflict_resolved_event(answer))
            known = set(outcome.planning.plan.problems)
            for problem in outcome.problems:
                if problem not in known:
                    face.lines.emit(problem_event(problem))
            face.lines.emit(summary_event(outcome))
        elif face.quiet < 2:
            done = msgspec.structs.replace(outcome, conflicts=())
            for line in (
                *answer_lines(answers, face.out),
                *outcome_lines(done, face.out, "", kept=self._job.versions),
            ):
                face.say(line)
            if outcome.conflicts:
                left = counted(len(outcome.conflicts), "conflict")
                face.say(f"{left} of this pair left:  reconcile conflicts resolve")


class _Approval(Approval):
    """Shows only what the resolution does."""

    def __init__(
        self,
        face: Face,
        job: Job,
        session: Session,
        resolution: Resolution,
        already_shown: Plan | None = None,
    ) -> None:
        super().__init__(face, job, session, already_shown)
        self._resolution = resolution

    def _print(self, planning: Planning) -> None:
        _print_resolution(self._face, planning.plan, self._resolution, self._created_ns, self._job)


def _print_resolution(
    face: Face, plan: Plan, resolution: Resolution, created_ns: int, job: Job, file: str = ""
) -> None:
    """The steps, and of the conflicts only those that were decided and stay."""
    stay = [c for c in plan.conflicts if c.path in resolution.decided]
    shown = msgspec.structs.replace(plan, conflicts=tuple(stay))
    identity = plan_id(plan, created_ns)
    if face.format == LINES:
        for event in plan_events(shown, identity, file):
            face.lines.emit(event)
    elif face.quiet < 2 and (shown.steps or shown.problems):
        print_plan(face, shown, identity, versions=job.versions)


def _code(outcome: Outcome, answers: Sequence[Answer]) -> ExitCode:
    codes = _left_over(answers)
    if outcome.not_done or any(problem.severity == "error" for problem in outcome.problems):
        codes.append(ExitCode.PARTIAL)
    return worst(*codes)


def _left_over(answers: Sequence[Answer]) -> list[ExitCode]:
    stay = (Ending.STAYS, Ending.CHANGED, Ending.FAILED)
    return [ExitCode.CONFLICTS] if any(answer.ending in stay for answer in answers) else []
