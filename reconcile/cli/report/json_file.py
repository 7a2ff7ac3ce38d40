"""A report as one JSON document, a row a line, so that `diff` and `grep` work on it."""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET, UnsetType

from reconcile.cli.events_json import ConflictItem, Guard
from reconcile.cli.json_visible import visible
from reconcile.cli.report.columns import Report, ReportRow, carried, totals
from reconcile.cli.to_json import conflict_item, guard_items, path_fields
from reconcile.cli.words import utc_text

FORMAT = "reconcile-report/1.0"
MARK = f'{{"format":"{FORMAT.partition("/")[0]}/'.encode()
"""How every report of this form begins."""
_BATCH = 1000


class ReportItem(msgspec.Struct, frozen=True, kw_only=True):
    """One row; the columns of docs/reports.md."""

    plan: str
    run: str
    action: str
    direction: str
    path: str
    path_b64: str | UnsetType = UNSET
    from_path: str | None = msgspec.field(name="from", default=None)
    from_path_b64: str | UnsetType = msgspec.field(name="from_b64", default=UNSET)
    size: int | None
    old_size: int | None
    hash: str
    old_hash: str
    reason: str
    policy: str
    status: str
    error: str


class ReportDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A report of a plan or of a run: `--report FILE.json`."""

    format: str = FORMAT
    plan: str
    run: str
    """Empty: the report of a plan, of which nothing was done."""
    kind: str
    of: str
    left: str
    right: str
    mode: str
    policy: str
    baseline: int | None
    against: str
    """What was compared with, when it is not the newest baseline."""
    baseline_after: int | None
    time: str
    ended: str | None
    result: str
    first_run: bool
    notes: list[str]
    counts: dict[str, int]
    """Rows of each action; an action without any is left out."""
    bytes: dict[str, int]
    guards: list[Guard]
    conflicts: list[ConflictItem]
    rows: list[ReportItem]


def json_parts(report: Report) -> Iterator[str]:
    """The file in pieces."""
    head = visible(msgspec.json.encode(_document(report))).decode()
    assert head.endswith('"rows":[]}')
    yield head.removesuffix("]}")
    encode = msgspec.json.Encoder().encode
    for start in range(0, len(report.rows), _BATCH):
        lines = [encode(_item(row)) for row in report.rows[start : start + _BATCH]]
        yield (",\n" if start else "\n") + visible(b",\n".join(lines)).decode()
    yield "\n]}\n"


def _document(report: Report) -> ReportDocument:
    there, back = carried(report.rows)
    return ReportDocument(
        plan=report.plan,
        run=report.run,
        kind=report.kind,
        of=report.of,
        left=report.left,
        right=report.right,
        mode=report.mode,
        policy=report.policy,
        baseline=report.baseline or None,
        against=report.against,
        baseline_after=report.baseline_after or None,
        time=utc_text(report.time_ns),
        ended=utc_text(report.ended_ns) if report.ended_ns else None,
        result=report.result,
        first_run=report.first_run,
        notes=list(report.notes),
        counts=totals(report.rows),
        bytes={"left_to_right": there, "right_to_left": back},
        guards=guard_items(report.guards),
        conflicts=[conflict_item(each, report.hash_name) for each in report.conflicts],
        rows=[],
    )


def _item(row: ReportRow) -> ReportItem:
    path, path_b64 = path_fields(row.path)
    old: str | None = None
    old_b64: str | UnsetType = UNSET
    if row.old_path is not None:
        old, old_b64 = path_fields(row.old_path)
    return ReportItem(
        plan=row.plan,
        run=row.run,
        action=row.action,
        direction=row.direction,
        path=path,
        path_b64=path_b64,
        from_path=old,
        from_path_b64=old_b64,
        size=row.size,
        old_size=row.old_size,
        hash=row.hash,
        old_hash=row.old_hash,
        reason=row.reason,
        policy=row.policy,
        status=row.status,
        error=row.error,
    )
