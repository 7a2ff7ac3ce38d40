"""Receipt: what really happened to one step. Baselines are made of these, not of intentions."""

from enum import StrEnum

import msgspec

from reconcile.model.entry import Entry


class Status(StrEnum):
    """How a step ended."""

    DONE = "done"
    """The side holds `want`, verified (also when it already did)."""
    STALE = "stale"
    """The world was not as expected: nothing was touched."""
    FAILED = "failed"
    """An error: what was there is there still, or is named in `detail`."""
    SKIPPED = "skipped"
    """Not tried: a step it needs was not done, or the run stopped."""


class Fingerprint(msgspec.Struct, frozen=True, array_like=True):
    """What lstat says of a name after the step: the key of the stat index."""

    mode: int
    """st_mode, type bits included."""
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int


class Receipt(msgspec.Struct, frozen=True):
    """The outcome of `Step` number `step`."""

    step: int
    status: Status
    code: str = ""
    """`E_…` unless DONE."""
    detail: str = ""
    entry: Entry | None = None
    """What the side holds now, when DONE; None: nothing."""
    fingerprint: Fingerprint | None = None
    version: str = ""
    """Where the superseded content is kept, relative to the root; empty when there was none."""
    size_bytes: int = 0
    """Content bytes written (reused verified bytes of an interrupted run left out)."""
