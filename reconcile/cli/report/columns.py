"""The columns of a report, once for every format, and the report itself as a value.

A row is one step, one conflict or one problem. What a plan's row says, the row
of its run says again: only `plan`, `run`, `status` and `error` may differ.
"""

from collections.abc import Sequence

import msgspec

from reconcile.model.block import HashName
from reconcile.model.plan import Conflict, GuardCheck
from reconcile.model.treepath import TreePath, order_key

PLANNED, OPEN, UNTOUCHED, NOTED = "planned", "open", "untouched", "noted"
"""The status of a plan's step; of a conflict; of a problem, and of a mere note, in both."""
NOT_TRIED = "not-tried"
"""A step of a run that ended before it came to it."""


class ReportRow(msgspec.Struct, frozen=True):
    """One row. Fields are the columns, in their order; see docs/reports.md."""

    plan: str
    """`p-…`; empty for a run whose plan was not saved."""
    run: str
    """`r-…`; empty in a plan."""
    action: str
    """`create update delete move meta mkdir rmdir`, `conflict`, `error`, `note`."""
    direction: str
    """`left->right`, `left<-right`, `at left`, `at right`, `both`."""
    path: TreePath
    old_path: TreePath | None = msgspec.field(name="from", default=None)
    """Where a moved thing was; None: nothing moved."""
    size: int | None = None
    """Bytes of the file that shall be there; None: it is no file, or nothing shall."""
    old_size: int | None = None
    """Bytes of the file that was there; in a conflict of what both had agreed on."""
    hash: str = ""
    """`b3:…`, `sha256:…`; `link:TARGET` of a link; empty where there is neither."""
    old_hash: str = ""
    reason: str = ""
    policy: str = ""
    """What decided, with its origin; of a conflict, what was tried."""
    status: str = PLANNED
    error: str = ""


COLUMNS = tuple(field.encode_name for field in msgspec.structs.fields(ReportRow))
MAY_DIFFER = ("plan", "run", "status", "error")
"""Between a plan and the run of it."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a report says, in words that need no endpoint and no state."""

    plan: str
    run: str = ""
    """Empty: nothing was done, this is a plan."""
    kind: str
    """What the plan is for: `sync`, `resolve`, `undo`, `restore`."""
    of: str = ""
    left: str
    right: str
    mode: str
    policy: str
    baseline: int
    """The generation that was compared with; 0: none."""
    against: str = ""
    """What was compared with, when it is not the newest baseline."""
    baseline_after: int = 0
    time_ns: int
    """When the plan was made, or the run began."""
    ended_ns: int = 0
    result: str = ""
    """Of a run: `done`, `partial`, `interrupted`, `failed`; empty: it has not ended."""
    first_run: bool = False
    versions: bool = True
    """What is overwritten or deleted is kept."""
    notes: tuple[str, ...] = ()
    """`EXPIRED`, `STALE`, `APPLIED`."""
    hash_name: HashName = "blake3"
    guards: tuple[GuardCheck, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    """By path."""
    rows: tuple[ReportRow, ...] = ()
    """By path, then action, direction and old path: the same for a plan and its run."""

    @property
    def is_run(self) -> bool:
        """It tells what was done, not only what was planned."""
        return bool(self.run)


def sort_key(row: ReportRow) -> tuple[bytes, str, str, bytes, str]:
    """Preorder of paths. Independent of step numbers."""
    return order_key(row.path), row.action, row.direction, row.old_path or b"", row.reason


def totals(rows: Sequence[ReportRow]) -> dict[str, int]:
    """How many rows of each action, in the order of `ACTIONS`; absent ones are left out."""
    found: dict[str, int] = {}
    for row in rows:
        found[row.action] = found.get(row.action, 0) + 1
    return {action: found[action] for action in ACTIONS if action in found}


def carried(rows: Sequence[ReportRow]) -> tuple[int, int]:
    """Content bytes that travel (left to right, right to left)."""
    ways = {"left->right": 0, "left<-right": 0}
    for row in rows:
        if row.action in ("create", "update") and row.direction in ways:
            ways[row.direction] += row.size or 0
    return ways["left->right"], ways["left<-right"]


def failures(rows: Sequence[ReportRow]) -> int:
    """Steps of a run that were not done."""
    return sum(row.status in ("stale", "failed", "skipped", NOT_TRIED) for row in rows)


ACTIONS = (
    "create", "update", "move", "meta", "delete", "mkdir", "rmdir", "conflict", "error", "note",
)  # fmt: skip
SIGNS = {
    "create": "+", "mkdir": "+", "update": "~", "delete": "-", "rmdir": "-", "move": ">",
    "meta": "p", "conflict": "!", "error": "?", "note": "?",
}  # fmt: skip
"""One character an action, as every output has it."""
