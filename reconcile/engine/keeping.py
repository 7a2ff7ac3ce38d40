"""Keeping: whether what a plan supersedes can be kept, told before anything is written."""

import msgspec

from reconcile.decide.superseded import superseding_sides
from reconcile.engine.opened import Opened
from reconcile.engine.pairs import now_ns
from reconcile.model.kept_by import KeptBy, encode_kept_by
from reconcile.model.plan import Plan, Problem, Side
from reconcile.trees.area import trouble_at
from reconcile.trees.base import RunOptions
from reconcile.trees.temporary import AREA


def area_problems(opened: Opened, plan: Plan) -> tuple[Problem, ...]:
    """The sides of this machine that would refuse `plan`, each with its reason.

    LIMIT: another machine's side is asked when the run begins, before anything is written.
    """
    if not opened.job.versions or not plan.steps:
        return ()
    found = []
    for side in sorted(superseding_sides(plan.steps)):
        if opened.remote(side) is None and side not in opened.manifests:
            why = trouble_at(opened.location(side))
            if why:
                reason = f"what is superseded cannot be kept: {why}; `apply` refuses this plan"
                found.append(Problem(AREA, side, "E_AREA", reason))
    return tuple(found)


def options_at(opened: Opened, side: Side, plan: Plan, options: RunOptions) -> RunOptions:
    """The run's options for one side, with the record of what is kept there.

    A side on which nothing is superseded needs no place to keep it, and may have none.
    """
    if side not in superseding_sides(plan.steps):
        return msgspec.structs.replace(options, versions=False)
    record = KeptBy(
        run=options.run,
        pair=opened.pair,
        side=side,
        left=opened.url(Side.LEFT),
        right=opened.url(Side.RIGHT),
        started_ns=now_ns(),
    )
    return msgspec.structs.replace(options, record=encode_kept_by(record))
