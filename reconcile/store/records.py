"""What the state keeps beside pages, as values."""

from typing import Any, Literal

import msgspec

from reconcile.model.boundary import Boundary
from reconcile.model.codec import decode
from reconcile.model.entry import Entry
from reconcile.model.errors import ManifestError
from reconcile.model.job import Job
from reconcile.model.manifest import DEFAULT_HEADER, Header
from reconcile.model.plan import Conflict, MadeFrom, PlanKind, Side
from reconcile.model.treepath import TreePath

Which = Literal["base", "left", "right"]
"""One of the three trees a pair's state holds; a `Side` names its own as well."""


class Baseline(msgspec.Struct, frozen=True):
    """One generation of what both sides agreed on."""

    number: int
    """From 1, never used twice, also after a reset."""
    time_ns: int
    run: str
    """The run that made it; all batches of one run are one generation."""
    root: Entry | None
    """None: it was reset, and nothing is agreed on."""
    header: Header = DEFAULT_HEADER
    files: int = 0
    size_bytes: int = 0
    filter_digest: bytes = b""
    left_identity: str = ""
    right_identity: str = ""


class SideIndex(msgspec.Struct, frozen=True):
    """What a side's pages and stat rows are worth."""

    digest: bytes
    """Of everything that decides what a scan sees; another digest makes the index untrusted."""
    identity: str
    """The root's own (`Observation.identity`)."""
    root: Entry
    header: Header
    time_ns: int
    """Start of the scan."""
    serial: int = 0
    """Counts the times it was written."""
    cursor: bytes = b""
    """Of a remote side: the far side's state that these pages are a copy of (`root_of`)."""
    boundaries: tuple[Boundary, ...] = ()
    """What is mounted below the root, and what was and is missed."""


def root_of(cursor: bytes) -> bytes:
    """The root id that a cursor, msgpack [epoch, serial, root id], tells; empty when it tells none.

    The rest of it is the far side's own.
    """
    try:
        parts = decode(cursor, list[Any])  # Any: a stranger's words, only the last is looked at
    except ManifestError:
        return b""
    return parts[-1] if len(parts) == 3 and isinstance(parts[-1], bytes) else b""


class Run(msgspec.Struct, frozen=True):
    """One apply."""

    id: str
    """`r-…`"""
    plan_id: str
    made_from: MadeFrom
    started_ns: int
    plan: bytes = b""
    """Encoded. A saved one (`plan_id`) whole: its interrupted run can be shown and gone on with.
    Any other without its steps and agreements: the journal has the steps."""
    ended_ns: int = 0
    """0: it has not ended. Under the lock that means it was interrupted."""
    result: str = ""
    counts: tuple[tuple[str, str, int], ...] = ()
    """(side, action, how many were done)."""
    kind: PlanKind = PlanKind.SYNC
    of: str = ""
    """As `Plan.of`."""
    job: Job | None = None
    """What was asked, without the state directory; None: not known (an older state)."""
    baseline_after: int = 0
    """The newest generation when it ended; 0: there was none, or it has not ended."""
    seq: int = 0
    """Its place in the order in which the pair's runs were begun; 0: not yet stored. Times are
    for people: a clock may have been ahead."""


UNNOTED = "unnoted"
"""Why a version is kept whose step is not known: it was found after its run had been killed."""


class Version(msgspec.Struct, frozen=True):
    """Superseded content that is kept on a side."""

    run: str
    side: Side
    path: TreePath
    place: str
    """Relative to that side's root."""
    content_id: bytes
    size_bytes: int
    mtime_ns: int
    time_ns: int
    """When it was superseded."""
    why: str
    """The step's action."""
    id: int = 0
    """Number in the state; 0: not yet stored."""


class Standing(msgspec.Struct, frozen=True):
    """A conflict that is still there."""

    conflict: Conflict
    first_run: str
    first_time_ns: int
    last_run: str
    last_time_ns: int


class Holder(msgspec.Struct, frozen=True):
    """Who holds a pair's lock; for messages only."""

    pid: int
    run: str
    since_ns: int


class PairRecord(msgspec.Struct, frozen=True):
    """One pair as its state tells it."""

    pair: str
    left: str
    """Endpoint as a redacted URL; empty when never recorded."""
    right: str
    baseline: Baseline | None = None
    last_run: Run | None = None
    """Without its plan's bytes."""
    conflicts: int = 0
    holder: Holder | None = None
    """Somebody holds the lock now."""
    job: Job | None = None
    """What was asked of it last, without the state directory."""
    damage: str = ""
    """Why the state cannot be read; empty when it can."""
    versions: int = 0
    """How many are kept."""
    pending: int = 0
    """So many steps the last look found that no run has done since."""
