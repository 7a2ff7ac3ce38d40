"""Throttle: `--bwlimit` as a connection asks for it, by the clock on the wall."""

import time

from reconcile.decide.pacing import Limit, Pace, parse_limit

_LOOK_NS = 1_000_000_000
"""How often the timetable is looked at."""


class Throttle:
    """Asked before so many bytes go; answers the seconds to wait."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._pace = Pace(None)
        self._looked_ns: int | None = None

    def __call__(self, size_bytes: int) -> float:
        """Seconds until a piece of so many bytes may go; it counts as gone then."""
        now_ns = time.monotonic_ns()
        if self._looked_ns is None or now_ns - self._looked_ns >= _LOOK_NS:
            self._looked_ns = now_ns
            now = time.localtime()
            minute = (now.tm_wday * 24 + now.tm_hour) * 60 + now.tm_min
            self._pace.rate = self._limit.at(minute)
        return self._pace.delay_ns(now_ns, size_bytes) / 1e9


def throttle(bwlimit: str) -> Throttle | None:
    """For a job's `bwlimit`; None when there is none. Raises: ValueError."""
    return Throttle(parse_limit(bwlimit)) if bwlimit else None
