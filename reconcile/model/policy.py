"""Rules: what the user asked for, settled. Input of every decision, beside the three trees."""

from enum import StrEnum

import msgspec

from reconcile.model.entry import DEFAULT_TRACKED, LEAST_NS, MOST_NS, Tracked
from reconcile.model.plan import Side
from reconcile.model.treepath import TreePath


class Mode(StrEnum):
    """Which changes travel. Not a policy: policies speak only about conflicts."""

    TWO_WAY = "two-way"
    MIRROR = "mirror"
    """Right is forced to left, deletions included (unless `delete` is off)."""
    UPDATE = "update"
    """Left's new and changed things go right; no deletion, no right-only edit overwritten."""


class Policy(StrEnum):
    """What answers a conflict. `report` leaves both sides as they are."""

    REPORT = "report"
    NEWER = "newer"
    OLDER = "older"
    LARGER = "larger"
    SMALLER = "smaller"
    LEFT = "left"
    RIGHT = "right"
    KEEP_BOTH = "keep-both"
    MERGE = "merge"


class Rights(msgspec.Struct, frozen=True):
    """What may travel *from* a side: an edit-only client has `create` and `delete` off."""

    create: bool = True
    edit: bool = True
    delete: bool = True


class PathPolicy(msgspec.Struct, frozen=True):
    """Policies for the paths a gitignore-style pattern matches; the last match wins."""

    pattern: str
    policies: tuple[Policy, ...]
    origin: str = ""
    """`job.toml:12`, `--on-conflict`."""


class Abilities(msgspec.Struct, frozen=True):
    """What a side can hold: found out by its tree, never guessed."""

    directories: bool = True
    links: bool = True
    modes: bool = True
    """Permission bits; without them there is no executable bit either."""
    folds_case: bool = False
    folds_unicode: bool = False
    text_names: bool = False
    """Names must be UTF-8."""
    forbidden: str = ""
    """Characters no name may hold there."""
    max_name_bytes: int = 255
    max_file_bytes: int = 0
    """0: no limit."""
    writable: bool = True
    mtime_step_ns: int = 1
    """Granularity of the times it keeps."""
    owners: bool = True
    """Who a file belongs to is kept, for those who may say so."""
    xattrs: bool = True
    """Extended attributes of users are kept."""
    hard_links: bool = True
    exchange: bool = True
    """Two names can be swapped in one operation."""
    forbidden_last: str = ""
    """Characters no name may end in."""
    reserved_names: bool = False
    """CON, NUL and what else names a device of DOS is no name there, whatever follows a dot."""
    least_mtime_ns: int = LEAST_NS
    most_mtime_ns: int = MOST_NS
    file_system: str = ""
    """Its kind, for people; empty: not known."""
    tried: bool = False
    """A probe wrote there; else it is known by its kind and by looking."""


class HeldBelow(msgspec.Struct, frozen=True):
    """A directory below a root where another file system begins, and what that can hold."""

    path: TreePath
    abilities: Abilities


class Rules(msgspec.Struct, frozen=True):
    """Everything that steers the planner. Equal rules and equal trees give equal plans."""

    mode: Mode = Mode.TWO_WAY
    delete: bool = True
    policies: tuple[Policy, ...] = (Policy.REPORT,)
    """Tried in order; the first that decides wins."""
    path_policies: tuple[PathPolicy, ...] = ()
    tie: Policy = Policy.REPORT
    """REPORT, LEFT or RIGHT: when a policy cannot tell."""
    window_ns: int = 2_000_000_000
    """Times closer than this are equal to `newer` and `older`."""
    keep_name: Side = Side.LEFT
    keep_deleted_edit: bool = False
    """`--delete-vs-edit keep`: under `left`/`right` too, an edit beats a deletion."""
    rights_left: Rights = Rights()
    rights_right: Rights = Rights()
    pair_unicode: bool = True
    """Leftover names pair by NFC (`--unicode nfc`)."""
    fix_case: bool = False
    detect_moves: bool = True
    tracked: Tracked = DEFAULT_TRACKED
    left: Abilities = Abilities()
    right: Abilities = Abilities()
    left_below: tuple[HeldBelow, ...] = ()
    """By path, where it differs from what the root holds."""
    right_below: tuple[HeldBelow, ...] = ()
    now_ns: int = 0
    """The controller's clock when planning began; times after it do not decide."""
    skew_ns: int = 0
    """Known difference of the two sides' clocks."""


class Limits(msgspec.Struct, frozen=True):
    """The guards' numbers. A share is of the files and links that the side holds."""

    max_delete_count: int | None = None
    max_delete_share: float | None = 0.25
    """Applies from `max_delete_floor` deletions on, and only when no count is given."""
    max_delete_floor: int = 10
    max_change_share: float | None = None
    max_delete_bytes: int | None = None
    allow_empty: bool = False
    check_space: bool = True
    """What comes must fit into what is free."""
    require: tuple[bytes, ...] = ()
    """Paths that must exist on both sides."""
    origin: str = "default"
