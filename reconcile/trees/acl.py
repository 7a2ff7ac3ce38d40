"""POSIX access lists as the kernel packs them, and how one is kept from granting more.

Source: acl(5), linux/posix_acl_xattr.h: a version, then (tag, rights, id) for
each entry. Only access lists are read: a default list belongs to the directory it is on.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

ACCESS = "system.posix_acl_access"
DEFAULT = "system.posix_acl_default"
_VERSION = struct.pack("<I", 2)
_ENTRY = struct.Struct("<HHI")
_USER, _GROUP_OBJ, _GROUP, _MASK = 0x02, 0x04, 0x08, 0x10
_MASKED = frozenset({_USER, _GROUP_OBJ, _GROUP})


class Acl(NamedTuple):
    """An access list whose mask hides nothing: what each entry says is what it grants."""

    packed: bytes
    group_bits: int
    """What the owning group has, 0 to 7. A mode shows the mask in its place."""


def effective(packed: bytes) -> Acl | None:
    """The list with every entry cut down to what its mask lets through; None: it is no list.

    So a wider mask, which is what chmod sets, gives nobody more than they had.
    """
    if packed[:4] != _VERSION or (len(packed) - 4) % _ENTRY.size:
        return None
    entries = list(_ENTRY.iter_unpack(packed[4:]))
    mask = next((rights for tag, rights, _ in entries if tag == _MASK), 7)
    cut = [(tag, rights & mask if tag in _MASKED else rights, who) for tag, rights, who in entries]
    group = next((rights for tag, rights, _ in cut if tag == _GROUP_OBJ), 0)
    return Acl(_VERSION + b"".join(_packed(cut)), group & 7)


def _packed(entries: list[tuple[int, int, int]]) -> Iterator[bytes]:
    return (_ENTRY.pack(*entry) for entry in entries)


def lets_others_write(packed: bytes) -> bool:
    """It names accounts or groups beside the owner's and lets one of them write.

    What is no list, and not empty, is taken to let everybody.
    """
    if not packed:
        return False
    found = effective(packed)
    if found is None:
        return True
    entries = _ENTRY.iter_unpack(found.packed[len(_VERSION) :])
    return any(tag in (_USER, _GROUP) and rights & 2 for tag, rights, _ in entries)
