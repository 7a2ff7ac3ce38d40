"""Keeping: whether what a plan supersedes can be kept, told before anything is written."""

import msgspec

from reconcile.decide.superseded import superseding_sides
from reconcile.engine.opened import Opened
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


def options_at(side: Side, plan: Plan, options: RunOptions) -> RunOptions:
    """A side on which nothing is superseded needs no place to keep it, and may have none."""
    if side in superseding_sides(plan.steps):
        return options
    return msgspec.structs.replace(options, versions=False)
