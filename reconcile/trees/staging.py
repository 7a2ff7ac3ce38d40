"""Staging: content brought beside its final name, verified, before anything changes.

The complete file stands as `.rcn-…` in the final name's own directory. One of
more than 8 MiB grows as `.rcn-….part`, which a later run goes on with. A
leftover is used only when its content verifies; otherwise it goes to the
quarantine, because after a crash it may be a displaced old version.
"""

import errno
import os
from typing import NamedTuple, Protocol

from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import PathRefused
from reconcile.model.plan import Action, Step
from reconcile.model.receipt import Receipt
from reconcile.model.treepath import join
from reconcile.trees.base import ContentChanged, Supply
from reconcile.trees.copying import (
    copy_content,
    digest_of,
    hash_fd,
    read_up_to,
    write_all,
    write_blocks,
)
from reconcile.trees.metadata import Looks, dress
from reconcile.trees.receipts import failed, stale
from reconcile.trees.rooted import Root
from reconcile.trees.site import Site, Spot, as_expected, is_there, kind_of, look, spot_of
from reconcile.trees.temporary import PART

IN_MEMORY = 1 << 20
"""Up to this size a local file is read, hashed and written as one piece."""
SPARSE_FROM = 64 << 10
"""Holes of smaller files are not worth asking for."""
RESUMED_FROM = 8 << 20
"""Larger files are resumed where an interrupted run stopped."""

_READ_WRITE = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_NO_SOURCE = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EXDEV, errno.ENXIO, errno.EISDIR}
)


class LocalSupply(Supply, Protocol):
    """A supply that can name the local root behind a step's source."""

    def origin(self, step: Step) -> Root | None:
        """The root that holds `step.source.path`; None: only `read` will do."""


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


def needs_content(step: Step) -> bool:
    """The step publishes a file's content."""
    return (
        step.want is not None
        and step.want.kind == Kind.FILE
        and step.action not in (Action.META, Action.MOVE)
    )


def origin_of(supply: Supply, step: Step) -> Root | None:
    """The local root of the step's source; None: content comes as a stream."""
    find = getattr(supply, "origin", None)
    return find(step) if find is not None else None


def stage_step(site: Site, step: Step, supply: Supply, flush: bool) -> Receipt | None:
    """Stage one step; None when its content is staged, or already under its final name.

    With `flush` the content is durable on return.
    """
    want = step.want
    assert want is not None
    try:
        spot = spot_of(site.root, step)
        target = look(spot.dir_fd, spot.leaf)
        if not as_expected(site, target, step.expect):
            return _surprised(site, step, spot, want)
        task = Task(site, step, want, spot, target, supply, origin_of(supply, step), flush)
        if task.origin is not None and want.size <= IN_MEMORY:
            _stage_small(task, task.origin)
        else:
            _stage_large(task)
    except ContentChanged:
        return stale(step, "the source changed meanwhile", "E_CHANGED_WHILE_READING")
    except (OSError, PathRefused) as error:
        return failed(step, error)
    return None


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


def _surprised(site: Site, step: Step, spot: Spot, want: Entry) -> Receipt | None:
    if not is_there(site, spot, want):
        return stale(step, "the target is not what the plan saw")
    put_away(site, spot, spot.temp)
    return None


def _open_source(task: Task, origin: Root) -> int:
    assert task.step.source is not None
    try:
        return origin.open_file(task.step.source.path)
    except PathRefused as error:
        raise ContentChanged from error
    except OSError as error:
        if error.errno in _NO_SOURCE:
            raise ContentChanged from error
        raise


def _stage_small(task: Task, origin: Root) -> None:
    source_fd = _open_source(task, origin)
    try:
        data = read_up_to(source_fd, task.want.size)
        if digest_of(data, task.site.options.header.hash_name) != task.want.id:
            raise ContentChanged
        fd = _create(task)
        if fd is None:
            return
        try:
            _fill_small(task, fd, source_fd, data)
        except BaseException:
            discard(task.site, task.spot, task.spot.temp)
            raise
        finally:
            os.close(fd)
    finally:
        os.close(source_fd)


