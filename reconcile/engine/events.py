"""Events: what a run tells its listener. Facts, not sentences: the face chooses the words.

The same values are the JSON lines of `--json`. A listener that
raises ends the run between two steps, state saved.
"""

from typing import Protocol

import msgspec

from reconcile.model.plan import Conflict, Plan, Problem, Side, Step
from reconcile.model.receipt import Receipt
from reconcile.trees.base import Tally


class Phase(msgspec.Struct, frozen=True, tag="phase"):
    """The run enters a phase: recover, scan, compare, guard, transfer, verify, commit, prune."""

    name: str


class Scanned(msgspec.Struct, frozen=True, tag="scan"):
    """Progress of one side's observation; the last one of a side is final."""

    side: Side
    tally: Tally
    final: bool = False
    is_kept: bool = False
    """What it hashes is taken over by the next look, when this one is cut short."""


class Planned(msgspec.Struct, frozen=True, tag="plan"):
    """The plan is made; guards are evaluated in it."""

    plan: Plan


class StepStarted(msgspec.Struct, frozen=True, tag="step_start"):
    """A step is next."""

    step: Step


class StepEnded(msgspec.Struct, frozen=True, tag="step_end"):
    """A step is over: done, stale, failed or skipped."""

    step: Step
    receipt: Receipt


class Moved(msgspec.Struct, frozen=True, tag="progress"):
    """Content bytes and steps done so far, of all; never decreases."""

    done: int
    total: int
    bytes_done: int
    bytes_total: int


class Noted(msgspec.Struct, frozen=True, tag="problem"):
    """One path that could not be looked at, or a leftover that was put away."""

    problem: Problem


class Conflicted(msgspec.Struct, frozen=True, tag="conflict"):
    """A conflict that stays."""

    conflict: Conflict


Event = Phase | Scanned | Planned | StepStarted | StepEnded | Moved | Noted | Conflicted


class Listener(Protocol):
    """Receives every event in order, on the thread of decisions."""

    def __call__(self, event: Event, /) -> None:
        """Take note."""


def silent(event: Event) -> None:
    """A listener that does nothing."""
    del event
