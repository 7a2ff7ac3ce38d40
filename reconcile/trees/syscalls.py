"""The calls that change a file system, each in one place.

`System` is what every writer of this package calls, so a test can stop or fail
at call k by deriving from it. It decides nothing. Linux: renameat2(2),
openat2(2), syncfs(2), ioctl_ficlone(2). Where the kernel or the file system
lacks a flag (NFS, SMB, some FUSE), the nearest safe sequence stands in; what it
cannot promise is marked `RACE:`.
"""

import ctypes
import errno
import fcntl
import os
import stat
import struct

_libc = ctypes.CDLL(None, use_errno=True)
_SYS_OPENAT2 = 437
_RENAME_NOREPLACE = 1
_RENAME_EXCHANGE = 2
_FICLONE = 0x40049409
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_BENEATH = 0x08
_LACKING = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
_UNLINKABLE = _LACKING | {errno.EPERM, errno.EMLINK}

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class _OpenHow(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


_how = _OpenHow(DIRECTORY, 0, _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS | _RESOLVE_NO_MAGICLINKS)
_how_ref = ctypes.byref(_how)
_how_size = ctypes.c_size_t(ctypes.sizeof(_how))
_openat2_number = ctypes.c_long(_SYS_OPENAT2)


def open_beneath(root_fd: int, path: bytes) -> int:
    """The directory `path` under `root_fd`, reached through directories only.

    Raises: OSError; ENOSYS where the kernel has no openat2.
    """
    fd: int = _libc.syscall(
        _openat2_number, ctypes.c_int(root_fd), ctypes.c_char_p(path), _how_ref, _how_size
    )
    if fd < 0:
        _raise(path)
    return fd


def _raise(name: bytes) -> None:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number), name)


_renameat2 = getattr(_libc, "renameat2", None)  # None: the C library is older than the call
if _renameat2 is not None:
    _renameat2.argtypes = (
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_uint,
    )
_syncfs = _libc.syncfs
_syncfs.argtypes = (ctypes.c_int,)

_statx = getattr(_libc, "statx", None)  # None: the C library is older than the call
_AT_EMPTY_PATH = 0x1000
_STATX_BTIME = 0x800
_STATX_BYTES = 256
_BTIME_AT = 80
_ATTRIBUTES_AT = 8
_AT_SYMLINK_NOFOLLOW = 0x100
IMMUTABLE, APPEND_ONLY = 0x10, 0x20
"""Of `attributes_of`; chattr(1) `+i` and `+a`."""


def _asked(fd: int, name: bytes, mask: int) -> bytes:
    """What statx(2) says of a name, or of the open file itself; empty: it says nothing."""
    if _statx is None:
        return b""
    found = ctypes.create_string_buffer(_STATX_BYTES)
    flags = ctypes.c_int(_AT_SYMLINK_NOFOLLOW if name else _AT_EMPTY_PATH)
    if _statx(ctypes.c_int(fd), ctypes.c_char_p(name), flags, ctypes.c_uint(mask), found) != 0:
        return b""
    return found.raw


def birth_ns(fd: int) -> int:
    """When the open file or directory was made; 0: it is not known."""
    told = _asked(fd, b"", _STATX_BTIME)
    if not told or not struct.unpack_from("=I", told)[0] & _STATX_BTIME:
        return 0
    seconds, nanoseconds = struct.unpack_from("=qI", told, _BTIME_AT)
    return int(seconds) * 10**9 + int(nanoseconds)


def attributes_of(fd: int, name: bytes) -> int:
    """`IMMUTABLE`, `APPEND_ONLY` or neither, of a name in an open directory; `b""`: of that."""
    told = _asked(fd, name, 0)
    if not told:
        return 0
    (found,) = struct.unpack_from("=Q", told, _ATTRIBUTES_AT)
    return int(found) & (IMMUTABLE | APPEND_ONLY)


