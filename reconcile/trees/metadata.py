"""Mode, owner, times and extended attributes of what is written.

A new file gets the wanted permission bits. A replacement keeps the target's
mode, owner and user attributes, except what is tracked; `attributes.py` says
which. setuid, setgid, capabilities and labels are never carried, sticky only of
directories, and where an owner or group could not be kept, nobody gets more by that. Everything
is set on a descriptor, before publishing.
"""

import os
import re
import stat
from typing import NamedTuple

from reconcile.model.entry import Entry, Kind, Tracked
from reconcile.trees.attributes import (
    UNSUPPORTED,
    add_xattrs,
    group_of_acl,
    in_proc,
    take_acl,
    users,
    wanted_xattrs,
)
from reconcile.trees.site import Site, Spot, look

_OWNER = re.compile(rb"([0-9]{1,10}):([0-9]{1,10})")
_NOBODY = 2**32 - 1
_PATH_ONLY = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


class Looks(NamedTuple):
    """What a file shall look like, and after whom."""

    want: Entry
    target: os.stat_result | None
    """What is replaced; None: nothing."""
    source_fd: int | None = None
    """Where tracked attributes come from; None: the source is not local."""
    returns: bool = False
    """What was kept, in an area that is ours alone, comes back: owner and attributes are those
    it had, tracked or not. From any other area comes content, and nothing else."""


def final_mode(want: Entry, replaced: int | None, tracked: Tracked) -> int:
    """The permission bits of the published file or directory.

    `replaced`: the mode of the file that makes room; None: there is none. A
    known mode is kept, 0 too. A directory's sticky bit goes along: without it
    others might remove what they may not now. setuid and setgid never do.
    """
    kept = 0o1777 if want.kind == Kind.DIR else 0o777
    if tracked.mode or replaced is None:
        return want.mode & kept
    return with_exec(replaced & 0o777, want.is_exec) if tracked.exec else replaced & 0o777


def replaced_mode(target: os.stat_result | None) -> int | None:
    """The mode a replacement keeps; None: it is no file that is replaced."""
    return target.st_mode if target is not None and stat.S_ISREG(target.st_mode) else None


def with_exec(mode: int, executable: bool) -> int:
    """`mode`, executable by everyone who may read it (the owner always), or by nobody."""
    if bool(mode & 0o100) == executable:
        return mode
    return mode | (mode & 0o444) >> 2 | 0o100 if executable else mode & ~0o111


def dress(site: Site, spot: Spot, fd: int, looks: Looks) -> None:
    """Give the staged file its owner, attributes, mode and time, in this order.

    An owner or attribute that may not be set is left out: the content matters more.
    """
    want, target, source_fd, returns = looks
    tracked = site.options.header.tracked
    replaced = target if replaced_mode(target) is not None else None
    model = replaced
    if returns and source_fd is not None:
        model = os.fstat(source_fd)
    if model is not None or tracked.owner:
        set_owner(site, fd, want, model)
    group_bits = None
    if model is not None:
        group_bits = _follow(site, spot, fd, looks)
    if tracked.xattr:
        wanted = wanted_xattrs(want)
        if wanted is None:
            wanted = users(source_fd) if source_fd is not None else {}
        add_xattrs(site.system, fd, wanted)
    mode = final_mode(want, replaced_mode(target), tracked)
    site.system.chmod(fd, granted(site, fd, mode, model, group_bits))
    site.system.set_mtime(fd, want.mtime_ns)


def follow_mode(site: Site, spot: Spot, want: Entry, target: os.stat_result | None) -> None:
    """Somebody may have changed the target's mode since staging: it stays as they set it."""
    ours = look(spot.dir_fd, spot.temp)
    mode = final_mode(want, replaced_mode(target), site.options.header.tracked)
    if want.kind != Kind.FILE or ours is None or mode == ours.st_mode & 0o777:
        return
    fd = _held(spot.dir_fd, spot.temp, ours)
    if fd is None:
        return
    try:
        if ours.st_nlink == 1:  # else it is a file with another name too, and was put here
            group_bits = _hidden_bits(spot, fd, target)
            site.system.chmod(fd, granted(site, fd, mode, target, group_bits))
    finally:
        os.close(fd)


def _hidden_bits(spot: Spot, fd: int, target: os.stat_result | None) -> int | None:
    """What the target's list gives its group, when ours has none; None: the mode tells."""
    held = _held(spot.dir_fd, spot.leaf, target)
    if held is None:
        return None
    try:
        return group_of_acl(in_proc(held)) if group_of_acl(in_proc(fd)) is None else None
    finally:
        os.close(held)


def granted(
    site: Site, fd: int, mode: int, model: os.stat_result | None, group_bits: int | None
) -> int:
    """`mode`, as far as it gives nobody more than `model` did; a tracked mode was asked for.

    `group_bits`: what the model's access list gave its group, where that list was left out.
    A group that could not be kept has what everybody has.
    """
    if model is None or site.options.header.tracked.mode:
        return mode
    if group_bits is not None:
        mode &= ~0o070 | group_bits << 3
    if os.fstat(fd).st_gid != model.st_gid and not site.options.header.tracked.owner:
        mode &= ~0o070 | (mode & 0o007) << 3
    return mode


def _follow(site: Site, spot: Spot, fd: int, looks: Looks) -> int | None:
    """Attributes as what is replaced, or what comes back, has them; see `take_acl`."""
    if looks.returns and looks.source_fd is not None:
        return _take(site, fd, looks.source_fd, all_of_it=True)
    held = _held(spot.dir_fd, spot.leaf, looks.target)
    if held is None:
        return 0  # it went, or is another one now: nothing is known of its list
    try:
        return _take(site, fd, in_proc(held), all_of_it=not site.options.header.tracked.xattr)
    finally:
        os.close(held)


def _held(dir_fd: int, name: bytes, status: os.stat_result | None) -> int | None:
    """The file that was looked at, which may not be readable; None: its name is another's now."""
    try:
        fd = os.open(name, _PATH_ONLY, dir_fd=dir_fd)
    except OSError:
        return None
    found = os.fstat(fd)
    if status is not None and (found.st_dev, found.st_ino) == (status.st_dev, status.st_ino):
        return fd
    os.close(fd)
    return None


def _take(site: Site, fd: int, model: int | str, *, all_of_it: bool) -> int | None:
    if all_of_it:
        add_xattrs(site.system, fd, users(model))
    return take_acl(site.system, fd, model)


def wanted_owner(
    want: Entry, target: os.stat_result | None, tracked: Tracked
) -> tuple[int, int] | None:
    """(uid, gid): the wanted one where tracked, else the replaced file's; None: ours."""
    if tracked.owner:
        for name, value in want.extra:
            found = _OWNER.fullmatch(value) if name == "owner" else None
            if found and max(int(found[1]), int(found[2])) < _NOBODY:
                return int(found[1]), int(found[2])
    return (target.st_uid, target.st_gid) if target is not None else None


def set_owner(site: Site, fd: int, want: Entry, target: os.stat_result | None = None) -> None:
    """Owner and group as `wanted_owner` has it, or the group alone; left as they are where
    that is not permitted either."""
    owner = wanted_owner(want, target, site.options.header.tracked)
    status = os.fstat(fd)
    if owner is None or owner == (status.st_uid, status.st_gid):
        return
    for uid, gid in (owner, (-1, owner[1])):
        try:
            site.system.chown(fd, uid, gid)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
        else:
            return
