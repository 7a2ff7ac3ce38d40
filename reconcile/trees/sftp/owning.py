"""Whose the area on the server is, and what it lets others do: the rules of `trees/area.py`.

A server tells owner and mode of a directory, and nothing of who asks: that is seen by
whose a directory is that we make. RACE: as in `site.py`, between that look and a step
the owner of the root may exchange what was looked at; only he can.
"""

import secrets

from reconcile.decide.area_rights import (
    CLOSED,
    LOOSE,
    NO_DIRECTORY,
    PRIVATE,
    RUN_SHARED,
    Rights,
    is_loose,
    may_own,
    stranger,
    top_mode,
)
from reconcile.model.entry import Kind
from reconcile.model.plan import Problem
from reconcile.model.treepath import TreePath, join
from reconcile.trees.area import KINDS, foreign, short
from reconcile.trees.sftp import packets
from reconcile.trees.sftp.packets import Attributes
from reconcile.trees.sftp.rows import kind_of
from reconcile.trees.sftp.site import Site
from reconcile.trees.sftp.tasks import VALUES, Event
from reconcile.trees.temporary import AREA, PREFIX

RUN_DEPTH = 2
"""Of a run's own directory, `.reconcile` being 0."""


class FarTop:
    """The directories of the area that are judged: those that runs share, and a run's own."""

    def __init__(self, site: Site, root: Attributes, *, only_looks: bool = False) -> None:
        """`only_looks`: change nothing; who we are is known only as far as that tells."""
        self._site = site
        self._root = _rights(root)
        self._tells_owners = root.has_owner
        self._only_looks = only_looks
        self._us: Event[int] | None = None
        self.notes: list[Problem] = [] if root.has_owner else [_note(_HIDDEN)]
        """What the server cannot say or do."""

    @property
    def is_shared(self) -> bool:
        """The root's group may write to it, and others may not."""
        return self._root.is_shared

    async def check(self) -> None:
        """What is there already may be used. Raises: OSError; PermissionError, why it may not."""
        for path in (AREA, *(join(AREA, kind) for kind in KINDS)):
            try:
                await self.judge(path)
            except FileNotFoundError:
                pass

    async def judge(self, path: TreePath) -> None:
        """One of them, as it is now.

        Raises: FileNotFoundError; PermissionError, saying why it may not be used; OSError.
        """
        depth = path.count(b"/")
        found = await self._looked(path)
        if kind_of(found) != Kind.DIR:
            raise foreign(path, NO_DIRECTORY)
        if not (found.has_owner and self._tells_owners):
            return
        rights, mode = _rights(found), self._mode(depth)
        if rights.mode != mode and not self._only_looks and rights.uid == await self._uid_here():
            rights = await self._settled(path, mode)
        free = depth < RUN_DEPTH and may_own(rights.uid, self._root)
        if not (free or await self._is_trusted(path, rights)):
            raise foreign(path, stranger(rights.uid))
        if is_loose(rights, self._root):
            raise foreign(path, LOOSE)

    async def dress(self, path: TreePath) -> None:
        """Give one that was just made its mode, and what root made of those that runs share to
        the root's owner. Raises: OSError, as `judge`."""
        mode = self._mode(path.count(b"/"))
        if mode != PRIVATE:
            await self._settled(path, mode)
        found = await self._looked(path)
        if found.uid == 0 != self._root.uid and path.count(b"/") < RUN_DEPTH:
            owner = packets.attributes(owner=(self._root.uid, found.gid))
            await self._site.try_attributes(self._site.location(path), owner)
        await self.judge(path)
        others = found.mode & 0o007 if self.is_shared else found.mode & 0o077
        if others and path == AREA:
            self.notes.append(_note(_OPEN.format(found.mode & 0o777)))

    async def mirrored_mode(self, mirrored: TreePath) -> int:
        """Of what mirrors a directory of the root: no wider than that one."""
        found = await self._site.look(self._site.location(mirrored)) if self.is_shared else None
        if found is None or kind_of(found) != Kind.DIR or found.gid != self._root.gid:
            return PRIVATE
        return PRIVATE | found.mode & 0o050

    def _mode(self, depth: int) -> int:
        if depth < RUN_DEPTH:
            return top_mode(depth, self._root)
        return RUN_SHARED if self.is_shared else PRIVATE

    async def _looked(self, path: TreePath) -> Attributes:
        """Raises: FileNotFoundError, PermissionError, OSError."""
        try:
            found = await self._site.look(self._site.location(path))
        except PermissionError as error:
            raise foreign(AREA, CLOSED) from error
        if found is None:
            raise FileNotFoundError(path)
        return found

    async def _is_trusted(self, path: TreePath, found: Rights) -> bool:
        """It is root's or our own. Who can list what only its owner may is its owner, or root."""
        if found.uid == 0:
            return True
        if not self._only_looks:
            return found.uid == await self._uid_here()
        if found.mode & 0o077:
            return False
        sftp = self._site.sftp
        try:
            sftp.release(await sftp.open_directory(self._site.location(path)))
        except OSError:
            raise foreign(path, CLOSED) from None
        return True

    async def _settled(self, path: TreePath, mode: int) -> Rights:
        """With this mode, and the group it is meant for; as it is then."""
        site, location = self._site, self._site.location(path)
        found = await self._looked(path)
        if self.is_shared and found.gid != self._root.gid:
            await site.try_attributes(
                location, packets.attributes(owner=(found.uid, self._root.gid))
            )
            found = await self._looked(path)
            mode = mode if found.gid == self._root.gid else PRIVATE
        await site.try_attributes(location, packets.attributes(mode=mode))
        return _rights(await self._looked(path))

    async def _uid_here(self) -> int:
        """Whose what we make is; asked once."""
        if self._us is None:
            event = self._us = Event()
            try:
                event.settle(await self._found_out())
            except VALUES as error:
                self._us = None
                event.fail(error)
                raise
        return await self._us

    async def _found_out(self) -> int:
        site = self._site
        location = site.location(TreePath(PREFIX + secrets.token_hex(8).encode()))
        try:
            await site.make_directory(location, PRIVATE)
        except OSError:
            return -1
        try:
            found = await site.look(location)
        finally:
            await site.remove_directory(location)
        return found.uid if found is not None and found.has_owner else -1


async def troubles(site: Site, root: Attributes, *, only_looks: bool) -> list[Problem]:
    """Why nothing may be kept in a root, and what of that cannot be said."""
    top = FarTop(site, root, only_looks=only_looks)
    try:
        await top.check()
    except OSError as error:
        return [Problem(AREA, None, "E_AREA", short(error))]
    return top.notes


_HIDDEN = (
    "this server does not say whose a directory is: whether another account made `.reconcile` "
    "cannot be seen, and what is superseded is kept there all the same"
)
_OPEN = (
    "`.reconcile` cannot be closed to other accounts there (mode {:o}): they see as much of what "
    "is superseded as that lets them"
)


def _note(reason: str) -> Problem:
    return Problem(AREA, None, "E_AREA", reason, "note")


def _rights(found: Attributes) -> Rights:
    return Rights(found.uid, found.gid, found.mode & 0o7777)