def _fill_small(task: Task, fd: int, source_fd: int, data: bytes) -> None:
    if len(data) >= SPARSE_FROM:
        copy_content(task.site.system, source_fd, fd, 0, len(data))
    elif data:
        write_all(task.site.system, fd, data)
    if os.pread(fd, len(data) + 1, 0) != data:
        raise OSError(errno.EIO, "what was written reads back differently", task.spot.temp)
    _finish(task, fd, source_fd)


def _finish(task: Task, fd: int, source_fd: int | None) -> None:
    dress(task.site, task.spot, fd, Looks(task.want, task.target, source_fd))
    if task.flush:
        task.site.system.fsync(fd)


def _create(task: Task) -> int | None:
    """The temporary file, new and empty; None when a verified leftover was adopted instead."""
    try:
        return task.site.system.create(task.spot.dir_fd, task.spot.temp)
    except FileExistsError:
        if _adopted(task):
            return None
        return task.site.system.create(task.spot.dir_fd, task.spot.temp)


def _adopted(task: Task) -> bool:
    """A complete leftover with the right content is used again; any other is put away."""
    site, spot = task.site, task.spot
    try:
        fd = os.open(spot.temp, _READ_WRITE, dir_fd=spot.dir_fd)
    except FileNotFoundError:
        return False
    except OSError:
        put_away(site, spot, spot.temp)
        return False
    try:
        good = _verified(task, fd)
        if good:
            _finish(task, fd, None)
    finally:
        os.close(fd)
    if not good:
        put_away(site, spot, spot.temp)
    return good


def _verified(task: Task, fd: int) -> bool:
    status = os.fstat(fd)
    if status.st_size != task.want.size or kind_of(status) != Kind.FILE or status.st_nlink != 1:
        return False
    return hash_fd(fd, task.site.options.header.hash_name) == task.want.id


def _stage_large(task: Task) -> None:
    if _adopted(task):
        return
    source_fd = None if task.origin is None else _open_source(task, task.origin)
    try:
        if task.want.size > RESUMED_FROM:
            _stage_in_parts(task, source_fd)
        else:
            _stage_at_once(task, source_fd)
    finally:
        if source_fd is not None:
            os.close(source_fd)


def _stage_at_once(task: Task, source_fd: int | None) -> None:
    fd = task.site.system.create(task.spot.dir_fd, task.spot.temp)
    try:
        _bring(task, fd, source_fd)
        if not _verified(task, fd):
            raise ContentChanged
        _finish(task, fd, source_fd)
    except BaseException:
        discard(task.site, task.spot, task.spot.temp)
        raise
    finally:
        os.close(fd)


def _bring(task: Task, fd: int, source_fd: int | None) -> None:
    """From where the file ends now to the end of the content."""
    start = os.fstat(fd).st_size
    if source_fd is not None:
        copy_content(task.site.system, source_fd, fd, start, task.want.size)
        return
    os.lseek(fd, start, os.SEEK_SET)
    write_blocks(task.site.system, fd, task.supply.read(task.step, start))


def _stage_in_parts(task: Task, source_fd: int | None) -> None:
    site, spot = task.site, task.spot
    part = spot.temp + PART
    if not _part_goes_on(task, part, source_fd):
        fd = site.system.create(spot.dir_fd, part)
        try:
            _complete_part(task, fd, source_fd)
        except ContentChanged:
            discard(site, spot, part)
            raise
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                discard(site, spot, part)  # others need the room more than a resume does
            raise
        finally:
            os.close(fd)
    site.system.rename_new(spot.dir_fd, part, spot.dir_fd, spot.temp)


def _part_goes_on(task: Task, part: bytes, source_fd: int | None) -> bool:
    """An interrupted run's part was completed and verifies; one that does not is put away."""
    spot = task.spot
    try:
        fd = os.open(part, _READ_WRITE, dir_fd=spot.dir_fd)
    except FileNotFoundError:
        return False
    except OSError:
        put_away(task.site, spot, part)
        return False
    try:
        if os.fstat(fd).st_size <= task.want.size:
            _complete_part(task, fd, source_fd)
            return True
    except ContentChanged:
        pass  # the part, or the source: starting anew will tell
    finally:
        os.close(fd)
    put_away(task.site, spot, part)
    return False


def _complete_part(task: Task, fd: int, source_fd: int | None) -> None:
    _bring(task, fd, source_fd)
    if not _verified(task, fd):
        raise ContentChanged
    _finish(task, fd, source_fd)
