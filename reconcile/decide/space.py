"""Space: whether what a plan brings to a side fits there, asked before the first write.

New content is written beside the old, which versions keep or which goes only at the end of a
run: so all that comes has to fit into what is free now. What comes is counted in whole
blocks, at its full size: LIMIT: holes and clones take less, and `--allow space` says so.
"""

from collections.abc import Mapping

import msgspec

from reconcile.model.entry import Kind
from reconcile.model.plan import Action, GuardCheck, Plan, Side, Step

BLOCK = 4096
_NOTHING_WRITTEN = (Action.META, Action.MOVE, Action.DELETE, Action.RMDIR)


class Room(msgspec.Struct, frozen=True):
    """What is free at a side for us."""

    free_bytes: int
    device: str = ""
    """Sides with the same one share what is free; empty: it shares with nobody."""


def needed(plan: Plan, side: Side) -> int:
    """Bytes that the plan writes at a side before anything is freed there."""
    return sum(_written(step) for step in plan.steps if step.side is side)


def _written(step: Step) -> int:
    want = step.want
    if want is None or step.action in _NOTHING_WRITTEN:
        return 0
    size = want.size if want.kind == Kind.FILE else 1
    return -(-size // BLOCK) * BLOCK


def check_space(plan: Plan, rooms: Mapping[Side, Room]) -> tuple[GuardCheck, ...]:
    """The check that fails; none where all fits, or nothing is known of what is free.

    One that passes is not told: what is free has no place in a plan. `actual` is what
    the fuller side needs, `limit` what it has.
    """
    need = {side: needed(plan, side) for side in rooms}
    devices = [room.device for room in rooms.values()]
    if len(devices) == 2 and devices[0] and devices[0] == devices[1]:
        total = sum(need.values())
        need = {side: total if need[side] else 0 for side in need}
    full = [side for side in rooms if need[side] > rooms[side].free_bytes]
    if not full:
        return ()
    worst = max(full, key=lambda side: need[side] - rooms[side].free_bytes)
    told = "; ".join(
        f"{side} needs {_size(need[side])} and has {_size(rooms[side].free_bytes)} free"
        for side in full
    )
    return (GuardCheck("space", _size(rooms[worst].free_bytes), need[worst], False, told),)


def _size(size_bytes: int) -> str:
    value, unit = float(size_bytes), 0
    names = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
    while value >= 1023.5 and unit < len(names) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {names[unit]}" if unit == 0 else f"{value:.1f} {names[unit]}"
