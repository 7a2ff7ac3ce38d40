"""When what was written reaches the disk: `full`, `batch` or `none`."""

import errno
import os

from reconcile.model.job import Durability
from reconcile.model.treepath import TreePath
from reconcile.trees.pulse import patiently
from reconcile.trees.rooted import Root
from reconcile.trees.syscalls import System

FEW = 8
"""Up to so many files or directories are flushed one by one in `batch`."""
_NO_DIRECTORY = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


class Flusher:
    """Remembers what was touched and flushes it when asked."""

    def __init__(self, root: Root, system: System, durability: Durability) -> None:
        self._root = root
        self._system = system
        self.durability = durability
        self._touched: set[TreePath] = set()

    def each_file(self, count: int) -> bool:
        """Whether `count` staged files are flushed one by one, while they are open."""
        if self.durability is Durability.BATCH:
            return count <= FEW
        return self.durability is Durability.FULL

    def touch(self, directory: TreePath) -> None:
        """Names in `directory` changed."""
        self._touched.add(directory)

    def flush_files(self, directories: set[TreePath]) -> None:
        """Make files written in these directories durable, when not flushed one by one."""
        if self.durability is not Durability.NONE:
            self._sync_file_systems(directories)

    def flush_inode(self, fd: int) -> None:
        """Make a file's metadata durable; `fd` may be an O_PATH descriptor."""
        if self.durability is Durability.NONE:
            return
        try:
            self._system.fsync(fd)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            self._system.syncfs(self._root.fd)

    def flush_directories(self) -> None:
        """Make every touched directory durable. Raises: OSError."""
        touched, self._touched = self._touched, set()
        if self.durability is Durability.NONE or not touched:
            return
        if self.durability is Durability.BATCH and len(touched) > FEW:
            self._sync_file_systems(touched)
            return
        for path in sorted(touched):
            fd = self._open(path)
            if fd is not None:
                self._system.fsync(fd)

    def _sync_file_systems(self, directories: set[TreePath]) -> None:
        done = set()
        for path in sorted(directories):
            fd = self._open(path)
            if fd is None:
                continue
            device = os.fstat(fd).st_dev
            if device not in done:
                done.add(device)
                patiently(self._system.syncfs, fd)

    def _open(self, path: TreePath) -> int | None:
        """None: a later step removed it, or put a file or link there; its parent is touched too."""
        try:
            return self._root.directory(path)
        except OSError as error:
            if error.errno not in _NO_DIRECTORY:
                raise
            return None
