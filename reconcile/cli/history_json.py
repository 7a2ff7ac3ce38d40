"""The JSON of `history` and `versions`: one document each, and how they are made."""

from collections.abc import Iterable

import msgspec
from msgspec import UNSET, UnsetType

from reconcile.cli.display import display_text
from reconcile.cli.documents_json import ErrorDocument, ProblemItem
from reconcile.cli.events_json import ConflictItem, StepItem
from reconcile.cli.json_error import error_document
from reconcile.cli.to_json import (
    conflict_item,
    hash_text,
    path_fields,
    problem_item,
    receipt_detail,
    step_item,
)
from reconcile.cli.words import utc_text
from reconcile.engine.history import NumberedVersion, PairKept, PathEvent, RunDetail, RunEntry
from reconcile.engine.known import KnownPair
from reconcile.engine.pruning import Pruning
from reconcile.engine.quarantined import quarantined
from reconcile.model.block import HashName
from reconcile.model.errors import ReconcileError
from reconcile.model.job import Job
from reconcile.model.plan import Step
from reconcile.model.receipt import Receipt


class RunItem(msgspec.Struct, frozen=True, kw_only=True):
    """One run, in short."""

    run: str
    pair: str
    job: str | UnsetType = UNSET
    left: str
    right: str
    kind: str
    """`sync`, `resolve`, `undo`, `restore`, `adopt`."""
    of: str | UnsetType = UNSET
    """What it was about: the run undone, the conflicts resolved, the path restored."""
    started: str
    ended: str | None
    duration_ms: int | None
    result: str
    """`done`, `partial`, `failed`, `interrupted`, `running`."""
    counts: dict[str, dict[str, int]]
    """Side -> action -> steps done."""
    not_done: int
    baseline_before: int | None
    baseline_after: int | None
    undone_by: str | None
    steps_known: bool
    """Its journal is still kept."""


class HistoryDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`history --json`: runs, newest first."""

    format: str = "reconcile-history/1.0"
    state_dir: str
    total: int
    """How many there are before `-n` cut them."""
    runs: list[RunItem]


class RunStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a run, and how it ended."""

    step: StepItem
    status: str
    """`done`, `stale`, `failed`, `skipped`; `not-reached` of an interrupted run."""
    code: str | UnsetType = UNSET
    error: str | UnsetType = UNSET
    version: str | UnsetType = UNSET
    """Where what it superseded was kept."""
    bytes: int = 0


class VersionItem(msgspec.Struct, frozen=True, kw_only=True):
    """One kept version."""

    number: int
    """`vN` of its path, the newest is 1; both sides count together."""
    path: str
    path_b64: str | UnsetType = UNSET
    side: str
    time: str
    """When it was superseded."""
    size: int
    mtime: str
    hash: str
    run: str
    why: str
    place: str
    """Below the side's root."""


class RunDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`history RUN --json`: one run, every step."""

    format: str = "reconcile-run/1.0"
    run: RunItem
    plan: str
    steps: list[RunStep]
    conflicts: list[ConflictItem]
    problems: list[ProblemItem]
    versions: list[VersionItem]
    versions_gone: int
    """Made by it and kept no longer."""


class PathEventItem(msgspec.Struct, frozen=True, kw_only=True):
    """What one run did at one path."""

    run: RunItem
    step: StepItem
    status: str
    code: str | UnsetType = UNSET
    error: str | UnsetType = UNSET
    kept: VersionItem | None
    """What stood there before, when it is still kept."""


class PathHistoryDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`history --json -- PATH`: one path across runs and versions, newest first."""

    format: str = "reconcile-path-history/1.0"
    path: str
    path_b64: str | UnsetType = UNSET
    events: list[PathEventItem]
    versions: list[VersionItem]


class QuarantinedSide(msgspec.Struct, frozen=True, kw_only=True):
    """What interrupted runs left on a side of this machine that no run could use."""

    side: str
    count: int
    bytes: int
    oldest: str
    """When the oldest was put there."""


class PairVersions(msgspec.Struct, frozen=True, kw_only=True):
    """What one pair keeps."""

    pair: str
    job: str | UnsetType = UNSET
    left: str
    right: str
    count: int
    bytes: int
    versions: list[VersionItem]
    quarantine: list[QuarantinedSide]
    """In `.reconcile/quarantine`; `versions prune` removes it by age."""


class VersionsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`versions list --json`."""

    format: str = "reconcile-versions/1.0"
    state_dir: str
    count: int
    bytes: int
    pairs: list[PairVersions]


class PrunedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version that goes, or went."""

    version: VersionItem
    limit: str
    """`count`, `age`, `size`: what says so."""


class SparedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version that a limit calls too much, and that stays."""

    version: VersionItem
    limit: str
    """As of those that go."""
    needed: str
    """`last`: the last run is undone with it; `unfinished`: a run goes on with it; `conflict`:
    an open one speaks of it."""


class PrunedPair(msgspec.Struct, frozen=True, kw_only=True):
    """What of one pair goes, or went."""

    left: str
    right: str
    keep: int | None
    max_age_s: float | None
    max_size: int | None
    count: int
    bytes: int
    """Kept before."""
    going: list[PrunedVersion]
    spared: list[SparedVersion]
    """What stays whatever the limits say."""
    removed: int
    removed_bytes: int
    contents: int
    quarantined: int
    """Files in quarantine that go, or went."""
    quarantined_bytes: int
    quarantined_removed: int
    problems: list[ProblemItem]
    error: ErrorDocument | UnsetType = UNSET
    """Why this pair could not be pruned; what it had removed by then is gone."""


class PruneDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`versions prune --json`."""

    format: str = "reconcile-prune/1.0"
    dry_run: bool
    pairs: list[PrunedPair]


