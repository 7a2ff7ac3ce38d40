"""The laws of docs/semantics.md §9 over random drifting trees.

`test_the_laws_hold_for_many_thousand_merges` is the bulk: 100,000 merges in the
ordinary suite, from seeds 0 … so that a failure names its seed. Hypothesis runs
the same laws over fewer worlds and shrinks what breaks. `test_planted_faults`
shows that the laws bite: each known way to lose data, put in on purpose, is
caught within a few hundred worlds.
"""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from reconcile.decide import carry, keep_both, moves, planner, registers, resolve, scene, table
from reconcile.decide.order import order
from reconcile.decide.planner import differences
from reconcile.model.codec import decode, encode
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import build
from reconcile.model.plan import Action, Plan, Side
from reconcile.model.policy import Mode, Policy, Rights, Rules
from reconcile.model.treepath import is_under, order_key
from tests.decide import laws
from tests.decide.simulate import World, apply, plan_of, run, trees_of
from tests.strategies import TAME, Odds, drifted, worlds

RULES = (
    Rules(),
    Rules(policies=(Policy.NEWER,)),
    Rules(policies=(Policy.LEFT,)),
    Rules(policies=(Policy.RIGHT,)),
    Rules(policies=(Policy.KEEP_BOTH,)),
    Rules(policies=(Policy.KEEP_BOTH,), keep_name=Side.RIGHT),
    Rules(policies=(Policy.LARGER,), tie=Policy.RIGHT),
    Rules(mode=Mode.MIRROR),
    Rules(mode=Mode.UPDATE),
    Rules(policies=(Policy.RIGHT,), keep_deleted_edit=True),
)
ODD = Odds(strange=0.2, odd_names=True)


@pytest.mark.parametrize("start", range(0, 10_000, 1_000))
def test_the_laws_hold_for_many_thousand_merges(start: int) -> None:
    for seed in range(start, start + 1_000):
        world = drifted(Random(seed))
        trees = trees_of(world)
        for rules in RULES:
            _told(seed, rules, lambda: laws.check(world, rules, trees))  # noqa: B023


@pytest.mark.parametrize(
    ("law", "count"),
    [
        (lambda world, rules: laws.settles(world, laws.check(world, rules), rules), 1_500),
        (laws.survives_crashes, 1_500),
        (laws.is_symmetric, 1_500),
        (laws.moves_change_nothing, 1_000),
    ],
    ids=["P2 a second run does nothing", "P10 crashes", "P6 symmetry", "P8 moves"],
)
def test_the_dearer_laws_hold_for_thousands(law: Callable[[World, Rules], Any], count: int) -> None:
    for seed in range(count):
        rules = RULES[seed % len(RULES)]
        if law is laws.is_symmetric and rules.mode is not Mode.TWO_WAY:
            continue
        world = drifted(Random(100_000 + seed), ODD if seed % 4 == 0 else TAME)
        _told(100_000 + seed, rules, lambda: law(world, rules))  # noqa: B023


def _told(seed: int, rules: Rules, hold: Callable[[], Any]) -> None:
    try:
        hold()
    except AssertionError as broken:
        raise AssertionError(f"seed {seed}, {rules.mode}, {rules.policies}: {broken}") from broken


quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@quick
@given(worlds(ODD))
def test_every_law_holds_and_failures_shrink(world: World) -> None:
    for rules in RULES:
        after = laws.check(world, rules)
        laws.settles(world, after, rules)
        laws.survives_crashes(world, rules)
        laws.moves_change_nothing(world, rules)


@quick
@given(worlds(ODD))
def test_p12_a_plan_survives_being_written_and_read(world: World) -> None:
    plan = plan_of(world, Rules(policies=(Policy.KEEP_BOTH,)))
    read = decode(encode(plan), Plan)

    assert read == plan
    one, two = world.copy(), world.copy()
    assert apply(plan, one) == apply(read, two)
    assert one == two


@quick
@given(worlds(ODD))
def test_the_plan_is_sorted_and_the_same_for_the_same_trees(world: World) -> None:
    shuffled = World(
        world.base and dict(reversed(world.base.items())),
        dict(reversed(world.left.items())),
        dict(reversed(world.right.items())),
    )
    for rules in RULES:
        plan = plan_of(world, rules)
        assert plan == plan_of(shuffled, rules)
        assert [step.id for step in plan.steps] == list(range(1, len(plan.steps) + 1))
        assert all(need < step.id for step in plan.steps for need in step.needs)
        for values in (plan.agreements, plan.conflicts, plan.problems):
            keys = [order_key(value.path) for value in values]  # type: ignore[attr-defined]
            assert keys == sorted(keys)


