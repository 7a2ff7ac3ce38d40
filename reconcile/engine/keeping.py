"""Keeping: whether what a plan supersedes can be kept, told before anything is written."""

from collections.abc import Iterator

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
    """The sides that would refuse `plan`, each with its reason, and what a server cannot say.

    LIMIT: an agent before this version is asked when the run begins, before anything is written.
    """
    if not opened.job.versions or not plan.steps:
        return ()
    sides = sorted(superseding_sides(plan.steps))
    return tuple(each for side in sides for each in _troubles(opened, side))


def _troubles(opened: Opened, side: Side) -> Iterator[Problem]:
    if side in opened.manifests:
        return
    remote = opened.remote(side)
    if remote is None:
        why = trouble_at(opened.location(side))
        found = [Problem(AREA, side, "E_AREA", why)] if why else []
    else:
        found = list(remote.keeping_troubles(only_looks=not opened.writes))
    for each in found:
        reason = each.reason
        if each.severity == "error":
            reason = f"what is superseded cannot be kept: {reason}; `apply` refuses this plan"
        yield msgspec.structs.replace(each, side=side, reason=reason)


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
