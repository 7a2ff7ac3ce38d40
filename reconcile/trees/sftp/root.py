"""The root on the server: found, checked, and told apart from another one in its place."""

import errno
from typing import NamedTuple

from reconcile.model.entry import Kind
from reconcile.model.errors import Denied, RootMissing, Unreachable
from reconcile.trees.sftp.client import Sftp
from reconcile.trees.sftp.packets import Attributes
from reconcile.trees.sftp.rows import kind_of


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

    Raises: RootMissing, Denied, Unreachable.
    """
    try:
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
