"""The JSON that leaves this program: one typed struct for every event.

The first line is `hello`, the last `exit`; `seq` has no gaps. A minor version
adds types and fields, a major one may change them. Paths are text; one that is
not UTF-8 is escaped in `path` and whole in `path_b64`. The schemas under
`schemas/` are made from these types (`python -m reconcile.cli.schemas`).
"""

import msgspec
from msgspec import UNSET, UnsetType

FORMAT = "reconcile-events/1.0"


class Envelope(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every event carries beside its own fields."""

    seq: int = 0
    ts: str = ""
    """RFC 3339, UTC, milliseconds."""
    run: str | UnsetType = UNSET


class Hello(Envelope, frozen=True, kw_only=True, tag="hello"):
    """What is about to happen, between what."""

    format: str = FORMAT
    version: str
    argv: list[str]
    left: str | UnsetType = UNSET
    right: str | UnsetType = UNSET
    mode: str | UnsetType = UNSET
    job: str | UnsetType = UNSET
    """Its name in the job file."""


class PhaseEvent(Envelope, frozen=True, kw_only=True, tag="phase"):
    """The run enters a phase."""

    name: str


class ScanEvent(Envelope, frozen=True, kw_only=True, tag="scan"):
    """How far one side has been looked at; the last one of a side is `final`."""

    side: str
    files: int
    bytes: int
    hashed_files: int
    hashed_bytes: int
    resumed_files: int
    """Not read now: a look that was interrupted had hashed them."""
    resumed_bytes: int
    final: bool


class Thing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of a tree, as one side holds it."""

    kind: str
    size: int | UnsetType = UNSET
    mtime: str | UnsetType = UNSET
    mode: str | UnsetType = UNSET
    """Octal, `0644`."""
    hash: str | UnsetType = UNSET
    """`b3:…` or `sha256:…`, hexadecimal."""
    target: str | UnsetType = UNSET
    """Of a link."""


class StepItem(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a plan."""

    id: int
    action: str
    to: str
    """The side that changes: `left` or `right`."""
    path: str
    path_b64: str | UnsetType = UNSET
    from_path: str | UnsetType = msgspec.field(name="from", default=UNSET)
    from_path_b64: str | UnsetType = msgspec.field(name="from_b64", default=UNSET)
    size: int | UnsetType = UNSET
    old_size: int | UnsetType = UNSET
    hash: str | UnsetType = UNSET
    expect: Thing | None = None
    want: Thing | None = None
    reason: str = ""
    rule: str | UnsetType = UNSET
    needs: list[int] | UnsetType = UNSET


class StepEvent(StepItem, frozen=True, kw_only=True, tag_field="type", tag="step"):
    """A step as a line of its own."""

    seq: int = 0
    ts: str = ""
    run: str | UnsetType = UNSET


class ConflictItem(msgspec.Struct, frozen=True, kw_only=True):
    """What a person must decide."""

    id: str
    path: str
    path_b64: str | UnsetType = UNSET
    kind: str
    base: Thing | None = None
    left: Thing | None = None
    right: Thing | None = None
    policy: str = "report"
    note: str | UnsetType = UNSET


class ConflictEvent(ConflictItem, frozen=True, kw_only=True, tag_field="type", tag="conflict"):
    """A conflict as a line of its own."""

    seq: int = 0
    ts: str = ""
    run: str | UnsetType = UNSET


class ConflictResolvedEvent(Envelope, frozen=True, kw_only=True, tag="conflict_resolved"):
    """What became of one answer of `conflicts resolve`."""

    id: str
    path: str
    path_b64: str | UnsetType = UNSET
    choice: str
    """`left right both newer older merge base`, or `content` that was given."""
    outcome: str
    """`done`, `planned` (nothing was applied), `stays`, `changed`, `failed`, `gone`."""
    note: str | UnsetType = UNSET


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """A guard as evaluated."""

    name: str
    limit: str
    actual: int
    ok: bool
    detail: str = ""


class PlanEvent(Envelope, frozen=True, kw_only=True, tag="plan"):
    """The plan in numbers; its steps and conflicts came before."""

    id: str
    counts: dict[str, int]
    bytes: dict[str, int]
    no_op: bool
    first_run: bool
    baseline: int | None
    guards: list[Guard]
    file: str | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    """`resolve`, `undo`, `restore`; left out where the sides are to agree."""
    of: str | UnsetType = UNSET
    """What it is about: the run undone, conflicts' ids, the paths restored."""
    reverts: int | UnsetType = UNSET
    """Paths at which the baseline is taken back."""


class ProgressEvent(Envelope, frozen=True, kw_only=True, tag="progress"):
    """Steps and content bytes so far, within a file too; never decreases."""

    done: int
    total: int
    bytes_done: int
    bytes_total: int
    percent: float
    """Of the work, which is bytes and steps; 100 only when every step is over."""
    rate: int = 0
    """Content bytes a second; 0: not known yet."""
    eta_s: int | None = None
    """Seconds to go; null: not known yet."""


class StepStartEvent(Envelope, frozen=True, kw_only=True, tag="step_start"):
    """A step begins."""

    step: int


class StepDoneEvent(Envelope, frozen=True, kw_only=True, tag="step_done"):
    """A step is done and verified."""

    step: int
    bytes: int


class StepFailedEvent(Envelope, frozen=True, kw_only=True, tag="step_failed"):
    """A step was not done: `stale`, `failed` or `skipped`; what was there is there still."""

    step: int
    status: str
    error: str
    detail: str
    path: str
    path_b64: str | UnsetType = UNSET


class WarningEvent(Envelope, frozen=True, kw_only=True, tag="warning"):
    """Something to know of; the run goes on."""

    code: str
    message: str
    path: str | UnsetType = UNSET
    path_b64: str | UnsetType = UNSET
    side: str | UnsetType = UNSET


class ErrorEvent(Envelope, frozen=True, kw_only=True, tag="error"):
    """One path that could not be looked at, or what ended the run."""

    code: str
    message: str
    hint: str | UnsetType = UNSET
    where: str | UnsetType = UNSET
    changed: str | UnsetType = UNSET
    path: str | UnsetType = UNSET
    path_b64: str | UnsetType = UNSET
    side: str | UnsetType = UNSET
    retryable: bool = False


class SummaryEvent(Envelope, frozen=True, kw_only=True, tag="summary"):
    """What an apply did."""

    done: int
    bytes: int
    failed: list[int]
    conflicts_left: int
    problems: int
    baseline_before: int
    baseline_after: int
    resumed: bool
    duration_ms: int
    pruned: int = 0
    """Versions of earlier runs that the job keeps no longer, and that are gone."""


class MismatchEvent(Envelope, frozen=True, kw_only=True, tag="mismatch"):
    """`verify` found something else than it should."""

    path: str
    path_b64: str | UnsetType = UNSET
    side: str
    expected: Thing | None = None
    found: Thing | None = None
    detail: str = ""


class VerifiedEvent(Envelope, frozen=True, kw_only=True, tag="verified"):
    """What `verify` read, and whether both sides are equal."""

    equal: bool
    left_root: str
    right_root: str
    baseline: int
    files: int
    bytes: int
    mismatches: int
    duration_ms: int


class ManifestEvent(Envelope, frozen=True, kw_only=True, tag="manifest"):
    """A manifest was written."""

    file: str
    root: str
    files: int
    bytes: int
    problems: int


class CheckEvent(Envelope, frozen=True, kw_only=True, tag="check"):
    """`doctor` looked at something."""

    level: str
    """`ok`, `warn` or `fail`."""
    topic: str
    subject: str
    """`machine`, the state directory, a pair, a side."""
    message: str
    fix: str
    """What to do about it; empty when all is well."""


class WrittenEvent(Envelope, frozen=True, kw_only=True, tag="written"):
    """Kept content was written to a new file."""

    path: str
    path_b64: str | UnsetType = UNSET
    side: str
    """Which side had kept it."""
    thing: Thing
    to: str
    to_b64: str | UnsetType = UNSET


class ExitEvent(Envelope, frozen=True, kw_only=True, tag="exit"):
    """The last line; `code` equals the process code."""

    code: int
    name: str


Event = (
    Hello
    | PhaseEvent
    | ScanEvent
    | StepEvent
    | ConflictEvent
    | ConflictResolvedEvent
    | PlanEvent
    | ProgressEvent
    | StepStartEvent
    | StepDoneEvent
    | StepFailedEvent
    | WarningEvent
    | ErrorEvent
    | SummaryEvent
    | MismatchEvent
    | VerifiedEvent
    | ManifestEvent
    | CheckEvent
    | WrittenEvent
    | ExitEvent
)
"""One line of any streaming verb."""
