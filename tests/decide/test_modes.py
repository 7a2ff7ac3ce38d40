"""Mirror and update: which changes travel at all. And rights: what a side may send."""

from typing import Any

import pytest

from reconcile.model.policy import Mode, Policy, Rights, Rules
from tests.decide.cases import Literal, flat, outcome

D = {"d/": {"a": "1"}}

MIRROR: list[tuple[str, Literal | None, Literal, Literal, Any]] = [
    ("right's extra file goes", {}, {}, {"x": "1"}, {}),
    ("right's edit is undone", {"f": "x"}, {"f": "x"}, {"f": "y"}, {"f": "x"}),
    ("both edited: left", {"f": "x"}, {"f": "1"}, {"f": "2"}, {"f": "1"}),
    ("right's deletion is undone", {"f": "x"}, {"f": "x"}, {}, {"f": "x"}),
    ("right's mode is undone", {"f": "x"}, {"f": "x"}, {"f*": "x"}, {"f": "x"}),
    ("right's directory gives way to a file", {}, {"d": "f"}, D, {"d": "f"}),
    ("right's file gives way to a directory", {}, D, {"d": "f"}, D),
    ("right's extra directory goes", None, {}, D, {}),
    ("without a baseline too", None, {"f": "x"}, {"f": "y", "g": "1"}, {"f": "x"}),
    ("what right excludes stays", {}, {}, {"d/": {"a": "1", "i~": ...}}, {"d/": {"i~": ...}}),
    (
        "what right cannot read stays",
        {},
        {},
        {"d/": {"a": "1", "u?": "EIO"}},
        {"d/": {"a": "1", "u?": "EIO"}},
    ),
]


@pytest.mark.parametrize(
    ("base", "left", "right", "after"), [c[1:] for c in MIRROR], ids=[c[0] for c in MIRROR]
)
def test_mirror_makes_right_what_left_is(
    base: Literal | None, left: Literal, right: Literal, after: Literal
) -> None:
    result = outcome(base, left, right, Rules(mode=Mode.MIRROR))

    assert result.left == flat(left)
    assert result.right == flat(after)
    assert result.conflicts == []


def test_mirror_deletes_nothing_when_told_so() -> None:
    rules = Rules(mode=Mode.MIRROR, delete=False)
    result = outcome({"g": "1"}, {"f": "x"}, {"f": "y", "extra": "1", "g": "1"}, rules)

    assert result.right == {"f": "x", "extra": "1", "g": "1"}
    assert result.problems == [("E_RIGHTS", "g")]


def test_mirror_does_not_replace_a_directory_when_it_may_not_delete() -> None:
    rules = Rules(mode=Mode.MIRROR, delete=False)
    assert outcome({}, {"d": "f"}, D, rules).right == flat(D)


def test_mirror_never_reads_an_unreadable_left_as_empty() -> None:
    result = outcome(D, {"d?": "EACCES"}, D, Rules(mode=Mode.MIRROR))

    assert result.right == flat(D)
    assert result.problems == [("E_UNKNOWN", "d")]


UPDATE: list[tuple[str, Literal | None, Literal, Literal, Any]] = [
    ("left's new file goes right", {}, {"f": "x"}, {}, {"f": "x"}),
    ("left's edit goes right", {"f": "x"}, {"f": "y"}, {"f": "x"}, {"f": "y"}),
    ("left's mode goes right", {"f": "x"}, {"f*": "x"}, {"f": "x"}, {"f*": "x"}),
    ("left's deletion does not", {"f": "x"}, {}, {"f": "x"}, {"f": "x"}),
    ("right's own file stays", {}, {}, {"f": "x"}, {"f": "x"}),
    ("right's edit stays", {"f": "x"}, {"f": "x"}, {"f": "y"}, {"f": "y"}),
    ("right's deletion stays", {"f": "x"}, {"f": "x"}, {}, {}),
    ("left's directory for a file goes right", {"d": "f"}, D, {"d": "f"}, D),
    ("left's file for a directory would delete", D, {"d": "f"}, D, D),
    ("left's removal of a directory does not", D, {}, {"d/": {"a": "2"}}, {"d/": {"a": "2"}}),
]


