"""The root on the server: found, checked, and told apart from another one in its place."""

import errno
import posixpath
from typing import NamedTuple

from reconcile.model.entry import Kind
from reconcile.model.errors import Denied, RootMissing, Unreachable
from reconcile.trees.sftp.client import Sftp
from reconcile.trees.sftp.packets import Attributes
from reconcile.trees.sftp.rows import kind_of

_MOST_LINKS, _MOST_PARTS = 40, 4096


class FarRoot(NamedTuple):
    """A root directory."""

    location: bytes
    """Absolute, as the server spells it, without a slash at its end (empty: `/` itself)."""
    found: Attributes
    """Its own."""
    identity: str
    """The file system's id and the location: SFTP shows no inode."""


async def find_root(sftp: Sftp, path: bytes, where: str) -> FarRoot:
    """The root at `path`, which is absolute or relative to where a session begins.

    Raises: RootMissing, Denied (`E_LINK_OF_OTHERS` too), Unreachable.
    """
    try:
        await _check_way(sftp, path, where)
        location = await sftp.realpath(path or b".")
        found = await sftp.stat(location)
    except OSError as error:
        raise _unusable(error, where) from error
    if found is None:
        raise RootMissing(
            "there is no such directory on the server",
            where=where,
            changed='nothing (an absent root is never read as "everything was deleted")',
            hint="mount it there, correct the path, or create it",
        )
    if kind_of(found) != Kind.DIR:
        raise RootMissing("it is not a directory", where=where, hint="give a directory")
    if not location.startswith(b"/"):
        raise Unreachable("the server does not say where its directories are", where=where)
    space = await sftp.space(location)
    volume = f"{space.id:x}" if space is not None else ""
    shown = location.decode("utf-8", "backslashreplace")
    return FarRoot(location.rstrip(b"/"), found, f"sftp:{volume}:{shown}")


def _unusable(error: OSError, where: str) -> RootMissing | Denied:
    if error.errno == errno.EACCES:
        return Denied("the directory cannot be opened: permission denied", where=where)
    return RootMissing("there is no such directory on the server", where=where)


async def _check_way(sftp: Sftp, path: bytes, where: str) -> None:
    """No link on the way is a stranger's, as far as the server says whose they are.

    We are whose the directory is where a session begins. Cost: two waits, and two for each link.
    RACE: who may write in a directory on the way can put a link there after this.
    LIMIT: where a session begins at `/` (a closed-off server) nothing tells who we are.
    Raises: Denied; OSError.
    """
    home = await sftp.realpath(b".")
    us = await sftp.lstat(home) if home.strip(b"/") else None
    if us is None or not us.has_owner:
        return
    way, at, links = _parts(posixpath.join(home, path)), 0, 0
    while at < len(way) <= _MOST_PARTS and links < _MOST_LINKS:
        places = [b"/" + b"/".join(way[:end]) for end in range(at + 1, len(way) + 1)]
        found = await sftp.together(sftp.lstat(place) for place in places)
        at = next((at + n for n, each in enumerate(found) if _is_link(each)), len(way))
        if at == len(way):
            return
        link, place = found[at - len(way)], b"/" + b"/".join(way[: at + 1])
        if link is not None and link.has_owner and link.uid not in (0, us.uid):
            raise _link_of_another(place, link.uid, where)
        target = await sftp.readlink(place)
        below = _parts(posixpath.join(b"/" + b"/".join(way[:at]), target))
        way, at, links = below + way[at + 1 :], 0, links + 1


def _is_link(found: Attributes | None) -> bool:
    return found is not None and kind_of(found) == Kind.LINK


def _parts(path: bytes) -> list[bytes]:
    return [part for part in path.split(b"/") if part not in (b"", b".")]


def _link_of_another(place: bytes, uid: int, where: str) -> Denied:
    shown = place.decode("utf-8", "backslashreplace")
    return Denied(
        f"on the way to the root: the link `{shown}` of user {uid} is not followed",
        where=where,
        changed="nothing",
        hint="whoever made the link chooses where it leads; to mean that place, name where it "
        "leads now, as `readlink -f` shows there",
        code="E_LINK_OF_OTHERS",
    )
