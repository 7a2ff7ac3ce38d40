"""Levels: which steps of a batch may run side by side.

Two steps must keep their order when one needs the other, or touches a name
that is, or lies above or below, a name of the other. All else is free.
"""

from collections.abc import Sequence

from reconcile.model.plan import Action, Step
from reconcile.model.treepath import TreePath, parents


def levels(steps: Sequence[Step]) -> list[list[Step]]:
    """The steps, those of one level independent of each other. Cost: steps times depth."""
    made: list[list[Step]] = []
    at: dict[int, int] = {}
    own: dict[TreePath, int] = {}
    below: dict[TreePath, int] = {}
    for step in steps:
        level = 1 + max((at[need] for need in step.needs if need in at), default=-1)
        for path in _touched(step):
            level = max(level, _after(path, own, below))
        at[step.id] = level
        for path in _touched(step):
            own[path] = level
            for above in parents(path):
                below[above] = max(level, below.get(above, 0))
        if level == len(made):
            made.append([])
        made[level].append(step)
    return made


def _after(path: TreePath, own: dict[TreePath, int], below: dict[TreePath, int]) -> int:
    """The first level in which `path` may be touched."""
    earlier = [own.get(path, -1), below.get(path, -1)]
    earlier += [own.get(above, -1) for above in parents(path)]
    return 1 + max(earlier)


def _touched(step: Step) -> tuple[TreePath, ...]:
    if step.action is Action.MOVE and step.source is not None:
        return (step.at, step.source.path)
    return (step.at,)
