"""The version area and the quarantine on the server: where content goes instead of being lost.

Places and names are those of `trees/versions.py`. Content comes here by a
second name where the server has hard links, else by rename; nothing here is
ever replaced.
"""

import errno
from collections.abc import Iterator

from reconcile.model.entry import Kind
from reconcile.model.treepath import ROOT, TreePath, join, split
from reconcile.trees.sftp.rows import kind_of
from reconcile.trees.sftp.site import Site
from reconcile.trees.sftp.tasks import VALUES, Event
from reconcile.trees.temporary import AREA

_MAX_CLASHES = 10_000


class Area:
    """Keeps content for one run."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._run = site.options.run.encode()
        self._made: dict[TreePath, Event[TreePath]] = {}

    async def version_place(self, path: TreePath) -> TreePath:
        """Where what is at `path` would be kept; its directory is made, so that a full disk
        stops us before anything is touched. Raises: OSError."""
        return await self._place(b"versions", path)

    async def take(self, location: bytes, place: TreePath) -> TreePath:
        """Rename whatever is at `location` to `place`, or near it; the path it got.

        RACE: none but this run writes to its directories here, so that a name
        which was free a moment ago is free. Raises: OSError, nothing changed then.
        """
        site = self._site
        for path in names(place):
            new = site.location(path)
            if await site.look(new) is None:
                await (site.replace if site.can_replace else site.rename)(location, new)
                return path
        raise OSError(errno.EEXIST, "no free name in the version area")

    async def hold(self, location: bytes, place: TreePath) -> TreePath | None:
        """Give what is at `location` a second name at `place`, or near it; None: it gets none.

        QUIRK: Linux refuses one for a file of another account (`protected_hardlinks`), and a
        file system without hard links is told as a permission that is missing.
        """
        site = self._site
        if not site.can_link:
            return None
        for path in names(place):
            try:
                await site.link(location, site.location(path))
            except OSError:
                if await site.look(site.location(path)) is None:
                    return None
                continue
            return path
        raise OSError(errno.EEXIST, "no free name in the version area")

    async def quarantine(self, location: bytes, path: TreePath) -> TreePath:
        """Move what is at `location`, which stood at `path`, to the quarantine."""
        return await self.take(location, await self._place(b"quarantine", path))

    async def _place(self, area: bytes, path: TreePath) -> TreePath:
        parent, name = split(path)
        top = TreePath(b"/".join((AREA, area, self._run)))
        directory = await self.directory(TreePath(top + b"/" + parent) if parent else top)
        return join(directory, name)

    async def directory(self, path: TreePath) -> TreePath:
        """A directory of ours, made once; it is called otherwise where a kept file has its name."""
        if not path:
            return ROOT
        if path in self._made:
            return await self._made[path]
        event = self._made[path] = Event()
        try:
            parent, name = split(path)
            made = await self._make(join(await self.directory(parent), name))
        except VALUES as error:
            del self._made[path]
            event.fail(error)
            raise
        event.settle(made)
        return made

    async def _make(self, wanted: TreePath) -> TreePath:
        site = self._site
        for path in names(wanted):
            try:
                await site.make_directory(site.location(path), 0o700)
            except OSError:
                found = await site.look(site.location(path))
                if found is None:
                    raise
                if kind_of(found) == Kind.DIR:
                    return path
                if split(wanted)[0] in (ROOT, AREA):
                    raise
                continue
            site.touched.add(split(path)[0])
            return path
        raise OSError(errno.EEXIST, "no free name in the version area")


def names(place: TreePath) -> Iterator[TreePath]:
    """The path itself, then `.~2~`, `.~3~` …; never a name longer than names may be."""
    parent, name = split(place)
    yield place
    for number in range(2, _MAX_CLASHES):
        suffix = b".~%d~" % number
        yield join(parent, name[: 255 - len(suffix)] + suffix)
