"""What stops a whole plan: one row a rule, on both sides."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from reconcile.decide.facts import GuardFacts, SideFacts
from reconcile.decide.guards import check_guards, refusal
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ExitCode, ReconcileError, Refused, RootMissing
from reconcile.model.manifest import DEFAULT_HEADER
from reconcile.model.plan import Action, MadeFrom, Plan, Side, Step
from reconcile.model.policy import Limits
from reconcile.model.treepath import TreePath

FINE = SideFacts(Kind.DIR, "8:1", "8:1", entries=120, files=100)
FACTS = GuardFacts(FINE, FINE, base_entries=120, base_files=100)
DEFAULT = Limits()
MADE_FROM = MadeFrom("p", "/l", "/r", 1, b"", b"", b"", DEFAULT_HEADER)
SIDES = pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])


def file(size: int = 10, content: bytes = b"1") -> Entry:
    return Entry(b"f", Kind.FILE, size=size, id=content * 32)


def step(side: Side, action: Action, path: bytes, old: Entry | None, new: Entry | None) -> Step:
    return Step(1, side, action, TreePath(path), TreePath(path), old, new)


def plan_of(*steps: Step) -> Plan:
    return Plan(MADE_FROM, steps)


def deleting(side: Side, count: int, top: bytes = b"d/", size: int = 10) -> tuple[Step, ...]:
    return tuple(step(side, Action.DELETE, top + b"%d" % n, file(size), None) for n in range(count))


def changing(side: Side, count: int) -> tuple[Step, ...]:
    new = file(content=b"2")
    return tuple(step(side, Action.UPDATE, b"%d" % n, file(), new) for n in range(count))


def seen(side: Side, facts: GuardFacts = FACTS, **changes: Any) -> GuardFacts:
    """`facts` with one side otherwise. Any: fields of SideFacts of several types."""
    return msgspec.structs.replace(facts, **{side: msgspec.structs.replace(FINE, **changes)})


def stopped(plan: Plan, facts: GuardFacts, limits: Limits = DEFAULT) -> ReconcileError | None:
    return refusal(plan, check_guards(plan, facts, limits), limits)


def code(plan: Plan, facts: GuardFacts, limits: Limits = DEFAULT) -> str | None:
    error = stopped(plan, facts, limits)
    return error.code if error else None


ROOT_ROWS: list[tuple[str, dict[str, Any], dict[str, Any], Limits, str | None]] = [
    # what it shows, the side's facts, the other facts, limits, code
    ("an ordinary side passes", {}, {}, Limits(), None),
    ("a missing root stops", {"root_kind": None}, {}, Limits(), "E_ROOT_MISSING"),
    (
        "no option lets a missing root pass",
        {"root_kind": None, "identity": "", "entries": 0, "files": 0},
        {"accept_new_root": True},
        Limits(allow_empty=True, max_delete_count=10**9),
        "E_ROOT_MISSING",
    ),
    (
        "a missing root stops a first run too",
        {"root_kind": None, "known_identity": ""},
        {"base_entries": 0, "base_files": 0},
        Limits(),
        "E_ROOT_MISSING",
    ),
    ("a root that became a file stops", {"root_kind": Kind.FILE}, {}, Limits(), "E_ROOT_CHANGED"),
    ("a root that became a link stops", {"root_kind": Kind.LINK}, {}, Limits(), "E_ROOT_CHANGED"),
    ("another root stops", {"identity": "8:2"}, {}, Limits(), "E_ROOT_CHANGED"),
    ("a root without identity now stops", {"identity": ""}, {}, Limits(), "E_ROOT_CHANGED"),
    ("another root passes by name", {"identity": "8:2"}, {"accept_new_root": True}, Limits(), None),
    ("a root that was never known passes", {"known_identity": ""}, {}, Limits(), None),
    (
        "another root passes while the baseline is empty",
        {"identity": "8:2"},
        {"base_entries": 0, "base_files": 0},
        Limits(),
        None,
    ),
    ("an incomplete listing stops", {"complete": False}, {}, Limits(), "E_INCOMPLETE"),
    (
        "a required path that lacks stops",
        {"missing": (b".here",)},
        {},
        Limits(require=(b".here",)),
        "E_MARKER_MISSING",
    ),
    ("required paths that are there pass", {}, {}, Limits(require=(b".here",)), None),
    ("an emptied side stops", {"entries": 0, "files": 0}, {}, Limits(), "E_EMPTY_SIDE"),
    (
        "an emptied side passes by name",
        {"entries": 0, "files": 0},
        {},
        Limits(allow_empty=True),
        None,
    ),
    (
        "a side emptied of two entries stops",
        {"entries": 0, "files": 0},
        {"base_entries": 2, "base_files": 2},
        Limits(),
        "E_EMPTY_SIDE",
    ),
    (
        "a side that loses its only entry passes",
        {"entries": 0, "files": 0},
        {"base_entries": 1, "base_files": 1},
        Limits(),
        None,
    ),
    (
        "an empty side of a first run passes",
        {"entries": 0, "files": 0},
        {"base_entries": 0, "base_files": 0},
        Limits(),
        None,
    ),
    ("a side with one entry left is not empty", {"entries": 1, "files": 0}, {}, Limits(), None),
    ("all files suspect stops", {"suspects": 100}, {}, Limits(), "E_ALL_CHANGED"),
    ("half of the files suspect passes", {"suspects": 50}, {}, Limits(), None),
    ("more than half of them stops", {"suspects": 51}, {}, Limits(), "E_ALL_CHANGED"),
    (
        "few suspects pass in a small tree",
        {"suspects": 9},
        {"base_entries": 9, "base_files": 9},
        Limits(),
        None,
    ),
]


@SIDES
@pytest.mark.parametrize(
    ("changes", "other", "limits", "expected"),
    [row[1:] for row in ROOT_ROWS],
    ids=[row[0] for row in ROOT_ROWS],
)
def test_what_a_side_may_look_like(
    side: Side,
    changes: Mapping[str, Any],
    other: Mapping[str, Any],
    limits: Limits,
    expected: str | None,
) -> None:
    facts = msgspec.structs.replace(seen(side, **changes), **other)
    assert code(plan_of(), facts, limits) == expected


ALL = Limits(max_delete_share=1.0, max_delete_floor=0)
COUNT_ROWS: list[tuple[str, int, int, int, Limits, str | None]] = [
    # what it shows, deletions, overwrites, files in the baseline, limits, code
    ("nothing deleted", 0, 0, 100, Limits(), None),
    ("a quarter passes", 25, 0, 100, Limits(), None),
    ("more than a quarter stops", 26, 0, 100, Limits(), "E_MAX_DELETE"),
    ("below the floor the share is not asked", 9, 0, 9, Limits(max_delete_share=0.05), None),
    ("from the floor on it is", 10, 0, 10, Limits(max_delete_share=0.05), "E_MAX_DELETE"),
    ("a count takes the place of the share", 26, 0, 100, Limits(max_delete_count=26), None),
    ("a count has no floor", 3, 0, 100, Limits(max_delete_count=2), "E_MAX_DELETE"),
    ("a count of 0 stops any deletion", 1, 0, 100, Limits(max_delete_count=0), "E_MAX_DELETE"),
    ("a count of 0 lets edits pass", 0, 9, 100, Limits(max_delete_count=0), None),
    ("no limit at all", 100, 0, 100, Limits(max_delete_share=None), None),
    ("a share of 0 stops", 10, 0, 100, Limits(max_delete_share=0.0), "E_MAX_DELETE"),
    (
        "a share of all lets all go",
        100,
        0,
        1,
        Limits(max_delete_share=1.0, max_delete_floor=0),
        None,
    ),
    ("of what the side holds, whatever the baseline knew", 12, 0, 1, Limits(), None),
    ("and however much it knew", 26, 0, 9_000, Limits(), "E_MAX_DELETE"),
    ("without a baseline the side counts", 26, 0, 0, Limits(), "E_MAX_DELETE"),
    ("without a baseline a quarter passes", 25, 0, 0, Limits(), None),
    ("bytes up to the limit pass", 5, 0, 100, Limits(max_delete_bytes=50), None),
    ("bytes over the limit stop", 5, 0, 100, Limits(max_delete_bytes=49), "E_MAX_DELETE"),
    ("overwrites have no limit by default", 0, 100, 100, Limits(), None),
    ("overwrites up to their share pass", 0, 30, 100, Limits(max_change_share=0.3), None),
    ("overwrites over it stop", 0, 31, 100, Limits(max_change_share=0.3), "E_MAX_CHANGE"),
    ("deletions are no overwrites", 10, 0, 100, Limits(max_change_share=0.0), None),
]


@SIDES
@pytest.mark.parametrize(
    ("deleted", "changed", "base_files", "limits", "expected"),
    [row[1:] for row in COUNT_ROWS],
    ids=[row[0] for row in COUNT_ROWS],
)
def test_what_a_plan_may_cost(
    side: Side, deleted: int, changed: int, base_files: int, limits: Limits, expected: str | None
) -> None:
    plan = plan_of(*deleting(side, deleted), *changing(side, changed))
    facts = msgspec.structs.replace(FACTS, base_files=base_files, base_entries=base_files)
    assert code(plan, facts, limits) == expected


DIRECTORY = Entry(b"d", Kind.DIR, id=b"d" * 32)
LINK = Entry(b"l", Kind.LINK, id=b"target")
KIND_ROWS: list[tuple[str, Action, Entry | None, Entry | None, bool, bool]] = [
    # what it shows, action, expect, want, counts as deletion, as overwrite
    ("a file deleted", Action.DELETE, file(), None, True, False),
    ("a link deleted", Action.DELETE, LINK, None, True, False),
    ("a directory removed", Action.RMDIR, DIRECTORY, None, False, False),
    ("a move", Action.MOVE, None, file(), False, False),
    ("a file created", Action.CREATE, None, file(), False, False),
    ("a file edited", Action.UPDATE, file(), file(content=b"2"), False, True),
    ("a link that becomes a file", Action.UPDATE, LINK, file(), False, True),
    ("a file that becomes a directory", Action.MKDIR, file(), DIRECTORY, False, True),
    ("an empty directory that becomes a file", Action.CREATE, DIRECTORY, file(), False, False),
    ("a mode", Action.META, file(), msgspec.structs.replace(file(), mode=0o755), False, False),
]


@pytest.mark.parametrize(
    ("action", "old", "new", "deletes", "overwrites"),
    [row[1:] for row in KIND_ROWS],
    ids=[row[0] for row in KIND_ROWS],
)
def test_what_counts_as_deleted_and_as_overwritten(
    action: Action, old: Entry | None, new: Entry | None, deletes: bool, overwrites: bool
) -> None:
    plan = plan_of(step(Side.RIGHT, action, b"f", old, new))
    assert (code(plan, FACTS, Limits(max_delete_count=0)) == "E_MAX_DELETE") is deletes
    assert (code(plan, FACTS, Limits(max_change_share=0.0)) == "E_MAX_CHANGE") is overwrites


def test_both_sides_emptied_stop_too() -> None:
    empty = msgspec.structs.replace(FINE, entries=0, files=0)
    error = stopped(plan_of(), GuardFacts(empty, empty, 120, 100))
    assert isinstance(error, Refused)
    assert error.message == (
        "left is empty, and had 120 entries in the last run;"
        " right is empty, and had 120 entries in the last run"
    )


def test_the_error_of_a_missing_root_has_its_own_exit_code_and_says_why_nothing_was_done() -> None:
    error = stopped(plan_of(), seen(Side.RIGHT, root_kind=None))
    assert isinstance(error, RootMissing)
    assert error.exit_code is ExitCode.NOT_FOUND
    assert error.message == "right has no root directory"
    assert error.changed.startswith("nothing (an absent root is never read as")


def test_the_error_of_too_many_deletions_names_limit_directories_and_the_number_to_pass() -> None:
    steps = deleting(Side.LEFT, 3) + deleting(Side.RIGHT, 20, b"2019/") + deleting(Side.RIGHT, 8)
    error = stopped(plan_of(*steps, *deleting(Side.RIGHT, 2, b"")), FACTS)
    assert isinstance(error, Refused)
    assert error.exit_code is ExitCode.GUARD
    assert error.message == (
        "this plan deletes 30 of 100 files at right (30.0%), most in `2019/` 20, `d/` 8"
    )
    assert error.where == "limit `max_delete` = 25% (default)"
    assert error.changed == "nothing"
    assert error.hint == ("look: `diff … --only delete`; allow it: the same with `--max-delete 30`")


@pytest.mark.parametrize(
    ("plan", "limits"),
    [
        (plan_of(*deleting(Side.LEFT, 40), *deleting(Side.RIGHT, 50)), Limits()),
        (plan_of(*deleting(Side.LEFT, 3), *deleting(Side.RIGHT, 9)), Limits(max_delete_count=2)),
    ],
)
def test_the_number_in_the_hint_lets_the_plan_pass(plan: Plan, limits: Limits) -> None:
    error = stopped(plan, FACTS, limits)
    assert error is not None
    number = int(error.hint.removesuffix("`").rpartition(" ")[2])
    assert stopped(plan, FACTS, Limits(max_delete_count=number)) is None
    assert stopped(plan, FACTS, Limits(max_delete_count=number - 1)) is not None


def test_the_number_in_the_hint_lets_the_overwrites_pass() -> None:
    facts = seen(Side.RIGHT, files=300)
    plan = plan_of(*changing(Side.RIGHT, 100))
    error = stopped(plan, facts, Limits(max_change_share=0.2))
    assert error is not None
    assert error.hint.endswith("--max-change 34%`")
    assert stopped(plan, facts, Limits(max_change_share=0.34)) is None


def test_the_side_over_its_limit_speaks_though_the_other_loses_more() -> None:
    facts = seen(Side.LEFT, GuardFacts(FINE, FINE), files=20)
    plan = plan_of(*deleting(Side.LEFT, 12), *deleting(Side.RIGHT, 20))
    error = stopped(plan, facts)
    assert error is not None
    assert error.message.startswith("this plan deletes 12 of 20 files at left")


def test_the_gravest_guard_speaks_and_names_the_others() -> None:
    plan = plan_of(*deleting(Side.RIGHT, 100))
    error = stopped(plan, seen(Side.LEFT, identity="8:2", entries=0, files=0))
    assert isinstance(error, Refused)
    assert error.code == "E_ROOT_CHANGED"
    assert "also empty_side: left is empty" in error.where
    assert "also max_delete: this plan deletes 100" in error.where


def test_a_passing_check_still_tells_limit_and_count() -> None:
    checks = check_guards(plan_of(*deleting(Side.RIGHT, 3)), FACTS, Limits())
    check = next(check for check in checks if check.name == "max_delete")
    assert (check.limit, check.actual, check.ok) == ("25%", 3, True)
    assert check.detail == "this plan deletes 3 of 100 files at right (3.0%)"
    assert all(check.ok for check in checks)


def test_a_share_that_passes_for_being_few_files_says_so() -> None:
    facts = seen(Side.RIGHT, files=11)
    plan = plan_of(*deleting(Side.RIGHT, 9))
    check = next(c for c in check_guards(plan, facts, Limits()) if c.name == "max_delete")
    assert (check.limit, check.ok) == ("25%, from 10 files on", True)
    check = next(
        c for c in check_guards(plan, facts, Limits(max_delete_floor=0)) if c.name == "max_delete"
    )
    assert (check.limit, check.ok) == ("25%", False)


MIRROR = Plan(MADE_FROM, deleting(Side.RIGHT, 3), mode="mirror", first_run=True)
NOTHING = {"entries": 0, "files": 0}
SOURCE_ROWS: list[tuple[str, Plan, dict[str, Any], int, Limits, str | None]] = [
    # what it shows, plan, left's facts, files in the baseline, limits, code
    ("a mirror of an empty source stops, first run or not", MIRROR, NOTHING, 0, Limits(), "E"),
    ("a disk that shows only its lost+found is one", MIRROR, {"files": 0}, 0, Limits(), "E"),
    ("more goes than the baseline knew", MIRROR, NOTHING, 1, Limits(), "E"),
    ("it is meant so", MIRROR, NOTHING, 0, Limits(allow_empty=True), None),
    ("the source holds something", MIRROR, {}, 0, Limits(), None),
    ("nothing would go", msgspec.structs.replace(MIRROR, steps=()), NOTHING, 0, Limits(), None),
    (
        "the only file that was known may go",
        msgspec.structs.replace(MIRROR, steps=deleting(Side.RIGHT, 1), first_run=False),
        NOTHING, 1, Limits(), None,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("plan", "left", "base", "limits", "expected"),
    [row[1:] for row in SOURCE_ROWS],
    ids=[row[0] for row in SOURCE_ROWS],
)
def test_a_mirror_is_not_made_of_nothing(
    plan: Plan, left: Mapping[str, Any], base: int, limits: Limits, expected: str | None
) -> None:
    facts = msgspec.structs.replace(seen(Side.LEFT, **left), base_entries=base, base_files=base)

    assert code(plan, facts, limits) == (expected and "E_EMPTY_SIDE")


def test_the_refusal_of_an_empty_source_says_what_would_go() -> None:
    facts = seen(Side.LEFT, GuardFacts(FINE, FINE), files=0, entries=1)
    error = stopped(MIRROR, facts)

    assert error is not None
    assert error.message == (
        "left holds no file, and the mirror would delete 3 at right (no baseline)"
    )
    hidden = stopped(MIRROR, seen(Side.LEFT, GuardFacts(FINE, FINE), files=0, excluded=True))
    assert hidden is not None
    assert hidden.message.startswith("left shows no file through its filters")
