"""Progress on stderr: a live region on a terminal, whole lines anywhere else."""

import sys
import time
from collections.abc import Callable
from typing import Protocol

from reconcile.cli.face import Face
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

    def hear(self, event: Event) -> None:
        """See `Progress.hear`."""
        match event:
            case Phase():
                self._text = event.name
            case Scanned():
                self._tallies[event.side] = event.tally
                self._text = "scan " + scan_text(self._tallies)
            case Moved():
                self._text = moved_text(event)
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

            self._live = Live(self._look, sys.stderr)
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
    """`left 12,481 files 38 GiB, right …`."""
    return ", ".join(
        f"{side.value} {counted(tally.files, 'file')} {size_text(tally.size_bytes)}"
        for side, tally in sorted(tallies.items())
    )


def moved_text(event: Moved) -> str:
    """`60% 4/9 steps 3.0/4.9 MiB`."""
    whole = event.bytes_total or 0
    share = event.bytes_done / whole if whole else event.done / max(event.total, 1)
    text = f"{min(100, int(100 * share))}% {event.done:,}/{event.total:,} steps"
    return f"{text} {size_text(event.bytes_done)} of {size_text(whole)}" if whole else text


def interval_of(face: Face, default: float) -> float:
    """--progress-interval in seconds. Raises: UsageError."""
    text = face.value("progress_interval", str(default)).removesuffix("s")
    try:
        return max(0.0, float(text))
    except ValueError:
        raise UsageError(f"--progress-interval needs seconds, not `{text}`") from None
