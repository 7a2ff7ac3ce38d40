"""P7 where names are one: nobody's file is gone because another was renamed, re-spelled, re-cased.

One side or both cannot tell letter case or Unicode forms apart; such a side never
holds, and never gets, two names that it takes for one.
"""

from collections import Counter
from collections.abc import Callable
from random import Random

import msgspec
import pytest

from reconcile.decide.names import case_key, unicode_key
from reconcile.model.plan import Plan
from reconcile.model.policy import Abilities, Rules
from reconcile.model.treepath import TreePath
from tests.decide import laws
from tests.decide.simulate import Things, World, run
from tests.decide.wandering import RULES, Wanderer, contents

NAMES = (b"a", b"A", b"b", "x\u00e9".encode(), "xe\u0301".encode())
POSIX = Abilities()
CASE = Abilities(folds_case=True)
FORMS = Abilities(folds_unicode=True)
BOTH = Abilities(folds_case=True, folds_unicode=True)
SIDES = [
    (POSIX, POSIX),
    (POSIX, CASE),
    (CASE, POSIX),
    (CASE, CASE),
    (POSIX, FORMS),
    (POSIX, BOTH),
    (BOTH, BOTH),
]


def is_possible(held: Things, abilities: Abilities) -> bool:
    """No two of these names are one there."""
    if not (abilities.folds_case or abilities.folds_unicode):
        return True
    key = case_key if abilities.folds_case else unicode_key
    return len({tuple(map(key, path.split(b"/"))) for path in held}) == len(held)


def drawn(seed: int, left: Abilities, right: Abilities) -> World:
    """Two possible sides; the base is as the one that folds more would have it."""
    random = Random(seed)
    wanderer = Wanderer(random, NAMES)
    base: Things = {}
    for _ in range(random.randint(1, 6)):
        base = _tried(wanderer.make, base, BOTH)
    sides = []
    for abilities in (left, right):
        held = dict(base)
        for _ in range(random.randint(0, 4)):
            held = _tried(wanderer.act, held, abilities)
        sides.append(held)
    return World(base, sides[0], sides[1])


def _tried(deed: Callable[[Things], None], held: Things, abilities: Abilities) -> Things:
    then = dict(held)
    deed(then)
    whole = all(b"/" not in p or TreePath(p.rpartition(b"/")[0]) in then for p in then)
    return then if whole and is_possible(then, abilities) else held


@pytest.mark.parametrize(("left", "right"), SIDES)
def test_nobody_is_gone_because_another_was_renamed(left: Abilities, right: Abilities) -> None:
    for seed in range(250):
        world = drawn(seed, left, right)
        rules: Rules = RULES[seed % len(RULES)]
        for each in (rules, RULES[0], RULES[3]):
            asked = _with(each, left, right)
            after, plan = run(world, asked)
            _hold(f"seed {seed}", world, after, plan, asked)
            if each is not RULES[0]:
                continue
            again = redrawn(seed, after, left, right)
            _hold(f"seed {seed}, second", again, *run(again, asked), asked)


def redrawn(seed: int, after: World, left: Abilities, right: Abilities) -> World:
    """The world after another round of edits."""
    random = Random(-1 - seed)
    wanderer = Wanderer(random, NAMES, count=1000)
    sides = []
    for held, abilities in ((after.left, left), (after.right, right)):
        for _ in range(random.randint(0, 3)):
            held = _tried(wanderer.act, held, abilities)
        sides.append(held)
    return World(after.base, sides[0], sides[1])


def _hold(seed: str, world: World, after: World, plan: Plan, rules: Rules) -> None:
    shared = contents(world.left) & contents(world.right)
    shared -= {content for held in world if held for content in _several(held)}
    whole = all(shared <= contents(held) for held in (after.left, after.right))
    possible = is_possible(after.left, rules.left) and is_possible(after.right, rules.right)
    if not whole or not possible:
        law = f"{seed}: " + ("possible names" if whole else "P7")
        raise laws.Broken(law, world, after, plan)


def _several(held: Things) -> set[bytes]:
    """What is there twice, after copies were kept: either may be deleted."""
    found = Counter(entry.id for entry in held.values())
    return {content for content, count in found.items() if count > 1}


def _with(rules: Rules, left: Abilities, right: Abilities) -> Rules:
    return msgspec.structs.replace(rules, left=left, right=right)
