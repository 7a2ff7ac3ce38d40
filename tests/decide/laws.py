"""The laws of docs/semantics.md §9 as functions of one merge; each raises when it is broken.

`check` runs the cheap ones on every merge. The names P1 … P12 are those of the
specification.
"""

from collections.abc import Iterable

import msgspec

from reconcile.decide.names import unicode_key
from reconcile.model.entry import Entry, Kind, same_content
from reconcile.model.plan import Plan, Side
from reconcile.model.policy import Mode, Policy, Rules
from reconcile.model.treepath import TreePath, is_under, parents
from tests.decide.simulate import Things, Trees, World, is_hollow, plan_of, run, visible
from tests.trees_by_hand import literal_of


class Broken(AssertionError):
    """A law does not hold; says which and shows the trees."""

    def __init__(self, law: str, before: World, after: World, plan: Plan) -> None:
        shown = [
            f"{name} {literal_of(held) if held is not None else None}"
            for name, held in [
                ("base  ", before.base),
                ("left  ", before.left),
                ("right ", before.right),
                ("left' ", after.left),
                ("right'", after.right),
                ("base' ", after.base),
            ]
        ]
        steps = [f"{s.side} {s.action} {s.at!r} {s.reason} {s.rule}" for s in plan.steps]
        super().__init__(
            "\n".join([law, *shown, *steps, repr(plan.conflicts), repr(plan.problems)])
        )


def check(before: World, rules: Rules, trees: Trees | None = None) -> World:
    """Plan and apply one merge, and hold every cheap law against it."""
    after, plan = run(before, rules, trees=trees)
    laws = {
        "P1 nothing undecided: both sides and the baseline agree": _converges,
        "P3-P5 new content survives": _keeps_new_content,
        "P7 what nobody changed stays": _leaves_unchanged,
        "P9 what is strange is never touched": _spares_strange,
        "R1 what is excluded is frozen, and alone in a directory invisible": _freezes,
    }
    for law, holds in laws.items():
        if not holds(before, after, plan, rules):
            raise Broken(law, before, after, plan)
    return after


def _converges(before: World, after: World, plan: Plan, rules: Rules) -> bool:
    if plan.conflicts or plan.problems or rules.mode is Mode.UPDATE:
        return True
    assert after.base is not None
    if _has_ignored(before.left) or _has_ignored(before.right):
        return _outside_ignored(after)
    if _in_one_form(after.left) != _in_one_form(after.right):
        return False
    # A mirror's first run agrees on a directory that only right had filled one run later.
    return rules.mode is Mode.MIRROR or _in_one_form(after.base) == _in_one_form(after.left)


def _in_one_form(held: Things) -> list[tuple[TreePath, object]]:
    """What is visible; names that differ in Unicode form alone are one name of both sides."""
    return sorted((_form(path), shown) for path, shown in visible(held).items())


def _form(path: TreePath) -> TreePath:
    return TreePath(b"/".join(str(unicode_key(name)).encode() for name in path.split(b"/")))


def _has_ignored(held: Things) -> bool:
    return any(entry.kind == Kind.IGNORED for entry in held.values())


def _outside_ignored(after: World) -> bool:
    """Equal apart from what is excluded on either side, and the directories above that."""
    out = [
        _form(path)
        for held in (after.left, after.right)
        for path, entry in held.items()
        if entry.kind == Kind.IGNORED
    ]
    above = {each for path in out for each in parents(path)}
    left, right = (
        [
            row
            for row in _in_one_form(held)
            if row[0] not in above and not any(is_under(row[0], each) for each in out)
        ]
        for held in (after.left, after.right)
    )
    return left == right


def _keeps_new_content(before: World, after: World, plan: Plan, rules: Rules) -> bool:
    """What a side has that the baseline has not is still there, unless a policy gave it up."""
    if rules.mode is Mode.MIRROR:
        return all(
            same_content(after.left.get(path), entry)
            for path, entry in before.left.items()
            if entry.kind in (Kind.FILE, Kind.LINK)
        )
    for side in Side:
        held = after.side(side)
        for path, entry in _new(before, side):
            if not same_content(held.get(path), entry) and not _may_lose(
                path, entry, side, after, plan, rules
            ):
                return False
    return True


def _new(before: World, side: Side) -> Iterable[tuple[TreePath, Entry]]:
    base = before.base or {}
    for path, entry in before.side(side).items():
        if entry.kind in (Kind.FILE, Kind.LINK) and not same_content(base.get(path), entry):
            yield path, entry


def _may_lose(
    path: TreePath, entry: Entry, side: Side, after: World, plan: Plan, rules: Rules
) -> bool:
    """The policy that was asked for may take this away from its name."""
    policy = rules.policies[0]
    if policy is Policy.REPORT:
        return False
    if policy is Policy.KEEP_BOTH:
        return all(
            any(same_content(each, entry) for each in held.values())
            for held in (after.left, after.right)
        )
    step = next((s for s in plan.steps if s.side is side and s.at == path), None)
    if step is None or not step.rule:
        return False
    if step.rule == f"tie={rules.tie}":
        return side.value != rules.tie.value
    if policy in (Policy.LEFT, Policy.RIGHT):
        return side.value != policy.value
    return step.want is not None


