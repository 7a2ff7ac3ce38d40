"""Makers: whose word a file is, told by who could have written it.

A plan or another file that decides what is changed is obeyed when nobody but us
(or root, who can do everything anyway) could have written it. The owner and the
mode of the file itself decide, and the owner of a link that led to it; not the
directory: in one that others may write they can take our file away, and cannot
make one that is ours.
"""

from typing import NamedTuple

ROOT_UID = 0
_OTHERS_WRITE = 0o022


class Maker(NamedTuple):
    """Of a file: whose it is, as far as can be seen."""

    owner: int
    """User id of the file's owner."""
    linked_by: int
    """Of the owner of the link by which it was found; the same where there was none."""
    mode: int
    """Permission bits; with an access control list the group's are those of its mask."""


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
    return ""
