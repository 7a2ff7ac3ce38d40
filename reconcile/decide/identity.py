"""Identity: whether a root is the one of the last run, by what its side says of it.

`DEVICE:INODE` as ever, then, where it is known, `VOLUME:BIRTH`: the file system's own
id (hexadecimal) and when the root directory was made (ns, 0: unknown). Two disks
that take turns on one mount point often share the first half, never the second;
a disk that comes back as another device keeps the second half.
Another side's word for a root (SFTP) is compared as it stands.
"""

from enum import Enum
from typing import NamedTuple


class Kinship(Enum):
    """How a root is related to the one that was known."""

    SAME = "same"
    UNSURE = "unsure"
    """Another directory, perhaps the same tree restored, copied or moved: content tells."""
    ANOTHER = "another"
    """Another file system: what it holds may be of any time, however much of it is known."""


class _Facts(NamedTuple):
    device: str
    inode: str
    volume: str
    birth: str


def kinship(known: str, seen: str) -> Kinship:
    """How the root `seen` now is related to the `known` one; empty `known`: SAME."""
    if not known or known == seen:
        return Kinship.SAME
    then, now = _facts(known), _facts(seen)
    if then is None or now is None:
        return Kinship.UNSURE
    place = (then.device, then.inode) == (now.device, now.inode)
    if not then.volume or not now.volume:
        return Kinship.SAME if place else Kinship.UNSURE
    if then.birth and now.birth:
        if (then.inode, then.birth) == (now.inode, now.birth):
            return _born_alike(then, now, place)
        return Kinship.UNSURE if then.volume == now.volume else Kinship.ANOTHER
    if then.volume == now.volume:
        return Kinship.SAME if place else Kinship.UNSURE
    return Kinship.ANOTHER if then.device == now.device else Kinship.UNSURE


def _born_alike(then: _Facts, now: _Facts, place: bool) -> Kinship:
    """Of two roots with one inode number and one birth.

    Where only the volume's id differs it is another disk: one that follows the
    device's number has not changed with it. With another device, a birth proves
    something only finer than a second: disks are formatted one after the other.
    """
    if then.volume == now.volume:
        return Kinship.SAME
    if place:
        return Kinship.ANOTHER
    return Kinship.UNSURE if now.birth.endswith("0" * 9) else Kinship.SAME


def _facts(identity: str) -> _Facts | None:
    """None: it is not of this form."""
    place, _, more = identity.partition(" ")
    device, _, inode = place.partition(":")
    if not (device.isdecimal() and inode.isdecimal()):
        return None
    volume, _, birth = more.partition(":")
    return _Facts(device, inode, *("" if each == "0" else each for each in (volume, birth)))
