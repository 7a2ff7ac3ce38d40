"""Mounts: which file system holds an open directory, as the kernel tells it. Looks, never writes.

proc(5): /proc/PID/fdinfo, /proc/PID/mountinfo.
"""

import os
import stat
from typing import NamedTuple

_FUSE_BLOCK = "fuseblk"
_MAGICS = {b"EXFAT   ": "exfat", b"NTFS    ": "ntfs"}
_MAGIC_AT = 3
_FAT32, _FAT32_AT = b"FAT32   ", 82


class Mount(NamedTuple):
    """One mounted file system."""

    kind: str
    """`ext4`, `exfat`; `fuse.exfat` where FUSE serves a block device that says it is one."""
    options: frozenset[str]
    """The mount's and the file system's own."""


def mount_of(fd: int) -> "Mount | None":
    """What holds this directory; None: the system does not say."""
    try:
        return _found(_mount_id(fd))
    except (OSError, ValueError, IndexError):
        return None


def _mount_id(fd: int) -> bytes:
    with open(f"/proc/self/fdinfo/{fd}", "rb") as file:
        return next(line.split()[1] for line in file if line.startswith(b"mnt_id:"))


def _found(number: bytes) -> "Mount | None":
    with open("/proc/self/mountinfo", "rb") as file:
        for line in file:
            fields = line.split(b" ")
            if fields[0] == number:
                return _mount(fields)
    return None


def _mount(fields: "list[bytes]") -> Mount:
    """proc_pid_mountinfo(5): optional fields end at `-`; then kind, source, options."""
    kind, source, options = fields[fields.index(b"-", 6) + 1 :][:3]
    name = os.fsdecode(kind)
    if name == _FUSE_BLOCK:
        found = _kind_of_device(source)
        name = f"fuse.{found}" if found else name
    every = b",".join((fields[5], options.strip())).split(b",")
    return Mount(name, frozenset(map(os.fsdecode, every)))


def _kind_of_device(source: bytes) -> str:
    """What the first block of a block device says it holds; empty: it may not be read."""
    try:
        fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        block = os.read(fd, 512) if stat.S_ISBLK(os.fstat(fd).st_mode) else b""
    except OSError:
        return ""
    finally:
        os.close(fd)
    if block[_FAT32_AT : _FAT32_AT + 8] == _FAT32:
        return "vfat"
    return _MAGICS.get(block[_MAGIC_AT : _MAGIC_AT + 8], "")
