"""Progress on stderr: a live region on a terminal, whole lines anywhere else."""

import sys
import time
from collections.abc import Callable
from typing import Protocol

from reconcile.cli.face import Face
from reconcile.cli.pace import Known, Pace, percent
from reconcile.cli.words import Throttle, counted, size_text, utc_text
from reconcile.engine.events import Event, Moved, Phase, Scanned
from reconcile.model.errors import UsageError
from reconcile.model.plan import Side
from reconcile.trees.base import Tally

_WORTH_IT_S = 0.4


class Progress(Protocol):
    """What a session tells how far the run is."""

    def hear(self, event: Event) -> None:
        """Take note of an event."""

    def line_now(self) -> None:
        """One line at once (SIGUSR1)."""

    def stop(self) -> None:
        """Leave the terminal as it was."""


class Silent:
    """Shows nothing; still answers SIGUSR1."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._text = "starting"
        self._tallies: dict[Side, Tally] = {}
        self._pace = Pace()

    def hear(self, event: Event) -> None:
        """See `Progress.hear`."""
        match event:
            case Phase():
                self._pace.start()
                self._text = event.name
            case Scanned():
                self._tallies[event.side] = event.tally
                self._text = "scan " + scan_text(self._tallies)
            case Moved():
                self._text = moved_text(event, self._pace.hear(event))
            case _:
                pass

    def line_now(self) -> None:
        """See `Progress.line_now`."""
        self._tell(f"{utc_text(time.time_ns())[:19]}Z {self._text}")

    def stop(self) -> None:
        """See `Progress.stop`."""


class Plain(Silent):
    """One whole line for a phase that lasts, and one an interval; ASCII, no carriage return."""

    def __init__(self, tell: Callable[[str], None], interval_s: float) -> None:
        super().__init__(tell)
        self._throttle = Throttle(interval_s)

    def hear(self, event: Event) -> None:
        """See `Progress.hear`."""
        super().hear(event)
        if self._throttle.is_due():
            self.line_now()


class Late(Silent):
    """The live region, once a run has lasted long enough to be worth it (rich costs 50 ms)."""

    def __init__(self, face: Face) -> None:
        super().__init__(face.tell)
        self._look = face.err
        self._throttle = Throttle(_WORTH_IT_S)
        self._live: Progress | None = None

    def hear(self, event: Event) -> None:
        """See `Progress.hear`."""
        super().hear(event)
        if self._live is None and self._throttle.is_due():
            from reconcile.cli.live import Live

            self._live = Live(self._look, sys.stderr, self._pace)
        if self._live is not None:
            self._live.hear(event)

    def line_now(self) -> None:
        """See `Progress.line_now`."""
        if self._live is None:
            super().line_now()
        else:
            self._live.line_now()

    def stop(self) -> None:
        """See `Progress.stop`."""
        if self._live is not None:
            self._live.stop()


def progress_for(face: Face) -> Progress:
    """By --progress, and what stderr is."""
    chosen = face.value("progress", "auto")
    if face.quiet or face.is_json or chosen == "none":
        return Silent(face.tell)
    if chosen == "auto":
        chosen = "bar" if face.err.is_terminal and face.env.get("TERM") != "dumb" else "plain"
    interval_s = interval_of(face, 1.0 if chosen == "bar" else 30.0)
    if chosen == "bar":
        return Late(face)
    return Plain(face.tell, interval_s)


def scan_text(tallies: dict[Side, Tally]) -> str:
    """`left 12,481 files 38 GiB, 1.2 GiB read, right …`."""
    return ", ".join(_side_text(side, tally) for side, tally in sorted(tallies.items()))


def _side_text(side: Side, tally: Tally) -> str:
    seen = f"{side.value} {counted(tally.files, 'file')} {size_text(tally.size_bytes)}"
    return f"{seen}, {size_text(tally.hashed_bytes)} read" if tally.hashed_bytes else seen


def moved_text(event: Moved, known: Known) -> str:
    """`60% 4/9 steps 3.0 of 4.9 MiB 1.2 MiB/s, 12 s to go`."""
    whole = event.bytes_total
    text = f"{int(percent(event))}% {event.done:,}/{event.total:,} steps"
    text += f" {size_text(event.bytes_done)} of {size_text(whole)}" if whole else ""
    return f"{text} {known.text}".rstrip()


def interval_of(face: Face, default: float) -> float:
    """--progress-interval in seconds. Raises: UsageError."""
    text = face.value("progress_interval", str(default)).removesuffix("s")
    try:
        return max(0.0, float(text))
    except ValueError:
        raise UsageError(f"--progress-interval needs seconds, not `{text}`") from None
