"""P7 for things that move: what both sides have, both sides keep, wherever it lies.

Each file has content of its own, so a content that both sides held before was
deleted by nobody. The worlds come from seeds, which a failure names.
"""

from random import Random

import pytest

from reconcile.model.policy import Rules
from tests.decide import laws
from tests.decide.simulate import World, run
from tests.decide.wandering import RULES, Wanderer, contents


def keeps_what_both_had(before: World, rules: Rules) -> World:
    """The world after a run."""
    after, plan = run(before, rules)
    shared = contents(before.left) & contents(before.right)
    for held in (after.left, after.right):
        if not shared <= contents(held):
            raise laws.Broken("P7 what both had, both keep", before, after, plan)
    return after


@pytest.mark.parametrize("start", range(0, 1_000, 200))
def test_what_both_sides_have_both_sides_keep(start: int) -> None:
    for seed in range(start, start + 200):
        world = Wanderer(Random(seed)).world()
        for number, rules in enumerate(RULES):
            try:
                after = keeps_what_both_had(world, rules)
                if number % 4 == seed % 4:
                    laws.settles(world, after, rules)
                    then = RULES[seed % 5]
                    again = keeps_what_both_had(after, then)
                    laws.settles(after, again, then)
            except AssertionError as broken:
                raise AssertionError(f"seed {seed}, rules {number}: {broken}") from broken


@pytest.mark.parametrize(
    "law", [laws.survives_crashes, laws.is_symmetric, laws.moves_change_nothing]
)
def test_the_dearer_laws_hold_where_things_wander(law) -> None:  # type: ignore[no-untyped-def]
    for seed in range(200):
        world = Wanderer(Random(seed)).world()
        rules = RULES[seed % 5]
        try:
            law(world, rules)
        except AssertionError as broken:
            raise AssertionError(f"seed {seed}: {broken}") from broken