class System:
    """The changing calls. Names are one component, directories are descriptors."""

    def create(self, dir_fd: int, name: bytes) -> int:
        """A new file for us alone (0600), open for reading and writing."""
        return os.open(name, _CREATE, 0o600, dir_fd=dir_fd)

    def write(self, fd: int, data: bytes | memoryview) -> int:
        """write(2); may write less than asked."""
        return os.write(fd, data)

    def truncate(self, fd: int, size_bytes: int) -> None:
        """Make the file exactly this long."""
        os.ftruncate(fd, size_bytes)

    def clone(self, source_fd: int, fd: int) -> None:
        """Share the source's blocks (reflink). OSError where the file system cannot."""
        fcntl.ioctl(fd, _FICLONE, source_fd)

    def copy_range(self, source_fd: int, fd: int, offset: int, count: int) -> int:
        """Copy inside the kernel, from and to the same offset."""
        return os.copy_file_range(source_fd, fd, count, offset, offset)

    def copy_piece(self, source_fd: int, fd: int, offset: int, to_offset: int, count: int) -> int:
        """Copy inside the kernel, from one offset to another."""
        return os.copy_file_range(source_fd, fd, count, offset, to_offset)

    def chmod(self, fd: int, mode: int) -> None:
        """On an open file or directory; an O_PATH descriptor goes through /proc."""
        try:
            os.fchmod(fd, mode)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            os.chmod(f"/proc/self/fd/{fd}", mode)

    def chown(self, fd: int, uid: int, gid: int) -> None:
        """Owner and group of an open file."""
        os.fchown(fd, uid, gid)

    def set_xattr(self, fd: int, name: str, value: bytes) -> None:
        """One extended attribute of an open file."""
        os.setxattr(fd, name, value)

    def remove_xattr(self, fd: int, name: str) -> None:
        """Take one extended attribute away from an open file."""
        os.removexattr(fd, name)

    def set_mtime(self, fd: int, mtime_ns: int) -> None:
        """Modification (and access) time of an open file."""
        os.utime(fd, ns=(mtime_ns, mtime_ns))

    def set_link_mtime(self, dir_fd: int, name: bytes, mtime_ns: int) -> None:
        """Times of a name itself, never of what it points at."""
        os.utime(name, ns=(mtime_ns, mtime_ns), dir_fd=dir_fd, follow_symlinks=False)

    def fsync(self, fd: int) -> None:
        """Flush one file or directory."""
        os.fsync(fd)

    def syncfs(self, fd: int) -> None:
        """Flush the whole file system that holds `fd`."""
        if _syncfs(fd) != 0:
            _raise(b"")

    def mkdir(self, dir_fd: int, name: bytes, mode: int) -> None:
        """A new directory; the umask applies."""
        os.mkdir(name, mode, dir_fd=dir_fd)

    def rmdir(self, dir_fd: int, name: bytes) -> None:
        """Remove an empty directory."""
        os.rmdir(name, dir_fd=dir_fd)

    def unlink(self, dir_fd: int, name: bytes) -> None:
        """Remove a name that is no directory."""
        os.unlink(name, dir_fd=dir_fd)

    def symlink(self, dir_fd: int, name: bytes, target: bytes) -> None:
        """A new symbolic link."""
        os.symlink(target, name, dir_fd=dir_fd)

    def link(self, from_fd: int, name: bytes, to_fd: int, new_name: bytes) -> None:
        """A second name for a file or a link; fails when the new name exists."""
        os.link(name, new_name, src_dir_fd=from_fd, dst_dir_fd=to_fd, follow_symlinks=False)

    def rename(self, from_fd: int, name: bytes, to_fd: int, new_name: bytes) -> None:
        """rename(2): replaces silently. Only where a fallback has nothing better."""
        os.rename(name, new_name, src_dir_fd=from_fd, dst_dir_fd=to_fd)

    def renameat2(self, from_fd: int, name: bytes, to_fd: int, new_name: bytes, flags: int) -> None:
        """renameat2(2) itself."""
        if _renameat2 is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), name)
        if _renameat2(from_fd, name, to_fd, new_name, flags) != 0:
            _raise(new_name)

    def rename_new(self, from_fd: int, name: bytes, to_fd: int, new_name: bytes) -> None:
        """Rename to a name that is free. Raises: FileExistsError, nothing changed then."""
        try:
            self.renameat2(from_fd, name, to_fd, new_name, _RENAME_NOREPLACE)
        except OSError as error:
            if error.errno not in _LACKING:
                raise
            self._link_and_unlink(from_fd, name, to_fd, new_name)

    def _link_and_unlink(self, from_fd: int, name: bytes, to_fd: int, new_name: bytes) -> None:
        try:
            self.link(from_fd, name, to_fd, new_name)
        except OSError as error:
            if error.errno not in _UNLINKABLE:
                raise
            if exists(to_fd, new_name):
                raise FileExistsError(errno.EEXIST, "exists", new_name) from None
            # RACE: directories, and file systems without hard links. A name that
            # appears between the look and the rename is replaced: its content is lost.
            self.rename(from_fd, name, to_fd, new_name)
        else:
            self.unlink(from_fd, name)

    def exchange(self, dir_fd: int, temp: bytes, name: bytes) -> None:
        """Swap two names of one directory; both must exist."""
        try:
            self.renameat2(dir_fd, temp, dir_fd, name, _RENAME_EXCHANGE)
        except OSError as error:
            if error.errno not in _LACKING:
                raise
            self._exchange_in_steps(dir_fd, temp, name)

    def _exchange_in_steps(self, dir_fd: int, temp: bytes, name: bytes) -> None:
        aside = temp + b".old"
        if not self._set_aside(dir_fd, temp, name, aside):
            # RACE: directories, and file systems without hard links. For a moment
            # the name is absent; after a crash there the old content is a leftover.
            self.rename_new(dir_fd, name, dir_fd, aside)
            try:
                self.rename_new(dir_fd, temp, dir_fd, name)
            except OSError:
                self.rename_new(dir_fd, aside, dir_fd, name)
                raise
        self.rename_new(dir_fd, aside, dir_fd, temp)

    def _set_aside(self, dir_fd: int, temp: bytes, name: bytes, aside: bytes) -> bool:
        """False, and nothing done, where a hard link cannot hold the old content meanwhile."""
        if is_directory(dir_fd, temp) or is_directory(dir_fd, name):
            return False
        try:
            self.link(dir_fd, name, dir_fd, aside)
        except OSError as error:
            if error.errno in _UNLINKABLE:
                return False
            raise
        # RACE: a file renamed over `name` between the link and this rename is
        # lost; one edited in place is kept, because `aside` is the same file.
        try:
            self.rename(dir_fd, temp, dir_fd, name)
        except OSError:
            self.unlink(dir_fd, aside)
            raise
        return True


def is_directory(dir_fd: int, name: bytes) -> bool:
    """The name itself is a directory. Raises: FileNotFoundError."""
    return stat.S_ISDIR(os.stat(name, dir_fd=dir_fd, follow_symlinks=False).st_mode)


def exists(dir_fd: int, name: bytes) -> bool:
    """Something has this name; links are not followed."""
    try:
        os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


SYSTEM = System()
