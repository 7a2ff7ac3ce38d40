"""Means: what a step is done with, and the primitives that never replace."""

import errno
from typing import NamedTuple

from reconcile.trees.sftp.area import Area
from reconcile.trees.sftp.client import ServerFailure
from reconcile.trees.sftp.links import Links
from reconcile.trees.sftp.site import Site


class Means(NamedTuple):
    """A site, its version area, and its way to make links."""

    site: Site
    area: Area
    links: Links


async def take_name(site: Site, location: bytes, new: bytes) -> None:
    """Rename a file of our own to a name that is free.

    Raises: FileExistsError, nothing changed then; OSError.
    """
    if site.can_link:
        try:
            await site.link(location, new)
        except OSError:
            if await site.look(new) is not None:
                raise _taken() from None
        else:
            await site.discard(location)
            return
    await rename_new(site, location, new)


async def rename_new(site: Site, location: bytes, new: bytes) -> None:
    """Rename anything to a name that is free. Raises: FileExistsError, OSError.

    RACE: for directories, links and servers without hard links: a server whose
    own rename replaces would replace a name that appeared since the look.
    OpenSSH's does not: it makes a hard link of files itself.
    """
    if await site.look(new) is not None:
        raise _taken()
    try:
        await site.rename(location, new)
    except ServerFailure:
        if await site.look(new) is None:
            raise
        raise _taken() from None


def _taken() -> FileExistsError:
    return FileExistsError(errno.EEXIST, "the name is taken")