@pytest.mark.parametrize(
    ("base", "left", "right", "after"), [c[1:] for c in UPDATE], ids=[c[0] for c in UPDATE]
)
def test_update_only_adds_to_right(
    base: Literal | None, left: Literal, right: Literal, after: Literal
) -> None:
    result = outcome(base, left, right, Rules(mode=Mode.UPDATE))

    assert result.left == flat(left)
    assert result.right == flat(after)
    assert result.conflicts == []


@pytest.mark.parametrize(
    ("policy", "after"),
    [
        (Policy.REPORT, {"f": "2"}),
        (Policy.LEFT, {"f": "1"}),
        (Policy.RIGHT, {"f": "2"}),
        (Policy.KEEP_BOTH, {"f": "2"}),
        (Policy.NEWER, {"f": "1"}),
    ],
)
def test_update_overwrites_a_right_only_edit_only_when_a_policy_says_so(
    policy: Policy, after: Literal
) -> None:
    rules = Rules(mode=Mode.UPDATE, policies=(policy,))
    result = outcome({"f": "x"}, {"f": ("1", 90)}, {"f": ("2", 10)}, rules)

    assert result.left == {"f": "1"}
    assert result.right == after
    assert bool(result.conflicts) is (policy in (Policy.REPORT, Policy.KEEP_BOTH))


def test_update_leaves_a_chmod_against_an_edit_to_a_person() -> None:
    result = outcome({"f": "x"}, {"f*": "x"}, {"f": "y"}, Rules(mode=Mode.UPDATE))

    assert result.right == {"f": "y"}
    assert result.conflicts == [("both-changed", "f")]


RIGHTS: list[tuple[str, Rights, Literal, Literal, str]] = [
    ("create", Rights(create=False), {}, {"f": "x"}, "f"),
    ("create a directory", Rights(create=False), {}, D, "d"),
    ("edit", Rights(edit=False), {"f": "x"}, {"f": "y"}, "f"),
    ("change the mode", Rights(edit=False), {"f": "x"}, {"f*": "x"}, "f"),
    ("delete", Rights(delete=False), {"f": "x"}, {}, "f"),
    ("delete a directory", Rights(delete=False), D, {}, "d"),
    ("replace a directory", Rights(delete=False), D, {"d": "f"}, "d"),
    ("replace a file by a directory", Rights(create=False), {"d": "f"}, D, "d"),
]


@pytest.mark.parametrize(
    ("rights", "base", "left", "path"), [c[1:] for c in RIGHTS], ids=[c[0] for c in RIGHTS]
)
def test_what_a_side_may_not_send_does_not_travel(
    rights: Rights, base: Literal, left: Literal, path: str
) -> None:
    result = outcome(base, left, base, Rules(rights_left=rights))

    assert (result.left, result.right, result.base) == (flat(left), flat(base), flat(base))
    assert result.problems == [("E_RIGHTS", path)]
    assert result.plan.problems[0].severity == "note"


def test_rights_of_the_other_side_do_not_matter() -> None:
    none = Rights(create=False, edit=False, delete=False)
    assert outcome({"f": "x"}, {"f": "y"}, {"f": "x"}, Rules(rights_right=none)).right == {"f": "y"}


def test_an_edit_only_side_that_edited_gets_the_others_creations() -> None:
    """folder_sync's client: it may edit, not create or delete."""
    rules = Rules(rights_right=Rights(create=False, delete=False))
    base = {"kept": "1", "edited": "1", "gone": "1"}
    right = {"kept": "1", "edited": "2", "made": "1"}
    result = outcome(base, {**base, "new": "1"}, right, rules)

    assert result.left == {**base, "edited": "2", "new": "1"}
    assert result.right == {**right, "new": "1"}
    assert result.problems == [("E_RIGHTS", "gone"), ("E_RIGHTS", "made")]


def test_a_forbidden_change_is_never_overwritten_by_the_others_edit() -> None:
    rules = Rules(rights_left=Rights(edit=False))
    result = outcome({"f": "x"}, {"f": "1"}, {"f": "2"}, rules)

    assert result.conflicts == [("both-changed", "f")]


def test_deletions_can_be_kept_from_travelling_both_ways() -> None:
    result = outcome({"a": "1", "b": "1"}, {"b": "1"}, {"a": "1"}, Rules(delete=False))

    assert (result.left, result.right) == ({"b": "1"}, {"a": "1"})
    assert result.problems == [("E_RIGHTS", "a"), ("E_RIGHTS", "b")]