HISTORY_DOCUMENTS = (
    HistoryDocument,
    RunDocument,
    PathHistoryDocument,
    VersionsDocument,
    PruneDocument,
)


def run_item(entry: RunEntry) -> RunItem:
    """One run."""
    counts: dict[str, dict[str, int]] = {}
    for side, action, count in entry.counts:
        counts.setdefault(side, {})[action] = count
    ended = entry.ended_ns
    return RunItem(
        run=entry.id,
        pair=entry.pair.pair,
        job=_job(entry.pair),
        left=display_text(entry.pair.left),
        right=display_text(entry.pair.right),
        kind=entry.kind,
        of=display_text(entry.of) or UNSET,
        started=utc_text(entry.started_ns),
        ended=utc_text(ended) if ended else None,
        duration_ms=(ended - entry.started_ns) // 1_000_000 if ended else None,
        result=entry.result,
        counts=counts,
        not_done=entry.not_done,
        baseline_before=entry.baseline_before or None,
        baseline_after=entry.baseline_after or None,
        undone_by=entry.undone_by or None,
        steps_known=entry.has_journal,
    )


def run_document(detail: RunDetail) -> RunDocument:
    """One run whole."""
    name = detail.entry.hash_name
    steps = [_run_step(step, receipt, name) for step, receipt in detail.journal]
    steps += [_run_step(step, None, name) for step in detail.not_reached]
    return RunDocument(
        run=run_item(detail.entry),
        plan=detail.run.plan_id,
        steps=steps,
        conflicts=[conflict_item(each, name) for each in detail.conflicts],
        problems=[problem_item(each) for each in detail.problems],
        versions=[version_item(each, name) for each in detail.versions],
        versions_gone=detail.dropped,
    )


def path_document(
    path: bytes, events: Iterable[PathEvent], versions: Iterable[VersionItem]
) -> PathHistoryDocument:
    """One path across runs."""
    text, text_b64 = path_fields(path)
    return PathHistoryDocument(
        path=text,
        path_b64=text_b64,
        events=[_path_event(event) for event in events],
        versions=list(versions),
    )


def version_item(numbered: NumberedVersion, hash_name: HashName) -> VersionItem:
    """One kept version."""
    version = numbered.version
    path, path_b64 = path_fields(version.path)
    return VersionItem(
        number=numbered.number,
        path=path,
        path_b64=path_b64,
        side=version.side.value,
        time=utc_text(version.time_ns),
        size=version.size_bytes,
        mtime=utc_text(version.mtime_ns),
        hash=hash_text(version.content_id, hash_name) if len(version.content_id) == 32 else "",
        run=version.run,
        why=version.why,
        place=display_text(version.place),
    )


def pair_versions(kept: PairKept) -> PairVersions:
    """What one pair keeps."""
    known, versions = kept.pair, kept.versions
    return PairVersions(
        pair=known.pair,
        job=_job(known),
        left=display_text(known.left),
        right=display_text(known.right),
        count=len(versions),
        bytes=sum(each.version.size_bytes for each in versions),
        versions=[version_item(each, kept.hash_name) for each in versions],
        quarantine=[
            QuarantinedSide(
                side=each.side.value,
                count=each.count,
                bytes=each.size_bytes,
                oldest=utc_text(each.oldest_ns),
            )
            for each in quarantined(known)
        ],
    )


def pruned_pair(pruning: Pruning) -> PrunedPair:
    """What of one pair went."""
    asked, job = pruning.retention, pruning.job
    return PrunedPair(
        left=display_text(job.left),
        right=display_text(job.right),
        keep=asked.keep,
        max_age_s=asked.max_age_ns / 1e9 if asked.max_age_ns is not None else None,
        max_size=asked.max_size_bytes,
        count=pruning.count,
        bytes=pruning.size_bytes,
        going=[
            PrunedVersion(version=version_item(each.kept, job.hash_name), limit=each.why)
            for each in pruning.going
        ],
        spared=[
            SparedVersion(
                version=version_item(each.kept, job.hash_name),
                limit=each.why,
                needed=each.protection,
            )
            for each in pruning.spared
        ],
        removed=pruning.removed,
        removed_bytes=pruning.removed_bytes,
        contents=pruning.contents,
        quarantined=sum(len(each.leftovers) for each in pruning.outlived),
        quarantined_bytes=sum(each.size_bytes for each in pruning.outlived),
        quarantined_removed=pruning.cleared,
        problems=[problem_item(each) for each in pruning.problems],
    )


def failed_pair(job: Job, error: ReconcileError) -> PrunedPair:
    """A pair that could not be pruned."""
    found = pruned_pair(Pruning(job, job.retention, 0, 0, ()))
    return msgspec.structs.replace(found, error=error_document(error))


def _job(known: KnownPair) -> str | UnsetType:
    return (known.job.name if known.job is not None else "") or UNSET


def _run_step(step: Step, receipt: Receipt | None, hash_name: HashName) -> RunStep:
    item = step_item(step, hash_name)
    if receipt is None:
        return RunStep(step=item, status="not-reached")
    return RunStep(
        step=item,
        status=receipt.status.value,
        code=receipt.code or UNSET,
        error=receipt_detail(receipt) or UNSET,
        version=display_text(receipt.version) or UNSET,
        bytes=receipt.size_bytes,
    )


def _path_event(event: PathEvent) -> PathEventItem:
    name = event.run.hash_name
    return PathEventItem(
        run=run_item(event.run),
        step=step_item(event.step, name),
        status=event.receipt.status.value,
        code=event.receipt.code or UNSET,
        error=receipt_detail(event.receipt) or UNSET,
        kept=version_item(event.kept, name) if event.kept is not None else None,
    )
