"""The cycle: observe both sides, compare, plan, apply. Calls the floors below in order.

It owns no rule: judgement is in `decide`, the world in `trees` and `store`.
"""

from collections.abc import Callable, Sequence

from reconcile.engine.events import Listener
from reconcile.engine.outcome import (
    Explanation,
    Generation,
    Outcome,
    PairStatus,
    Planning,
    Verification,
)
from reconcile.model.job import Job
from reconcile.model.plan import Plan
from reconcile.model.treepath import TreePath

Approve = Callable[[Planning], Plan | None]
"""Shown the plan before the first write; answers what may be applied, or None to stop."""


def make_plan(job: Job, listener: Listener) -> Planning:
    """Observe both sides and compare them with the baseline; nothing is written on a side.

    Raises: every error of the observation; a guard that fails does not raise
    here, it stands in `plan.guards` with `ok` false.
    """
    raise NotImplementedError


def apply_job(job: Job, listener: Listener, approve: Approve) -> Outcome:
    """Lock, recover, observe, plan, ask `approve`, apply.

    Raises: Refused (a guard, before the first write), Locked, NeedsApproval …
    """
    raise NotImplementedError


def apply_plan(job: Job, plan: Plan, plan_id: str, listener: Listener) -> Outcome:
    """Carry out a saved plan, or go on with its interrupted run.

    Raises: PlanUsed, StalePlan, Refused, Locked; nothing was changed then.
    """
    raise NotImplementedError


def verify(job: Job, listener: Listener, sample: float = 1.0) -> Verification:
    """Read and hash both sides again and compare with each other and with the baseline."""
    raise NotImplementedError


def explain(job: Job, path: TreePath, listener: Listener) -> Explanation:
    """Why `path` is, or is not, in the plan that would be made now."""
    raise NotImplementedError


def status(state_dir: str) -> Sequence[PairStatus]:
    """Every pair that `state_dir` knows, by left then right. Reads only the state."""
    raise NotImplementedError


def baselines(job: Job) -> Sequence[Generation]:
    """The pair's generations, newest first."""
    raise NotImplementedError


def reset_baseline(job: Job) -> int:
    """Forget what was agreed on: the next run is a first run. Answers the number forgotten."""
    raise NotImplementedError


def adopt_baseline(job: Job, listener: Listener) -> Planning:
    """Take everything that is equal on both sides now as agreed, and change no side."""
    raise NotImplementedError
