"""The plain case, kept short because most of a first mirror is nothing else: new small files
whose source is on this machine, or whose content has arrived already.

Everything here either succeeds without a surprise or leaves the file to the
general way (`staging`, `publish`), which finds out what is the matter. Items
are tuples of builtins, so that they travel between processes cheaply.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from reconcile.model.entry import Entry, Kind, Tracked, carried_ns
from reconcile.model.errors import PathRefused
from reconcile.model.plan import Action, Step
from reconcile.model.receipt import Fingerprint, Receipt, Status
from reconcile.model.treepath import TreePath, split
from reconcile.trees.copying import digest_of
from reconcile.trees.metadata import final_mode
from reconcile.trees.receipts import is_as_written
from reconcile.trees.rooted import READ, Root
from reconcile.trees.site import Site
from reconcile.trees.staging import IN_MEMORY, SPARSE_FROM
from reconcile.trees.temporary import is_ours, step_temp

Item = tuple[int, bytes, bytes, bytes, int, int, int, bytes]
"""Step id, name, temporary name, source's name, size, mtime_ns, mode, content id."""
Group = tuple[bytes, bytes, list[Item]]
"""Directory, source's directory, items in them."""
Lstat = tuple[int, int, int, int, int, int]
"""A `Fingerprint` as numbers."""


class Plain(NamedTuple):
    """A step that is a plain case, and its item."""

    step: Step
    parent: TreePath
    source_parent: TreePath
    item: Item


def plain_case(step: Step, tracked: Tracked) -> Plain | None:
    """The step as an item; None when it needs the general way."""
    want, source = step.want, step.source
    if (
        step.action is not Action.CREATE
        or step.expect is not None
        or want is None
        or source is None
        or want.kind != Kind.FILE
        or want.size > IN_MEMORY
        or is_ours(step.at)
        or is_ours(source.path)
        or step.at.find(0) >= 0
    ):
        return None
    parent, leaf = split(step.at)
    source_parent, source_leaf = split(source.path)
    mode = final_mode(want, None, tracked)
    temp = step_temp(step)
    item = (step.id, leaf, temp, source_leaf, want.size, want.mtime_ns, mode, want.id)
    return Plain(step, parent, source_parent, item)


def groups(cases: Iterable[Plain], most: int) -> Iterator[list[Group]]:
    """Cases of the same directories together, at most so many items in one list."""
    batch: list[Group] = []
    room = most
    last: tuple[TreePath, TreePath] | None = None
    for case in cases:
        if not room:
            yield batch
            batch, room, last = [], most, None
        here = (case.parent, case.source_parent)
        if here != last:
            batch.append((case.parent, case.source_parent, []))
            last = here
        batch[-1][2].append(case.item)
        room -= 1
    if batch:
        yield batch


def stage_groups(site: Site, origin: Root, batch: Sequence[Group], *, flush: bool) -> list[int]:
    """The ids of the items that are staged now."""
    staged: list[int] = []
    for parent, source_parent, items in batch:
        try:
            dir_fd = site.root.directory(TreePath(parent))
            source_fd = origin.directory(TreePath(source_parent))
        except (OSError, PathRefused):
            continue
        staged += [item[0] for item in items if _stage(site, dir_fd, source_fd, item, flush)]
    return staged


def _stage(site: Site, dir_fd: int, source_fd: int, item: Item, flush: bool) -> bool:
    size = item[4]
    try:
        fd = os.open(item[3], READ, dir_fd=source_fd)
        try:
            data = os.read(fd, size + 1)
            if size >= SPARSE_FROM and os.fstat(fd).st_blocks * 512 < size:
                return False
        finally:
            os.close(fd)
    except (OSError, ValueError):
        return False
    return _write(site, dir_fd, item, data, flush)


def stage_arrived(site: Site, cases: Iterable[tuple[Plain, bytes]], *, flush: bool) -> list[Plain]:
    """Those of the cases that are staged now, each from the content beside it."""
    staged = []
    for case, data in cases:
        try:
            dir_fd = site.root.directory(case.parent)
        except (OSError, PathRefused):
            continue
        if _write(site, dir_fd, case.item, data, flush):
            staged.append(case)
    return staged


def _write(site: Site, dir_fd: int, item: Item, data: bytes, flush: bool) -> bool:
    """The temporary file with this content, read back; False: no trace of it is left."""
    _, _, temp, _, size, mtime_ns, mode, content_id = item
    system = site.system
    if len(data) != size or digest_of(data, site.options.header.hash_name) != content_id:
        return False
    try:
        fd = system.create(dir_fd, temp)
    except OSError:
        return False
    good = False
    try:
        if (not size or system.write(fd, data) == size) and os.pread(fd, size + 1, 0) == data:
            system.chmod(fd, mode)
            system.set_mtime(fd, mtime_ns)
            if flush:
                system.fsync(fd)
            good = True
    except OSError:
        pass  # the general way will meet it again and report it
    finally:
        os.close(fd)
        if not good:
            _discard(site, dir_fd, temp)
    return good


def _discard(site: Site, dir_fd: int, temp: bytes) -> None:
    try:
        site.system.unlink(dir_fd, temp)
    except OSError:
        pass  # the general way finds it and puts it away


def publish_groups(site: Site, batch: Sequence[Group]) -> list[tuple[int, Lstat]]:
    """(id, what lstat says of the final name) of the items that are published now."""
    published = []
    rename_new = site.system.rename_new
    for parent, _, items in batch:
        try:
            dir_fd = site.root.directory(TreePath(parent))
        except (OSError, PathRefused):
            continue
        for item in items:
            leaf, temp = item[1], item[2]
            try:
                rename_new(dir_fd, temp, dir_fd, leaf)
                s = os.stat(leaf, dir_fd=dir_fd, follow_symlinks=False)
            except OSError:
                continue
            numbers = (s.st_mode, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino, s.st_dev)
            published.append((item[0], numbers))
    return published


def receipt_of(step: Step, leaf: bytes, numbers: Lstat) -> Receipt:
    """The receipt of a published item; see `publish.published` for what is vouched for."""
    want = step.want
    assert want is not None
    mode, size_bytes, mtime_ns = numbers[:3]
    carried = carried_ns(mtime_ns)
    vouched = carried == mtime_ns and is_as_written(size_bytes, mtime_ns, want)
    if not stat.S_ISREG(mode):
        mode, carried, vouched = want.mode, want.mtime_ns, False
    entry = Entry(leaf, want.kind, want.size, carried, mode & 0o7777, want.id, want.extra)
    mark = Fingerprint(*numbers) if vouched else None
    return Receipt(step.id, Status.DONE, "", "", entry, mark, "", want.size)
