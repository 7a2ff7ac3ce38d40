"""The cycle: observe both sides, compare, plan, apply. Calls the floors below in order.

It owns no rule: judgement is in `decide`, the world in `trees` and `store`.
"""

import secrets
import time
from collections.abc import Callable, Mapping

import msgspec

from reconcile.decide.guards import check_toll, refusal
from reconcile.decide.token import BEARS_ANOTHER, Bearing
from reconcile.engine.carrying import Carried, carry_out
from reconcile.engine.events import Listener
from reconcile.engine.inspection import baselines, explain, reset_baseline, status, verify
from reconcile.engine.opened import Opened
from reconcile.engine.outcome import Outcome, Planning
from reconcile.engine.pairs import now_ns
from reconcile.engine.planfile import lacks_texts, made_anew
from reconcile.engine.planning import (
    PlanMaker,
    Sight,
    judged,
    make_plan,
    note_standing,
    plan_now,
)
from reconcile.engine.tokens import bearing_at
from reconcile.engine.waiting import wait_for_roots
from reconcile.model.codec import encode
from reconcile.model.entry import Kind
from reconcile.model.errors import PlanUsed, StalePlan
from reconcile.model.job import Job
from reconcile.model.manifest import walk
from reconcile.model.plan import Plan, PlanKind, Side
from reconcile.model.policy import Limits
from reconcile.store.records import Run
from reconcile.trees.base import Tally

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
        wait_for_roots(opened)
        seen = plan_now(opened, make)
        planning = seen.planning
        approved = approve(planning)
        refused = refusal(planning.plan, planning.plan.guards, job.limits)
        if refused is not None:
            raise refused
        if approved is None:
            return _nothing_done(planning)
        if _changes_nothing(approved) and (
            planning.generation or approved.kind is not PlanKind.SYNC
        ):
            settles = approved.kind.settles
            note_standing(opened, approved, run, asked=settles, pending=0 if settles else -1)
            return _nothing_done(planning)
        return carry_out(Carried(opened, run, approved, seen, planning))


def apply_plan(
    job: Job, plan: Plan, plan_id: str, listener: Listener, *, limits: Limits | None = None
) -> Outcome:
    """Carry out a saved plan, or go on with its interrupted run.

    `limits`: to be kept as well, beside those that the plan says it was made under.
    A plan that changes nothing is not used up.
    Raises: PlanUsed, StalePlan, Refused, Locked; nothing was changed then.
    """
    with Opened(job, listener, run=new_run_id(), exclusive=True) as opened:
        before = _resumed(opened, plan, plan_id)
        if not job.accept_older:
            _refuse_older(opened, plan)
        if before is None:
            _refuse_stale(opened, plan)
            refused = refusal(plan, plan.guards, job.limits)
            if refused is None and limits is not None:
                refused = refusal(plan, check_toll(plan, _files(opened), limits), limits)
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
        if before is None and newest is not None and _changes_nothing(plan):
            return _nothing_done(planning)
        return carry_out(Carried(opened, run, plan, None, planning, plan_id, before))


def _files(opened: Opened) -> Mapping[Side, int]:
    """How many files and links each side held when it was last looked at."""
    with opened.store.reading():
        return {
            side: sum(
                entry.kind in (Kind.FILE, Kind.LINK)
                for _, entry in walk(opened.store.manifest(side, header=opened.header))
            )
            for side in Side
        }


def adopt_baseline(job: Job, listener: Listener) -> Planning:
    """Take everything that is equal on both sides now as agreed, and change no side."""
    run = new_run_id()
    with Opened(job, listener, run=run, exclusive=True) as opened:
        seen = plan_now(opened)
        equal = msgspec.structs.replace(seen.planning.plan, steps=())
        carry_out(Carried(opened, run, equal, seen, seen.planning))
        return seen.planning


def new_run_id() -> str:
    """`r-` and ten characters that sort by time."""
    stamp = int(time.time() * 1000) & 0xFFFFFFFFF
    return f"r-{stamp:09x}{secrets.token_hex(1)}"


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


def _resumed(opened: Opened, plan: Plan, plan_id: str) -> Run | None:
    """The interrupted run of this very plan; None: it has not begun. Raises: PlanUsed."""
    used_by = opened.store.runs.consumed_by(plan_id)
    if used_by is not None:
        raise PlanUsed(
            f"plan {plan_id} was applied before, as run {used_by}",
            hint=made_anew(plan),
        )
    run = opened.store.runs.interrupted()
    if run is None or run.plan_id != plan_id:
        _close_interrupted(opened)
        return None
    if run.plan != encode(plan):
        raise StalePlan(f"plan {plan_id} is not the one that run {run.id} began with")
    return run


def _refuse_older(opened: Opened, plan: Plan) -> None:
    """Raises: StalePlan, when a root is a copy that was made before the last run."""
    for side in {step.side for step in plan.steps}:
        if bearing_at(opened, side) is Bearing.ANOTHER:
            raise StalePlan(f"{side} {BEARS_ANOTHER}", where=opened.url(side), hint=made_anew(plan))


def _refuse_stale(opened: Opened, plan: Plan) -> None:
    """Raises: StalePlan, when the baseline or the pair is no longer what the plan saw."""
    made_from = plan.made_from
    again = made_anew(plan)
    if made_from.pair != opened.pair:
        raise StalePlan("the plan was made for another pair of roots", hint=again)
    if made_from.header != opened.header:
        raise StalePlan("the plan was made under another hash or metadata set", hint=again)
    if lacks_texts(plan, opened.directory):
        raise StalePlan("the texts that the plan merged are no longer kept", hint=again)
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
    if not number:
        raise StalePlan(
            f"the plan was made from baseline #{made_from.generation}, and the state here knows "
            "of nothing that this pair has agreed on",
            where=opened.directory,
            hint=f"name the state it was made with (--state-dir), or {again}",
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
