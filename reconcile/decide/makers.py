"""Makers: whose word a file is, told by who could have written it.

A plan or another file that decides what is changed is obeyed when nobody but us
(or root, who can do everything anyway) could have written it. The owner and the
mode of the file itself decide, the owner of a link that led to it, and the directory
it lies in: whoever may rename there puts a file under this name that we made of his
content, as a run of ours does in his tree.
"""

from collections.abc import Set
from typing import NamedTuple

ROOT_UID = 0
_OTHERS_WRITE, _EVERYBODY_WRITES, _STICKY = 0o022, 0o002, 0o1000


class Maker(NamedTuple):
    """Of a file: whose it is, as far as can be seen."""

    owner: int
    """User id of the file's owner."""
    linked_by: int
    """Of the owner of the link by which it was found; the same where there was none."""
    mode: int
    """Permission bits; with an access control list the group's are those of its mask."""
    held_by: int
    """Of the owner of the directory that it was found in."""
    held_mode: int
    """Permission bits of that directory, the sticky one among them."""


def distrust(maker: Maker, euid: int, trusted: int | None = None) -> str:
    """Why the file's word is not obeyed; empty: it is.

    `trusted` is the user that was named on purpose: that owner is believed beside
    our own. Nobody can be named for a file that several could have written.
    """
    known = {euid, ROOT_UID, trusted}
    if maker.owner not in known:
        return f"belongs to user {maker.owner}, not to us"
    if maker.linked_by not in known:
        return f"was found by a link of user {maker.linked_by}"
    if maker.mode & _OTHERS_WRITE:
        return f"can be written by others (mode {maker.mode:04o})"
    return put_there_by(maker.held_by, maker.held_mode, known)


def put_there_by(owner: int, mode: int, known: Set[int | None]) -> str:
    """Why the name of a file tells nothing in a directory of this owner and mode; empty: it does.

    LIMIT: members of a group that may write to the directory are believed.
    """
    if owner not in known:
        return f"lies in a directory of user {owner}"
    if mode & _EVERYBODY_WRITES and not mode & _STICKY:
        return "lies in a directory that everybody may write to"
    return ""
