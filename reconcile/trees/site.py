"""Site: a root while it is being changed, and a step's spot in it."""

import os
from typing import NamedTuple

from reconcile.model.entry import Entry, Kind, carried_ns
from reconcile.model.plan import Step
from reconcile.model.treepath import TreePath, split
from reconcile.trees.base import RunOptions
from reconcile.trees.copying import hash_fd
from reconcile.trees.flushing import Flusher
from reconcile.trees.rooted import READ, Root, check_leaf
from reconcile.trees.syscalls import System
from reconcile.trees.temporary import refuse_ours, step_temp
from reconcile.trees.versions import Keeper


class Site(NamedTuple):
    """What every part of the write side needs."""

    root: Root
    system: System
    options: RunOptions
    keeper: Keeper
    flusher: Flusher
    narrow_later: dict[TreePath, int]
    """New directories that their owner could not fill, and the mode each gets at the end."""


class Spot(NamedTuple):
    """Where a step acts: an open directory and two names in it."""

    dir_fd: int
    leaf: bytes
    temp: bytes
    parent: TreePath
    path: TreePath


def open_site(root: Root, system: System, options: RunOptions) -> Site:
    """A root made ready for one run's changes; nothing is written yet."""
    flusher = Flusher(root, system, options.durability)
    return Site(root, system, options, Keeper(root, system, flusher, options), flusher, {})


def spot_of(root: Root, step: Step) -> Spot:
    """The step's spot. Raises: OSError, when the directory cannot be reached; PathRefused."""
    path = step.at
    refuse_ours(path)
    parent, leaf = split(path)
    check_leaf(leaf, path)
    return Spot(root.directory(parent), leaf, step_temp(step), parent, path)


def look(dir_fd: int, name: bytes) -> os.stat_result | None:
    """What lstat says of a name; None: it is absent."""
    try:
        return os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    except FileNotFoundError:
        return None


def kind_of(status: os.stat_result) -> Kind:
    """The kind by the mode's type bits."""
    kinds = {0o100000: Kind.FILE, 0o040000: Kind.DIR, 0o120000: Kind.LINK}
    return kinds.get(status.st_mode & 0o170000, Kind.SPECIAL)


def looks_like(status: os.stat_result | None, expect: Entry | None) -> bool:
    """The cheap precondition: kind, and for a file size and mtime. Content is checked later."""
    if status is None or expect is None:
        return status is None and expect is None
    if kind_of(status) != expect.kind:
        return False
    if expect.kind != Kind.FILE:
        return True
    return status.st_size == expect.size and carried_ns(status.st_mtime_ns) == expect.mtime_ns


def as_expected(site: Site, status: os.stat_result | None, expect: Entry | None) -> bool:
    """`looks_like`, and the tracked permission bits are still those the plan saw."""
    if not looks_like(status, expect):
        return False
    return status is None or expect is None or has_metadata(site, status, expect)


def has_content(site: Site, dir_fd: int, name: bytes, entry: Entry) -> bool:
    """The name is of the entry's kind and, by reading it, of its content.

    Directories have no content of their own here. Raises: OSError.
    """
    status = look(dir_fd, name)
    if status is None or kind_of(status) != entry.kind:
        return False
    if entry.kind == Kind.LINK:
        return os.readlink(name, dir_fd=dir_fd) == entry.id
    if entry.kind == Kind.FILE:
        return status.st_size == entry.size and file_id(site, dir_fd, name) == entry.id
    return entry.kind == Kind.DIR


def file_id(site: Site, dir_fd: int, name: bytes) -> bytes:
    """The content id of a file, by reading it."""
    fd = os.open(name, READ, dir_fd=dir_fd)
    try:
        return hash_fd(fd, site.options.header.hash_name)
    finally:
        os.close(fd)


def has_metadata(site: Site, status: os.stat_result, entry: Entry) -> bool:
    """The tracked permission bits are the entry's."""
    tracked = site.options.header.tracked
    if entry.kind == Kind.LINK:
        return True
    if tracked.mode:
        return status.st_mode & 0o777 == entry.mode & 0o777
    if tracked.exec and entry.kind == Kind.FILE:
        return bool(status.st_mode & 0o100) == entry.is_exec
    return True


def is_there(site: Site, spot: Spot, want: Entry) -> bool:
    """The final name already holds what the step wants, content and tracked metadata."""
    status = look(spot.dir_fd, spot.leaf)
    return (
        status is not None
        and has_metadata(site, status, want)
        and has_content(site, spot.dir_fd, spot.leaf, want)
    )
