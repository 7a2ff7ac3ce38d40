"""Waiting for the roots: as long as a job says, and before anything is looked at."""

import time
from collections.abc import Callable
from typing import TypeVar

from reconcile.engine.opened import Opened
from reconcile.model.errors import Locked
from reconcile.model.plan import Side
from reconcile.trees.base import RunOptions

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
