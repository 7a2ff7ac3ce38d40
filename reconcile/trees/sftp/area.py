"""The version area and the quarantine on the server: where content goes instead of being lost.

Places and names are those of `trees/versions.py`. Content comes here by a
second name where the server has hard links, else by rename; nothing here is
ever replaced. Who may own the directories, and read them: `owning.py`.
"""

import errno
from collections.abc import Iterator, Sequence

from reconcile.decide.area_rights import NO_DIRECTORY, PRIVATE
from reconcile.model.entry import Kind
from reconcile.model.plan import Problem
from reconcile.model.treepath import ROOT, TreePath, join, split
from reconcile.trees.area import foreign
from reconcile.trees.sftp import packets
from reconcile.trees.sftp.client import Sftp
from reconcile.trees.sftp.owning import RUN_DEPTH, FarTop
from reconcile.trees.sftp.packets import CREATE, EXCLUSIVE, WRITE, Attributes
from reconcile.trees.sftp.rows import kind_of
from reconcile.trees.sftp.site import Site
from reconcile.trees.sftp.streams import Written
from reconcile.trees.sftp.tasks import VALUES, Event
from reconcile.trees.temporary import AREA
from reconcile.trees.versions import VERSIONS

_MAX_CLASHES = 10_000


class Area:
    """Keeps content for one run."""

    def __init__(self, site: Site, root: Attributes) -> None:
        """`root`: what the server says of the root's directory."""
        self._site = site
        self._run = site.options.run.encode()
        self._made: dict[TreePath, Event[TreePath]] = {}
        self._judged: dict[TreePath, Event[None]] = {}
        self._top = FarTop(site, root)

    @property
    def notes(self) -> Sequence[Problem]:
        """What the server could not say or do of the area's owner and mode, so far."""
        return self._top.notes

    async def check(self) -> None:
        """What is kept may be kept there. Raises: OSError, saying why it may not."""
        await self._top.check()

    def forget(self) -> None:
        """Look again at whose the area is, once for each batch."""
        self._judged.clear()

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
        """A directory of ours, made once; it is called otherwise where a kept file has its name.

        Raises: PermissionError, where it may not be used; OSError.
        """
        if not path:
            return ROOT
        parent, name = split(path)
        above = await self.directory(parent)
        if path not in self._made:
            event = self._made[path] = Event()
            try:
                made = await self._make(join(above, name))
            except VALUES as error:
                del self._made[path]
                event.fail(error)
                raise
            event.settle(made)
        if path.count(b"/") <= RUN_DEPTH:
            await self._judge(path)
        return await self._made[path]

    async def _judge(self, path: TreePath) -> None:
        if path in self._judged:
            return await self._judged[path]
        event = self._judged[path] = Event()
        try:
            await self._top.judge(path)
        except VALUES as error:
            event.fail(error)
            raise
        return event.settle(None)

    async def _make(self, wanted: TreePath) -> TreePath:
        site = self._site
        is_top = wanted.count(b"/") <= RUN_DEPTH
        for path in names(wanted):
            try:
                await site.make_directory(site.location(path), PRIVATE)
            except OSError:
                found = await site.look(site.location(path))
                if found is None:
                    raise
                if kind_of(found) == Kind.DIR:
                    return path
                if is_top:
                    raise foreign(path, NO_DIRECTORY) from None
                continue
            site.touched.add(split(path)[0])
            await self._settle(path)
            return path
        raise OSError(errno.EEXIST, "no free name in the version area")

    async def _settle(self, path: TreePath) -> None:
        """Modes of a directory that was just made, and the run's record in its own."""
        depth = path.count(b"/")
        if depth <= RUN_DEPTH:
            await self._top.dress(path)
            if depth == RUN_DEPTH and path.startswith(VERSIONS + b"/"):
                await self._tell_whose(path)
        elif self._top.is_shared:
            mirrored = TreePath(b"/".join(path.split(b"/")[RUN_DEPTH + 1 :]))
            mode = await self._top.mirrored_mode(mirrored)
            location = self._site.location(path)
            await self._site.try_attributes(location, packets.attributes(mode=mode))

    async def _tell_whose(self, run: TreePath) -> None:
        """Put the run's record beside what it keeps; without it that is kept all the same."""
        site, record = self._site, self._site.options.record
        if not record:
            return
        location = site.location(join(run, AREA))
        mode = 0o640 if self._top.is_shared else 0o600
        try:
            await write_new(site.sftp, location, record, mode)
        except OSError:
            await site.discard(location)


async def write_new(sftp: Sftp, location: bytes, content: bytes, mode: int = 0o600) -> None:
    """A small file that was not there. Raises: OSError, when it was, or is half written."""
    handle = await sftp.open(location, WRITE | CREATE | EXCLUSIVE, mode)
    await fill(sftp, handle, content)


async def fill(sftp: Sftp, handle: bytes, content: bytes) -> None:
    """Write from the beginning, and close. Raises: OSError."""
    written = Written(sftp, handle, 0)
    await written.write(content)
    closed = sftp.release(handle)
    await written.finish()
    await sftp.done(closed)


def names(place: TreePath) -> Iterator[TreePath]:
    """The path itself, then `.~2~`, `.~3~` …; never a name longer than names may be."""
    parent, name = split(place)
    yield place
    for number in range(2, _MAX_CLASHES):
        suffix = b".~%d~" % number
        yield join(parent, name[: 255 - len(suffix)] + suffix)
