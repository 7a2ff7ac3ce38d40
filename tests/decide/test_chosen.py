"""What a person chose is done, nothing else is, and only while it is what was seen."""

from random import Random
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.decide.chosen import (
    Answer,
    Choice,
    Choices,
    Chosen,
    ChosenResolver,
    Ending,
    answers,
    newer_side,
    only_chosen,
)
from reconcile.decide.planner import make_plan
from reconcile.model.entry import Kind
from reconcile.model.plan import Conflict, Plan, PlanKind, Side
from reconcile.model.policy import Abilities, Mode, Rights, Rules
from reconcile.model.treepath import TreePath, is_under, split
from tests.decide.cases import Literal
from tests.decide.simulate import (
    MADE_FROM,
    Things,
    World,
    advance,
    apply,
    is_hollow,
    plan_of,
    trees_of,
    visible,
)
from tests.strategies import worlds
from tests.trees_by_hand import file, literal_of, path_of, things

RULES = Rules()
GIVEN = msgspec.structs.replace(file("given"), name=b"given")


class Ended(NamedTuple):
    """A world after a resolution."""

    after: World
    plan: Plan
    answers: tuple[Answer, ...]

    @property
    def endings(self) -> list[Ending]:
        return [answer.ending for answer in self.answers]

    @property
    def notes(self) -> list[str]:
        return [answer.note for answer in self.answers]

    @property
    def sides(self) -> tuple[Literal, Literal]:
        return literal_of(self.after.left), literal_of(self.after.right)


def resolved(world: World, choices: Choices, rules: Rules = RULES) -> Ended:
    """Plan the choices, apply the plan, advance the baseline."""
    base, left, right = trees_of(world)
    resolver = ChosenResolver(rules, None, choices)
    whole = make_plan(base, left, right, rules, made_from=MADE_FROM, resolver=resolver)
    plan = only_chosen(whole, choices)
    after = world.copy()
    done = apply(plan, after)
    return Ended(advance(plan, world, after, done), plan, answers(plan, choices))


def chosen(conflict: Conflict, choice: Choice) -> Chosen:
    want = GIVEN if choice is Choice.CONTENT else None
    return Chosen(conflict, choice, conflict.base if choice is Choice.BASE else want)


def choose(
    base: Literal | None,
    left: Literal,
    right: Literal,
    choice: Choice,
    *paths: str,
    rules: Rules = RULES,
) -> Ended:
    """Every conflict (or those at `paths`) of the world gets the same answer."""
    world = World(None if base is None else things(base), things(left), things(right))
    found = plan_of(world, rules).conflicts
    wanted = [path_of(path) for path in paths] or [each.path for each in found]
    choices = {each.path: chosen(each, choice) for each in found if each.path in wanted}
    return resolved(world, choices, rules)


B, L, R = {"a": ("b", 1)}, {"a": ("l", 5)}, {"a": ("r", 9)}


@pytest.mark.parametrize(
    ("choice", "base", "left", "right", "both"),
    [
        (Choice.LEFT, B, L, R, {"a": "l"}),
        (Choice.RIGHT, B, L, R, {"a": "r"}),
        (Choice.NEWER, B, L, R, {"a": "r"}),
        (Choice.OLDER, B, L, R, {"a": "l"}),
        (Choice.BASE, B, L, R, {"a": "b"}),
        (Choice.CONTENT, B, L, R, {"a": "given"}),
        (Choice.LEFT, B, {}, R, {}),
        (Choice.RIGHT, B, {}, R, {"a": "r"}),
        (Choice.BOTH, B, {}, R, {"a": "r"}),
        (Choice.NEWER, B, {}, R, {"a": "r"}),
        (Choice.BASE, B, {}, R, {"a": "b"}),
        (Choice.CONTENT, B, L, {}, {"a": "given"}),
        (Choice.LEFT, None, L, R, {"a": "l"}),
        (Choice.CONTENT, None, {"a/": {"x": "x"}}, R, {"a": "given"}),
        (Choice.LEFT, {"a/": {"x": "x", "y": "y"}}, {}, {"a/": {"x": "new", "y": "y"}}, {}),
        (Choice.CONTENT, {"a/": {"x": "x"}}, {"a": "l"}, {"a/": {"x": "n"}}, {"a": "given"}),
        (Choice.BASE, {"a->": "b"}, {"a->": "l"}, {"a->": "r"}, {"a->": "b"}),
        (Choice.LEFT, None, {"a*": "l"}, {"a": "l"}, {"a*": "l"}),
    ],
)
def test_both_sides_and_the_baseline_become_what_was_chosen(
    choice: Choice, base: Literal | None, left: Literal, right: Literal, both: Literal
) -> None:
    ended = choose(base, left, right, choice)
    assert ended.endings == [Ending.DONE]
    assert ended.sides == (both, both)
    assert literal_of(ended.after.base or {}) == both
    assert ended.plan.kind is PlanKind.RESOLVE
    assert all(step.rule == f"chosen: {choice.value}" for step in ended.plan.steps)


