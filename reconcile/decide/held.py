"""Held: what a side holds in place of the metadata that were wanted, and what is said of it.

A step's receipt tells what is really there. Where that falls short of what was
wanted, the baseline keeps what was wanted, and beside it a mark of what that
side holds instead. As long as the side holds just that, nobody changed anything
there: it inherits what the baseline says, and nothing travels back.
docs/semantics.md §8, "What a side cannot hold".
"""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from hashlib import blake2b

import msgspec

from reconcile.decide.registers import with_meta
from reconcile.model.codec import encode
from reconcile.model.entry import Entry, Kind, Tracked, attributes, meta
from reconcile.model.plan import Action, Side, Step

_KEYS = {Side.LEFT: "held-left", Side.RIGHT: "held-right"}
_COARSE_NS = 2_000_000_000
"""Times of the coarsest file system have such steps: less is no loss worth a word."""
_OURS = 0o700
"""What a new directory may be given on top, so that it can be filled."""
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - 3.8


def mark(entry: Entry, tracked: Tracked) -> bytes:
    """A few bytes that stand for an entry's tracked metadata."""
    return blake2b(
        encode((meta(entry, tracked), attributes(entry, tracked))), digest_size=8
    ).digest()


def booked(
    want: Entry, held: Mapping[Side, Entry], before: Entry | None, tracked: Tracked
) -> Entry:
    """What the baseline takes of `want`: with marks of what each side holds instead.

    `held`: what the receipts say of the sides that were changed; of the others
    `before`, the baseline's entry, says it still.
    """
    extra = [pair for pair in want.extra if pair[0] not in _KEYS.values()]
    old = dict(before.extra) if before is not None and before.extra else {}
    for side, key in _KEYS.items():
        entry = held.get(side)
        if entry is None:
            if key in old and before is not None and same_meta(before, want, tracked):
                extra.append((key, old[key]))
        elif not same_meta(entry, want, tracked):
            extra.append((key, mark(entry, tracked)))
    if len(extra) == len(want.extra) and tuple(extra) == want.extra:
        return want
    return msgspec.structs.replace(want, extra=tuple(sorted(extra)))


def made_wider(step: Step, entry: Entry) -> bool:
    """A new directory that its owner may fill: it gets its own mode later."""
    want = step.want
    return (
        step.action is Action.MKDIR
        and want is not None
        and entry.mode & 0o777 == want.mode & 0o777 | _OURS
    )


def shown(entry: Entry | None, base: Entry | None, side: Side, tracked: Tracked) -> Entry | None:
    """The side's entry, with the baseline's metadata where it holds just what is marked."""
    if entry is None or base is None or entry.kind != base.kind or not base.extra:
        return entry
    held = dict(base.extra).get(_KEYS[side])
    if held is None or held != mark(entry, tracked):
        return entry
    return with_meta(entry, base, tracked)


def same_meta(a: Entry, b: Entry, tracked: Tracked) -> bool:
    """The same tracked metadata."""
    return meta(a, tracked) == meta(b, tracked) and attributes(a, tracked) == attributes(b, tracked)


def shortfall(step: Step, held: Entry, tracked: Tracked) -> str:
    """What of the wanted metadata is not so, in a few words; empty: nothing worth a word."""
    want = step.want
    if want is None or held.kind != want.kind or made_wider(step, held):
        return ""
    parts = []
    if held.kind != Kind.LINK and _lacks_mode(step, want, held, tracked):
        parts.append(f"mode {want.mode & 0o777:04o} is {held.mode & 0o777:04o} there")
    asked, there = dict(attributes(want, tracked)), dict(attributes(held, tracked))
    if "owner" in asked and asked["owner"] != there.get("owner"):
        owners = (pair.get("owner", b"?").decode("ascii", "replace") for pair in (asked, there))
        parts.append(" is ".join(("owner " + next(owners), next(owners))) + " there")
    if asked.get("xattr", b"") != there.get("xattr", b""):
        parts.append("its extended attributes are not all there")
    if _lacks_time(step, want, held):
        parts.append(f"its time {_day(want.mtime_ns)} is {_day(held.mtime_ns)} there")
    return "; ".join(parts)


def _lacks_mode(step: Step, want: Entry, held: Entry, tracked: Tracked) -> bool:
    if meta(want, tracked) != meta(held, tracked):
        return True
    is_new = step.action in (Action.CREATE, Action.MKDIR) and step.expect is None
    return is_new and tracked.exec and bool(held.mode & ~want.mode & 0o077)


def _lacks_time(step: Step, want: Entry, held: Entry) -> bool:
    is_written = want.kind == Kind.FILE and step.action in (Action.CREATE, Action.UPDATE)
    return is_written and abs(want.mtime_ns - held.mtime_ns) >= _COARSE_NS


def _day(time_ns: int) -> str:
    try:
        return f"{_EPOCH + timedelta(seconds=time_ns // 10**9):%Y-%m-%d}"
    except OverflowError:
        return "out of range"