def _leaves_unchanged(before: World, after: World, plan: Plan, rules: Rules) -> bool:
    for path, entry in (before.base or {}).items():
        if entry.kind == Kind.DIR:
            continue
        left, right = before.left.get(path), before.right.get(path)
        if left == entry and right == entry:
            if after.left.get(path) != left or after.right.get(path) != right:
                return False
            if after.base is None or after.base.get(path) != entry:
                return False
    return True


def _spares_strange(before: World, after: World, plan: Plan, rules: Rules) -> bool:
    for side in Side:
        held, other = before.side(side), before.side(side.other)
        for path, entry in held.items():
            if entry.kind in (Kind.FILE, Kind.DIR, Kind.LINK):
                continue
            if after.side(side).get(path) != entry:
                return False
            if _below(after.side(side.other), path) != _below(other, path):
                return False
    return True


def _freezes(before: World, after: World, plan: Plan, rules: Rules) -> bool:
    base, ahead = before.base or {}, after.base or {}
    for path, entry in before.left.items():
        is_out = entry.kind == Kind.IGNORED and before.right.get(path) == entry
        if is_out and ahead.get(path) != base.get(path):
            return False
    for side in Side:
        held, other = before.side(side), before.side(side.other)
        for path, entry in held.items():
            alone = entry.kind == Kind.DIR and path not in other and is_hollow(held, path)
            if alone and path in after.side(side.other):
                return False
    return True


def _below(held: Things, top: TreePath) -> Things:
    return {path: entry for path, entry in held.items() if is_under(path, top)}


def settles(before: World, after: World, rules: Rules) -> Plan:
    """P2: a second run has no step, and the same conflicts."""
    first, second = plan_of(before, rules), plan_of(after, rules)
    asked = [(c.path, c.kind) for c in first.conflicts]
    if second.steps or [(c.path, c.kind) for c in second.conflicts] != asked:
        raise Broken("P2 a second run does nothing", before, after, second)
    return second


def survives_crashes(before: World, rules: Rules) -> int:
    """P10: stopped after any step and run again, the end is the same. How many stops were tried.

    Of content that several names share, a name that both sides had may stay after a stop
    where it goes without one: which of them was moved is not known any more.
    """
    end, plan = run(before, rules)
    for stop in range(len(plan.steps)):
        halfway, _ = run(before, rules, stop_after=stop)
        again, replan = run(halfway, rules)
        same = all(_same_end(before, end, again, side) for side in Side)
        more = {c.path for c in replan.conflicts} - {c.path for c in plan.conflicts}
        if not same or more:
            raise Broken(f"P10 stopped after {stop}: {end}", halfway, again, replan)
    return len(plan.steps)


def _same_end(before: World, end: World, again: World, side: Side) -> bool:
    wanted, found = visible(end.side(side)), visible(again.side(side))
    had = visible(before.base or {})
    shared = {content for kind, content, _ in wanted.values() if kind == Kind.FILE}
    more = found.keys() - wanted.keys()
    return wanted.items() <= found.items() and all(
        had.get(path) == found[path] and found[path][1] in shared for path in more
    )


def mirrored(world: World) -> World:
    """The sides swapped."""
    return World(world.base, world.right, world.left)


_SWAPPED = {Policy.LEFT: Policy.RIGHT, Policy.RIGHT: Policy.LEFT}


def mirrored_rules(rules: Rules) -> Rules:
    """The rules for swapped sides."""
    return msgspec.structs.replace(
        rules,
        policies=tuple(_SWAPPED.get(policy, policy) for policy in rules.policies),
        tie=_SWAPPED.get(rules.tie, rules.tie),
        keep_name=rules.keep_name.other,
        rights_left=rules.rights_right,
        rights_right=rules.rights_left,
        left=rules.right,
        right=rules.left,
    )


def is_symmetric(before: World, rules: Rules) -> None:
    """P6: swapping the sides swaps the plan."""
    plan = plan_of(before, rules)
    other = plan_of(mirrored(before), mirrored_rules(rules))
    here = sorted(_step_facts(plan, False))
    there = sorted(_step_facts(other, True))
    if here != there or [c.path for c in plan.conflicts] != [c.path for c in other.conflicts]:
        raise Broken(f"P6 swapped sides swap the plan: {other.steps}", before, before, plan)


def _step_facts(plan: Plan, swap: bool) -> Iterable[tuple[str, str, bytes, bytes, bool]]:
    for step in plan.steps:
        side = step.side.other if swap else step.side
        at, want = bytes(step.at), step.want
        if swap:
            at = at.replace(b"conflict-left", b"conflict-?").replace(
                b"conflict-right", b"conflict-left"
            )
            at = at.replace(b"conflict-?", b"conflict-right")
        content = want.id if want is not None and want.kind != Kind.DIR else b""
        yield side, step.action, at, content, want is not None and want.is_exec


def moves_change_nothing(before: World, rules: Rules) -> None:
    """P8: with and without detection the trees come out the same."""
    with_moves, plan = run(before, msgspec.structs.replace(rules, detect_moves=True))
    without, _ = run(before, msgspec.structs.replace(rules, detect_moves=False))
    if [visible(h or {}) for h in with_moves] != [visible(h or {}) for h in without]:
        raise Broken("P8 moves change nothing", before, with_moves, plan)