@pytest.mark.parametrize(
    ("choice", "left", "right", "note"),
    [
        (Choice.NEWER, ("l", 5), ("r", 6), "the times are too close"),
        (Choice.MERGE, ("l", 5), ("r", 9), "no texts are at hand to merge"),
    ],
)
def test_what_cannot_tell_stays_even_where_a_tie_rule_is_set(
    choice: Choice, left: tuple[str, int], right: tuple[str, int], note: str
) -> None:
    rules = Rules(tie=RULES.policies[0])
    ended = choose(B, {"a": left}, {"a": right}, choice, rules=rules)
    assert (ended.endings, ended.notes) == ([Ending.STAYS], [note])
    assert not ended.plan.steps


def test_a_doubt_of_whoever_prepared_the_answer_is_its_note() -> None:
    world = World(things(B), things(L), things(R))
    (found,) = plan_of(world, RULES).conflicts
    ended = resolved(world, {found.path: Chosen(found, Choice.BASE, None, "not kept")})
    assert (ended.endings, ended.notes) == ([Ending.STAYS], ["not kept"])


@pytest.mark.parametrize(
    ("rules", "choice", "note"),
    [
        (Rules(right=Abilities(writable=False)), Choice.LEFT, "right is read-only"),
        (Rules(rights_left=Rights(edit=False)), Choice.LEFT, "left may not edit on right"),
        (Rules(mode=Mode.UPDATE), Choice.RIGHT, "that would write left"),
        (Rules(mode=Mode.UPDATE), Choice.BOTH, "that would write left"),
        (Rules(mode=Mode.UPDATE), Choice.CONTENT, "that would write left"),
        (Rules(left=Abilities(writable=False)), Choice.CONTENT, "left is read-only"),
    ],
)
def test_what_may_not_be_stays_a_conflict_and_says_why(
    rules: Rules, choice: Choice, note: str
) -> None:
    ended = choose(B, L, R, choice, rules=rules)
    assert ended.endings == [Ending.STAYS]
    assert ended.notes[0].startswith(note)
    assert [conflict.path for conflict in ended.plan.conflicts] == [b"a"]
    assert ended.sides == (literal_of(things(L)), literal_of(things(R)))


def test_a_choice_for_another_state_is_not_carried_out() -> None:
    world = World(things(B), things(L), things(R))
    (found,) = plan_of(world, RULES).conflicts
    choices = {found.path: chosen(found, Choice.LEFT)}
    for side, other in ((0, "right"), (1, "left")):
        trees = [things(L), things(R)]
        trees[1 - side] = things({"a": "another"})
        ended = resolved(World(things(B), *trees), choices)
        assert (ended.endings, ended.plan.steps) == ([Ending.CHANGED], ())
        assert ended.notes == [f"{other} changed since it was shown"]
    ended = resolved(World(things({"a": "z"}), things(L), things(R)), choices)
    assert ended.notes == ["the baseline changed since it was shown"]


def test_a_conflict_that_is_none_any_more_is_gone() -> None:
    world = World(things(B), things(L), things(R))
    (found,) = plan_of(world, RULES).conflicts
    choices = {found.path: chosen(found, Choice.RIGHT)}
    ended = resolved(World(things(B), things(L), things(B)), choices)
    assert (ended.endings, ended.plan.steps) == ([Ending.GONE], ())


def test_the_copy_of_keep_both_comes_before_what_needs_it() -> None:
    ended = choose({**B, "z": "z"}, {**L, "z": "new"}, {**R, "z": "z"}, Choice.BOTH)
    assert [step.id for step in ended.plan.steps] == [1, 2, 3]
    assert ended.plan.steps[2].needs == (1, 2)
    left, right = ended.sides
    assert sorted(left.values()) == ["l", "new", "r"]
    assert sorted(right.values()) == ["l", "r", "z"]


