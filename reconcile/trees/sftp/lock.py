"""One writer per root over SFTP: the lease of `trees/lease.py`, as a file that only one can make.

It is the same file that local runs and agents hold. It is renewed while the run
goes on, and taken over only from a run that is gone: a process of this very
machine that is no more, or one that has not renewed for `LEASE_S` by the
server's own clock.
"""

import errno
import os
import time

from reconcile.model.errors import Locked
from reconcile.model.plan import Problem
from reconcile.model.treepath import ROOT, TreePath
from reconcile.trees import lease
from reconcile.trees.lease import LEASE_S, LOCK, MOST_BYTES, RENEWED_S, Owner, has_ended
from reconcile.trees.sftp.area import Area, fill
from reconcile.trees.sftp.means import rename_new, take_name
from reconcile.trees.sftp.packets import CREATE, EXCLUSIVE, READ, WRITE, Attributes
from reconcile.trees.sftp.rows import SECOND_NS
from reconcile.trees.sftp.site import Site
from reconcile.trees.sftp.streams import Stream
from reconcile.trees.temporary import AREA


class FarLock:
    """The lock of one root."""

    def __init__(self, site: Site, area: Area, where: str, lag_ns: int | None = None) -> None:
        self._site = site
        self._area = area
        self._where = where
        self._lag_ns = lag_ns
        self._location = site.location(LOCK)
        self._mine = b""
        self._number = lease.new_number()
        self._renewed = 0.0

    async def take(self, run: str) -> Problem | None:
        """Take the root for writing; a note where no lock can be made.

        Raises: Locked, at once.
        """
        await self._refuse_above()
        mine = lease.encode(lease.myself(run, self._number))
        try:
            await self._area.directory(AREA)
            await self._take(mine)
        except FileExistsError:
            raise self._locked(Owner()) from None
        except OSError as error:
            reason = f"no lock can be made there ({error.strerror}): only the state is locked"
            return Problem(ROOT, None, "E_NO_LOCK", reason, "note")
        self._mine = mine
        self._renewed = time.monotonic()
        lease.hold(self._number)
        return None

    async def renew(self) -> None:
        """Tell others that the run which holds the root goes on; cheap to call often.

        Raises: Locked, when another run has taken the root over.
        """
        if not self._mine or time.monotonic() - self._renewed < RENEWED_S:
            return None
        self._renewed = time.monotonic()
        try:
            if await self._content(self._location) == self._mine:
                return await self._written(self._location, self._mine, WRITE)
        except OSError:
            pass  # the connection or the disk: whoever writes next meets it again
        self.abandon()
        raise Locked("the lock of this root was taken away, and the run stops here")

    async def stamp(self) -> Attributes | None:
        """What the server says of the lock: its time is the server's clock. None: no lock."""
        return await self._site.look(self._location) if self._mine else None

    def abandon(self) -> None:
        """The connection is lost: what is left over there is known to be nobody's."""
        self._mine = b""
        lease.let_go(self._number)

    async def release(self) -> None:
        """Let others write, unless the lock is not ours any more."""
        mine = self._mine
        self.abandon()
        if not mine:
            return
        try:
            if await self._content(self._location) == mine:
                await self._site.remove(self._location)
            await self._site.remove_directory(self._site.location(AREA))
        except OSError:
            pass  # versions are kept there, or somebody removed what was ours

    async def _take(self, mine: bytes) -> None:
        """Raises: FileExistsError, Locked, when somebody holds it."""
        site = self._site
        draft = site.location(TreePath(LOCK + b".%d.%d" % (os.getpid(), self._number)))
        await site.discard(draft)
        await self._written(draft, mine)
        try:
            try:
                await self._publish(draft, mine)
            except FileExistsError:
                await self._clear(draft)
                await self._publish(draft, mine)
        finally:
            await site.discard(draft)

    async def _publish(self, draft: bytes, mine: bytes) -> None:
        """Raises: FileExistsError, when somebody holds it."""
        if self._site.can_link:
            await take_name(self._site, draft, self._location)
        else:
            await self._written(self._location, mine)

    async def _written(self, location: bytes, content: bytes, flags: int = 0) -> None:
        sftp = self._site.sftp
        try:
            handle = await sftp.open(location, flags or WRITE | CREATE | EXCLUSIVE, 0o600)
        except OSError:
            if flags or await self._site.look(location) is None:
                raise
            raise FileExistsError(errno.EEXIST, "it is locked") from None
        await fill(sftp, handle, content)

    async def _clear(self, draft: bytes) -> None:
        """Take away the lock of a run that is gone. Raises: Locked, OSError."""
        site = self._site
        found = await self._content(self._location)
        owner = lease.decode(found)
        if not has_ended(owner) and not await self._is_aged(self._location, draft):
            raise self._locked(owner)
        aside = site.location(TreePath(LOCK + b".old.%d" % os.getpid()))
        await site.discard(aside)
        await rename_new(site, self._location, aside)
        if await self._content(aside) == found:
            return await site.remove(aside)
        # Another run was faster, and this is its lock.
        await rename_new(site, aside, self._location)
        raise self._locked(owner)

    async def _is_aged(self, location: bytes, draft: bytes) -> bool:
        """By the server's clock: the draft was written now."""
        theirs, now = await self._site.look(location), await self._site.look(draft)
        if theirs is None or now is None or not theirs.mtime_s:
            return False
        return now.mtime_s - theirs.mtime_s > LEASE_S

    async def _refuse_above(self) -> None:
        """Raises: Locked, when another run writes to a root that this one lies in."""
        site = self._site
        above = site.location(ROOT).rstrip(b"/")
        places = []
        while above:
            above = above.rpartition(b"/")[0]
            places.append(above + b"/" + LOCK)
        found = await site.sftp.together(self._looked(place) for place in places)
        for place, held in zip(places, found, strict=True):
            if held is not None and held.mode & 0o170000 == 0o100000:
                await self._refuse_held(place, held)

    async def _looked(self, place: bytes) -> Attributes | None:
        try:
            return await self._site.look(place)
        except OSError:
            return None

    async def _refuse_held(self, place: bytes, held: Attributes) -> None:
        """RACE: the server's clock is not seen here: ours judges, plus what it lags."""
        directory = await self._looked(place[: -len(LOCK)])
        trusted = {0, directory.uid} if directory is not None else {0}
        now_s = time.time() + (self._lag_ns or 0) / SECOND_NS
        if held.uid not in trusted or now_s - held.mtime_s > LEASE_S:
            return
        try:
            owner = lease.decode(await self._content(place))
        except OSError:
            owner = Owner()
        if not has_ended(owner):
            raise Locked(
                f"another run is writing to a root that holds this one{owner.shown}",
                where=self._where,
                hint=lease.WAIT,
            )

    async def _content(self, location: bytes) -> bytes:
        """What a lock says; empty when it is gone."""
        sftp = self._site.sftp
        try:
            handle = await sftp.open(location, READ)
        except FileNotFoundError:
            return b""
        stream = Stream(sftp, handle, 0, MOST_BYTES)
        sftp.release(handle)
        return await stream.next()

    def _locked(self, owner: Owner) -> Locked:
        return Locked(
            f"another run is writing to this root{owner.shown}",
            where=self._where,
            hint=lease.WAIT,
        )
