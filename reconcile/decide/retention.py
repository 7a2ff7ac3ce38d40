"""Retention: which superseded content is too much, by count, age and total size.

Pure: what is kept, the limits and a clock in; what may go out. Whatever the
limits say, content that something may still ask for stays: that of a run which
has not ended, that of the last run (so that it can be undone), and what an
open conflict speaks of. Such content counts towards the limits all the same,
and `spared` says what it is and why it stays.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from reconcile.model.job import Retention
from reconcile.model.plan import Side
from reconcile.model.treepath import TreePath


class Kept(NamedTuple):
    """One superseded content, as the state knows it."""

    number: int
    """Grows with every version kept."""
    side: Side
    path: TreePath
    run: str
    content_id: bytes
    size_bytes: int
    time_ns: int
    """When it was superseded."""


Protection = Literal["last", "unfinished", "conflict"]
"""Why content stays that a limit calls too much: the last run could not be undone without
it, a run that has not ended goes on with it, or an open conflict speaks of it."""


class Needed(NamedTuple):
    """What may still be asked for."""

    last: frozenset[str] = frozenset()
    """The last run, and one that it takes back and may not be done with."""
    unfinished: frozenset[str] = frozenset()
    """Runs that have not ended."""
    bringing: frozenset[bytes] = frozenset()
    """Contents that those bring from somewhere."""
    conflicts: frozenset[bytes] = frozenset()
    """Contents of open conflicts: base, left and right."""
    numbers: frozenset[int] = frozenset()
    """Of content that is simply not meant."""

    def protection(self, kept: Kept) -> Protection | None:
        """Why this content must stay; None: nothing asks for it."""
        if kept.run in self.unfinished or kept.content_id in self.bringing:
            return "unfinished"
        if kept.content_id in self.conflicts:
            return "conflict"
        return "last" if kept.run in self.last else None

    def includes(self, kept: Kept) -> bool:
        """This content must stay, or is not meant."""
        return kept.number in self.numbers or self.protection(kept) is not None


class Superfluous(NamedTuple):
    """Content that may go, and the limit that says so."""

    kept: Kept
    why: str
    """`count`, `age` or `size`."""


class Spared(NamedTuple):
    """Content that a limit calls too much, and that stays."""

    kept: Kept
    why: str
    """The limit, as of `Superfluous`."""
    protection: Protection


def superfluous(
    kept: Iterable[Kept], retention: Retention, needed: Needed, now_ns: int
) -> Sequence[Superfluous]:
    """What goes, oldest first. Without limits: nothing.

    Of one path's versions the newest stay: nothing goes while an older one of
    the same path and side stays, unless that is needed. What is left of the
    limits' demands when only needed content remains is not met.
    """
    every = list(kept)
    total_bytes = sum(each.size_bytes for each in every if needed.includes(each))
    ranks: Counter[tuple[Side, TreePath]] = Counter()
    passed: dict[tuple[Side, TreePath], str] = {}
    is_full = False
    found: list[Superfluous] = []
    for each in sorted(every, key=lambda each: each.number, reverse=True):
        place = (each.side, each.path)
        ranks[place] += 1
        if needed.includes(each):
            continue
        why = _why(each, ranks[place], retention, now_ns) or passed.get(place, "")
        if not why:
            total_bytes += each.size_bytes
            is_full = is_full or _is_over(total_bytes, retention)
            why = "size" if is_full else ""
        if why:
            passed[place] = why
            found.append(Superfluous(each, why))
    return tuple(reversed(found))


def spared(
    kept: Iterable[Kept], retention: Retention, needed: Needed, now_ns: int
) -> Sequence[Spared]:
    """What would go if nothing were needed, and stays, oldest first."""
    every = list(kept)
    unbound = superfluous(every, retention, Needed(numbers=needed.numbers), now_ns)
    found = ((each.kept, each.why, needed.protection(each.kept)) for each in unbound)
    return tuple(Spared(what, why, by) for what, why, by in found if by is not None)


def is_outlived(since_ns: int, run: str, retention: Retention, needed: Needed, now_ns: int) -> bool:
    """What `run` left in quarantine at that time may go: only age is a limit to it, because it
    is of no path that has versions; a run that has not ended may want it still."""
    limit_ns = retention.max_age_ns
    return limit_ns is not None and now_ns - since_ns > limit_ns and run not in needed.unfinished


def _why(kept: Kept, rank: int, retention: Retention, now_ns: int) -> str:
    """The limit of the path itself that is passed; `rank` 1 is its newest version."""
    if retention.keep is not None and rank > retention.keep:
        return "count"
    if retention.max_age_ns is not None and now_ns - kept.time_ns > retention.max_age_ns:
        return "age"
    return ""


def _is_over(total_bytes: int, retention: Retention) -> bool:
    return retention.max_size_bytes is not None and total_bytes > retention.max_size_bytes
