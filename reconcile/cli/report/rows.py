"""A plan, or a run with its journal, as report rows. A translation: nothing is decided."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from reconcile.cli.display import display_path, display_text
from reconcile.cli.render_plan import direction_text
from reconcile.cli.report.columns import (
    NOT_TRIED,
    NOTED,
    OPEN,
    PLANNED,
    UNTOUCHED,
    Report,
    ReportRow,
    sort_key,
)
from reconcile.cli.to_json import hash_text
from reconcile.decide.reasons import kind_word
from reconcile.model.codec import decode
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestError
from reconcile.model.plan import Action, Conflict, Plan, Problem, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.store.records import Run

Journal = Sequence[tuple[Step, Receipt]]
_ARROWS = {"left → right": "left->right", "left ← right": "left<-right"}


def rows_of_plan(plan: Plan, plan_id: str) -> tuple[ReportRow, ...]:
    """Every step, conflict and problem of a plan, sorted."""
    maker = _Maker(plan_id, "", plan.made_from.header.hash_name)
    rows = [maker.step(step) for step in plan.steps]
    rows += maker.untouched(plan.conflicts, plan.problems)
    return tuple(sorted(rows, key=sort_key))


def rows_of_run(run: Run, journal: Journal) -> tuple[ReportRow, ...]:
    """The same rows with what became of each; steps it never came to are `not-tried`.

    LIMIT: what the last 100 runs left alone is known, of older ones no row is.
    """
    plan = plan_of_run(run)
    maker = _Maker(run.plan_id, run.id, run.made_from.header.hash_name)
    rows = [maker.step(step, receipt) for step, receipt in journal]
    tried = {step.id for step, _ in journal}
    rows += [maker.step(step, None) for step in plan.steps if step.id not in tried]
    rows += maker.untouched(plan.conflicts, plan.problems)
    return tuple(sorted(rows, key=sort_key))


def report_of_plan(
    plan: Plan,
    plan_id: str,
    created_ns: int,
    *,
    notes: Iterable[str] = (),
    versions: bool = True,
) -> Report:
    """A plan as a report."""
    return msgspec.structs.replace(
        _frame(plan, plan_id),
        time_ns=created_ns,
        notes=tuple(notes),
        versions=versions,
        rows=rows_of_plan(plan, plan_id),
    )


def report_of_run(run: Run, journal: Journal) -> Report:
    """What a run did as a report."""
    job = run.job
    return msgspec.structs.replace(
        _frame(plan_of_run(run), run.plan_id),
        run=run.id,
        kind=run.kind.value,
        of=display_text(run.of),
        time_ns=run.started_ns,
        ended_ns=run.ended_ns,
        result=run.result,
        baseline_after=run.baseline_after,
        versions=job is None or job.versions,
        rows=rows_of_run(run, journal),
    )


def plan_of_run(run: Run) -> Plan:
    """The plan that a run carried out, as far as it is still kept: an unsaved one's steps are in
    the journal only, and of runs long ago nothing is."""
    if run.plan:
        try:
            return decode(run.plan, Plan)
        except ManifestError:
            pass
    rules = run.job.rules if run.job is not None else None
    mode = rules.mode.value if rules is not None else ""
    policy = ",".join(rules.policies) if rules is not None else ""
    return Plan(run.made_from, (), mode=mode, policy=policy, kind=run.kind, of=run.of)


def _frame(plan: Plan, plan_id: str) -> Report:
    made = plan.made_from
    return Report(
        plan=plan_id,
        kind=plan.kind.value,
        of=display_text(plan.of),
        left=display_text(made.left),
        right=display_text(made.right),
        mode=plan.mode,
        policy=plan.policy,
        baseline=made.generation,
        against=display_text(made.against),
        time_ns=0,
        first_run=plan.first_run,
        hash_name=made.header.hash_name,
        guards=plan.guards,
        conflicts=plan.conflicts,
    )


class _Maker:
    """Makes the rows of one report."""

    def __init__(self, plan_id: str, run: str, hash_name: str) -> None:
        self._plan = plan_id
        self._run = run
        self._hash_name = hash_name

    def step(self, step: Step, receipt: Receipt | None = None) -> ReportRow:
        """A step; with its receipt how it ended."""
        want, old = step.want, step.expect
        moved = step.source.path if step.action is Action.MOVE and step.source else None
        status = NOT_TRIED if self._run else PLANNED
        error = ""
        if receipt is not None:
            status = receipt.status.value
            if receipt.status is not Status.DONE:
                error = f"{receipt.code}: {display_text(receipt.detail)}".strip(": ")
        way = direction_text(step)
        return ReportRow(
            self._plan,
            self._run,
            step.action.value,
            _ARROWS.get(way, way),
            step.path,
            moved,
            _size(want),
            _size(old),
            self._hash(want),
            self._hash(old),
            _reason(step),
            display_text(step.rule),
            status,
            error,
        )

    def untouched(
        self, conflicts: Iterable[Conflict], problems: Iterable[Problem]
    ) -> Iterator[ReportRow]:
        """What stays as it is, and why."""
        for conflict in conflicts:
            yield ReportRow(
                self._plan,
                self._run,
                "conflict",
                "both",
                conflict.path,
                old_size=_size(conflict.base),
                old_hash=self._hash(conflict.base),
                reason=f"{conflict.kind} {conflict.id}",
                policy=display_text(conflict.policy),
                status=OPEN,
                error=display_text(conflict.note),
            )
        for problem in problems:
            is_error = problem.severity == "error"
            yield ReportRow(
                self._plan,
                self._run,
                "error" if is_error else "note",
                "both" if problem.side is None else f"at {problem.side.value}",
                problem.path,
                reason=problem.code,
                status=UNTOUCHED if is_error else NOTED,
                error=display_text(problem.reason),
            )

    def _hash(self, entry: Entry | None) -> str:
        if entry is None:
            return ""
        if entry.kind is Kind.LINK:
            return f"link:{display_path(entry.id)}"
        return hash_text(entry.id, self._hash_name) if entry.kind is Kind.FILE else ""


def _size(entry: Entry | None) -> int | None:
    return entry.size if entry is not None and entry.kind is Kind.FILE else None


def _reason(step: Step) -> str:
    """The word of the plan; with the two modes or kinds where these are what changes."""
    old, new = step.expect, step.want
    if old is None or new is None:
        return step.reason
    if step.action is Action.META and old.mode != new.mode:
        return f"{step.reason} {old.mode:04o}->{new.mode:04o}"
    if old.kind is not new.kind:
        return f"{step.reason} {kind_word(old)}->{kind_word(new)}"
    return step.reason
