"""Keep both: names, reuse, and what happens when a copy cannot be made."""

from reconcile.model.plan import Side
from reconcile.model.policy import Abilities, Policy, Rights, Rules
from tests.decide.cases import KEEP_BOTH, outcome

B = "f.conflict-right-d869b98a.txt"
"""Where right's version goes: the name says side and content."""
BASE, LEFT, RIGHT = {"f.txt": "x"}, {"f.txt": "left's"}, {"f.txt": "right's"}


def test_copies_come_first_and_the_overwriting_step_needs_them() -> None:
    plan = outcome(BASE, LEFT, RIGHT, KEEP_BOTH).plan

    assert [(s.side, s.action, s.reason) for s in plan.steps] == [
        (Side.LEFT, "create", "conflict-copy"),
        (Side.RIGHT, "create", "conflict-copy"),
        (Side.RIGHT, "update", "conflict-won-by-left"),
    ]
    assert plan.steps[2].needs == (1, 2)
    assert {step.rule for step in plan.steps} == {"keep-both"}


def test_right_can_keep_the_name() -> None:
    rules = Rules(policies=(Policy.KEEP_BOTH,), keep_name=Side.RIGHT)
    result = outcome(BASE, LEFT, RIGHT, rules)

    copy = "f.conflict-left-c92f6a33.txt"
    assert result.left == result.right == {"f.txt": "right's", copy: "left's"}


def test_a_copy_that_is_there_already_is_reused() -> None:
    result = outcome(BASE, {**LEFT, B: "right's"}, {**RIGHT, B: "right's"}, KEEP_BOTH)

    assert result.steps == ["right update f.txt"]
    assert result.left == result.right == result.base == {"f.txt": "left's", B: "right's"}


def test_a_copy_that_is_on_one_side_is_completed() -> None:
    result = outcome(BASE, LEFT, {**RIGHT, B: "right's"}, KEEP_BOTH)

    assert result.steps == [f"left create {B}", "right update f.txt"]
    assert result.plan.steps[1].needs == (1,)


def test_other_content_of_that_name_is_never_overwritten() -> None:
    taken = {B: "something else"}
    result = outcome(BASE | taken, LEFT | taken, RIGHT | taken, KEEP_BOTH)

    second = "f.conflict-right-d869b98a-2.txt"
    assert result.left == {"f.txt": "left's", B: "something else", second: "right's"}


def test_an_excluded_file_of_that_name_is_not_overwritten() -> None:
    result = outcome(BASE, {**LEFT, B + "~": ...}, RIGHT, KEEP_BOTH)

    assert "f.conflict-right-d869b98a-2.txt" in result.left


def test_a_conflict_on_a_conflict_copy_gets_a_copy_of_its_own() -> None:
    result = outcome({B: "right's"}, {B: "1"}, {B: "2"}, KEEP_BOTH)

    assert len(result.left) == 2
    assert result.left == result.right
    assert result.left[B] == "1"


def test_a_long_name_keeps_both() -> None:
    name = "n" * 251 + ".txt"
    result = outcome({}, {name: "left's"}, {name: "right's"}, KEEP_BOTH)

    assert sorted(result.left.values()) == ["left's", "right's"]
    assert result.left == result.right
    assert all(len(each.encode()) <= 255 for each in result.left)


def test_without_the_right_to_create_the_conflict_stays() -> None:
    rules = Rules(policies=(Policy.KEEP_BOTH,), rights_right=Rights(create=False))
    result = outcome(BASE, LEFT, RIGHT, rules)

    assert result.steps == []
    assert result.conflicts == [("both-changed", "f.txt")]
    assert "copy" in result.plan.conflicts[0].note


def test_a_copy_that_does_not_fit_leaves_the_conflict() -> None:
    rules = Rules(policies=(Policy.KEEP_BOTH,), left=Abilities(forbidden="-"))
    result = outcome(BASE, LEFT, RIGHT, rules)

    assert result.steps == []
    assert result.conflicts == [("both-changed", "f.txt")]


def test_two_conflicts_in_one_directory_do_not_meet() -> None:
    base, left, right = {"f": "x", "g": "x"}, {"f": "1", "g": "1"}, {"f": "2", "g": "2"}
    result = outcome(base, left, right, KEEP_BOTH)

    assert sorted(result.left.values()) == ["1", "1", "2", "2"]
    assert result.left == result.right == result.base
