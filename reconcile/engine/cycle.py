"""The cycle: observe both sides, compare, plan, apply. Calls the floors below in order.

It owns no rule: judgement is in `decide`, the world in `trees` and `store`.
"""

import secrets
import time
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import msgspec

from reconcile.decide.guards import refusal
from reconcile.engine.apply import apply, leftovers_to_clear
from reconcile.engine.bases import NO_LIMIT, Budget, keep_bases
from reconcile.engine.batches import brings_content
from reconcile.engine.events import Listener, Noted, Phase
from reconcile.engine.inspection import baselines, explain, reset_baseline, status, verify
from reconcile.engine.ledger import StoreLedger
from reconcile.engine.merging import merged_content
from reconcile.engine.opened import Opened
from reconcile.engine.outcome import Ended, Outcome, Planning
from reconcile.engine.pairs import now_ns
from reconcile.engine.planning import (
    PlanMaker,
    Seen,
    Sight,
    compared_again,
    judged,
    make_plan,
    note_standing,
    plan_now,
)
from reconcile.engine.twins import Twins
from reconcile.model.codec import encode
from reconcile.model.errors import PlanUsed, StalePlan, Unreachable
from reconcile.model.job import Job
from reconcile.model.manifest import Header, Manifest
from reconcile.model.plan import Plan, PlanKind, Problem, Side
from reconcile.model.policy import Policy
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath, parents
from reconcile.store.records import Baseline, Run
from reconcile.trees.base import RunOptions, Tally

_SYNC = PlanKind.SYNC
Approve = Callable[[Planning], Plan | None]
"""Shown the plan before the first write; answers what may be applied, or None to stop."""


def apply_job(job: Job, listener: Listener, approve: Approve, make: PlanMaker = judged) -> Outcome:
    """Lock, recover, observe, plan, ask `approve`, apply.

    `approve` sees the plan even when a guard fails in it; the refusal comes after.
    Raises: Refused, RootMissing (a guard, before the first write), Locked, NeedsApproval …
    """
    run = new_run_id()
    with Opened(job, listener, run=run, exclusive=True) as opened:
        _close_interrupted(opened)
        seen = plan_now(opened, make)
        planning = seen.planning
        approved = approve(planning)
        refused = refusal(planning.plan, planning.plan.guards, job.limits)
        if refused is not None:
            raise refused
        if approved is None:
            return _nothing_done(planning)
        if _changes_nothing(approved) and (planning.generation or approved.kind is not _SYNC):
            note_standing(opened, approved, run)
            return _nothing_done(planning)
        return _carry_out(_Run(opened, run, approved, seen, planning))


def apply_plan(job: Job, plan: Plan, plan_id: str, listener: Listener) -> Outcome:
    """Carry out a saved plan, or go on with its interrupted run.

    Raises: PlanUsed, StalePlan, Refused, Locked; nothing was changed then.
    """
    with Opened(job, listener, run=new_run_id(), exclusive=True) as opened:
        before = _resumed(opened, plan, plan_id)
        if before is None:
            _refuse_stale(opened, plan)
            refused = refusal(plan, plan.guards, job.limits)
            if refused is not None:
                raise refused
        run = before.id if before else opened.run
        newest = opened.baseline()
        planning = Planning(
            plan,
            Tally(),
            Tally(),
            newest.number if newest else 0,
            newest.time_ns if newest else 0,
            0,
        )
        return _carry_out(_Run(opened, run, plan, None, planning, plan_id, before))


def adopt_baseline(job: Job, listener: Listener) -> Planning:
    """Take everything that is equal on both sides now as agreed, and change no side."""
    run = new_run_id()
    with Opened(job, listener, run=run, exclusive=True) as opened:
        seen = plan_now(opened)
        equal = msgspec.structs.replace(seen.planning.plan, steps=())
        _carry_out(_Run(opened, run, equal, seen, seen.planning))
        return seen.planning


def new_run_id() -> str:
    """`r-` and ten characters that sort by time."""
    stamp = int(time.time() * 1000) & 0xFFFFFFFFF
    return f"r-{stamp:09x}{secrets.token_hex(1)}"


class _Run(NamedTuple):
    """One run about to be carried out."""

    opened: Opened
    id: str
    plan: Plan
    seen: Seen | None
    """None for a saved plan: nothing was observed now."""
    planning: Planning
    plan_id: str = ""
    before: Run | None = None
    """The interrupted part of the same run."""

    def manifest(self, side: Side) -> Manifest:
        """The side as it was last seen."""
        if self.seen is not None:
            return (self.seen.left if side is Side.LEFT else self.seen.right).manifest
        return self.opened.store.manifest(side, header=self.opened.header)

    def leftovers(self, side: Side) -> Sequence[TreePath]:
        """What an interrupted run left there that this one cannot use."""
        if self.seen is None:
            return ()
        seen = self.seen.left if side is Side.LEFT else self.seen.right
        return leftovers_to_clear(self.plan, side, seen.leftovers)


