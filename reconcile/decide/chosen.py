"""Chosen: what a person answered to single conflicts, and the plan that does just that.

A choice holds for what the person saw: where a side is another by now, the
conflict stays and says so. The ordinary judgement runs with the choices; its
plan is then cut down to the steps that carry them out. Every other difference
waits for the next ordinary plan, every other conflict stays. docs/semantics.md §4.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum, StrEnum
from typing import NamedTuple

import msgspec

from reconcile.decide.resolve import Decision, Matcher, Resolver, Verdict, ask
from reconcile.model.difference import Difference
from reconcile.model.entry import Entry, Tracked, same
from reconcile.model.plan import Agreement, Conflict, Plan, PlanKind, Problem, Side, Step
from reconcile.model.policy import Mode, Policy, Rules
from reconcile.model.treepath import TreePath, order_key, split


class Choice(StrEnum):
    """What a person may answer to one conflict."""

    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"
    NEWER = "newer"
    OLDER = "older"
    MERGE = "merge"
    BASE = "base"
    """Both sides go back to what they last agreed on."""
    CONTENT = "content"
    """Both sides get content that the person gave."""


class Chosen(NamedTuple):
    """One conflict, as the person saw it, and the answer."""

    seen: Conflict
    choice: Choice
    want: Entry | None = None
    """BASE and CONTENT: what both sides become; its content waits in the state."""
    doubt: str = ""
    """Why the answer cannot be carried out; the conflict stays then."""


Choices = Mapping[TreePath, Chosen]

_POLICIES = {
    Choice.LEFT: Policy.LEFT,
    Choice.RIGHT: Policy.RIGHT,
    Choice.BOTH: Policy.KEEP_BOTH,
    Choice.NEWER: Policy.NEWER,
    Choice.OLDER: Policy.OLDER,
    Choice.MERGE: Policy.MERGE,
}
_RULE = "chosen: "
_NAMED = 12
CHANGED = "changed since it was shown"


class ChosenResolver(Resolver):
    """The policies of a run, and before them what a person said of single paths."""

    def __init__(
        self,
        rules: Rules,
        compile_patterns: Callable[[Sequence[str]], Matcher] | None,
        choices: Choices,
    ) -> None:
        super().__init__(rules, compile_patterns)
        self._choices = choices

    def resolve(self, found: Difference, unmerged: str = "") -> Decision:
        """As chosen, where somebody chose; see `Resolver.resolve`."""
        chosen = self._choices.get(found.path)
        if chosen is None:
            return super().resolve(found, unmerged)
        note = unmerged or changed_since(chosen, found, self._rules.tracked) or chosen.doubt
        verdict = None
        if not note:
            verdict, note = _verdict(chosen, found, self._rules)
        if verdict is None:
            return Decision(Verdict.STAYS, "", chosen.seen.policy, note)
        rule = f"{_RULE}{chosen.choice}"
        return Decision(verdict, rule, chosen.seen.policy, "", chosen.want)


def changed_since(chosen: Chosen, found: Difference, tracked: Tracked) -> str:
    """Which side is no longer what was shown; empty: the choice holds.

    Where times decide, a time counts as well.
    """
    seen = chosen.seen
    by_time = chosen.choice in (Choice.NEWER, Choice.OLDER)
    for name, then, now in (
        ("left", seen.left, found.left),
        ("right", seen.right, found.right),
        ("the baseline", seen.base, found.base),
    ):
        if not same(then, now, tracked) or (by_time and _time(then) != _time(now)):
            return f"{name} {CHANGED}"
    return ""


def _time(entry: Entry | None) -> int:
    return 0 if entry is None else entry.mtime_ns


def _verdict(chosen: Chosen, found: Difference, rules: Rules) -> tuple[Verdict | None, str]:
    policy = _POLICIES.get(chosen.choice)
    if policy is None:
        if found.is_tree:
            return None, "only left and right can say which mode the directory has"
        verdict: Verdict | None = Verdict.GIVEN
        note = ""
    else:
        literal = msgspec.structs.replace(rules, keep_deleted_edit=False)
        verdict, note = ask(policy, found, literal)
    if rules.mode is Mode.UPDATE and verdict not in (None, Verdict.LEFT):
        return None, "that would write left, and update does not"
    return verdict, note


class Ending(Enum):
    """What a plan makes of a choice."""

    DONE = "done"
    """Its steps do it."""
    STAYS = "stays"
    """It could not be done; the conflict stays."""
    CHANGED = "changed"
    """It was made for another state of the sides; the conflict stays."""
    FAILED = "failed"
    """Its steps were planned, and not all of them were done; see their receipts."""
    GONE = "gone"
    """There is no such conflict any more: nothing to do."""


class Answer(NamedTuple):
    """What became of one choice."""

    chosen: Chosen
    ending: Ending
    note: str = ""


def only_chosen(plan: Plan, choices: Choices) -> Plan:
    """The plan cut down to what carries out the choices, and all that it needs.

    Conflicts are those that stay after it, chosen or not. A first run's
    agreements stay too, when there is anything to do: they make the baseline.
    """
    steps = _renumbered(_with_needs(plan.steps))
    problems = tuple(p for p in plan.problems if _top(p.path, choices) is not None)
    agreements = plan.agreements
    if not (plan.first_run and steps):
        agreements = tuple(each for each in agreements if _is_part(each, choices))
    refused = _refused(plan, steps, problems, choices)
    return msgspec.structs.replace(
        plan,
        steps=steps,
        problems=problems,
        agreements=agreements,
        conflicts=tuple(sorted([*plan.conflicts, *refused], key=lambda c: order_key(c.path))),
        kind=PlanKind.RESOLVE,
        of=_about(steps, choices),
    )


def _about(steps: Sequence[Step], choices: Choices) -> str:
    """The ids of what the steps resolve; how many, where they are too many to be read."""
    done = set(_answered(steps, choices))
    if len(done) > _NAMED:
        return f"{len(done)} conflicts"
    return ",".join(each.seen.id for path, each in choices.items() if path in done)


def answers(plan: Plan, choices: Choices) -> tuple[Answer, ...]:
    """What a plan of `only_chosen` makes of each choice, in their order."""
    left_over = {conflict.path: conflict.note for conflict in plan.conflicts}
    done = set(_answered(plan.steps, choices))
    return tuple(_answer(path, each, left_over, done) for path, each in choices.items())


def _answer(
    path: TreePath, chosen: Chosen, left_over: Mapping[TreePath, str], done: set[TreePath]
) -> Answer:
    note = left_over.get(path)
    if note is not None:
        ending = Ending.CHANGED if note.endswith(CHANGED) else Ending.STAYS
        return Answer(chosen, ending, note or "it could not be decided")
    return Answer(chosen, Ending.DONE if path in done else Ending.GONE)


def is_chosen(step: Step) -> bool:
    """The step carries out a person's choice."""
    return step.rule.startswith(_RULE)


