"""Pace: how far a run is, how fast, and how long it will take, from what it tells.

Work is bytes and entries: a step that carries no content costs something too, so the
share of a run with many small files does not stand at 99 % for most of its time.
"""

import time

from reconcile.cli.words import duration_text, size_text
from reconcile.engine.events import Moved

STEP_BYTES = 128 << 10
"""What one step costs beside its content, in bytes that could be carried meanwhile."""
_SETTLED_S = 1.0
"""Before that a rate says nothing."""


def share(event: Moved) -> float:
    """Of all the work, 0 to 1; 1 only when every step is over."""
    if event.done >= event.total:
        return 1.0
    work = event.bytes_total + STEP_BYTES * event.total
    done = event.bytes_done + STEP_BYTES * event.done
    return min(0.999, done / max(work, 1))


def percent(event: Moved) -> float:
    """The same in hundredths; 100 only at the end."""
    return 100.0 if event.done >= event.total else min(99.9, round(100 * share(event), 1))


class Pace:
    """One run's."""

    def __init__(self) -> None:
        self._since_s = 0.0
        self._first: Moved | None = None

    def hear(self, event: Moved) -> "Known":
        """What is known now."""
        now_s = time.monotonic()
        if self._first is None:
            self._first, self._since_s = Moved(0, event.total, 0, event.bytes_total), now_s
        took_s = now_s - self._since_s
        if took_s < _SETTLED_S:
            return Known(share(event), 0, None)
        done = share(event)
        left_s = took_s * (1 - done) / done if done > 0.001 else None
        return Known(done, int(event.bytes_done / took_s), left_s)

    def start(self) -> None:
        """Work begins now."""
        self._first, self._since_s = Moved(0, 0, 0, 0), time.monotonic()


class Known:
    """How far, how fast, how long still."""

    __slots__ = ("left_s", "rate", "share")

    def __init__(self, share: float, rate: int, left_s: float | None) -> None:
        self.share = share
        self.rate = rate
        """Content bytes a second; 0: not known yet, or none."""
        self.left_s = left_s
        """None: not known yet."""

    @property
    def text(self) -> str:
        """`120 MiB/s, 12 s to go`; empty while nothing is known."""
        parts = [f"{size_text(self.rate)}/s"] if self.rate else []
        if self.left_s is not None and self.share < 1:
            parts.append(f"{duration_text(int(max(self.left_s, 1)) * 10**9)} to go")
        return ", ".join(parts)
