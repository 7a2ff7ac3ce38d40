"""Spans: from when to when a side keeps times, and how exactly, in words for people."""

from reconcile.model.entry import LEAST_NS, MOST_NS
from reconcile.model.policy import Abilities

_YEAR_NS = 31_556_952 * 10**9
"""Of the Gregorian calendar on average: never a year off but in the days around New Year."""


def year(time_ns: int) -> int:
    """The year of a time."""
    return 1970 + time_ns // _YEAR_NS


def is_bounded(able: Abilities) -> bool:
    """It holds fewer times than a manifest does."""
    return able.least_mtime_ns > LEAST_NS or able.most_mtime_ns < MOST_NS


def spanned(able: Abilities) -> str:
    """`1980 to 2107`: the whole years it holds; an open end is a manifest's."""
    return f"{year(able.least_mtime_ns)} to {year(able.most_mtime_ns)}"


def step_shown(step_ns: int) -> str:
    """How exactly times are kept, for people."""
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 1000)):
        if step_ns >= size:
            return f"{step_ns / size:g} {unit}"
    return f"{step_ns} ns"
