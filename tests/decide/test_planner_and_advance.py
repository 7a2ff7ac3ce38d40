"""Planner and advance speak the same language: after any part of any plan the baseline is right.

`tests/decide/simulate.py` says in a few lines what a baseline must become;
`decide/advance.py` does it page by page. Here both follow random plans, stopped
after every step in turn.
"""

from random import Random

from reconcile.decide.advance import advance
from reconcile.model.manifest import walk
from reconcile.model.policy import Policy, Rules
from tests.decide import simulate
from tests.decide.test_laws import RULES
from tests.decide.test_revise import Stored
from tests.strategies import drifted
from tests.trees_by_hand import literal_of, things


def test_the_baseline_is_the_same_after_every_step() -> None:
    for seed in range(1_500):
        world, rules = drifted(Random(seed)), RULES[seed % len(RULES)]
        trees = simulate.trees_of(world)
        plan = simulate.plan_of(world, rules, trees)
        for stop in range(len(plan.steps) + 1):
            after = world.copy()
            done = simulate.apply(plan, after, stop)
            expected = simulate.advance(plan, world, after, done).base
            revision = advance(trees[0], plan, done, trees[1], trees[2])
            found = dict(walk(Stored.of(trees[0]).after(revision)))
            assert simulate.visible(found) == simulate.visible(expected or {}), (seed, stop)


def test_a_restored_directory_that_is_half_done_is_not_read_as_half_deleted() -> None:
    """MKDIR is done, one file is not: the next run brings it, and deletes nothing."""
    base = {"d/": {"a": "1", "b": "2"}}
    world = simulate.World(things(base), {}, things({"d/": {"a": "edited", "b": "2"}}))
    rules = Rules(policies=(Policy.RIGHT,))

    halfway, _ = simulate.run(world, rules, stop_after=1)
    end, plan = simulate.run(halfway, Rules())

    assert literal_of(halfway.left) == literal_of(halfway.base or {}) == {"d/": ...}
    assert plan.conflicts == ()
    assert literal_of(end.left) == literal_of(end.right) == {"d/a": "edited", "d/b": "2"}
