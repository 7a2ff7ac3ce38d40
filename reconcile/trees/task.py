"""Task: one file on its way to its temporary name, and what is done to that name.

A leftover is used only when its content verifies; otherwise it goes to the
quarantine, because after a crash it may be a displaced old version.
"""

import errno
import os
from typing import NamedTuple

from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Step
from reconcile.model.treepath import join
from reconcile.trees.area import is_ours_alone
from reconcile.trees.base import Supply
from reconcile.trees.copying import hash_fd
from reconcile.trees.metadata import Looks, dress, replaced_mode, wanted_owner
from reconcile.trees.pulse import patiently
from reconcile.trees.rooted import Root
from reconcile.trees.site import Site, Spot, kind_of, look
from reconcile.trees.temporary import is_ours

LONG_BYTES = 16 << 20
"""Flushing more than this may take long."""
READ_WRITE = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Task(NamedTuple):
    """One file on its way."""

    site: Site
    step: Step
    want: Entry
    spot: Spot
    target: os.stat_result | None
    supply: Supply
    origin: Root | None
    flush: bool


def discard(site: Site, spot: Spot, name: bytes) -> None:
    """Remove what this run staged. A name that cannot go is swept by the next run."""
    try:
        site.system.unlink(spot.dir_fd, name)
    except OSError:
        pass  # the error that led here is the one to report


def put_away(site: Site, spot: Spot, name: bytes) -> None:
    """Move a leftover to the quarantine; what is empty holds nothing and just goes."""
    status = look(spot.dir_fd, name)
    if status is None:
        return
    kind = kind_of(status)
    if kind == Kind.FILE and not status.st_size:
        site.system.unlink(spot.dir_fd, name)
        return
    if kind == Kind.DIR:
        try:
            site.system.rmdir(spot.dir_fd, name)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            return
    site.keeper.quarantine(spot.dir_fd, name, join(spot.parent, name))


def create(task: Task) -> int | None:
    """The temporary file, new and empty; None when a verified leftover was adopted instead."""
    try:
        return task.site.system.create(task.spot.dir_fd, task.spot.temp)
    except FileExistsError:
        if adopted(task):
            return None
        return task.site.system.create(task.spot.dir_fd, task.spot.temp)


def adopted(task: Task) -> bool:
    """A complete leftover with the right content is used again; any other is put away."""
    site, spot = task.site, task.spot
    try:
        fd = os.open(spot.temp, READ_WRITE, dir_fd=spot.dir_fd)
    except FileNotFoundError:
        return False
    except OSError:
        put_away(site, spot, spot.temp)
        return False
    try:
        good = verified(task, fd)
        if good:
            finish(task, fd, None)
    finally:
        os.close(fd)
    if not good:
        put_away(site, spot, spot.temp)
    return good


def verified(task: Task, fd: int) -> bool:
    """The open file is ours alone and, by reading it, has the wanted content."""
    if os.fstat(fd).st_size != task.want.size or not is_own_part(task, fd):
        return False
    return hash_fd(fd, task.site.options.header.hash_name) == task.want.id


def is_own_part(task: Task, fd: int) -> bool:
    """An open leftover may be gone on with; see `is_own`."""
    return is_own(task.site, task.spot, task.want, task.target, os.fstat(fd))


def is_own(
    site: Site, spot: Spot, want: Entry, target: os.stat_result | None, status: os.stat_result
) -> bool:
    """A file beside the target has one name and is ours: its owner could write to it afterwards.

    So are files of the owner they shall have, and of the directory's, who may
    replace them anyhow: some file systems give all that they hold one owner.
    """
    if kind_of(status) != Kind.FILE or status.st_nlink != 1:
        return False
    if status.st_uid in (os.geteuid(), os.fstat(spot.dir_fd).st_uid):
        return True
    replaced = target if replaced_mode(target) is not None else None
    owner = wanted_owner(want, replaced, site.options.header.tracked)
    return owner is not None and owner[0] == status.st_uid


def finish(task: Task, fd: int, source_fd: int | None) -> None:
    """Metadata, and durability when asked for; the content is complete."""
    returns = source_fd is not None and _returns(task, source_fd)
    dress(task.site, task.spot, fd, Looks(task.want, task.target, source_fd, returns))
    if task.flush and task.want.size > LONG_BYTES:
        patiently(task.site.system.fsync, fd)
    elif task.flush:
        task.site.system.fsync(fd)


def _returns(task: Task, source_fd: int) -> bool:
    """It is what was kept that comes back, and not what somebody put in its place."""
    source, origin = task.step.source, task.origin
    if source is None or origin is None or not is_ours(source.path):
        return False
    return is_ours_alone(origin, source.path, source_fd)
