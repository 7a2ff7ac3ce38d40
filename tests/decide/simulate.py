"""A pure model of apply: carries a plan out on dictionaries, checking every expectation.

Nothing but what a step says is used. A step whose expectation does not hold
raises `Stale`; here that is always a fault of the plan, because nobody else
touches these trees. The baseline follows the contract of `model/plan.py`: a
path takes its `want` when all steps of that path are done.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from reconcile.decide.names import after_steps, left_by
from reconcile.decide.planner import make_plan
from reconcile.decide.spelling import spelled
from reconcile.model.entry import Entry, Kind, same, same_content
from reconcile.model.manifest import ABSENT, DEFAULT_HEADER, Manifest, build
from reconcile.model.plan import Action, Agreement, MadeFrom, Plan, Side, Step
from reconcile.model.policy import Rules
from reconcile.model.treepath import ROOT, TreePath, is_under, join, parents, rebase, split

Things = dict[TreePath, Entry]
MADE_FROM = MadeFrom("pair", "left", "right", 1, b"", b"", b"", DEFAULT_HEADER)


class Stale(AssertionError):
    """A step met something else than it expects."""


class World(NamedTuple):
    """Both sides and what they last agreed on (None: never)."""

    base: Things | None
    left: Things
    right: Things

    def side(self, side: Side) -> Things:
        """One of the two."""
        return self.left if side is Side.LEFT else self.right

    def copy(self) -> "World":
        """An independent copy."""
        return World(None if self.base is None else dict(self.base), {**self.left}, {**self.right})


Trees = tuple[Manifest, Manifest, Manifest]


def trees_of(world: World) -> Trees:
    """Base, left and right as manifests."""
    base = ABSENT if world.base is None else build(world.base)
    return base, build(world.left), build(world.right)


def plan_of(world: World, rules: Rules, trees: Trees | None = None) -> Plan:
    """The plan for this world; `trees` when they were built already."""
    base, left, right = trees or trees_of(world)
    return make_plan(base, left, right, rules, made_from=MADE_FROM)


def run(
    world: World, rules: Rules, stop_after: int | None = None, trees: Trees | None = None
) -> tuple[World, Plan]:
    """Plan, apply the first `stop_after` steps, and advance the baseline."""
    plan = plan_of(world, rules, trees)
    after = world.copy()
    done = apply(plan, after, stop_after)
    return advance(plan, world, after, done), plan


def apply(plan: Plan, world: World, stop_after: int | None = None) -> set[int]:
    """Carry out the steps in order, in place; the numbers of those done."""
    done: set[int] = set()
    for number, step in enumerate(plan.steps):
        if stop_after is not None and number >= stop_after:
            break
        if not done.issuperset(step.needs):
            raise Stale(f"step {step.id} needs {step.needs}, done are {done}")
        carry_out(step, world)
        done.add(step.id)
    return done


def carry_out(step: Step, world: World) -> None:
    """One step."""
    held = world.side(step.side)
    _check_expectation(step, held)
    if step.want is None:
        _must_be_empty(step, held)
        del held[step.at]
        return
    above = split(step.at)[0]
    if above != ROOT and (above not in held or held[above].kind != Kind.DIR):
        raise Stale(f"{step.at!r} has no directory above it")
    if step.want.kind != Kind.DIR:
        _must_be_empty(step, held)
        _check_content(step, world)
    if step.action is Action.MOVE:
        assert step.source is not None
        assert step.source.side is step.side
        del held[step.source.path]
    held[step.at] = msgspec.structs.replace(step.want, name=split(step.at)[1])


def _check_expectation(step: Step, held: Things) -> None:
    found = held.get(step.at)
    if step.expect is None or found is None:
        fits = found is step.expect
    elif step.expect.kind == Kind.DIR:
        fits = found.kind == Kind.DIR
    else:
        fits = same(found, step.expect)
    if not fits:
        raise Stale(f"{step.side} {step.at!r}: expected {step.expect}, found {found}")


def _must_be_empty(step: Step, held: Things) -> None:
    if step.expect is None or step.expect.kind != Kind.DIR or step.action is Action.META:
        return
    below = [path for path in held if path != step.at and is_under(path, step.at)]
    if below:
        raise Stale(f"{step.side} {step.at!r} is not empty: {below}")


def _check_content(step: Step, world: World) -> None:
    assert step.want is not None
    if step.source is None:
        if not same_content(step.want, step.expect):
            raise Stale(f"{step.at!r}: new content without a source")
        return
    if step.source.side is None:
        return
    found = world.side(step.source.side).get(step.source.path)
    if not same(found, step.source.entry) or not same_content(found, step.want):
        raise Stale(f"source of {step.at!r} is {found}, not {step.source.entry}")


def advance(plan: Plan, before: World, after: World, done: set[int]) -> World:
    """The world with its baseline brought forward."""
    base: Things = {} if before.base is None else dict(before.base)
    for agreement in plan.agreements:
        _agree(base, agreement, before)
    open_steps = Counter(step.path for step in plan.steps)
    known = build(base)
    sides = {side: build(before.side(side)) for side in Side}
    for step in plan.steps:
        if step.id in done:
            open_steps[step.path] -= 1
            if not open_steps[step.path]:
                every = [each for each in plan.steps if each.path == step.path]
                _take(base, step, after, every, known, sides)
    return World(base, after.left, after.right)


def _agree(base: Things, agreement: Agreement, before: World) -> None:
    _drop(base, agreement.path)
    if agreement.entry is None:
        return
    if agreement.path != ROOT:
        _put(base, agreement.path, agreement.entry, before)
    if agreement.entry.kind == Kind.DIR:
        at = agreement.path
        if at != ROOT:
            at = join(split(at)[0], spelled(agreement.entry, Side.LEFT))
        for path, entry in before.left.items():
            if path != at and is_under(path, at) and entry.is_content:
                base[rebase(path, at, agreement.path)] = entry


def _take(
    base: Things,
    step: Step,
    after: World,
    every: Sequence[Step],
    known: Manifest,
    sides: Mapping[Side, Manifest],
) -> None:
    old = left_by(step, known)
    if old is not None:
        _drop(base, old)
    if step.action is not Action.META:
        _drop(base, step.path)
    if step.want is not None:
        _put(base, step.path, after_steps(step.want, every, step.path, known, sides), after)


def _put(base: Things, path: TreePath, entry: Entry, sides: World) -> None:
    base[path] = entry
    for above in parents(path)[:-1]:
        if above not in base or base[above].kind != Kind.DIR:
            base[above] = Entry(split(above)[1], Kind.DIR, mode=0o755)


def _drop(base: Things, path: TreePath) -> None:
    for each in [each for each in base if is_under(each, path)]:
        del base[each]


def visible(held: Things) -> dict[TreePath, tuple[Kind, bytes, bool]]:
    """What the merge sees of a side, comparable: kind, content, executable.

    Excluded things are left out, and directories that hold nothing else (D6).
    """
    shown: dict[TreePath, tuple[Kind, bytes, bool]] = {}
    for path, entry in held.items():
        if entry.kind == Kind.FILE:
            shown[path] = (entry.kind, entry.id, entry.is_exec)
        elif entry.kind == Kind.DIR:
            if not is_hollow(held, path):
                shown[path] = (entry.kind, b"", False)
        elif entry.kind != Kind.IGNORED:
            shown[path] = (entry.kind, entry.id, False)
    return shown


def is_hollow(held: Things, path: TreePath) -> bool:
    """A directory of excluded things and nothing else, at any depth; an empty one is not."""
    below = [each for each in held if split(each)[0] == path and each != ROOT]
    return bool(below) and all(
        held[each].kind == Kind.IGNORED or (held[each].kind == Kind.DIR and is_hollow(held, each))
        for each in below
    )
