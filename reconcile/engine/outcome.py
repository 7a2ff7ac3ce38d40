"""What the engine answers: values for the face to render, all of them plain facts."""

import msgspec

from reconcile.model.block import HashName
from reconcile.model.entry import Entry
from reconcile.model.plan import Conflict, Plan, Problem, Side, Step
from reconcile.model.receipt import Receipt
from reconcile.model.treepath import TreePath
from reconcile.trees.base import Tally


class Planning(msgspec.Struct, frozen=True):
    """A plan and what was seen on the way to it."""

    plan: Plan
    left: Tally
    right: Tally
    generation: int
    """Baseline the plan was made against; 0: none."""
    baseline_time_ns: int
    duration_ns: int


class Ended(msgspec.Struct, frozen=True):
    """A step and how it ended, for those that were not simply done."""

    step: Step
    receipt: Receipt


class Outcome(msgspec.Struct, frozen=True):
    """What one apply did."""

    run: str
    """`r-…`; empty when there was nothing to do."""
    planning: Planning
    done: int
    done_bytes: int
    not_done: tuple[Ended, ...]
    """Stale, failed and skipped steps, in plan order."""
    conflicts: tuple[Conflict, ...]
    problems: tuple[Problem, ...]
    baseline_before: int
    baseline_after: int
    duration_ns: int
    resumed: bool = False
    """It went on with an interrupted run of the same plan."""
    counts: tuple[tuple[str, str, int], ...] = ()
    """(side, action, how many were done)."""
    pruned: int = 0
    """Versions of earlier runs that the job keeps no longer, and that are gone."""
    pruned_bytes: int = 0


class Mismatched(msgspec.Struct, frozen=True):
    """One path at which `verify` found something else than it should."""

    path: TreePath
    side: Side
    expected: Entry | None
    found: Entry | None
    detail: str


class Verification(msgspec.Struct, frozen=True):
    """What `verify` read and found."""

    left: Tally
    right: Tally
    mismatches: tuple[Mismatched, ...]
    problems: tuple[Problem, ...]
    equal: bool
    """Both root ids are equal."""
    left_root: bytes = b""
    right_root: bytes = b""
    generation: int = 0
    duration_ns: int = 0
    hash_name: HashName = "blake3"


class Explanation(msgspec.Struct, frozen=True):
    """Why a path is, or is not, in the plan."""

    path: TreePath
    rule: str
    """The filter pattern that excludes or re-includes it; empty: none matched."""
    rule_origin: str
    excluded: bool
    base: Entry | None
    left: Entry | None
    right: Entry | None
    steps: tuple[Step, ...]
    conflicts: tuple[Conflict, ...]
    problems: tuple[Problem, ...]
    decision: str
    """One sentence."""
    hash_name: HashName = "blake3"


class Named(msgspec.Struct, frozen=True):
    """A pair that a job is about."""

    pair: str
    name: str
    what: str
    """How it is typed: `photos`, with `-c FILE` where that is needed."""
    left: str
    right: str


class PairStatus(msgspec.Struct, frozen=True):
    """One pair this state directory knows, or a job that was never run."""

    pair: str
    left: str
    right: str
    state: str
    """`in sync`, `conflicts`, `interrupted`, `partial`, `running`, `never applied`, `damaged`,
    `differs`: the last `diff` found something to do; `no root`: a root is not there;
    `taken back`: after an undo or a restore, what differs waits for the next apply;
    `never run`: a job whose pair has no state."""
    generation: int
    baseline_time_ns: int
    last_run: str
    last_run_time_ns: int
    last_run_result: str
    conflicts: int
    files: int
    size_bytes: int
    advice: str
    """The next command to type; empty when there is nothing to do."""
    job: str = ""
    """The job it is; empty: none that was asked about."""
    what: str = ""
    """WHAT, as it is typed: the job, or both sides, quoted for a shell."""
    asked: str = ""
    """The same with the options of its last run, for `diff` and `apply`."""
    versions: int = 0
    """Superseded contents that are kept, on both sides together."""
    pending: int = 0
    """Steps that the last `diff` found, or the last run did not do."""
    gone: str = ""
    """A root of this machine that is not there; empty: none is missed."""


class Generation(msgspec.Struct, frozen=True):
    """One baseline."""

    number: int
    time_ns: int
    run: str
    root: bytes
    files: int
    size_bytes: int
    hash_name: HashName = "blake3"
