"""Earlier: a plan held against the generations before, for what `decide/older.py` asks."""

from collections.abc import Iterator
from functools import partial

import msgspec

from reconcile.decide.facts import GuardFacts, SideFacts
from reconcile.decide.identity import Kinship
from reconcile.decide.older import Known, went_back
from reconcile.engine.opened import Opened
from reconcile.model.manifest import Manifest
from reconcile.model.plan import Plan, PlanKind, Side
from reconcile.model.receipt import Status
from reconcile.model.treepath import TreePath
from reconcile.store.records import Baseline

_OWN_RUNS = 100


def compared_with_past(
    opened: Opened, plan: Plan, base: Manifest, newest: Baseline, facts: GuardFacts
) -> GuardFacts:
    """The facts, with the sides that went back. Only for a plan with steps."""
    deliberate = frozenset(_deliberate(opened))

    def told(side: Side, seen: SideFacts) -> SideFacts:
        is_another = seen.kinship is not Kinship.SAME
        known = Known(newest.time_ns, deliberate, is_another)
        found = went_back(plan, side, base, partial(_past, opened, newest), known)
        return seen if found is None else msgspec.structs.replace(seen, returned=found)

    left, right = told(Side.LEFT, facts.left), told(Side.RIGHT, facts.right)
    return msgspec.structs.replace(facts, left=left, right=right)


def _past(opened: Opened, newest: Baseline) -> list[Manifest]:
    """Those of the same hash algorithm; of any other nothing can be compared."""
    baselines = opened.store.baselines
    return [
        baselines.manifest(old.number)
        for old in baselines.every()
        if old.number != newest.number
        and old.root is not None
        and old.header.hash_name == opened.header.hash_name
    ]


def _deliberate(opened: Opened) -> Iterator[TreePath]:
    """What `restore` and `undo` wrote since both sides last agreed by a run of their own."""
    runs = opened.store.runs
    for run in runs.recent(_OWN_RUNS):
        if run.kind.settles:
            return
        if run.kind in (PlanKind.UNDO, PlanKind.RESTORE):
            for step, receipt in runs.journal(run.id):
                if receipt.status is Status.DONE:
                    yield step.path