def _carry_out(run: _Run) -> Outcome:
    opened, plan = run.opened, run.plan
    started = time.monotonic_ns()
    done: Collection[int] = opened.store.runs.done(run.id) if run.before else ()
    rest = msgspec.structs.replace(
        plan, steps=tuple(step for step in plan.steps if step.id not in done)
    )
    ledger = StoreLedger(
        opened.store,
        _generation(run),
        run.manifest(Side.LEFT),
        run.manifest(Side.RIGHT),
        whole_plan=plan,
        plan_id=run.plan_id,
        done=done,
        cursor=opened.cursor,
        job=opened.plain_job,
    )
    job = opened.job
    options = RunOptions(run.id, job.durability, job.versions, _written_header(run))
    notes = _begin_sides(run, options)
    opened.listener(Phase("transfer"))
    receipts = apply(
        rest,
        opened.left,
        opened.right,
        ledger,
        opened.listener,
        options,
        merged_content(opened),
        _twins(run, rest),
    )
    opened.listener(Phase("commit"))
    _end_sides(opened)
    budget = _bases_to_keep(job, plan)
    if budget is not None:
        keep_bases(opened, plan, receipts, run.manifest(Side.LEFT), budget)
    note_standing(opened, _standing_after(opened, plan, receipts), run.id)
    outcome = _outcome(run, rest, receipts, ledger, notes, started)
    if not job.retention.is_given:
        return outcome
    from reconcile.engine.pruning import after_run  # most jobs keep everything

    return after_run(opened, outcome)


def _standing_after(opened: Opened, plan: Plan, receipts: Sequence[Receipt]) -> Plan:
    """A plan with the conflicts that stand now; an undo brings back those of before."""
    if plan.kind.settles:
        return _with_undone(opened, plan, receipts)
    return compared_again(opened, plan)


def _written_header(run: _Run) -> Header:
    """How exactly is written: what is brought back has every permission bit it had."""
    header = run.opened.header
    if run.plan.kind.settles:
        return header
    tracked = msgspec.structs.replace(header.tracked, mode=True)
    return msgspec.structs.replace(header, tracked=tracked)


def _begin_sides(run: _Run, options: RunOptions) -> tuple[Problem, ...]:
    """Lock both roots and put leftovers away; notes of what could not be."""
    opened = run.opened
    if not run.plan.steps and not any(run.leftovers(side) for side in Side):
        return ()
    opened.listener(Phase("recover"))
    notes: list[Problem] = []
    for side in Side:
        found = opened.tree(side).begin(options, run.leftovers(side))
        notes.extend(msgspec.structs.replace(problem, side=side) for problem in found)
    for note in notes:
        opened.listener(Noted(note))
    return tuple(notes)


def _twins(run: _Run, plan: Plan) -> Twins | None:
    """None for two sides of this machine: content costs nothing to bring there."""
    if all(run.opened.remote(side) is None for side in Side):
        return None
    return Twins({side: run.manifest(side) for side in Side}, plan.steps)


def _end_sides(opened: Opened) -> None:
    """Unlock both roots. A side that is lost by now has unlocked itself: all is recorded."""
    for side in Side:
        try:
            opened.tree(side).end()
        except Unreachable:
            continue
        cursor = opened.cursor(side)
        if cursor:
            with opened.store.transaction():
                opened.store.take_cursor(side, cursor)


def _generation(run: _Run) -> Baseline:
    opened = run.opened
    newest = opened.baseline()
    known = (newest.left_identity, newest.right_identity) if newest else ("", "")
    if run.seen is not None:
        known = (run.seen.left.identity, run.seen.right.identity)
    return Baseline(
        0,
        now_ns(),
        run.id,
        None,
        opened.header,
        filter_digest=opened.filter.digest if opened.filter else b"",
        left_identity=known[0],
        right_identity=known[1],
    )


