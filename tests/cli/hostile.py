"""A pair whose names attack whoever prints them, with a history: what every verb is tried on."""

import os
from pathlib import Path

from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.engine.planning import make_plan
from reconcile.model.job import Job

NAMES = (
    b"new\nline",
    b"\x1b[31mred\x1b]0;title\x07",
    b"[bold]x[/b]",
    b"bad\xff\xfe",
    "\u202etxt.exe".encode(),
    b"=cmd('calc')",
    b"<script>alert(1)<",
    b"`tick` | pipe",
    b"-rf",
    b"\xc2\x9bC1",
)
"""Newline, escape, markup, invalid UTF-8, right-to-left mark, formula, HTML, Markdown, option."""


class World:
    """A pair under `place` after two runs: of every hostile name a conflict, a version, a step."""

    def __init__(self, place: Path) -> None:
        self.place = place
        for side in ("left", "right"):
            (place / side).mkdir()
        job = Job(str(place / "left"), str(place / "right"), str(place / "state"))
        self._put("left", b"-old", b"old")
        self._put("left", b"-kept", b"kept")
        apply_job(job, silent, lambda planning: planning.plan)
        self._put("left", b"-old", b"newer")
        self._put("left", b"-kept", b"of left")
        self._put("right", b"-kept", b"of right!")
        self.run = apply_job(job, silent, lambda planning: planning.plan).run
        self._put("left", b"-new", b"still to be copied")
        planning = make_plan(job, silent)
        self.conflict = planning.plan.conflicts[0].id

    def _put(self, side: str, suffix: bytes, content: bytes) -> None:
        for name in NAMES:
            file = os.path.join(os.fsencode(self.place / side), name + suffix)
            os.makedirs(os.path.dirname(file), exist_ok=True)
            with open(file, "wb") as opened:
                opened.write(content + b" of " + name)
