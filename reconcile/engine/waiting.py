"""Waiting for the roots: as long as a job says, and before anything is looked at."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from reconcile.engine.opened import Opened
from reconcile.model.errors import Locked, UsageError
from reconcile.model.plan import Problem, Side
from reconcile.model.treepath import TreePath
from reconcile.trees.base import ChangeableTree, RunOptions
from reconcile.trees.local import LocalTree

T = TypeVar("T")
POLL_S = 0.2
"""Between two looks at a lock that another run holds."""


def patiently(opened: Opened, take: Callable[[], T]) -> T:
    """Take a lock, as long as the job waits for one. Raises: Locked."""
    while True:
        try:
            return take()
        except Locked:
            if time.monotonic() >= opened.until_s:
                raise
            time.sleep(POLL_S)


def wait_for_roots(opened: Opened) -> None:
    """Where the job says to wait: until nobody writes to either root, so that what is looked at
    now is what will be changed. Raises: Locked."""
    if not opened.job.lock_wait_s:
        return
    options = RunOptions(opened.run, opened.job.durability, opened.job.versions, opened.header)
    for side in Side:
        tree = opened.tree(side)
        patiently(opened, lambda: tree.begin(options, ()))  # noqa: B023 - called at once
        tree.end()


def begin_apart(
    tree: ChangeableTree, options: RunOptions, leftovers: Sequence[TreePath]
) -> Sequence[Problem]:
    """`tree.begin`. Raises: Locked; UsageError, when it is our own run that holds the root."""
    with _own_lock_is_overlap(options.run):
        return tree.begin(options, leftovers)


def refuse_locks_above(opened: Opened, run: str) -> None:
    """Raises: UsageError, when a root here lies in one that this run has locked as a far side.

    LIMIT: two far sides of one machine are told apart by their names alone.
    """
    if all(opened.remote(side) is None for side in Side):
        return
    for side in Side:
        tree = opened.tree(side)
        if isinstance(tree, LocalTree):
            with _own_lock_is_overlap(run):
                tree.refuse_locks_above()


@contextmanager
def _own_lock_is_overlap(run: str) -> Iterator[None]:
    try:
        yield
    except Locked as error:
        if f"run {run} " not in error.message:
            raise
        raise UsageError(
            "left and right are one directory, or one lies inside the other",
            where=error.where,
            changed="no file; a token may be left in `.reconcile/pairs`",
            hint="the far side is this very machine: name two directories apart",
        ) from error
