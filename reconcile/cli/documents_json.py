"""The JSON documents of query verbs: one typed struct a verb, each naming its `format`.

The same rules as for events: a minor version adds fields, a major one may
change them. Schemas are made from these types.
"""

import msgspec
from msgspec import UNSET, UnsetType

from reconcile.cli.events_json import ConflictItem, Guard, StepItem, Thing
from reconcile.cli.start_json import START_DOCUMENTS


class VersionDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`version --json`."""

    format: str = "reconcile-version/1.0"
    version: str
    python: str
    platform: str


class ErrorDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a query verb prints when it fails."""

    format: str = "reconcile-error/1.0"
    code: str
    message: str
    where: str
    changed: str
    hint: str
    retryable: bool
    exit_code: int
    exit_name: str


class ProblemItem(msgspec.Struct, frozen=True, kw_only=True):
    """A path that could not be looked at."""

    code: str
    reason: str
    severity: str
    path: str
    path_b64: str | UnsetType = UNSET
    side: str | UnsetType = UNSET


class PlanDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`show --json`: a saved plan."""

    format: str = "reconcile-plan/1.0"
    id: str
    created: str
    expires: str
    host: str
    owner: str
    """Whose the file is."""
    version: str
    job: str | UnsetType = UNSET
    """Its name in the job file."""
    left: str
    right: str
    mode: str
    policy: str
    baseline: int | None
    first_run: bool
    notes: list[str]
    """`FOREIGN` (somebody else could have written the file), `EXPIRED`, `STALE`, `APPLIED`."""
    counts: dict[str, int]
    bytes: dict[str, int]
    steps: list[StepItem]
    conflicts: list[ConflictItem]
    problems: list[ProblemItem]
    guards: list[Guard]


class PairItem(msgspec.Struct, frozen=True, kw_only=True):
    """One pair this machine knows, or a job that was never run."""

    job: str | None
    pair: str
    left: str
    right: str
    state: str
    baseline: int | None
    baseline_time: str | None
    last_run: str | None
    last_run_time: str | None
    last_run_result: str | None
    conflicts: int
    files: int
    bytes: int
    advice: str
    versions: int
    """Superseded contents that are kept."""
    pending: int
    """Steps that the last `diff` found, or the last run did not do."""
    gone: str | None
    """A root of this machine that is not there."""


class StatusDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`status --json`."""

    format: str = "reconcile-status/1.0"
    state_dir: str
    pairs: list[PairItem]


class BaselineItem(msgspec.Struct, frozen=True, kw_only=True):
    """One baseline."""

    number: int
    time: str
    run: str
    root: str
    files: int
    bytes: int


class BaselinesDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`baseline show|list --json`: newest first."""

    format: str = "reconcile-baselines/1.0"
    left: str
    right: str
    baselines: list[BaselineItem]


class KnownPairItem(msgspec.Struct, frozen=True, kw_only=True):
    """One pair that the state knows."""

    pair: str
    left: str
    right: str
    last_run: str | None
    versions: int
    damage: str | None
    """Why its state cannot be read."""


class PairsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`pair list|forget|move --json`: every pair, or those forgotten or moved, as they were."""

    format: str = "reconcile-pairs/1.0"
    state_dir: str
    pairs: list[KnownPairItem]


class ResetDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`baseline reset --json`."""

    format: str = "reconcile-reset/1.0"
    left: str
    right: str
    forgotten: int


class AdoptedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`baseline adopt --json`: what is agreed on now, and what is left to decide."""

    format: str = "reconcile-adopted/1.0"
    left: str
    right: str
    agreed: int
    differences: int
    conflicts: int


class ExplanationDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`explain --json`."""

    format: str = "reconcile-explanation/1.0"
    path: str
    path_b64: str | UnsetType = UNSET
    decision: str
    excluded: bool
    rule: str
    rule_origin: str
    base: Thing | None
    left: Thing | None
    right: Thing | None
    steps: list[StepItem]
    conflicts: list[ConflictItem]
    problems: list[ProblemItem]


class EntryItem(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a manifest."""

    path: str
    path_b64: str | UnsetType = UNSET
    entry: Thing


class ManifestDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`manifest show --json`."""

    format: str = "reconcile-manifest/1.0"
    file: str
    hash: str
    root: str
    complete: bool
    files: int
    directories: int
    links: int
    others: int
    ignored: int
    bytes: int
    entries: list[EntryItem]


class CheckedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`manifest verify --json`."""

    format: str = "reconcile-manifest-check/1.0"
    file: str
    root: str
    files: int
    bytes: int
    against: str | None
    equal: bool
    differences: list["DifferenceItem"]


class DifferenceItem(msgspec.Struct, frozen=True, kw_only=True):
    """One path at which manifests differ."""

    path: str
    path_b64: str | UnsetType = UNSET
    change: str
    """`create`, `update`, `delete`, `meta`, seen from left to right."""
    left: Thing | None
    right: Thing | None
    base: Thing | None = None


class ManifestDiffDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`manifest diff --json`."""

    format: str = "reconcile-manifest-diff/1.0"
    left: str
    right: str
    equal: bool
    differences: list[DifferenceItem]


class HostKeyItem(msgspec.Struct, frozen=True, kw_only=True):
    """One key that a host shows."""

    kind: str
    fingerprint: str
    state: str
    """`known`, `new`, `changed`: as it was before."""
    where: str
    pinned: bool
    """It stands in known_hosts now."""


class HostKeysDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`endpoint trust --json`."""

    format: str = "reconcile-host-keys/1.0"
    host: str
    """As known_hosts names it."""
    file: str
    keys: list[HostKeyItem]


DOCUMENTS = (
    VersionDocument,
    ErrorDocument,
    PlanDocument,
    StatusDocument,
    BaselinesDocument,
    PairsDocument,
    ResetDocument,
    AdoptedDocument,
    ExplanationDocument,
    ManifestDocument,
    CheckedDocument,
    ManifestDiffDocument,
    HostKeysDocument,
    *START_DOCUMENTS,
)
