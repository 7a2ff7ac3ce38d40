"""Superseded: which steps take content away that is to be kept."""

from collections.abc import Iterable

from reconcile.model.entry import Kind
from reconcile.model.plan import Action, Side, Step


def supersedes(step: Step) -> bool:
    """The step takes a file's or link's content from its name."""
    expect = step.expect
    if expect is None or expect.kind == Kind.DIR:
        return False
    return step.action is not Action.META and step.action is not Action.MOVE


def superseding_sides(steps: Iterable[Step]) -> frozenset[Side]:
    """The sides on which something is superseded."""
    return frozenset(step.side for step in steps if supersedes(step))
