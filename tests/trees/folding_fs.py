"""A file system that folds names, as Macs, Windows and cameras have them, over a directory.

    FUSE_LIBRARY_NAME=fuse3 python -m tests.trees.folding_fs BACKING MOUNTPOINT READY_FD [LACK...]

Names keep the spelling they were given first and are found by any other. LACK says
what else it does: `case` (letter case is told apart after all: only Unicode forms
fold), `compose` (names are kept in NFC, however given), `modes`, `links`, `xattrs`,
`flags` (of renameat2). Inodes and times are the backing files'. No Linux kernel here
mounts a folding file system, so it is built. READY_FD gets a byte when it is mounted.
"""

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Iterator

import mfusepy

from reconcile.decide.names import case_key, unicode_key
from reconcile.trees.holding import composed

NOREPLACE, EXCHANGE = 1, 2
FLAT = 0o777
_libc = ctypes.CDLL(None, use_errno=True)


class Folding(mfusepy.Operations):  # type: ignore[misc]  # it has no types
    """The operations. `path` is what the kernel asks for; `at` where that is in the backing."""

    use_ns = True

    def __init__(self, backing: str, ready_fd: int, lacks: set[str]) -> None:
        self._backing = os.fsencode(backing)
        self._ready_fd = ready_fd
        self._lacks = lacks
        self._key = unicode_key if "case" in lacks else case_key

    def init(self, path: str) -> None:
        os.write(self._ready_fd, b"r")
        os.close(self._ready_fd)

    def _names(self, path: str) -> Iterator[bytes]:
        return (name for name in os.fsencode(path).split(b"/") if name)

    def _find(self, path: str) -> bytes | None:
        """The backing path of what answers to `path`; None: nothing does."""
        at = self._backing
        for name in self._names(path):
            found = self._answering(at, name)
            if found is None:
                return None
            at = at + b"/" + found
        return at

    def _answering(self, directory: bytes, name: bytes) -> bytes | None:
        if os.path.lexists(directory + b"/" + name):
            return name
        wanted = self._key(name)
        try:
            names = os.listdir(directory)
        except OSError:
            return None
        return next((each for each in names if self._key(each) == wanted), None)

    def at(self, path: str) -> bytes:
        """As `_find`. Raises: FuseOSError."""
        found = self._find(path)
        if found is None:
            raise mfusepy.FuseOSError(errno.ENOENT)
        return found

    def fresh(self, path: str) -> bytes:
        """Where a new name goes, spelled as asked."""
        above, _, name = path.rpartition("/")
        raw = os.fsencode(name)
        return self.at(above) + b"/" + (composed(raw) if "compose" in self._lacks else raw)

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        status = os.lstat(self.at(path)) if fh is None else os.fstat(fh)
        mode = status.st_mode
        if "modes" in self._lacks and not stat.S_ISLNK(mode):
            mode = stat.S_IFMT(mode) | FLAT
        return {
            "st_mode": mode,
            "st_nlink": status.st_nlink,
            "st_size": status.st_size,
            "st_uid": status.st_uid,
            "st_gid": status.st_gid,
            "st_ino": status.st_ino,
            "st_blocks": status.st_blocks,
            "st_atime": status.st_atime_ns,
            "st_mtime": status.st_mtime_ns,
            "st_ctime": status.st_ctime_ns,
        }

    def readdir(self, path: str, fh: int) -> Iterator[tuple[str, dict[str, int], int]]:
        with os.scandir(self.at(path)) as found:
            for entry in found:
                status = entry.stat(follow_symlinks=False)
                kept = {"st_mode": status.st_mode, "st_ino": status.st_ino}
                yield os.fsdecode(entry.name), kept, 0

    def readlink(self, path: str) -> str:
        return os.fsdecode(os.readlink(self.at(path)))

    def open(self, path: str, flags: int) -> int:
        # A file opened to be written only is read as well when a page of it is filled in.
        flags &= ~(os.O_APPEND | os.O_NOFOLLOW | os.O_CREAT | os.O_EXCL)
        if flags & os.O_ACCMODE == os.O_WRONLY:
            flags = flags & ~os.O_ACCMODE | os.O_RDWR
        return os.open(self.at(path), flags)

    def create(self, path: str, mode: int, flags: int = 0) -> int:
        found = self._find(path)
        if found is not None and flags & os.O_EXCL:
            raise mfusepy.FuseOSError(errno.EEXIST)
        at = found or self.fresh(path)
        fd = os.open(at, os.O_CREAT | os.O_RDWR, mode)
        if found is None:
            self._give(at)
        return fd

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        os.truncate(self.at(path) if fh is None else fh, length)

    def flush(self, path: str, fh: int) -> None:
        pass

    def fsync(self, path: str, datasync: int, fh: int) -> None:
        os.fsync(fh)

    def fsyncdir(self, path: str, datasync: int, fh: int) -> None:
        pass

    def release(self, path: str, fh: int) -> None:
        os.close(fh)

    def mkdir(self, path: str, mode: int) -> None:
        self._must_be_free(path)
        at = self.fresh(path)
        os.mkdir(at, mode)
        self._give(at)

    def symlink(self, path: str, target: str) -> None:
        if "links" in self._lacks:
            raise mfusepy.FuseOSError(errno.EPERM)
        self._must_be_free(path)
        at = self.fresh(path)
        os.symlink(os.fsencode(target), at)
        self._give(at)

    def link(self, path: str, source: str) -> None:
        if "links" in self._lacks:
            raise mfusepy.FuseOSError(errno.EPERM)
        self._must_be_free(path)
        os.link(self.at(source), self.fresh(path), follow_symlinks=False)

    def rmdir(self, path: str) -> None:
        os.rmdir(self.at(path))

    def unlink(self, path: str) -> None:
        os.unlink(self.at(path))

    def rename(self, old: str, new: str, flags: int = 0) -> None:
        if flags and "flags" in self._lacks:
            raise mfusepy.FuseOSError(errno.EINVAL)
        source, taken = self.at(old), self._find(new)
        if taken == source:  # another spelling of the same thing, unless nothing is to be replaced
            if flags & NOREPLACE:
                raise mfusepy.FuseOSError(errno.EEXIST)
            target = self.fresh(new)
        elif taken is None:
            target = self.fresh(new)
        else:
            target = taken
        if _libc.renameat2(-100, source, -100, target, flags):
            raise mfusepy.FuseOSError(ctypes.get_errno())

    def chmod(self, path: str, mode: int, fh: int | None = None) -> None:
        if "modes" not in self._lacks:
            os.chmod(self.at(path), mode)

    def chown(self, path: str, uid: int, gid: int, fh: int | None = None) -> None:
        os.chown(self.at(path), uid, gid, follow_symlinks=False)

    def utimens(
        self, path: str, times: tuple[int, int] | None = None, fh: int | None = None
    ) -> None:
        ns = (int(times[0]), int(times[1])) if times is not None else None
        if ns is None:
            os.utime(self.at(path), follow_symlinks=False)
        else:
            os.utime(self.at(path), ns=ns, follow_symlinks=False)

    def listxattr(self, path: str) -> list[str]:
        self._need_xattrs()
        return os.listxattr(self.at(path), follow_symlinks=False)

    def getxattr(self, path: str, name: str, position: int = 0) -> bytes:
        self._need_xattrs()
        return os.getxattr(self.at(path), name, follow_symlinks=False)

    def setxattr(self, path: str, name: str, value: bytes, options: int, position: int = 0) -> None:
        self._need_xattrs()
        os.setxattr(self.at(path), name, value, options, follow_symlinks=False)

    def removexattr(self, path: str, name: str) -> None:
        self._need_xattrs()
        os.removexattr(self.at(path), name, follow_symlinks=False)

    def statfs(self, path: str) -> dict[str, int]:
        found = os.statvfs(self._backing)
        wanted = ("bavail", "bfree", "blocks", "bsize", "favail", "ffree", "files", "frsize")
        held = {f"f_{name}": getattr(found, f"f_{name}") for name in wanted}
        return {**held, "f_namemax": found.f_namemax}

    def _need_xattrs(self) -> None:
        if "xattrs" in self._lacks:
            raise mfusepy.FuseOSError(errno.EOPNOTSUPP)

    def _must_be_free(self, path: str) -> None:
        if self._find(path) is not None:
            raise mfusepy.FuseOSError(errno.EEXIST)

    def _give(self, at: bytes) -> None:
        uid, gid, _ = mfusepy.fuse_get_context()
        os.chown(at, uid, gid, follow_symlinks=False)


class Mount(mfusepy.FUSE):  # type: ignore[misc]  # it has no types
    """mfusepy, with the flags of renameat2, which it drops: without them NOREPLACE replaces."""

    def rename_fuse_3(self, old: bytes, new: bytes, flags: int) -> int:
        self.operations.rename(os.fsdecode(old), os.fsdecode(new), flags)
        return 0


def main() -> None:
    """Serve until it is unmounted."""
    backing, mountpoint, ready_fd, *lacks = sys.argv[1:]
    Mount(
        Folding(backing, int(ready_fd), set(lacks)),
        mountpoint,
        foreground=True,
        nothreads=True,
        allow_other=True,
        default_permissions=True,
        use_ino=True,
        hard_remove=True,
        attr_timeout=0,
        entry_timeout=0,
        negative_timeout=0,
        fsname="folding",
    )


if __name__ == "__main__":
    main()