def test_what_a_chosen_step_needs_is_done_too() -> None:
    rules = Rules(right=Abilities(directories=False))
    base, right = {"d/": {"x": "b", "y": "y"}}, {"d/": {"x": "r", "y": "y"}}
    ended = choose(base, {}, right, Choice.RIGHT, rules=rules)
    assert [(step.action.value, step.path, step.needs) for step in ended.plan.steps] == [
        ("mkdir", b"d", ()),
        ("create", b"d/x", (1,)),
    ]
    assert ended.sides[0] == {"d/x": "r"}


def test_of_agreements_only_those_below_a_chosen_path_are_kept() -> None:
    base = {"d/": {"x": "x", "y": "y"}, "both": "b"}
    right = {"d/": {"x": "edited"}, "both": "same"}
    ended = choose(base, {"both": "same"}, right, Choice.RIGHT)
    assert [agreement.path for agreement in ended.plan.agreements] == [b"d/y"]


@pytest.mark.parametrize("count", [2, 12, 13])
def test_a_plan_names_what_it_resolves(count: int) -> None:
    names = [f"f{n:02}" for n in range(count)]
    left, right = (dict.fromkeys(names, side) for side in "lr")
    ended = choose(None, {**left, "zz": "1"}, {**right, "zz": "2"}, Choice.LEFT, *names)
    ids = [answer.chosen.seen.id for answer in ended.answers]
    assert ended.plan.of == (",".join(ids) if count <= 12 else "13 conflicts")


def test_a_first_run_agrees_on_what_is_equal_when_it_has_anything_to_do() -> None:
    ended = choose(None, {**L, "z": "z"}, {**R, "z": "z"}, Choice.LEFT)
    assert literal_of(ended.after.base or {}) == {"a": "l", "z": "z"}
    ended = choose(None, {**L, "z": "z"}, {**R, "z": "z"}, Choice.MERGE)
    assert (ended.plan.steps, ended.plan.agreements) == ((), ())


@given(worlds(), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_only_what_was_chosen_is_done(world: World, random: Random) -> None:
    found = plan_of(world, RULES).conflicts
    offered = [choice for choice in Choice if choice is not Choice.MERGE]
    picked = [each for each in found if random.random() < 0.6]
    choices = {each.path: chosen(each, random.choice(offered)) for each in picked}
    choices = {path: each for path, each in choices.items() if _is_possible(each)}
    ended = resolved(world, choices)

    done = {a.chosen.seen.path for a in ended.answers if a.ending is Ending.DONE}
    for side in Side:
        before, after = world.side(side), ended.after.side(side)
        left_alone = _outside(before, done, [before, after])
        assert left_alone == _outside(after, done, [before, after], world), "nothing else changes"
    whole = {path for path in done if not any(is_under(p.path, path) for p in ended.plan.problems)}
    for path in whole:
        left, right = (_below(ended.after.side(side), path) for side in Side)
        assert left == right, f"{path!r} is the same on both sides"
    left_over = {conflict.path for conflict in plan_of(ended.after, RULES).conflicts}
    assert not left_over & whole, "what is resolved is no conflict any more"
    assert {each.path for each in found} - set(choices) <= left_over, "the others stay"


def _is_possible(each: Chosen) -> bool:
    """BASE and CONTENT want a file or a link; a directory's mode is another matter."""
    if each.choice is Choice.BASE:
        return each.want is not None and each.want.kind != Kind.DIR
    return True


def _below(held: Things, top: TreePath) -> dict[TreePath, tuple[Kind, bytes, bool]]:
    return {path: entry for path, entry in visible(held).items() if is_under(path, top)}


def _outside(
    held: Things, tops: set[TreePath], ends: list[Things], before: World | None = None
) -> dict[TreePath, tuple[Kind, bytes, bool]]:
    """What lies under no top; after a resolution also without the copies it made.

    A directory above a top that holds but excluded things at one of both `ends` is seen at the
    other only, since something that is no longer there, or was not, made it visible.
    """
    return {
        path: entry
        for path, entry in visible(held).items()
        if not any(is_under(path, top) for top in tops)
        and not (before is not None and b".conflict-" in split(path)[1])
        and not (
            any(is_under(top, path) for top in tops)
            and any(path in end and is_hollow(end, path) for end in ends)
        )
    }


def test_the_newer_side_for_display() -> None:
    seen = Conflict("c-a", TreePath(b"a"), "both-changed", None, file("l", 5), file("r", 9))
    assert newer_side(seen, 2_000_000_000) is Side.RIGHT
    assert newer_side(seen, 9_000_000_000) is None
    gone = msgspec.structs.replace(seen, left=None)
    assert newer_side(gone, 0) is None
