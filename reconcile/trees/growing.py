"""Growing: content that is not written as one piece: local copies, streams, rebuilt files.

A large file grows as `.rcn-….part`, which a later run goes on with. Where the
supply can `rebuild`, a file that is here already (the target, a file the supply
names, a refused part) is the basis, and only what it lacks has to come.
Nothing is believed: the complete file is hashed where it was written.
"""

import errno
import os
from collections.abc import Callable, Iterator
from typing import Protocol

from reconcile.model.entry import Kind
from reconcile.model.errors import PathRefused
from reconcile.model.plan import Step
from reconcile.model.treepath import TreePath
from reconcile.trees.base import ContentChanged, Supply
from reconcile.trees.copying import copy_content, hash_fd
from reconcile.trees.pieces import write_pieces
from reconcile.trees.rebuilding import BasisChanged, Piece
from reconcile.trees.rooted import READ, Root
from reconcile.trees.site import kind_of
from reconcile.trees.task import (
    READ_WRITE,
    Task,
    adopted,
    discard,
    finish,
    is_own_part,
    put_away,
    verified,
)
from reconcile.trees.temporary import PART, refuse_ours

RESUMED_FROM = 8 << 20
"""Larger local files are resumed where an interrupted run stopped."""
STREAM_RESUMED_FROM = 1 << 20
"""Larger streams are: what comes from far away is dearer than a look at a part."""
REBUILT_FROM = 64 << 10
"""Smaller files are not worth looking for what is here already."""

_NO_SOURCE = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EXDEV, errno.ENXIO, errno.EISDIR}
)


class RebuildingSupply(Supply, Protocol):
    """What a supply of streams may offer beside `read`; each method may be missing."""

    def rebuild(self, step: Step, offset: int, basis_fd: int) -> Iterator[bytes | tuple[int, int]]:
        """As `read`; a piece may also be (offset, count), a range of the open `basis_fd`."""

    def basis(self, step: Step) -> TreePath | None:
        """A file of the receiving root that is like the new content; None: not known."""

    def prefix_is(self, step: Step, length: int, digest: bytes) -> bool:
        """The first `length` bytes of the source have this content id."""


Rebuild = Callable[[Step, int, int], Iterator[Piece | tuple[int, int]]]


class _Basis:
    """The file that `rebuild` may take ranges from, open; `fd` is None when there is none."""

    def __init__(self, task: Task) -> None:
        far = task.origin is None and task.want.size >= REBUILT_FROM
        self.rebuild: Rebuild | None = getattr(task.supply, "rebuild", None) if far else None
        self.fd = _open_basis(task) if self.rebuild is not None else None

    def prefer(self, fd: int) -> None:
        """Take a refused part instead, when it is the longer of the two."""
        if self.rebuild is None or os.fstat(fd).st_size < REBUILT_FROM:
            return
        if self.fd is None or os.fstat(self.fd).st_size < os.fstat(fd).st_size:
            self.close()
            self.fd = os.dup(fd)

    def close(self) -> None:
        """There is none any more."""
        fd, self.fd = self.fd, None
        if fd is not None:
            os.close(fd)


def stage_large(task: Task) -> None:
    """Bring the content to the temporary name. Raises: OSError, PathRefused, ContentChanged."""
    if adopted(task):
        return
    if task.origin is None:
        _stage(task, None, STREAM_RESUMED_FROM)
        return
    source_fd = open_source(task, task.origin)
    try:
        _stage(task, source_fd, RESUMED_FROM)
    finally:
        os.close(source_fd)


def open_source(task: Task, origin: Root) -> int:
    """The local source. Raises: OSError; ContentChanged, when it is no such file any more."""
    assert task.step.source is not None
    try:
        return origin.open_file(task.step.source.path)
    except PathRefused as error:
        raise ContentChanged from error
    except OSError as error:
        if error.errno in _NO_SOURCE:
            raise ContentChanged from error
        raise


def _open_basis(task: Task) -> int | None:
    """The target as it was looked at, else what the supply names; None: neither is a file."""
    target = task.target
    try:
        if target is not None and kind_of(target) == Kind.FILE:
            fd = os.open(task.spot.leaf, READ, dir_fd=task.spot.dir_fd)
        else:
            find = getattr(task.supply, "basis", None)
            path = None if find is None else find(task.step)
            if path is None:
                return None
            target = None
            refuse_ours(path)
            fd = task.site.root.open_file(path)
    except (OSError, PathRefused):
        return None
    status = os.fstat(fd)
    same = target is None or (status.st_dev, status.st_ino) == (target.st_dev, target.st_ino)
    if same and kind_of(status) == Kind.FILE and status.st_size:
        return fd
    os.close(fd)
    return None