def top_of(step: Step, choices: Choices) -> TreePath | None:
    """The chosen conflict at or above the step's path."""
    return _top(step.path, choices)


def _answered(steps: Iterable[Step], choices: Choices) -> Iterator[TreePath]:
    for step in steps:
        top = _top(step.path, choices) if is_chosen(step) else None
        if top is not None:
            yield top


def _with_needs(steps: Sequence[Step]) -> list[Step]:
    needs = {step.id: step.needs for step in steps}
    kept: set[int] = set()
    waiting = [step.id for step in steps if is_chosen(step)]
    while waiting:
        number = waiting.pop()
        if number not in kept:
            kept.add(number)
            waiting += needs[number]
    return [step for step in steps if step.id in kept]


def _renumbered(steps: Sequence[Step]) -> tuple[Step, ...]:
    numbers = {step.id: number for number, step in enumerate(steps, 1)}
    return tuple(
        msgspec.structs.replace(
            step, id=numbers[step.id], needs=tuple(numbers[need] for need in step.needs)
        )
        for step in steps
    )


def _is_part(agreement: Agreement, choices: Choices) -> bool:
    """Neither side has it any more, below something that is decided."""
    return agreement.entry is None and _top(agreement.path, choices) is not None


def _refused(
    plan: Plan, steps: Sequence[Step], problems: Iterable[Problem], choices: Choices
) -> Iterator[Conflict]:
    """Chosen conflicts that a problem keeps from being carried out: they stay."""
    left_over = {conflict.path for conflict in plan.conflicts}
    done = set(_answered(steps, choices))
    for problem in problems:
        chosen = choices.get(problem.path)
        if chosen is not None and problem.path not in done and problem.path not in left_over:
            left_over.add(problem.path)
            yield msgspec.structs.replace(chosen.seen, note=problem.reason)


def _top(path: TreePath, choices: Choices) -> TreePath | None:
    while path:
        if path in choices:
            return path
        path = split(path)[0]
    return None


def newer_side(conflict: Conflict, window_ns: int) -> Side | None:
    """Whose time is the later one, beyond the window; None: nobody can tell. For display."""
    left, right = conflict.left, conflict.right
    if left is None or right is None or not left.mtime_ns or not right.mtime_ns:
        return None
    if abs(left.mtime_ns - right.mtime_ns) <= window_ns:
        return None
    return Side.LEFT if left.mtime_ns > right.mtime_ns else Side.RIGHT
