"""Staging: content brought beside its final name, verified, before anything changes.

The complete file stands as `.rcn-…` in the final name's own directory. Small
content is written here as one piece; what is larger grows (`growing.py`).
"""

import errno
import os
from typing import Protocol

from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import PathRefused
from reconcile.model.plan import Action, Step
from reconcile.model.receipt import Receipt
from reconcile.trees.base import ContentChanged, Supply
from reconcile.trees.copying import copy_content, digest_of, read_up_to, write_all
from reconcile.trees.growing import RESUMED_FROM, open_source, stage_large
from reconcile.trees.receipts import failed, stale
from reconcile.trees.rooted import Root
from reconcile.trees.site import Site, Spot, as_expected, is_there, look, spot_of
from reconcile.trees.task import Task, create, discard, finish, put_away

__all__ = [
    "IN_MEMORY",
    "RESUMED_FROM",
    "SPARSE_FROM",
    "discard",
    "needs_content",
    "origin_of",
    "put_away",
    "stage_step",
]

IN_MEMORY = 1 << 20
"""Up to this size a local file is read, hashed and written as one piece."""
SPARSE_FROM = 64 << 10
"""Holes of smaller files are not worth asking for."""


class LocalSupply(Supply, Protocol):
    """A supply that can name the local root behind a step's source."""

    def origin(self, step: Step) -> Root | None:
        """The root that holds `step.source.path`; None: only `read` will do."""


class ArrivedSupply(Supply, Protocol):
    """A supply with content at hand that came from far away."""

    def whole(self, step: Step) -> bytes | None:
        """All of the step's content, which nobody has verified; None: only `read` will do.

        May be asked again, until the call of `Tree.stage` that it serves ends.
        """


def needs_content(step: Step) -> bool:
    """The step publishes a file's content."""
    want, action = step.want, step.action
    if want is None or action is Action.META or action is Action.MOVE:
        return False
    return want.kind is Kind.FILE


def origin_of(supply: Supply, step: Step) -> Root | None:
    """The local root of the step's source; None: content comes as a stream."""
    find = getattr(supply, "origin", None)
    return find(step) if find is not None else None


def stage_step(site: Site, step: Step, supply: Supply, flush: bool) -> Receipt | None:
    """Stage one step; None when its content is staged, or already under its final name.

    With `flush` the content is durable on return. Raises: what the supply raises
    when its far end is lost; complete files and parts are left for the next run.
    """
    want = step.want
    assert want is not None
    try:
        spot = spot_of(site.root, step)
        target = look(spot.dir_fd, spot.leaf)
        if not as_expected(site, target, step.expect):
            return _surprised(site, step, spot, want)
        task = Task(site, step, want, spot, target, supply, origin_of(supply, step), flush)
        _stage(task)
    except ContentChanged:
        return stale(step, "the source changed meanwhile", "E_CHANGED_WHILE_READING")
    except (OSError, PathRefused) as error:
        return failed(step, error)
    return None


def _surprised(site: Site, step: Step, spot: Spot, want: Entry) -> Receipt | None:
    if not is_there(site, spot, want):
        return stale(step, "the target is not what the plan saw")
    put_away(site, spot, spot.temp)
    return None


def _stage(task: Task) -> None:
    if task.want.size > IN_MEMORY:
        stage_large(task)
        return
    if task.origin is not None:
        _stage_copy(task, task.origin)
        return
    whole = getattr(task.supply, "whole", None)
    data = None if whole is None else whole(task.step)
    if data is None:
        stage_large(task)
    else:
        _stage_data(task, data, None)


def _stage_copy(task: Task, origin: Root) -> None:
    source_fd = open_source(task, origin)
    try:
        _stage_data(task, read_up_to(source_fd, task.want.size), source_fd)
    finally:
        os.close(source_fd)


def _stage_data(task: Task, data: bytes, source_fd: int | None) -> None:
    if digest_of(data, task.site.options.header.hash_name) != task.want.id:
        raise ContentChanged
    fd = create(task)
    if fd is None:
        return
    try:
        if source_fd is not None and len(data) >= SPARSE_FROM:
            copy_content(task.site.system, source_fd, fd, 0, len(data))
        elif data:
            write_all(task.site.system, fd, data)
        if os.pread(fd, len(data) + 1, 0) != data:
            raise OSError(errno.EIO, "what was written reads back differently", task.spot.temp)
        finish(task, fd, source_fd)
    except BaseException:
        discard(task.site, task.spot, task.spot.temp)
        raise
    finally:
        os.close(fd)
