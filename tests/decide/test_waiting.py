"""Moves wait for their content: what was moved is never without a place.

One row a situation: what both agreed on, what the sides made of it, the rules, and
what is there afterwards.
"""

from typing import NamedTuple

import msgspec
import pytest

from reconcile.model.plan import Action, Side
from reconcile.model.policy import Abilities, Policy, Rights, Rules
from tests.decide.cases import FIVE, Literal, flat, outcome

RIGHT_FOLDS = Rules(right=Abilities(folds_case=True))
NO_CREATION = Rules(rights_left=Rights(create=False))
SHORT_NAMES = Rules(right=Abilities(max_name_bytes=5))


class Row(NamedTuple):
    """A move by left whose new place is held up."""

    title: str
    base: Literal
    left: Literal
    right: Literal
    rules: Rules = Rules()


OLD = {"src/s": "moved", "tgt/t": "1"}
HELD_UP = [
    Row("into a directory that the other side deleted", OLD,
        {"src/": ..., "tgt/": {"t": "1", "s": "moved"}}, {"src/s": "moved"}),
    Row("with the directory it was in", OLD, {"tgt/": {"t": "1", "s": "moved"}},
        {"src/s": "moved"}),
    Row("a whole directory", {"src/": {"a": "one", "b": "two"}, "tgt/t": "1"},
        {"tgt/": {"t": "1", "src/": {"a": "one", "b": "two"}}}, {"src/": {"a": "one", "b": "two"}}),
    Row("an empty file, by its name", {"src/__init__.py": "", "tgt/t": "1"},
        {"tgt/": {"t": "1", "__init__.py": ""}}, {"src/__init__.py": ""}),
    Row("a link", {"src/l->": "a", "tgt/t": "1"},
        {"tgt/": {"t": "1", "l->": "a"}}, {"src/l->": "a"}),
    Row("a link, under another name", {"src/l->": "a", "tgt/t": "1"},
        {"tgt/": {"t": "1", "m->": "a"}}, {"src/l->": "a"}),
    Row("over what the other side edited", {"s": "moved", "t": "1"}, {"t": "moved"},
        {"s": "moved", "t": "2"}),
    Row("over a name the other side made", {"s": "moved"}, {"n": "moved"},
        {"s": "moved", "n": "2"}),
    Row("onto a directory the other side made", {"x/a": "moved"}, {"d": "moved", "x/": ...},
        {"x/a": "moved", "d/": {"n": "2"}}),
    Row("to a name the other side folds", {"s": "moved", "n": "1"}, {"N": "moved", "n": "1"},
        {"s": "moved", "n": "1"}, RIGHT_FOLDS),
    Row("below a directory whose name the other side folds", {"d/b": "moved", "x/a": "1"},
        {"X/b": "moved", "x/a": "1"}, {"d/b": "moved", "x/a": "1"}, RIGHT_FOLDS),
    Row("where it may not create", {"s": "moved"}, {"n": "moved"}, {"s": "moved"}, NO_CREATION),
    Row("to a name the other side cannot hold", {"s": "moved"}, {"long name": "moved"},
        {"s": "moved"}, SHORT_NAMES),
    Row("where something cannot be looked at", {"s": "moved"}, {"n": "moved"},
        {"s": "moved", "n?": "EIO"}),
    Row("to a name the other side excludes", {"s": "moved"}, {"n": "moved"},
        {"s": "moved", "n~": ...}),
    Row("and its directory is a file now", OLD,
        {"src": "new", "tgt/": {"t": "1", "s": "moved"}}, {"src/s": "moved"}),
    Row("and something else took its directory's name",
        {"src/s": "moved", "tgt/t": "1", "o": "other"},
        {"src": "other", "tgt/": {"t": "1", "s": "moved"}}, {"src/s": "moved", "o": "other"}),
]  # fmt: skip
IDS = [row.title for row in HELD_UP]


