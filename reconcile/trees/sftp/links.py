"""Symbolic links over SFTP, whose two arguments servers take in two orders.

QUIRK: OpenSSH and those that follow it take (target, new name), the protocol
says (new name, target). The wrong order would make a link wherever the target
points. So it is tried once, with two names in our own directory.
"""

import errno

from reconcile.model.treepath import join
from reconcile.trees.sftp import packets
from reconcile.trees.sftp.area import Area
from reconcile.trees.sftp.client import ServerFailure
from reconcile.trees.sftp.packets import Ask, text
from reconcile.trees.sftp.site import LSETSTAT, Site
from reconcile.trees.sftp.tasks import VALUES, Event
from reconcile.trees.temporary import AREA


class Links:
    """Makes links on one server."""

    def __init__(self, site: Site, area: Area) -> None:
        self._site = site
        self._area = area
        self._order: Event[bool] | None = None

    async def make(self, location: bytes, target: bytes, mtime_ns: int) -> None:
        """A new link. Raises: FileExistsError, nothing changed then; OSError."""
        try:
            await self._ask(target, location, target_first=await self._takes_target_first())
        except ServerFailure:
            if await self._site.look(location) is None:
                raise
            raise FileExistsError(errno.EEXIST, "the name is taken") from None
        if self._site.sftp.offers(LSETSTAT):
            body = text(location) + packets.attributes(mtime_ns=mtime_ns)
            try:
                await self._site.sftp.done(self._site.sftp.extended(LSETSTAT, body))
            except OSError:
                pass  # the time of a link counts for nothing

    async def _ask(self, target: bytes, location: bytes, *, target_first: bool) -> None:
        pair = (target, location) if target_first else (location, target)
        await self._site.sftp.done(self._site.sftp.ask(Ask.SYMLINK, text(pair[0]) + text(pair[1])))

    async def _takes_target_first(self) -> bool:
        if self._order is not None:
            return await self._order
        event = self._order = Event()
        try:
            event.settle(await self._tried())
        except VALUES as error:
            self._order = None
            event.fail(error)
            raise
        return event.result()

    async def _tried(self) -> bool:
        site = self._site
        directory = await self._area.directory(AREA)
        one, two = (site.location(join(directory, name)) for name in (b"link-1", b"link-2"))
        for location in (one, two):
            if await site.look(location) is not None:
                await site.remove(location)  # of an interrupted run
        await self._ask(one, two, target_first=True)
        made = two if await site.look(two) is not None else one
        await site.remove(made)
        return made == two
