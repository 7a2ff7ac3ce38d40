"""Hindrance: a plan made anew around what could not be changed, so that it says so before a run.

What is planned is looked at where it would happen, on the sides of this machine; names that
cannot be changed go back to judgement as obstacles.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from reconcile.model.plan import Plan, Side
from reconcile.model.treepath import TreePath
from reconcile.trees.local import LocalTree

if TYPE_CHECKING:
    from reconcile.engine.opened import Opened

_ROUNDS = 4
"""A plan around obstacles may meet others; what is left then is told by its step."""
Found = dict[tuple[Side, TreePath], tuple[str, str]]


def around_obstacles(opened: "Opened", make: Callable[..., Plan]) -> Plan:
    """The plan of `make(obstacles=…)`, none of whose steps meets an obstacle that can be seen.

    Who only looks is told all that differs. Cost: see `trees/obstacles.py`; a plan that meets
    none is made once.
    """
    plan = make()
    if opened.only_looks:
        return plan
    known: Found = {}
    for _ in range(_ROUNDS):
        met = _met(opened, plan)
        if met.keys() <= known.keys():
            break
        known |= met
        plan = make(obstacles=known)
    return plan


def _met(opened: "Opened", plan: Plan) -> Found:
    found: Found = {}
    for side in Side:
        steps = [step for step in plan.steps if step.side is side]
        tree = opened.tree(side) if steps else None
        if isinstance(tree, LocalTree):
            found |= {(side, path): each for path, each in tree.obstacles(steps).items()}
    return found
