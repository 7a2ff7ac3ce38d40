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
from reconcile.trees.above import open_above, others_may_write
from reconcile.trees.placing import open_directory, place

STATE = "state"
"""Beside the two sides, so that removing the folder removes all of it."""


def make_example(directory: str) -> Job:
    """Make it in a directory that is empty or not there; the job of its pair.

    Raises: UsageError, when something is there already; Denied.
    """
    left, right, state = (os.path.join(directory, name) for name in ("left", "right", STATE))
    try:
        _make_directory(directory)
        for each in (left, right):
            os.mkdir(each, mode=0o755)
        os.mkdir(state, mode=0o700)
        place(os.path.join(directory, JOB_FILE), [JOB.encode()], mode=0o644)
        now_ns = time.time_ns()
        write_agreed(os.fsencode(left), now_ns)
        job = settle({}, {}, Job(left=left, right=right, state_dir=state, name="demo"))
        apply_job(job, silent, lambda planning: planning.plan)
        write_changes(os.fsencode(left), os.fsencode(right), now_ns)
    except OSError as error:
        raise Denied(f"the example cannot be made: {error.strerror}", where=directory) from error
    return job


def _make_directory(directory: str) -> None:
    """New, or ours and empty; nobody else can put another in its place, then or later.

    Raises: UsageError; OSError.
    """
    os.close(open_directory(os.path.dirname(directory), make=0o755))
    theirs = open_above(directory)
    if theirs:
        raise UsageError(
            f"others may write in `{theirs}`, and could put something else in the example's place",
            hint="make it in a directory of your own",
        )
    try:
        os.mkdir(directory, 0o755)
    except FileExistsError:
        why = _why_not(directory)
        if not why:
            return
        raise UsageError(
            f"`{directory}` is there already and {why}, so it is left as it is",
            hint=f"name another: reconcile demo {quote(directory + '-2')}",
        ) from None


def _why_not(directory: str) -> str:
    """Why what is there already is not taken; empty: it is ours alone, and empty."""
    try:
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return "no directory of yours" if os.path.isdir(directory) else "no directory"
    try:
        status = os.fstat(fd)
        if status.st_uid != os.geteuid():
            return "no directory of yours"
        if os.listdir(fd):
            return "not empty"
        return "others may write in it" if others_may_write(fd, status) else ""
    finally:
        os.close(fd)
