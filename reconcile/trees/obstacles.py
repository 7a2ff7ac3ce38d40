"""Obstacles: why a step on a directory of this machine cannot be done, seen without trying it.

Only what the kernel says plainly: no permission in the directory that is to change, a
mount that is read-only, a file or directory that is immutable or may only grow. What
cannot be asked is no obstacle: the step then tells itself what became of it.
"""

import os
import stat
from collections.abc import Iterable

from reconcile.model.errors import PathRefused
from reconcile.model.plan import Action, Step
from reconcile.model.treepath import TreePath, split
from reconcile.trees.rooted import Root
from reconcile.trees.syscalls import APPEND_ONLY, IMMUTABLE, attributes_of

DENIED, READ_ONLY = "E_DENIED", "E_READ_ONLY"
Obstacle = tuple[str, str]
"""Code, and a sentence's worth of what stands there and what would help."""

_WORDS = {
    IMMUTABLE: ("immutable", "chattr -i"),
    APPEND_ONLY: ("append-only", "chattr -a"),
}


def obstacles(root: Root, steps: Iterable[Step]) -> dict[TreePath, Obstacle]:
    """What stands in the way of the steps, by the name that they could not change.

    Cost: two calls for each directory in which something changes, one for each name that
    is there. Nothing is written.
    """
    above: dict[TreePath, Obstacle | None] = {}
    found: dict[TreePath, Obstacle] = {}
    for step in steps:
        for path in _places(step):
            parent = split(path)[0]
            obstacle = None
            if step.action is not Action.META:
                if parent not in above:
                    above[parent] = _in_directory(root, parent)
                obstacle = above[parent]
            obstacle = obstacle or _at(root, path)
            if obstacle is not None:
                found[path] = obstacle
    return found


def _places(step: Step) -> tuple[TreePath, ...]:
    if step.action is Action.MOVE and step.source is not None:
        return step.source.path, step.at
    return (step.at,)


def _in_directory(root: Root, parent: TreePath) -> Obstacle | None:
    """Why no name in this directory can change; None: it can, or the directory is still to come."""
    try:
        fd = root.directory(parent)
        if os.fstatvfs(fd).f_flag & os.ST_RDONLY:
            return READ_ONLY, "it lies in what is mounted read-only there: mount it for writing"
        flags = attributes_of(fd, b"")
        if not flags and not os.access(".", os.W_OK | os.X_OK, dir_fd=fd, effective_ids=True):
            return DENIED, _closed(os.fstat(fd))
    except (OSError, PathRefused):
        return None
    return _flagged(flags, "the directory it lies in")


def _closed(status: os.stat_result) -> str:
    mode, owner = stat.S_IMODE(status.st_mode), status.st_uid
    text = f"the directory it lies in cannot be written there (mode {mode:04o}, of user {owner})"
    is_ours = owner == os.geteuid()
    return f"{text}: {'chmod u+wx' if is_ours else 'its owner can let you'}"


def _at(root: Root, path: TreePath) -> Obstacle | None:
    """Why what stands at this name cannot be changed or taken away."""
    parent, leaf = split(path)
    try:
        return _flagged(attributes_of(root.directory(parent), leaf), "it")
    except (OSError, PathRefused):
        return None


def _flagged(flags: int, what: str) -> Obstacle | None:
    for flag, (word, remedy) in _WORDS.items():
        if flags & flag:
            return DENIED, f"{what} is {word} there, for everybody: {remedy} lets it change"
    return None
