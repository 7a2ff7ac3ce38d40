"""Quarantined: what interrupted runs left that no run could use, and nobody accounts for.

It may be the only copy of what it holds: it goes only where somebody asks for what is
older than an age, and after having been shown what that is.
"""

import os
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from reconcile.decide.retention import Needed, is_outlived
from reconcile.engine.known import KnownPair
from reconcile.engine.opened import Opened
from reconcile.engine.pairs import now_ns
from reconcile.model.errors import ReconcileError
from reconcile.model.plan import Problem, Side
from reconcile.trees.open import is_remote
from reconcile.trees.quarantine import Leftover, leftovers
from reconcile.trees.rooted import Root
from reconcile.trees.versions import QUARANTINE


class Quarantined(msgspec.Struct, frozen=True):
    """What lies in the quarantine of one side."""

    side: Side
    count: int
    """Files and links."""
    size_bytes: int
    oldest_ns: int
    """When the oldest was put there."""


def quarantined(pair: KnownPair) -> tuple[Quarantined, ...]:
    """What the sides of this machine hold; a side that holds nothing is left out."""
    found = []
    for side, place in ((Side.LEFT, pair.left), (Side.RIGHT, pair.right)):
        if is_remote(place):
            continue
        told = _local_leftovers(os.fsencode(os.path.expanduser(place)))
        if told:
            sizes, times = sum(s.size_bytes for s in told), min(s.since_ns for s in told)
            found.append(Quarantined(side, len(told), sizes, times))
    return tuple(found)


class OldLeftovers(NamedTuple):
    """What of one side's quarantine is older than is asked for."""

    side: Side
    leftovers: Sequence[Leftover]

    @property
    def size_bytes(self) -> int:
        """Of all of it."""
        return sum(each.size_bytes for each in self.leftovers)


def outlived(opened: Opened, stays: Needed) -> tuple[tuple[OldLeftovers, ...], tuple[Problem, ...]]:
    """What goes by age, and the sides that could not be looked at. Asks the sides.

    LIMIT: a side served by an agent is not looked at.
    """
    found: list[OldLeftovers] = []
    unseen: list[Problem] = []
    limits = opened.job.retention
    for side in Side if limits.max_age_ns is not None else ():
        try:
            every = _leftovers(opened, side)
        except ReconcileError as error:
            reason = f"what lies in quarantine there was not looked at: {error.message}"
            unseen.append(Problem(QUARANTINE, side, error.code, reason, "note"))
            continue
        now = now_ns()
        old = [s for s in every if is_outlived(s.since_ns, s.run, limits, stays, now)]
        found += [OldLeftovers(side, sorted(old))] if old else []
    return tuple(found), tuple(unseen)


def _leftovers(opened: Opened, side: Side) -> Sequence[Leftover]:
    """Of one side, connected only for its own sake. Raises: ReconcileError."""
    if side in opened.manifests:
        return ()
    if opened.remote(side) is None:
        return _local_leftovers(opened.location(side))
    look = getattr(opened.tree(side), "quarantined", None)
    return look() if look is not None else ()


def _local_leftovers(location: bytes) -> Sequence[Leftover]:
    """Nothing, where there is no root: whoever changes that side says so."""
    try:
        root = Root(location)
    except OSError:
        return ()
    try:
        return list(leftovers(root))
    finally:
        root.close()
