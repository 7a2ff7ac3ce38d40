"""Plan: a value. Ordered steps, conflicts, problems, and what it was made from.

It can be read, saved, reviewed, refused, resumed and undone. Everything apply
does is in it: apply never decides. Field order is the wire order of `.rplan`
bodies (docs: plan format); fields are only added at the end.
"""

from enum import StrEnum

import msgspec

from reconcile.model.entry import Entry
from reconcile.model.manifest import Header
from reconcile.model.treepath import TreePath


class Side(StrEnum):
    """One of the two trees that are kept in agreement."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def other(self) -> "Side":
        """The opposite side."""
        return Side.RIGHT if self is Side.LEFT else Side.LEFT


class Action(StrEnum):
    """What a step does, as one word; `sign` is the same as one character."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    MOVE = "move"
    META = "meta"
    MKDIR = "mkdir"
    RMDIR = "rmdir"

    @property
    def sign(self) -> str:
        """`+ ~ - > p`: the column every output shares."""
        return _SIGNS[self]


_SIGNS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.DELETE: "-",
    Action.MOVE: ">",
    Action.META: "p",
    Action.MKDIR: "+",
    Action.RMDIR: "-",
}


class Source(msgspec.Struct, frozen=True):
    """Where a step's content comes from."""

    side: Side | None
    """None: merged content that waits in the state, under `entry.id`."""
    path: TreePath
    """Spelled as on that side."""
    entry: Entry
    """What must be there: content that differs is "changed meanwhile"."""


class Step(msgspec.Struct, frozen=True):
    """One change of one name on one side: what must be there now, what shall be there.

    `None` is absence, in `expect` and in `want`. The kinds of the two tell the
    rest: a file where a directory was demands that the directory is empty by
    then (its content has steps of its own, before). MOVE takes `source` (same
    side) away; CREATE with a source on the same side copies it.
    """

    id: int
    """Position in the plan, from 1."""
    side: Side
    """The tree that changes."""
    action: Action
    path: TreePath
    """The name both sides share (as the baseline or left spells it)."""
    at: TreePath
    """The same name as this side spells it."""
    expect: Entry | None
    want: Entry | None
    source: Source | None = None
    reason: str = ""
    """Why, as a word of `decide/reasons.py`: `new-at-left`, `deleted-at-right` …"""
    rule: str = ""
    """The policy that decided, with its origin; empty when only one side had changed."""
    needs: tuple[int, ...] = ()
    """Steps that must be done first; when one is not, this one is not tried."""


class Conflict(msgspec.Struct, frozen=True):
    """What a person must decide: the shallowest path at which the sides disagree."""

    id: str
    """`c-…`, a function of the path: it lasts across runs until the conflict is gone."""
    path: TreePath
    kind: str
    """`both-changed`, `both-created`, `delete-edit`, `edit-delete`, `type`, `case`, `meta`."""
    base: Entry | None
    left: Entry | None
    right: Entry | None
    policy: str = "report"
    """The policies tried, in order, comma-separated."""
    note: str = ""
    """`moved_to: PATH`, why a policy did not decide …"""


class Problem(msgspec.Struct, frozen=True):
    """One path that could not be observed, or that must not be touched; nothing happens there."""

    path: TreePath
    side: Side | None
    code: str
    """`E_…`"""
    reason: str
    """A sentence's worth: what is there and what was left untouched."""
    severity: str = "error"
    """`error` (the run ends PARTIAL) or `note` (a fifo, a residue left in place)."""


class Agreement(msgspec.Struct, frozen=True):
    """Both sides already hold the same here: the baseline takes it without a step."""

    path: TreePath
    entry: Entry | None
    """None: both are without it. A directory stands for all below it, as left has it."""


class MadeFrom(msgspec.Struct, frozen=True):
    """What the plan saw. `apply` refuses when the baseline is no longer this one."""

    pair: str
    left: str
    """Endpoint as a redacted URL."""
    right: str
    generation: int
    """Baseline number; 0: there was none."""
    base_root: bytes
    left_root: bytes
    right_root: bytes
    header: Header
    against: str = ""
    """What it was compared with, when that was asked for; empty: the newest baseline."""


class GuardCheck(msgspec.Struct, frozen=True):
    """A guard as evaluated: its limit, what the plan holds, and whether it passes."""

    name: str
    limit: str
    actual: int
    ok: bool
    detail: str = ""


class PlanKind(StrEnum):
    """What a plan was made for."""

    SYNC = "sync"
    """The sides are to agree."""
    RESOLVE = "resolve"
    """Somebody decided conflicts; all other differences wait."""
    UNDO = "undo"
    """The sides are to hold again what they held before a run."""
    RESTORE = "restore"
    """A kept version is to stand on a side again, as an edit."""

    @property
    def settles(self) -> bool:
        """Done steps enter the baseline. Else only `Plan.reverts` do."""
        return self in (PlanKind.SYNC, PlanKind.RESOLVE)


class Plan(msgspec.Struct, frozen=True):
    """Everything apply will do, and everything it will leave alone."""

    made_from: MadeFrom
    steps: tuple[Step, ...]
    """In the order of application (`decide/order.py`)."""
    agreements: tuple[Agreement, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    problems: tuple[Problem, ...] = ()
    guards: tuple[GuardCheck, ...] = ()
    mode: str = "two-way"
    policy: str = "report"
    rules: bytes = b""
    """Digest of filters and rules, so that a review knows what was asked."""
    first_run: bool = False
    kind: PlanKind = PlanKind.SYNC
    of: str = ""
    """What it is about, unless SYNC: the run undone, the conflicts' ids (of many, how many),
    the path restored."""
    reverts: tuple[Agreement, ...] = ()
    """What the baseline takes back before the first step, each exactly at its path.

    A baseline that is older than the sides loses nothing: where both hold the
    same they converge, and what differs is a difference again.
    """

    @property
    def is_empty(self) -> bool:
        """No step: the sides need no change (conflicts may remain)."""
        return not self.steps
