"""Mode, owner, times and extended attributes of what is written.

A new file gets the wanted permission bits. A replacement keeps the target's
mode, owner and attributes, except what is tracked. setuid, setgid and sticky
are never carried. Everything is set on a descriptor, before publishing.
"""

import errno
import os
import re
import stat
from typing import NamedTuple

from reconcile.model.codec import decode
from reconcile.model.entry import Entry, Kind, Tracked
from reconcile.model.errors import ManifestError
from reconcile.trees.site import Site, Spot

_OWNER = re.compile(rb"([0-9]{1,10}):([0-9]{1,10})")
_NOBODY = 2**32 - 1
_RIGHTS = "security.capability"
_UNSUPPORTED = frozenset({errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENODATA, errno.E2BIG})


class Looks(NamedTuple):
    """What a file shall look like, and after whom."""

    want: Entry
    target: os.stat_result | None
    """What is replaced; None: nothing."""
    source_fd: int | None = None
    """Where tracked attributes come from; None: the source is not local."""
    returns: bool = False
    """What was kept comes back: owner and attributes are those it had, tracked or not."""


def final_mode(want: Entry, replaced: int | None, tracked: Tracked) -> int:
    """The permission bits of the published file or directory.

    `replaced`: the mode of the file that makes room; None: there is none.
    """
    if tracked.mode:
        return want.mode & 0o777
    if replaced is None:
        return want.mode & 0o777 or (0o755 if want.kind == Kind.DIR else 0o644)
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
    model = target if replaced_mode(target) is not None else None
    if returns and source_fd is not None:
        model = os.fstat(source_fd)
    if model is not None or tracked.owner:
        set_owner(site, fd, want, model)
    if model is not None or tracked.xattr:
        _set_xattrs(site, spot, fd, looks)
    site.system.chmod(fd, final_mode(want, replaced_mode(target), tracked))
    site.system.set_mtime(fd, want.mtime_ns)


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
    """Owner and group as `wanted_owner` has it; left as they are where that is not permitted."""
    owner = wanted_owner(want, target, site.options.header.tracked)
    status = os.fstat(fd)
    if owner is None or owner == (status.st_uid, status.st_gid):
        return
    try:
        site.system.chown(fd, *owner)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise


def wanted_xattrs(want: Entry) -> dict[str, bytes] | None:
    """The user attributes an entry names; None: it tells only their hash.

    So it is where an entry from afar names an attribute that is not the user's:
    none but those are ever set (`security.capability` would give rights).
    """
    packed = dict(want.extra).get("xattr", b"")
    if not packed:
        return {}
    try:
        found = dict(decode(packed, list[tuple[str, bytes]]))
    except ManifestError:
        return None
    return found if all(map(_is_users, found)) else None


def _is_users(name: str) -> bool:
    return name.startswith("user.") and "\0" not in name and len(name.encode()) <= 255


def replace_xattrs(site: Site, fd: int, wanted: dict[str, bytes]) -> None:
    """Make an open file's user attributes exactly these."""
    for name in os.listxattr(fd):
        if name.startswith("user.") and name not in wanted:
            site.system.remove_xattr(fd, name)
    for name, value in wanted.items():
        site.system.set_xattr(fd, name, value)


def _set_xattrs(site: Site, spot: Spot, fd: int, looks: Looks) -> None:
    model: int | bytes | None = looks.source_fd
    if not site.options.header.tracked.xattr and not looks.returns:
        # The directory's own descriptor through /proc, then one name, never followed.
        model = b"/proc/self/fd/%d/%s" % (spot.dir_fd, spot.leaf)
    if model is None:
        return
    follow = isinstance(model, int)
    try:
        for name in os.listxattr(model, follow_symlinks=follow):
            if looks.returns and name == _RIGHTS:
                continue  # who plans a return could give them to another name
            _set_xattr(site, fd, name, os.getxattr(model, name, follow_symlinks=follow))
    except OSError as error:
        if error.errno not in _UNSUPPORTED | {errno.ENOENT}:
            raise


def _set_xattr(site: Site, fd: int, name: str, value: bytes) -> None:
    try:
        site.system.set_xattr(fd, name, value)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
