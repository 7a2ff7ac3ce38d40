"""The JSON of `conflicts`: its two documents. Its event stands with the others."""

import msgspec
from msgspec import UNSET, UnsetType

from reconcile.cli.events_json import ConflictItem
from reconcile.cli.to_json import conflict_item
from reconcile.cli.words import utc_text
from reconcile.engine.resolving import OpenConflict


class StandingItem(msgspec.Struct, frozen=True, kw_only=True):
    """A conflict that stands, since when, and between what."""

    conflict: ConflictItem
    pair: str
    job: str | UnsetType = UNSET
    left: str
    """The side itself, as a place."""
    right: str
    first_run: str
    """The run that found it first; empty: a `diff` did."""
    first_seen: str
    last_run: str
    last_seen: str


class ConflictsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`conflicts list --json`: what stood when `diff` or `apply` looked last."""

    format: str = "reconcile-conflicts/1.0"
    state_dir: str
    conflicts: list[StandingItem]


class TextItem(msgspec.Struct, frozen=True, kw_only=True):
    """One of the three texts: how long it is, or why there is none."""

    lines: int | None
    missing: str = ""


class ChangedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the three-way comparison."""

    line: int
    """The first line of its hunk, in the base (in left where there is no base)."""
    by: str
    """`left`, `right`, `both`; empty for a line that stands as it was."""
    sign: str
    """`+`, `-`, or a space."""
    text: str


class BelowItem(msgspec.Struct, frozen=True, kw_only=True):
    """A name below a directory of the conflict that a side changed since the baseline."""

    side: str
    sign: str
    """`+` new, `-` deleted, `~` edited."""
    path: str
    path_b64: str | UnsetType = UNSET


class ConflictDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`conflicts show ID --json`."""

    format: str = "reconcile-conflict/1.0"
    standing: StandingItem
    base_text: TextItem
    left_text: TextItem
    right_text: TextItem
    merges: bool | None
    """Whether both sides' changes merge cleanly; None: there is nothing to merge."""
    diff: list[ChangedLine]
    below: list[BelowItem]


CONFLICT_DOCUMENTS = (ConflictsDocument, ConflictDocument)


def standing_item(found: OpenConflict) -> StandingItem:
    """A conflict as both documents show it."""
    job, standing = found.pair.job, found.standing
    return StandingItem(
        conflict=conflict_item(standing.conflict, found.pair.hash_name),
        pair=found.pair.pair,
        job=(job.name if job is not None else "") or UNSET,
        left=found.pair.left,
        right=found.pair.right,
        first_run=standing.first_run,
        first_seen=utc_text(standing.first_time_ns),
        last_run=standing.last_run,
        last_seen=utc_text(standing.last_time_ns),
    )
