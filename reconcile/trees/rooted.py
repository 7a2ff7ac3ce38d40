"""Descent: how a directory below a root is reached without ever leaving the root.

One openat2 (RESOLVE_BENEATH, NO_SYMLINKS, NO_MAGICLINKS) per directory, or a walk
with O_NOFOLLOW | O_DIRECTORY component by component where the kernel has none.
All later calls use the descriptor and a single name.
"""

import errno
import os
from collections import OrderedDict

from reconcile.model.errors import PathRefused
from reconcile.model.treepath import TreePath
from reconcile.trees.root_place import refused
from reconcile.trees.syscalls import DIRECTORY, open_beneath
from reconcile.trees.way import open_to_read

_HELD = 64
_HELD_WHEN_SHORT = 4
_WALK_INSTEAD = frozenset({errno.ENOSYS, errno.EAGAIN, errno.ENAMETOOLONG, errno.EPERM})
_TOO_MANY = frozenset({errno.EMFILE, errno.ENFILE})
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class Root:
    """A directory, held open, and the directories below it that are in use.

    Descriptors belong to this object. The latest `_HELD_WHEN_SHORT` that were
    asked for stay open until `forget`; older ones may be closed by the next call.
    """

    def __init__(self, location: bytes, fd: int | None = None) -> None:
        """`fd`: the directory, open already; it is this object's from now on."""
        self.location = location
        if fd is None:
            try:
                fd = open_to_read(location)
            except OSError as error:
                raise refused(error, location) from None
        self.fd = fd
        status = os.fstat(self.fd)
        self.device = status.st_dev
        self.inode = status.st_ino
        self._held: OrderedDict[TreePath, int] = OrderedDict()

    def directory(self, path: TreePath) -> int:
        """The descriptor of the directory `path`. Raises: OSError, PathRefused.

        ENOENT: not there; ENOTDIR, ELOOP, EXDEV: something on the way is no directory.
        """
        if not path:
            return self.fd
        fd = self._held.get(path)
        if fd is not None:
            self._held.move_to_end(path)
            return fd
        _check(path)
        try:
            fd = self._descend(path)
        except OSError as error:
            if error.errno not in _TOO_MANY:
                raise
            self._close_all_but(_HELD_WHEN_SHORT)
            fd = self._descend(path)
        self._held[path] = fd
        if len(self._held) > _HELD:
            self._close_all_but(_HELD - 1)
        return fd

    def open_file(self, path: TreePath) -> int:
        """A file's content, for reading; never through a link, never waiting for a fifo."""
        parent, _, leaf = path.rpartition(b"/")
        check_leaf(leaf, path)
        return os.open(leaf, READ, dir_fd=self.directory(TreePath(parent)))

    def forget(self) -> None:
        """Close every directory held: the next call looks at the world again."""
        self._close_all_but(0)

    def close(self) -> None:
        """Let go of everything, the root included."""
        self.forget()
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _descend(self, path: TreePath) -> int:
        try:
            return open_beneath(self.fd, path)
        except OSError as error:
            if error.errno not in _WALK_INSTEAD:
                raise
        return walk_down(self.fd, path)

    def _close_all_but(self, count: int) -> None:
        while len(self._held) > count:
            os.close(self._held.popitem(last=False)[1])


def walk_down(root_fd: int, path: TreePath) -> int:
    """The directory `path`, opened one component at a time, following nothing."""
    fd = os.dup(root_fd)
    for name in path.split(b"/"):
        try:
            below = os.open(name, DIRECTORY, dir_fd=fd)
        finally:
            os.close(fd)
        fd = below
    return fd


def check_leaf(leaf: bytes, path: TreePath) -> None:
    """`leaf` names something in its directory. Raises: PathRefused."""
    if leaf in (b"", b".", b"..") or b"\0" in leaf:
        raise PathRefused(path, "not the name of anything below the root")


def _check(path: TreePath) -> None:
    for name in path.split(b"/"):
        check_leaf(name, path)
