"""Carrying out: one plan that is to be applied, from the locks of its sides to its outcome.

Whoever calls holds the pair's lock and has had the plan approved; nothing is
decided here.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from reconcile.decide.held import shortfall
from reconcile.engine.apply import apply, leftovers_to_clear
from reconcile.engine.bases import NO_LIMIT, Budget, keep_bases
from reconcile.engine.batches import brings_content
from reconcile.engine.closing import Closing
from reconcile.engine.events import Noted, Phase
from reconcile.engine.keeping import options_at
from reconcile.engine.ledger import StoreLedger
from reconcile.engine.merging import merged_content
from reconcile.engine.opened import Opened
from reconcile.engine.outcome import Ended, Outcome, Planning
from reconcile.engine.pairs import now_ns
from reconcile.engine.planning import Seen, compared_again, note_standing
from reconcile.engine.tokens import tokens_left
from reconcile.engine.twins import Twins
from reconcile.engine.waiting import begin_apart, patiently, refuse_locks_above
from reconcile.model.job import Job
from reconcile.model.manifest import Header, Manifest
from reconcile.model.plan import Plan, PlanKind, Problem, Side, Step
from reconcile.model.policy import Policy
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import ROOT, TreePath, order_key, parents
from reconcile.store.records import Baseline, Run
from reconcile.trees.base import RunOptions

_TOLD = 20
"""So many paths are named whose metadata fell short; the others are counted."""


class Carried(NamedTuple):
    """A plan about to be carried out, and all that it needs."""

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


def carry_out(run: Carried) -> Outcome:
    """Do the plan's steps, record them, and let go of the sides; what became of it.

    Raises: Locked, Denied (before the first step), Unreachable; what was done is recorded.
    """
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
        bare=opened.able.is_bare,
    )
    if plan.kind.settles and not opened.store.noted("left"):
        with opened.store.transaction():
            opened.note_pair()  # a first run that is killed is known by its sides, too
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
    closing = Closing(opened.listener)
    _end_sides(opened, closing)
    if not closing.problems:
        with closing.errand("noting the modes of new directories", "error"):
            ledger.narrowed()
    budget = _bases_to_keep(job, plan)
    if budget is not None:
        with closing.errand("keeping what a later merge builds on", "error"):
            keep_bases(opened, plan, receipts, run.manifest(Side.LEFT), budget)
    with closing.errand("noting what is left to decide", "error"):
        standing = _standing_after(opened, plan, receipts)
        waits = _waiting(plan, standing, len(rest.steps), receipts)
        note_standing(opened, standing, run.id, asked=plan.kind.settles, pending=waits)
    outcome = _outcome(run, rest, receipts, ledger, (*notes, *closing.problems), started)
    if not job.retention.is_given:
        return outcome
    from reconcile.engine.pruning import after_run  # most jobs keep everything

    return after_run(opened, outcome)


def _waiting(plan: Plan, standing: Plan, tried: int, receipts: Sequence[Receipt]) -> int:
    """How many steps wait for the next run now; -1: a resolution did not look at all."""
    if plan.kind is PlanKind.RESOLVE:
        return -1
    if plan.kind is not PlanKind.SYNC:
        return len(standing.steps)
    return tried - sum(receipt.status is Status.DONE for receipt in receipts)


def _standing_after(opened: Opened, plan: Plan, receipts: Sequence[Receipt]) -> Plan:
    """A plan with the conflicts that stand now; an undo brings back those of before."""
    if plan.kind.settles:
        return _with_undone(opened, plan, receipts)
    found = compared_again(opened, plan)
    if opened.noted_pair:
        return found
    # Under the rules of that run not every conflict of today's is one: those that stood stand.
    known = {conflict.path for conflict in found.conflicts}
    stood = [each.conflict for each in opened.store.conflicts.standing()]
    more = (conflict for conflict in stood if conflict.path not in known)
    conflicts = sorted((*found.conflicts, *more), key=lambda conflict: order_key(conflict.path))
    return msgspec.structs.replace(found, conflicts=tuple(conflicts))


def _written_header(run: Carried) -> Header:
    """How exactly is written: what is brought back has every permission bit it had."""
    header = run.opened.header
    if run.plan.kind.settles:
        return header
    tracked = msgspec.structs.replace(header.tracked, mode=True)
    return msgspec.structs.replace(header, tracked=tracked)


def _begin_sides(run: Carried, options: RunOptions) -> tuple[Problem, ...]:
    """Lock both roots and put leftovers away; notes of what could not be."""
    opened = run.opened
    if not run.plan.steps and not any(run.leftovers(side) for side in Side):
        return ()
    opened.listener(Phase("recover"))
    notes: list[Problem] = []
    # Local sides first: a far side inside one, or around it, shows by the lock of the other.
    with tokens_left(opened) as tokens:
        for side in sorted(Side, key=lambda each: opened.remote(each) is not None):
            tree, leftovers = opened.tree(side), run.leftovers(side)
            here = options_at(opened, side, run.plan, options)
            here = msgspec.structs.replace(here, token=tokens.content(side))
            found = patiently(opened, partial(begin_apart, tree, here, leftovers))
            found = tokens.heard(side, found)
            notes.extend(msgspec.structs.replace(problem, side=side) for problem in found)
        refuse_locks_above(opened, options.run)
    for note in notes:
        opened.listener(Noted(note))
    return tuple(notes)


def _twins(run: Carried, plan: Plan) -> Twins | None:
    """None for two sides of this machine: content costs nothing to bring there."""
    if all(run.opened.remote(side) is None for side in Side):
        return None
    return Twins({side: run.manifest(side) for side in Side}, plan.steps)


def _end_sides(opened: Opened, closing: Closing) -> None:
    """Unlock both roots. A side that is lost by now has unlocked itself: all is recorded."""
    for side in Side:
        with closing.errand("letting go of this side", "note", side):
            _end_side(opened, side)


def _end_side(opened: Opened, side: Side) -> None:
    opened.note_clock(side)
    opened.tree(side).end()
    cursor = opened.cursor(side)
    if cursor:
        with opened.store.transaction():
            opened.store.take_cursor(side, cursor)


def _generation(run: Carried) -> Baseline:
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
    run: Carried,
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
        problems=(*run.plan.problems, *notes, *_shortfalls(run, by_step, receipts)),
        baseline_before=run.planning.generation,
        baseline_after=newest.number if newest else 0,
        duration_ns=time.monotonic_ns() - started,
        resumed=run.before is not None,
        counts=ledger.counts,
    )


def _shortfalls(
    run: Carried, by_step: Mapping[int, Step], receipts: Sequence[Receipt]
) -> tuple[Problem, ...]:
    """Notes of metadata that are not as they were wanted; the last counts what is left unsaid."""
    tracked = run.opened.header.tracked
    told = {(p.side, p.path) for p in run.plan.problems if p.code == "E_NOT_KEPT"}
    notes: list[Problem] = []
    unsaid = 0
    for receipt in receipts:
        if receipt.status is not Status.DONE or receipt.entry is None:
            continue
        step = by_step[receipt.step]
        if (step.side, step.path) in told:
            continue  # before the first write
        text = shortfall(step, receipt.entry, tracked)
        if text and len(notes) < _TOLD:
            notes.append(Problem(step.path, step.side, "E_NOT_KEPT", text, "note"))
        elif text:
            unsaid += 1
    if unsaid:
        text = f"so it is with {unsaid:,} more: metadata were not kept there as they were wanted"
        notes.append(Problem(ROOT, None, "E_NOT_KEPT", text, "note"))
    return tuple(notes)


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
