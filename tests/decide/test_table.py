"""The table of docs/semantics.md §3, row by row and policy by policy, and D1-D16 for directories.

One row a case: base, left, right, and what comes of it. A literal stands for
both sides afterwards, a pair of literals for left and right, `conflict KIND`
and `E_…` for "nothing was touched, and it is said". One outcome serves all five
policies unless the row names them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from reconcile.model.policy import Policy, Rules
from tests.decide.cases import FIVE, Literal, flat, outcome


class Row(NamedTuple):
    """One line of the table."""

    title: str
    base: Literal | None
    left: Literal
    right: Literal
    outcome: Any


OLD, NEW = 10, 20
A, B = ("left's", OLD), ("right's", NEW)
COPY_OF_B = "f.conflict-right-d869b98a"
"""keep-both's name for right's version: its content id starts so."""
F = {"f": "x"}
BOTH_KEPT = {"f": "left's", COPY_OF_B: "right's"}

FILES = [
    Row("1 nothing changed", F, F, F, F),
    Row("2 both created the same", {}, F, F, F),
    Row("3 both made the same edit", F, {"f": "y"}, {"f": "y"}, {"f": "y"}),
    Row("4 both deleted", F, {}, {}, {}),
    Row("5 left created", {}, F, {}, F),
    Row("5 right created", {}, {}, F, F),
    Row("6 left edited", F, {"f": "y"}, F, {"f": "y"}),
    Row("6 right edited", F, F, {"f": "y"}, {"f": "y"}),
    Row("7 left deleted", F, {}, F, {}),
    Row("7 right deleted", F, F, {}, {}),
    Row("8 left made it a link", F, {"f->": "a"}, F, {"f->": "a"}),
    Row("8 left made it a directory", F, {"f/": {"a": "1"}}, F, {"f/": {"a": "1"}}),
    Row(
        "9 both created, differently",
        {},
        {"f": A},
        {"f": B},
        {
            "report": "conflict both-created",
            "newer": {"f": "right's"},
            "left": {"f": "left's"},
            "right": {"f": "right's"},
            "keep-both": BOTH_KEPT,
        },
    ),
    Row(
        "10 both edited",
        F,
        {"f": A},
        {"f": B},
        {
            "report": "conflict both-changed",
            "newer": {"f": "right's"},
            "left": {"f": "left's"},
            "right": {"f": "right's"},
            "keep-both": BOTH_KEPT,
        },
    ),
    Row(
        "11 left deleted, right edited",
        F,
        {},
        {"f": B},
        {
            "report": "conflict delete-edit",
            "newer": {"f": "right's"},
            "left": {},
            "right": {"f": "right's"},
            "keep-both": {"f": "right's"},
        },
    ),
    Row(
        "12 left edited, right deleted",
        F,
        {"f": A},
        {},
        {
            "report": "conflict edit-delete",
            "newer": {"f": "left's"},
            "left": {"f": "left's"},
            "right": {},
            "keep-both": {"f": "left's"},
        },
    ),
    Row(
        "13 left made it a link, right edited",
        F,
        {"f->": ("a", OLD)},
        {"f": B},
        {
            "report": "conflict type",
            "newer": {"f": "right's"},
            "left": {"f->": "a"},
            "right": {"f": "right's"},
            "keep-both": {"f->": "a", COPY_OF_B: "right's"},
        },
    ),
    Row(
        "13 left made it a directory, right edited: a directory has no time",
        F,
        {"f/": {"a": ("1", 99)}},
        {"f": B},
        {
            "report": "conflict type",
            "newer": "conflict type",
            "left": {"f/": {"a": "1"}},
            "right": {"f": "right's"},
            "keep-both": {"f/": {"a": "1"}, COPY_OF_B: "right's"},
        },
    ),
    Row(
        "14 left made it a link, right deleted",
        F,
        {"f->": "a"},
        {},
        {
            "report": "conflict edit-delete",
            "newer": {"f->": "a"},
            "left": {"f->": "a"},
            "right": {},
            "keep-both": {"f->": "a"},
        },
    ),
    Row(
        "15 link on one side, directory on the other",
        F,
        {"f->": "a"},
        {"f/": {"a": "1"}},
        {
            "report": "conflict type",
            "newer": "conflict type",
            "left": {"f->": "a"},
            "right": {"f/": {"a": "1"}},
            "keep-both": {"f/": {"a": "1"}, "f.conflict-left-17762fdd->": "a"},
        },
    ),
    Row("16 left made it executable", F, {"f*": "x"}, F, {"f*": "x"}),
    Row("17 left chmod, right edit: both get both", F, {"f*": "x"}, {"f": "y"}, {"f*": "y"}),
    Row(
        "18 both created the same with other modes",
        {},
        {"f*": ("x", OLD)},
        {"f": ("x", NEW)},
        {
            "report": "conflict meta",
            "newer": "conflict meta",
            "left": {"f*": "x"},
            "right": {"f": "x"},
            "keep-both": {"f*": "x"},
        },
    ),
    Row("19 left only touched", F, {"f": ("x", 99)}, F, F),
    Row("19 left touched, right deleted", F, {"f": ("x", 99)}, {}, {}),
    Row(
        "20 both changed a link",
        {"l->": "0"},
        {"l->": ("1", NEW)},
        {"l->": ("2", OLD)},
        {
            "report": "conflict both-changed",
            "newer": {"l->": "1"},
            "left": {"l->": "1"},
            "right": {"l->": "2"},
            "keep-both": {"l->": "1", "l.conflict-right-813e9b72->": "2"},
        },
    ),
    Row("21 left unknown, right edited", F, {"f?": "EIO"}, {"f": "y"}, "E_UNKNOWN"),
    Row("21 left unknown, right deleted", F, {"f?": "EIO"}, {}, "E_UNKNOWN"),
    Row("22 left deleted, right unknown", F, {}, {"f?": "EIO"}, "E_UNKNOWN"),
    Row("22 left edited, right a fifo", F, {"f": "y"}, {"f!": "fifo"}, "E_SPECIAL"),
    Row("23 left excluded, right edited", F, {"f~": ...}, {"f": "y"}, "nothing"),
    Row("23 left excluded, right deleted", F, {"f~": ...}, {}, "nothing"),
    Row("23 excluded on both", F, {"f~": ...}, {"f~": ...}, "nothing"),
]

D = {"d/": {"a": "1", "b": "2"}}
CHANGED = {"d/": {"a": "changed", "b": "2"}}
GROWN = {"d/": {"a": "1", "b": "2", "new": "3"}}

DIRECTORIES = [
    Row("D1 left removed the directory", D, {}, D, {}),
    Row("D1 an empty directory", {"d/": ...}, {}, {"d/": ...}, {}),
    Row(
        "D2 left removed it, right edited in it",
        D,
        {},
        CHANGED,
        {
            "report": "conflict delete-edit",
            "newer": CHANGED,
            "left": {},
            "right": CHANGED,
            "keep-both": CHANGED,
        },
    ),
    Row(
        "D3 left removed it, right added to it",
        D,
        {},
        GROWN,
        {
            "report": "conflict delete-edit",
            "newer": GROWN,
            "left": {},
            "right": GROWN,
            "keep-both": GROWN,
        },
    ),
    Row("D4 left removed all, right a part", D, {}, {"d/": {"b": "2"}}, {}),
    Row("D4 left removed all, right all that was in it", D, {}, {"d/": ...}, {}),
    Row("D5 each removed another", D, {"d/": {"b": "2"}}, {"d/": {"a": "1"}}, {"d/": ...}),
    Row(
        "D6 the excluded file stays with its directory",
        D,
        {},
        {"d/": {"a": "1", "b": "2", "i~": ...}},
        ({}, {"d/": {"i~": ...}}),
    ),
    Row("D7 left put a file there", D, {"d": "file"}, D, {"d": "file"}),
    Row(
        "D8 left put a file there, right edited below",
        D,
        {"d": A},
        CHANGED,
        {
            "report": "conflict type",
            "newer": "conflict type",
            "left": {"d": "left's"},
            "right": CHANGED,
            "keep-both": {**CHANGED, "d.conflict-left-c92f6a33": "left's"},
        },
    ),
    Row(
        "D9 left put a file there, right removed a part",
        D,
        {"d": "file"},
        {"d/": {"a": "1"}},
        {"d": "file"},
    ),
    Row(
        "D10 a file would destroy excluded content",
        D,
        {"d": "file"},
        {"d/": {"a": "1", "b": "2", "i~": ...}},
        "E_BLOCKED",
    ),
    Row("D11 file to directory", {"p": "x"}, {"p/": {"x": "1"}}, {"p": "x"}, {"p/": {"x": "1"}}),
    Row(
        "D11 file to directory, right edited",
        {"p": "x"},
        {"p/": {"x": "1"}},
        {"p": "y"},
        {"report": "conflict type"},
    ),
    Row(
        "D11 file to directory, right deleted",
        {"p": "x"},
        {"p/": {"x": "1"}},
        {},
        {"report": "conflict edit-delete", "newer": {"p/": {"x": "1"}}, "right": {}},
    ),
    Row(
        "D12 file against directory, the rest goes on",
        {},
        {"p": "x", "other": "1"},
        {"p/": {"x": "1"}},
        {
            "report": (
                {"p": "x", "other": "1"},
                {"p/": {"x": "1"}, "other": "1"},
            )
        },
    ),
    Row(
        "D13 the directory empties and stays",
        {"d/": {"a": "1"}},
        {"d/": ...},
        {"d/": {"a": "1"}},
        {"d/": ...},
    ),
    Row("D14 left cannot be read", D, {"d?": "EACCES"}, {}, "E_UNKNOWN"),
    Row("D14 left cannot be read, right edited", D, {"d?": "EACCES"}, CHANGED, "E_UNKNOWN"),
    Row(
        "D15 an unreadable child stops the removal",
        D,
        {},
        {"d/": {"a": "1", "b?": "EIO"}},
        "E_BLOCKED",
    ),
    Row("D15 a fifo stops the removal", D, {}, {"d/": {**D["d/"], "p!": "fifo"}}, "E_BLOCKED"),
    Row(
        "D16 the readable part is created",
        {},
        {"d/": {"a": "1", "u?": "EIO"}},
        {},
        ({"d/": {"a": "1", "u?": "EIO"}}, {"d/": {"a": "1"}}),
    ),
]


def cases() -> Iterator[Any]:
    """Every row under every policy it speaks of."""
    for row in FILES + DIRECTORIES:
        per_policy = (
            row.outcome if _names_policies(row.outcome) else dict.fromkeys(FIVE, row.outcome)
        )
        for policy, expected in per_policy.items():
            yield pytest.param(row, FIVE[policy], expected, id=f"{row.title}: {policy}")


def _names_policies(expected: Any) -> bool:
    return isinstance(expected, Mapping) and bool(expected) and expected.keys() <= FIVE.keys()


@pytest.mark.parametrize(("row", "rules", "expected"), list(cases()))
def test_the_table(row: Row, rules: Rules, expected: Any) -> None:
    result = outcome(row.base, row.left, row.right, rules)

    if isinstance(expected, str):
        assert (result.left, result.right) == (flat(row.left), flat(row.right))
        assert result.plan.steps == ()
        assert result.base == flat(row.base or {})
        said = [f"conflict {kind}" for kind, _ in result.conflicts]
        assert (said + [code for code, _ in result.problems] or ["nothing"]) == [expected]
        return
    left, right = expected if isinstance(expected, tuple) else (expected, expected)
    assert (result.left, result.right) == (flat(left), flat(right))
    if left == right:
        assert result.base == flat(left)
        assert result.plan.conflicts == ()
        assert result.plan.problems == ()


@pytest.mark.parametrize("row", FILES + DIRECTORIES, ids=lambda row: row.title)
def test_the_table_mirrored(row: Row) -> None:
    """What holds for left holds for right: steps and conflicts swap with the sides."""
    here = outcome(row.base, row.left, row.right)
    there = outcome(row.base, row.right, row.left)

    assert (here.left, here.right) == (there.right, there.left)
    assert here.base == there.base
    assert [path for _, path in here.conflicts] == [path for _, path in there.conflicts]


def test_row_24_what_the_target_cannot_hold_is_told_and_not_agreed_on() -> None:
    rules = Rules(right=_abilities(links=False))

    result = outcome({}, {"l->": "a", "f": "x"}, {}, rules)

    assert result.right == {"f": "x"}
    assert result.problems == [("E_LINK_UNREPRESENTABLE", "l")]
    assert result.base == {"f": "x"}


def _abilities(**given: Any) -> Any:
    from reconcile.model.policy import Abilities

    return Abilities(**given)


def test_a_policy_speaks_only_about_conflicts() -> None:
    """One-sided changes travel whatever the policy, even with an older time."""
    for rules in FIVE.values():
        result = outcome({"f": ("x", 50)}, {"f": ("restored", 3)}, {"f": ("x", 50)}, rules)
        assert result.right == {"f": "restored"}


def test_an_unreadable_directory_is_never_read_as_deleted() -> None:
    policies = (Policy.LEFT, Policy.RIGHT, Policy.NEWER, Policy.KEEP_BOTH)
    for policy in policies:
        result = outcome(D, {"d?": "EACCES", "k": "1"}, D, Rules(policies=(policy,)))
        assert result.right == flat({**D, "k": "1"})
        assert result.base == flat({**D, "k": "1"})