@pytest.mark.parametrize("row", HELD_UP, ids=IDS)
@pytest.mark.parametrize("is_swapped", [False, True], ids=["left moved", "right moved"])
@pytest.mark.parametrize("detect_moves", [True, False], ids=["moves", "no moves"])
def test_the_old_place_stays_until_the_new_one_stands(
    row: Row, is_swapped: bool, detect_moves: bool
) -> None:
    rules = msgspec.structs.replace(row.rules, detect_moves=detect_moves)
    left, right = row.left, row.right
    if is_swapped:
        rules, left, right = swapped(rules), right, left
    result = outcome(row.base, left, right, rules)

    assert (result.left, result.right) == (flat(left), flat(right))
    assert ("E_WAITS", "note") in {(p.code, p.severity) for p in result.plan.problems}
    again = outcome(result.base, result.left, result.right, rules)
    assert again.steps == []


def swapped(rules: Rules) -> Rules:
    return msgspec.structs.replace(
        rules,
        left=rules.right,
        right=rules.left,
        rights_left=rules.rights_right,
        rights_right=rules.rights_left,
    )


CONFLICTS = HELD_UP[:8]
"""Those that a policy can decide."""


@pytest.mark.parametrize("policy", [Policy.LEFT, Policy.RIGHT, Policy.KEEP_BOTH, Policy.NEWER])
@pytest.mark.parametrize("row", CONFLICTS, ids=[row.title for row in CONFLICTS])
def test_however_the_conflict_is_decided_what_was_moved_is_on_both_sides(
    row: Row, policy: Policy
) -> None:
    first = outcome(row.base, row.left, row.right)
    for base, left, right in [
        (row.base, row.left, row.right),
        (first.base, first.left, first.right),
    ]:
        result = outcome(base, left, right, Rules(policies=(policy,), tie=Policy.RIGHT))

        for held in (result.left, result.right):
            assert {"moved", "one", "two", "", "a"} & set(held.values()), result.steps
        assert result.left == result.right == result.base
        again = outcome(result.base, result.left, result.right, FIVE["right"])
        assert again.steps == []


def test_a_place_that_was_given_up_is_moved_back() -> None:
    result = outcome(OLD, {"tgt/": {"t": "1", "s": "moved"}}, {"src/s": "moved"}, FIVE["right"])

    assert result.steps == [
        "left mkdir src",
        "left create src/s",
        "left delete tgt/t",
        "left delete tgt/s",
        "left rmdir tgt",
    ]
    made = result.plan.steps[1]
    assert made.source is not None
    assert (made.source.side, made.source.path, made.reason) == (Side.LEFT, b"tgt/s", "moved-back")
    taken = next(step for step in result.plan.steps if step.at == b"tgt/s")
    assert made.id in taken.needs


def test_a_deletion_needs_the_step_that_brings_its_new_place() -> None:
    rules = Rules(detect_moves=False)
    result = outcome({"a": "x"}, {"b": "x"}, {"a": "x"}, rules)

    assert result.steps == ["right create b", "right delete a"]
    assert result.plan.steps[1].needs == (1,)


def test_several_moved_copies_each_wait_for_their_own_name() -> None:
    rules = Rules(detect_moves=False)
    names = [f"n{number}" for number in range(5)]
    old = {"old/": dict.fromkeys(names, "same")}
    new = {"new/": dict.fromkeys(names, "same")}
    result = outcome(old, new, old, rules)

    steps = {step.id: step for step in result.plan.steps}
    for step in result.plan.steps:
        if step.action is Action.DELETE:
            (need,) = step.needs
            assert steps[need].at.rpartition(b"/")[2] == step.at.rpartition(b"/")[2]


def test_what_was_deleted_and_not_moved_goes() -> None:
    result = outcome({"a": "x", "b": "y"}, {"b": "1"}, {"a": "x", "b": "2"})

    assert result.right == {"b": "2"}
    assert result.problems == []


def test_content_that_was_elsewhere_before_is_no_new_place() -> None:
    base = {"a": "x", "d/": {"copy": "x", "e": "1"}}
    result = outcome(base, {"d/": {"copy": "x", "e": "2"}}, {"a": "x"})

    assert result.conflicts == [("edit-delete", "d")]
    assert result.right == {}
