"""The live region on a terminal; rich is imported here and nowhere else.

It is drawn when something is heard, and what works inside a large file is heard too: no
thread draws it, because a process with threads cannot be forked for workers.
"""

import time
from typing import TextIO

from rich.console import Console
from rich.live import Live as Region
from rich.text import Text

from reconcile.cli.look import Look
from reconcile.cli.pace import Pace, share
from reconcile.cli.progress import moved_text, scan_text
from reconcile.cli.words import duration_text
from reconcile.engine.events import Event, Moved, Phase, Scanned, StepEnded, StepStarted
from reconcile.model.plan import Side
from reconcile.model.receipt import Status
from reconcile.trees.base import Tally

_REFRESH_S = 0.1
_TURNING = "|/-\\"
_BAR = 20
_WIDE = 60
"""Fewer columns than this have no room for a bar."""


class Live:
    """At most two lines at the foot of the terminal: how far it is, and at which name."""

    def __init__(self, look: Look, stream: TextIO, pace: Pace) -> None:
        self._look = look
        self._pace = pace
        self._turns = 0
        self._since_s = self._shown_s = time.monotonic()
        self._console = Console(
            file=stream, markup=False, highlight=False, emoji=False, no_color=not look.colour,
            force_terminal=True, width=look.columns,
        )  # fmt: skip
        self._region: Region | None = None
        self._tallies: dict[Side, Tally] = {}
        self._text = ""
        self._share = -1.0
        self._name = ""

    def hear(self, event: Event) -> None:
        """See `Progress.hear`."""
        match event:
            case Phase():
                self._text, self._share, self._name = event.name, -1.0, ""
                self._since_s = time.monotonic()
            case Scanned():
                self._tallies[event.side] = event.tally
                self._text = "scan " + scan_text(self._tallies)
            case Moved():
                self._text = moved_text(event, self._pace.hear(event))
                self._share = share(event)
            case StepStarted():
                self._name = self._look.path(event.step.path)
            case StepEnded() if event.receipt.status is not Status.DONE:
                self._above(event)
            case _:
                return
        self._show()

    def line_now(self) -> None:
        """See `Progress.line_now`."""
        self._console.print(Text(self._text))

    def stop(self) -> None:
        """See `Progress.stop`."""
        if self._region is not None:
            self._region.stop()
            self._region = None

    def _above(self, event: StepEnded) -> None:
        line = f" {event.receipt.status.value} {self._look.path(event.step.path)}"
        self._console.print(Text(f"{line}  {self._look.text(event.receipt.detail)}"))

    def _show(self) -> None:
        now_s = time.monotonic()
        if self._region is not None and now_s - self._shown_s < _REFRESH_S:
            return
        self._shown_s = now_s
        if self._region is None:
            self._region = Region(
                self._picture(), console=self._console, auto_refresh=False, transient=True,
            )  # fmt: skip
            self._region.start()
        self._region.update(self._picture(), refresh=True)

    def _picture(self) -> Text:
        self._turns += 1
        turning = _TURNING[self._turns % len(_TURNING)]
        took = duration_text(int(time.monotonic() - self._since_s) * 10**9)
        line = f"{turning} {self._text}"
        if self._share < 0:
            line += f"  {took}"
        bar = min(_BAR, self._look.columns // 8) if self._look.columns >= _WIDE else 0
        if self._share >= 0 and bar:
            full = int(bar * min(1.0, self._share))
            done, left = ("#", "-") if self._look.ascii_only else ("━", "╌")
            line = f"{done * full}{left * (bar - full)} {line}"
        room = self._look.columns - 1
        picture = Text(line[:room])
        if self._name:
            picture.append("\n " + self._name[-(room - 1) :], style="dim")
        return picture