def _stage(task: Task, source_fd: int | None, resumed_from: int) -> None:
    basis = _Basis(task)
    try:
        if task.want.size > resumed_from:
            _stage_in_parts(task, source_fd, basis)
        else:
            _stage_at_once(task, source_fd, basis)
    finally:
        basis.close()


def _stage_at_once(task: Task, source_fd: int | None, basis: _Basis) -> None:
    fd = task.site.system.create(task.spot.dir_fd, task.spot.temp)
    try:
        _fill(task, fd, source_fd, basis)
    except BaseException:
        discard(task.site, task.spot, task.spot.temp)
        raise
    finally:
        os.close(fd)


def _stage_in_parts(task: Task, source_fd: int | None, basis: _Basis) -> None:
    site, spot = task.site, task.spot
    part = spot.temp + PART
    if not _part_goes_on(task, part, source_fd, basis):
        fd = site.system.create(spot.dir_fd, part)
        try:
            _fill(task, fd, source_fd, basis)
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


def _fill(task: Task, fd: int, source_fd: int | None, basis: _Basis) -> None:
    """The content into a new file. What was rebuilt wrongly is read whole, once:
    the basis may have changed meanwhile."""
    if _completed(task, fd, source_fd, basis):
        return
    if basis.fd is None:
        raise ContentChanged
    basis.close()
    task.site.system.truncate(fd, 0)
    if not _completed(task, fd, source_fd, basis):
        raise ContentChanged


def _part_goes_on(task: Task, part: bytes, source_fd: int | None, basis: _Basis) -> bool:
    """An interrupted run's part was completed and verifies; one that does not is put away."""
    spot = task.spot
    try:
        fd = os.open(part, READ_WRITE, dir_fd=spot.dir_fd)
    except FileNotFoundError:
        return False
    except OSError:
        put_away(task.site, spot, part)
        return False
    try:
        if _goes_on(task, fd, source_fd, basis):
            return True
    finally:
        os.close(fd)
    put_away(task.site, spot, part)
    return False


def _goes_on(task: Task, fd: int, source_fd: int | None, basis: _Basis) -> bool:
    size_bytes = os.fstat(fd).st_size
    if not is_own_part(task, fd) or size_bytes > task.want.size:
        return False
    if source_fd is None and not _is_prefix(task, fd, size_bytes):
        basis.prefer(fd)
        return False
    try:
        if _completed(task, fd, source_fd, basis):
            return True
    except ContentChanged:
        pass  # the part, or the source: starting anew will tell
    basis.close()
    return False


def _is_prefix(task: Task, fd: int, size_bytes: int) -> bool:
    """The part is not known to be wrong."""
    if size_bytes == task.want.size:
        return verified(task, fd)
    prefix_is = getattr(task.supply, "prefix_is", None)
    if prefix_is is None or not size_bytes:
        return True
    digest = hash_fd(fd, task.site.options.header.hash_name)
    return bool(prefix_is(task.step, size_bytes, digest))


def _completed(task: Task, fd: int, source_fd: int | None, basis: _Basis) -> bool:
    """The content from where the file ends now on; False: the whole does not verify."""
    start = os.fstat(fd).st_size
    if source_fd is not None:
        copy_content(task.site.system, source_fd, fd, start, task.want.size)
    elif not start or start < task.want.size:
        try:
            _receive(task, fd, start, basis)
        except (ContentChanged, BasisChanged):
            if basis.fd is None:
                raise
            return False
    if not verified(task, fd):
        return False
    finish(task, fd, source_fd)
    return True


def _receive(task: Task, fd: int, start: int, basis: _Basis) -> None:
    step, system, size_bytes = task.step, task.site.system, task.want.size
    if basis.rebuild is None or basis.fd is None:
        write_pieces(system, fd, size_bytes, task.supply.read(step, start))
    else:
        pieces = basis.rebuild(step, start, basis.fd)
        write_pieces(system, fd, size_bytes, pieces, basis.fd)
