"""Example: the demo's folder with its pair, agreed once and changed on both sides since."""

import os
import time
from shlex import quote

from reconcile.decide.settle import settle
from reconcile.engine.cycle import apply_job
from reconcile.engine.demo_tree import JOB, JOB_FILE, write_agreed, write_changes
from reconcile.engine.events import silent
from reconcile.model.errors import Denied, UsageError
from reconcile.model.job import Job

STATE = "state"
"""Beside the two sides, so that removing the folder removes all of it."""


def make_example(directory: str) -> Job:
    """Make it in a directory that is empty or not there; the job of its pair.

    Raises: UsageError, when something is there already; Denied.
    """
    left, right, state = (os.path.join(directory, name) for name in ("left", "right", STATE))
    try:
        if os.path.lexists(directory) and (not os.path.isdir(directory) or os.listdir(directory)):
            why = "not empty" if os.path.isdir(directory) else "no directory"
            raise UsageError(
                f"`{directory}` is there already and {why}, so it is left as it is",
                hint=f"name another: reconcile demo {quote(directory + '-2')}",
            )
        for each in (left, right):
            os.makedirs(each, mode=0o755, exist_ok=True)
        os.makedirs(state, mode=0o700)
        with open(os.path.join(directory, JOB_FILE), "x", encoding="utf-8") as file:
            file.write(JOB)
        now_ns = time.time_ns()
        write_agreed(os.fsencode(left), now_ns)
        job = settle({}, {}, Job(left=left, right=right, state_dir=state, name="demo"))
        apply_job(job, silent, lambda planning: planning.plan)
        write_changes(os.fsencode(left), os.fsencode(right), now_ns)
    except OSError as error:
        raise Denied(f"the example cannot be made: {error.strerror}", where=directory) from error
    return job
