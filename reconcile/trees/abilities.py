"""Abilities of a directory, found out by looking: nothing there shows that anybody did.

In this order: what its kind of file system is known for (`decide/file_systems.py`),
what the kernel answers when it is asked, and what a name that exists answers to
in another spelling. What neither says is taken as on any POSIX file system, and
`is_certain` is false of it: `probing.py` tries it, where something will be written.
"""

import errno
import fcntl
import os
import struct
import unicodedata
from collections.abc import Callable, Sequence
from itertools import islice

from msgspec.structs import replace

from reconcile.decide.file_systems import SECOND_NS, known_by_kind, known_in_part
from reconcile.model.policy import Abilities
from reconcile.trees.mounts import mount_of
from reconcile.trees.root_place import open_root
from reconcile.trees.syscalls import birth_ns

_LOOKED_AT = 256
"""So many names of the directory are considered."""
_CANDIDATES = 4
"""So many of them are looked up."""
_GET_FLAGS = 0x80086601
_CASEFOLD = 0x40000000
_HAVE_CASEFOLD = ("ext4", "f2fs", "tmpfs")
_LEAST_NAME, _MOST_NAME = 16, 255
_EXT = ("ext2", "ext3", "ext4")
"""Where inodes have 128 bytes, there is no room for a birth, nor for more than 32 bits of a time:
linux/Documentation/filesystems/ext4/inodes.rst, "Inode Timestamps"."""
_LAST_OF_32_BITS_NS = (2**31 - 1) * SECOND_NS


def abilities_of(location: bytes) -> Abilities:
    """What the directory at `location` can hold. Raises: OSError, when it cannot be opened."""
    fd = open_root(location)
    try:
        return replace(looked_at(fd), writable=os.access(location, os.W_OK))
    finally:
        os.close(fd)


def is_certain(found: Abilities) -> bool:
    """Its kind of file system is known, or it was tried."""
    return found.tried or known_by_kind(found.file_system) is not None


def looked_at(fd: int) -> Abilities:
    """What an open directory can hold, but for whether it may be written to. Some 15 calls."""
    mount = mount_of(fd)
    kind = mount.kind if mount is not None else ""
    options: frozenset[str] = mount.options if mount is not None else frozenset()
    found = known_by_kind(kind, options) or known_in_part(kind)
    if kind in _HAVE_CASEFOLD and _is_casefolded(fd):
        found = replace(found, folds_case=True, folds_unicode=True, text_names=True)
    if kind in _EXT and not birth_ns(fd):
        found = replace(found, mtime_step_ns=SECOND_NS, most_mtime_ns=_LAST_OF_32_BITS_NS)
    found = replace(found, max_name_bytes=min(found.max_name_bytes, _longest_name(fd)))
    if not _keeps_xattrs(fd):
        found = replace(found, xattrs=False)
    return _with_spellings(fd, found)


def _is_casefolded(fd: int) -> bool:
    """ext4(5), chattr(1) `+F`."""
    try:
        flags = fcntl.ioctl(fd, _GET_FLAGS, b"\0" * 8)
    except OSError:
        return False
    return bool(struct.unpack("=l", flags[:4])[0] & _CASEFOLD)


def _longest_name(fd: int) -> int:
    try:
        longest = os.fpathconf(fd, "PC_NAME_MAX")
    except (OSError, ValueError):
        return _MOST_NAME
    return longest if longest >= _LEAST_NAME else _MOST_NAME


def _keeps_xattrs(fd: int) -> bool:
    try:
        os.getxattr(fd, "user.reconcile")
    except OSError as error:
        return error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS)
    return True


def _with_spellings(fd: int, found: Abilities) -> Abilities:
    """Names that are there, looked up in another spelling: that says more than the kind does."""
    try:
        with os.scandir(fd) as listing:
            names = [os.fsencode(entry.name) for entry in islice(listing, _LOOKED_AT)]
        folds_case = _answers(fd, names, swapped)
        folds_unicode = _answers(fd, names, respelled)
    except OSError:
        return found
    if folds_case is not None:
        found = replace(found, folds_case=folds_case)
    return found if folds_unicode is None else replace(found, folds_unicode=folds_unicode)


def _answers(fd: int, names: Sequence[bytes], other: Callable[[bytes], bytes]) -> "bool | None":
    """Names answer to another spelling as well; None: no name here can tell.

    Inode numbers do not tell: some FUSE file systems give every spelling one.
    """
    candidates = (name for name in names if other(name) != name)
    for name in islice(candidates, _CANDIDATES):
        if not _is_there(fd, other(name)):
            return False
        if not is_listed(fd, other(name)):
            return True
    return None


def _is_there(fd: int, name: bytes) -> bool:
    try:
        os.stat(name, dir_fd=fd, follow_symlinks=False)
    except OSError:
        return False
    return True


def is_listed(fd: int, name: bytes) -> bool:
    """The directory holds this very spelling. Cost: its whole listing. Raises: OSError."""
    text = os.fsdecode(name)
    with os.scandir(fd) as listing:
        return any(entry.name == text for entry in listing)


def swapped(name: bytes) -> bytes:
    """The name with its ASCII letters in the other case."""
    return name.swapcase()


def respelled(name: bytes) -> bytes:
    """The name in the other Unicode form; itself, where it has none."""
    if name.isascii():
        return name
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        return name
    forms = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    return next((form.encode() for form in forms if form != text), name)