def _outcome(
    run: _Run,
    rest: Plan,
    receipts: Sequence[Receipt],
    ledger: StoreLedger,
    notes: tuple[Problem, ...],
    started: int,
) -> Outcome:
    by_step = {step.id: step for step in rest.steps}
    not_done = tuple(
        Ended(by_step[receipt.step], receipt)
        for receipt in receipts
        if receipt.status is not Status.DONE
    )
    newest = run.opened.baseline()
    return Outcome(
        run=run.id if rest.steps or run.plan.reverts or run.before else "",
        planning=run.planning,
        done=len(receipts) - len(not_done),
        done_bytes=sum(
            receipt.size_bytes for receipt in receipts if brings_content(by_step[receipt.step])
        ),
        not_done=not_done,
        conflicts=run.plan.conflicts,
        problems=(*run.plan.problems, *notes),
        baseline_before=run.planning.generation,
        baseline_after=newest.number if newest else 0,
        duration_ns=time.monotonic_ns() - started,
        resumed=run.before is not None,
        counts=ledger.counts,
    )


def _nothing_done(planning: Planning) -> Outcome:
    return Outcome(
        run="",
        planning=planning,
        done=0,
        done_bytes=0,
        not_done=(),
        conflicts=planning.plan.conflicts,
        problems=planning.plan.problems,
        baseline_before=planning.generation,
        baseline_after=planning.generation,
        duration_ns=planning.duration_ns,
    )


def _close_interrupted(opened: Opened) -> None:
    """A run that was killed is over: the plan made now takes its place."""
    run = opened.store.runs.interrupted()
    if run is not None:
        ended = msgspec.structs.replace(run, ended_ns=now_ns(), result="interrupted")
        with opened.store.transaction():
            opened.store.runs.end(ended)


def _changes_nothing(plan: Plan) -> bool:
    return not plan.steps and not plan.agreements and not plan.reverts


def _bases_to_keep(job: Job, plan: Plan) -> Budget | None:
    """All where merges are asked for, else a few; None: where no superseded content is kept."""
    asked = (job.rules.policies, *(path.policies for path in job.rules.path_policies))
    if not plan.kind.settles:
        return None
    if any(Policy.MERGE in policies for policies in asked):
        return NO_LIMIT
    return Budget() if job.versions else None


def _with_undone(opened: Opened, plan: Plan, receipts: Sequence[Receipt]) -> Plan:
    """The plan with the conflicts among those that stood whose steps were not all done."""
    undone = {receipt.step for receipt in receipts if receipt.status is not Status.DONE}
    if not undone:
        return plan
    paths = {step.path for step in plan.steps if step.id in undone}
    covered = {above for path in paths for above in (path, *parents(path))}
    known = {conflict.path for conflict in plan.conflicts}
    standing = [each.conflict for each in opened.store.conflicts.standing()]
    back = [c for c in standing if c.path in covered and c.path not in known]
    return msgspec.structs.replace(plan, conflicts=(*plan.conflicts, *back)) if back else plan


def _resumed(opened: Opened, plan: Plan, plan_id: str) -> Run | None:
    """The interrupted run of this very plan; None: it has not begun. Raises: PlanUsed."""
    used_by = opened.store.runs.consumed_by(plan_id)
    if used_by is not None:
        raise PlanUsed(
            f"plan {plan_id} was applied before, as run {used_by}",
            hint="make a new plan: reconcile diff LEFT RIGHT -o FILE.rplan",
        )
    run = opened.store.runs.interrupted()
    if run is None or run.plan_id != plan_id:
        _close_interrupted(opened)
        return None
    if run.plan != encode(plan):
        raise StalePlan(f"plan {plan_id} is not the one that run {run.id} began with")
    return run


def _refuse_stale(opened: Opened, plan: Plan) -> None:
    """Raises: StalePlan, when the baseline or the pair is no longer what the plan saw."""
    made_from = plan.made_from
    again = "make a new plan: reconcile diff LEFT RIGHT -o FILE.rplan"
    if made_from.pair != opened.pair:
        raise StalePlan("the plan was made for another pair of roots", hint=again)
    if made_from.header != opened.header:
        raise StalePlan("the plan was made under another hash or metadata set", hint=again)
    newest = opened.baseline()
    number = newest.number if newest else 0
    root_id = newest.root.id if newest and newest.root else b""
    if (number, root_id) == (made_from.generation, made_from.base_root):
        return
    if made_from.against:
        now = f"baseline #{number}" if number else "nothing yet"
        raise StalePlan(
            f"the plan says what differs from {made_from.against}, to be looked at; "
            f"both sides have agreed on {now}",
            hint="make one to apply: reconcile diff LEFT RIGHT -o FILE.rplan",
        )
    raise StalePlan(
        f"the plan was made from baseline #{made_from.generation}, the pair is at #{number}",
        hint=again,
    )


__all__ = [
    "Approve",
    "PlanMaker",
    "Sight",
    "adopt_baseline",
    "apply_job",
    "apply_plan",
    "baselines",
    "explain",
    "make_plan",
    "reset_baseline",
    "status",
    "verify",
]
