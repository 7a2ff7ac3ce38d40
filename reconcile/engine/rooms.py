"""Rooms: what is free at the sides a plan writes to. Asks the file system, or the far side."""

import os
from collections.abc import Mapping, Sequence

from reconcile.decide.space import Room, needed
from reconcile.engine.opened import Opened
from reconcile.model.plan import Plan, Side
from reconcile.model.treepath import TreePath


def rooms_of(
    opened: Opened, plan: Plan, leftovers: Mapping[Side, Sequence[TreePath]]
) -> Mapping[Side, Room]:
    """By side, where the plan writes and what is free is known. What an interrupted run has
    staged is used again, so it counts as free."""
    found = {}
    for side in Side:
        if side in opened.manifests or not needed(plan, side):
            continue
        remote = opened.remote(side)
        if remote is None:
            room = _local(opened.location(side), leftovers.get(side, ()))
        else:
            free = remote.free_bytes
            room = None if free is None else Room(free)
        if room is not None:
            found[side] = room
    return found


def _local(location: bytes, leftovers: Sequence[TreePath]) -> Room | None:
    """None: the file system does not say."""
    try:
        found = os.statvfs(location)
        device = os.stat(location).st_dev
    except OSError:
        return None
    if not found.f_blocks:
        return None
    staged = sum(_size(os.path.join(location, path)) for path in leftovers)
    return Room(found.f_bavail * found.f_frsize + staged, str(device))


def _size(location: bytes) -> int:
    try:
        return os.lstat(location).st_blocks * 512
    except OSError:
        return 0
