"""A case: three literals, rules, and what must come of them. Shared by every table."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from reconcile.model.plan import Plan
from reconcile.model.policy import Policy, Rules
from tests.decide.simulate import World, run
from tests.trees_by_hand import literal_of, things

REPORT = Rules()
NEWER = Rules(policies=(Policy.NEWER,))
LEFT = Rules(policies=(Policy.LEFT,))
RIGHT = Rules(policies=(Policy.RIGHT,))
KEEP_BOTH = Rules(policies=(Policy.KEEP_BOTH,))
FIVE = {
    "report": REPORT,
    "newer": NEWER,
    "left": LEFT,
    "right": RIGHT,
    "keep-both": KEEP_BOTH,
}

Literal = Mapping[str, Any]


class Result(NamedTuple):
    """What a run made of a world, as literals and words."""

    left: Literal
    right: Literal
    base: Literal
    plan: Plan
    after: World

    def then(
        self, left: Literal | None = None, right: Literal | None = None, rules: Rules = REPORT
    ) -> "Result":
        """The next run, after a side became what is given; the baseline is as it was left."""
        lefts = self.after.left if left is None else things(left)
        rights = self.after.right if right is None else things(right)
        return _result(World(self.after.base, lefts, rights), rules)

    @property
    def conflicts(self) -> list[tuple[str, str]]:
        """(kind, path) of each."""
        return [(c.kind, c.path.decode()) for c in self.plan.conflicts]

    @property
    def problems(self) -> list[tuple[str, str]]:
        """(code, path) of each."""
        return [(p.code, p.path.decode("utf-8", "replace")) for p in self.plan.problems]

    @property
    def steps(self) -> list[str]:
        """`right update a` … in order; a move as `right move p > q`."""
        return [step_words(step) for step in self.plan.steps]

    @property
    def agreements(self) -> list[str]:
        """Paths the baseline takes without a step."""
        return [a.path.decode("utf-8", "replace") for a in self.plan.agreements]


def step_words(step: Any) -> str:
    """A step in one line."""
    at = step.at.decode("utf-8", "surrogateescape")
    if step.action.value == "move":
        at = f"{step.source.path.decode('utf-8', 'surrogateescape')} > {at}"
    return f"{step.side.value} {step.action.value} {at}"


def outcome(base: Literal | None, left: Literal, right: Literal, rules: Rules = REPORT) -> Result:
    """Plan, apply and advance; `base` None is a first run."""
    world = World(None if base is None else things(base), things(left), things(right))
    return _result(world, rules)


def _result(world: World, rules: Rules) -> Result:
    after, plan = run(world, rules)
    assert after.base is not None
    literals = [literal_of(held) for held in (after.left, after.right, after.base)]
    return Result(literals[0], literals[1], literals[2], plan, after)


def flat(literal: Literal) -> Literal:
    """The literal as results show it."""
    return literal_of(things(literal))
