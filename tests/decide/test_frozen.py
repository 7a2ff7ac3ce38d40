"""Excluded and unknown things: frozen, spared, told once; and what is agreed on around them."""

from typing import Any

import pytest

from reconcile.model.plan import Problem, Side
from reconcile.model.policy import Policy, Rules
from reconcile.model.treepath import TreePath
from tests.decide.cases import Literal, flat, outcome
from tests.decide.simulate import MADE_FROM
from tests.trees_by_hand import tree

D = {"d/": {"a": "1", "b": "2"}}


@pytest.mark.parametrize("policy", list(Policy))
def test_what_a_new_filter_excludes_stays_in_the_baseline(policy: Policy) -> None:
    """Both sides changed the directory alike around it: no agreement may swallow it."""
    now = {"d/": {"a": "1", "b~": ..., "c": "3"}}
    result = outcome(D, now, now, Rules(policies=(policy,)))

    assert result.base == flat({"d/": {"a": "1", "b": "2", "c": "3"}})
    assert result.agreements == ["d/c"]


def test_and_comes_back_without_having_been_deleted() -> None:
    now = {"d/": {"a": "1", "b~": ...}}
    first = outcome(D, now, now)
    second = outcome(first.base, D, D)

    assert second.steps == second.agreements == []


def test_a_residue_is_told_once_and_never_comes_back() -> None:
    right = {"d/": {"a": "1", "b": "2", "i~": ...}}
    first = outcome(D, {}, right)
    second = outcome(first.base, first.left, first.right)
    third = outcome(second.base, second.left, second.right)

    assert first.problems == [("E_RESIDUE", "d")]
    assert first.plan.problems[0].severity == "note"
    for later in (second, third):
        assert later.steps == later.problems == later.conflicts == []
        assert later.left == {}
    assert third.base == {}


def test_the_residue_keeps_every_directory_above_it() -> None:
    base = {"d/": {"e/": {"a": "1"}, "g/": {"c": "3"}}}
    right = {"d/": {"e/": {"a": "1", "i~": ...}, "g/": {"c": "3"}}}
    result = outcome(base, {}, right)

    assert result.right == {"d/e/i~": ...}
    assert result.steps == ["right delete d/g/c", "right rmdir d/g", "right delete d/e/a"]


def test_a_new_directory_of_excluded_things_is_invisible() -> None:
    result = outcome({}, {}, {"cache/": {"x~": ..., "deeper/": {"y~": ...}}})

    assert result.steps == result.problems == result.agreements == []


def test_an_empty_directory_beside_excluded_things_is_sent() -> None:
    result = outcome({}, {}, {"d/": {"x~": ..., "empty/": ...}})

    assert result.left == {"d/empty/": ...}


BLOCKED: list[tuple[str, Literal, Literal, str]] = [
    ("a file over excluded content", {"d": "f"}, {"d/": {"a": "1", "b": "2", "i~": ...}}, "d"),
    (
        "a link over excluded content",
        {"d->": "f"},
        {"d/": {"a": "1", "b": "2", "e/": {"i~": ...}}},
        "d",
    ),
    ("a file over something unknown", {"d": "f"}, {"d/": {"a": "1", "b?": "EIO"}}, "d"),
    (
        "a removal of something unknown",
        {},
        {"d/": {"a": "1", "b?": "EIO"}},
        "d",
    ),
    ("a removal of a fifo", {}, {"d/": {"a": "1", "b": "2", "p!": "fifo"}}, "d"),
]


@pytest.mark.parametrize("policy", [Policy.REPORT, Policy.LEFT, Policy.NEWER, Policy.KEEP_BOTH])
@pytest.mark.parametrize(
    ("left", "right", "path"), [c[1:] for c in BLOCKED], ids=[c[0] for c in BLOCKED]
)
def test_nothing_that_was_not_compared_is_destroyed(
    left: Literal, right: Literal, path: str, policy: Policy
) -> None:
    result = outcome(D, left, right, Rules(policies=(policy,)))

    assert (result.left, result.right) == (flat(left), flat(right))
    assert result.base == flat(D)
    said: list[tuple[Any, str]] = [*result.problems, *result.conflicts]
    assert path in [where for _, where in said]


def test_the_loser_is_spared_when_it_cannot_be_read_in_full() -> None:
    """right wins and is partly unreadable: the readable part goes over, nothing is lost."""
    right = {"d/": {"a": "edited", "b?": "EIO"}}
    result = outcome(D, {}, right, Rules(policies=(Policy.RIGHT,)))

    assert result.left == {"d/a": "edited"}
    assert result.right == flat(right)


def test_what_observation_told_is_not_told_twice() -> None:
    from reconcile.decide.planner import make_plan

    known = Problem(TreePath(b"u"), Side.LEFT, "E_DENIED", "permission denied")
    plan = make_plan(
        tree({"u": "x"}),
        tree({"u?": "EACCES"}),
        tree({"u": "x"}),
        Rules(),
        made_from=MADE_FROM,
        left_problems=[known],
    )

    assert plan.problems == (known,)


def test_a_root_that_is_not_there_is_a_problem_and_nothing_else() -> None:
    from reconcile.decide.planner import make_plan
    from reconcile.model.manifest import ABSENT

    plan = make_plan(tree(D), ABSENT, tree(D), Rules(), made_from=MADE_FROM)

    assert plan.steps == plan.agreements == ()
    assert [problem.code for problem in plan.problems] == ["E_ROOT_MISSING"]