def test_p9_making_something_unknown_never_adds_a_removal() -> None:
    """At, above or below an unknown name nothing is removed or overwritten that was not before."""
    for seed in range(3_000):
        random = Random(seed)
        world = drifted(random, TAME)
        side = random.choice((Side.LEFT, Side.RIGHT))
        held = world.side(side)
        if not held:
            continue
        lost = random.choice(sorted(held))
        blurred = world.copy()
        for path in [path for path in held if is_under(path, lost)]:
            del blurred.side(side)[path]
        blurred.side(side)[lost] = Entry(b"", Kind.UNKNOWN, id=b"EIO")
        rules = RULES[seed % len(RULES)]
        before = _removals(plan_of(world, rules))
        for at in _removals(plan_of(blurred, rules)) - before:
            assert not is_under(at[1], lost), (seed, at, lost)
            assert not is_under(lost, at[1]), (seed, at, lost)


def _removals(plan: Plan) -> set[tuple[Side, bytes]]:
    return {
        (step.side, step.at)
        for step in plan.steps
        if step.expect is not None and step.action not in (Action.META, Action.MOVE)
    }


def test_p3_report_never_sends_what_both_touched() -> None:
    """Under report no step stands at, above or below a conflict."""
    for seed in range(3_000):
        plan = plan_of(drifted(Random(seed)), Rules())
        for conflict in plan.conflicts:
            touching = [
                step
                for step in plan.steps
                if is_under(step.path, conflict.path) or is_under(conflict.path, step.path)
            ]
            assert not [step for step in touching if step.action is not Action.MKDIR], seed


def test_rights_that_forbid_everything_leave_everything() -> None:
    none = Rights(create=False, edit=False, delete=False)
    for seed in range(1_000):
        for policy in (Policy.REPORT, Policy.LEFT, Policy.KEEP_BOTH, Policy.NEWER):
            rules = Rules(policies=(policy,), rights_left=none, rights_right=none)
            assert plan_of(drifted(Random(seed)), rules).steps == ()


def test_differences_are_what_a_naive_comparison_finds() -> None:
    for seed in range(2_000):
        world = drifted(Random(seed), TAME)
        base, left, right = trees_of(world)
        found = [each.path for each in differences(base, left, right, Rules())]
        assert found == sorted(found, key=order_key), seed
        assert set(found) == _naive(world), seed


def _naive(world: World) -> set[bytes]:
    trees = [world.left, world.right]
    if world.base is not None:
        trees.insert(0, world.base)
    different = set()
    for path in set().union(*trees):
        shown = [
            (e and e.kind, e and e.kind != Kind.DIR and (e.id, e.is_exec))
            for e in (t.get(path) for t in trees)
        ]
        if len(set(shown)) > 1:
            different.add(path)
    return different


def _never(*_: Any) -> bool:
    return False


def _by_name(drafts: Any) -> Any:
    steps = sorted(order(drafts), key=lambda step: (step.at, step.side))
    return [
        msgspec.structs.replace(step, id=number, needs=()) for number, step in enumerate(steps, 1)
    ]


FAULTS: dict[str, tuple[Any, str, Any]] = {
    "an edit inside a deleted directory is not seen": (
        scene.Scene,
        "change",
        lambda self, found, side: scene.Change(),
    ),
    "unknown is taken for content": (carry.Carrier, "unknown", _never),
    "excluded content does not stop a replacement": (scene.Scene, "has_ignored", _never),
    "one register wins for both sides": (
        registers,
        "_winner",
        lambda base, left, right: Side.LEFT,
    ),
    "a deletion survives an edit": (resolve, "_survivor", lambda found: None),
    "a copy is not waited for": (
        keep_both.KeepBoth,
        "_copy",
        lambda self, twin, loser: [],
    ),
    "steps are carried out by name": (planner, "order", _by_name),
    "frozen entries are agreed away": (scene.Scene, "has_frozen", _never),
    "a directory of excluded things is sent": (scene.Scene, "is_hollow", _never),
    "a move takes any file of the same size": (
        moves,
        "_by_content",
        lambda drafts, tracked, wanted: {0: list(drafts)},
    ),
    "new directories look agreed on": (
        carry.Carrier,
        "_grow",
        lambda self, found, winner, why: None,
    ),
    "the wrong side is overtaken": (
        table.Table,
        "_only_changed",
        lambda self, found: Side.LEFT,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fault is caught within 600 worlds."""
    place, name, wrong = FAULTS[fault]
    monkeypatch.setattr(place, name, wrong)

    with pytest.raises(AssertionError):
        _hold_over(600)


def test_without_a_fault_the_same_worlds_pass() -> None:
    _hold_over(600)


def _hold_over(count: int) -> None:
    for seed in range(count):
        world = drifted(Random(seed), Odds(strange=0.5))
        rules = RULES[seed % 6]
        laws.settles(world, laws.check(world, rules), rules)
        laws.survives_crashes(world, rules)


def test_the_first_run_deletes_nothing() -> None:
    for seed in range(2_000):
        world = drifted(Random(seed))._replace(base=None)
        after, plan = run(world, RULES[seed % 7])
        assert plan.first_run
        for step in plan.steps:
            assert step.want is not None or step.rule, (seed, step)
        assert build(after.left).root is not None
