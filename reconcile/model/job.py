"""Job: what is to be reconciled, settled. `origins` says where each value came from."""

from enum import StrEnum
from typing import Literal

import msgspec

from reconcile.model.block import HashName
from reconcile.model.entry import DEFAULT_TRACKED, Tracked
from reconcile.model.policy import Limits, Rules
from reconcile.model.treepath import TreePath


class FilterRule(msgspec.Struct, frozen=True):
    """One gitignore-syntax pattern; `include` is what a leading `!` or `--include` says."""

    pattern: str
    include: bool = False
    origin: str = ""
    """`--exclude`, `FILE:LINE`, `preset temp`: what `explain` names."""


class FilterSpec(msgspec.Struct, frozen=True):
    """Which entries take part. Rules in order, the last match wins, as gitignore has it."""

    rules: tuple[FilterRule, ...] = ()
    select: tuple[TreePath, ...] = ()
    """Only these directories (and the way to them); empty: everything."""
    text_only: bool = False
    max_size_bytes: int | None = None
    min_age_ns: int | None = None
    """Files younger than this are left for the next run."""


class Durability(StrEnum):
    """When content is flushed to disk. Never silently `none`."""

    FULL = "full"
    """fsync every file and directory."""
    BATCH = "batch"
    """One syncfs for up to 256 files or 64 MiB, before any of them is published."""
    NONE = "none"


class Retention(msgspec.Struct, frozen=True):
    """Up to what superseded content is kept. Nothing given: all of it, for ever.

    More than one given: what any of them calls too much goes.
    """

    keep: int | None = None
    """So many versions of each path of a side, the newest."""
    max_age_ns: int | None = None
    """Since it was superseded."""
    max_size_bytes: int | None = None
    """Of everything the pair keeps, both sides together; the oldest go first."""

    @property
    def is_given(self) -> bool:
        """There is a limit at all."""
        return self != KEEP_ALL


KEEP_ALL = Retention()
_RETENTION = ("keep_versions", "versions_keep", "versions_max_age", "versions_max_size")
"""The options that say it."""


class Job(msgspec.Struct, frozen=True):
    """One pair of endpoints and all that was asked about it."""

    left: str
    """Endpoint as given, `~` expanded: a path, a URL, or a manifest file."""
    right: str
    state_dir: str
    name: str = ""
    rules: Rules = Rules()
    limits: Limits = Limits()
    filters: FilterSpec = FilterSpec()
    tracked: Tracked = DEFAULT_TRACKED
    hash_name: HashName = "blake3"
    durability: Durability = Durability.BATCH
    versions: bool = True
    links: Literal["preserve", "portable", "skip"] = "preserve"
    """`preserve`, `portable` (escaping targets are problems), `skip`."""
    paranoid: bool = False
    """Hash everything again; the stat index is not believed."""
    accept_new_root: bool = False
    """The root's identity changed and the user says that is right."""
    accept_older: bool = False
    """The user says that a side which went back to superseded content is right."""
    first_run: bool = False
    """The user says that an unreadable baseline is to be treated as none."""
    lock_wait_s: float = 0.0
    origins: tuple[tuple[str, str], ...] = ()
    compress: bool = False
    """Content is compressed on its way to and from a remote side."""
    bwlimit: str = ""
    """How fast content may travel, as `decide/pacing.py` reads it; empty: no limit."""
    retention: Retention = KEEP_ALL
    """What a run that ended well leaves in the version area (`decide/retention.py`)."""
    label_left: str = ""
    """What the left side is called where a plan is shown; empty: nothing but `left`."""
    label_right: str = ""

    @property
    def keeps_as_filed(self) -> bool:
        """How much is kept is said by a job file alone: no option, no variable of one run."""
        said = (origin for name, origin in self.origins if name in _RETENTION)
        return not any(origin.startswith(("--", "RECONCILE_")) for origin in said)
