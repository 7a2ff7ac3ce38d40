"""Own places: what is ours in a tree beside temporary names and the root's own area.

The state of a pair, also of another one, and what a far agent keeps in its home
directory; the area of a root that lies inside this one. They never take part,
wherever they lie: a directory that is ours is listed as one that is excluded.
"""

import os
import stat
from collections.abc import Iterable

from reconcile.model.treepath import TreePath
from reconcile.trees.temporary import is_area
from reconcile.trees.way import real_path

STATE = b"state.db"
HEADER_BYTES = 72
_MARKS = (b"RCN1", b"RCNF")
"""SQLite's application id, at byte 68: a pair's state, a far agent's index."""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK

_LOST = b"lost+found"
_EXT_ROOT, _EXT_LOST = 2, 11
"""Inodes: EXT4_ROOT_INO and the first that is free, which mkfs gives to `lost+found`."""


def cache_directory() -> str:
    """Where this account keeps what it knows as the far side of others."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "reconcile")


def lost_and_found(root_fd: int) -> frozenset[TreePath]:
    """`lost+found`, where the root is that of an ext2, ext3 or ext4 file system: it is the file
    system's, made by mkfs for what fsck finds, and nobody's content.

    Known by what mkfs gives it: the root is inode 2, and inode 11 is a directory of root's.
    Cost: a look at the root; one more where it is inode 2.
    """
    root = os.fstat(root_fd)
    if root.st_ino != _EXT_ROOT:
        return frozenset()
    try:
        found = os.stat(_LOST, dir_fd=root_fd, follow_symlinks=False)
    except OSError:
        return frozenset()
    is_its = (found.st_ino, found.st_uid, found.st_dev) == (_EXT_LOST, 0, root.st_dev)
    return frozenset({TreePath(_LOST)} if is_its and stat.S_ISDIR(found.st_mode) else ())


def paths_inside(root: os.stat_result, places: Iterable[bytes]) -> frozenset[TreePath]:
    """The paths below `root` at which `places` of this machine lie; those outside are left out.

    Directories are compared by device and inode, so links and bind mounts on the
    way are seen through. A place need not exist yet.
    """
    found = (_inside(root, place) for place in places)
    return frozenset(path for path in found if path)


def _inside(root: os.stat_result, place: bytes) -> TreePath | None:
    real = real_path(place)
    at = real
    while at != os.path.dirname(at):
        at = os.path.dirname(at)
        try:
            above = os.stat(at)
        except OSError:
            continue
        if (above.st_dev, above.st_ino) == (root.st_dev, root.st_ino):
            return TreePath(os.path.relpath(real, at))
    return None


def is_state(header: bytes) -> bool:
    """These first bytes of a `state.db` say that it is ours."""
    return header[68:HEADER_BYTES] in _MARKS


def holds_state(fd: int) -> bool:
    """The directory open as `fd` is the state of a pair, by what its `state.db` says it is."""
    try:
        file = os.open(STATE, _FILE, dir_fd=fd)
    except OSError:
        return False
    try:
        return is_state(os.pread(file, HEADER_BYTES, 0))
    except OSError:
        return False
    finally:
        os.close(file)


def is_area_in(fd: int, name: bytes) -> bool:
    """The directory `name` in the one open as `fd` is the area of another root."""
    try:
        area = os.open(name, _DIRECTORY, dir_fd=fd)
    except OSError:
        return False
    try:
        return is_area(os.fsencode(each) for each in os.listdir(area))
    except OSError:
        return False
    finally:
        os.close(area)
