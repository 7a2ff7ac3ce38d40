"""One writer per root: a file that only one can make, and that says whose it is.

It is taken over only from a run that has certainly ended: one of this very
machine, whose process is no more. Whatever is not certain is left to the user.
"""

import errno
import os
import socket
from itertools import count

import msgspec

from reconcile.model.errors import Locked
from reconcile.model.plan import Problem
from reconcile.model.treepath import ROOT, TreePath
from reconcile.trees.sftp.area import Area
from reconcile.trees.sftp.means import rename_new, take_name
from reconcile.trees.sftp.packets import CREATE, EXCLUSIVE, READ, WRITE, Attributes
from reconcile.trees.sftp.site import Site
from reconcile.trees.sftp.streams import Stream, Written
from reconcile.trees.temporary import AREA

LOCK = TreePath(b".reconcile/lock")
_MOST_BYTES = 4096
_TEXT_CHARACTERS = 100
_held: set[int] = set()
"""Numbers of the locks that this process holds."""
_numbers = count(1)


class Owner(msgspec.Struct, frozen=True):
    """Who holds a lock."""

    run: str = ""
    host: str = ""
    machine: str = ""
    boot: str = ""
    """Of this start of the machine: of an earlier one no process is left."""
    space: str = ""
    """The namespace its process number belongs to."""
    process: int = 0
    started: str = ""
    """Tells it from a later process of the same number."""
    number: int = 0
    """Which of that process's locks."""


class FarLock:
    """The lock of one root."""

    def __init__(self, site: Site, area: Area, where: str) -> None:
        self._site = site
        self._area = area
        self._where = where
        self._location = site.location(LOCK)
        self._mine = b""
        self._number = next(_numbers)

    async def take(self, run: str) -> Problem | None:
        """Take the root for writing; a note where no lock can be made.

        Raises: Locked, at once.
        """
        mine = msgspec.json.encode(myself(run, self._number))
        try:
            await self._area.directory(AREA)
            try:
                await self._make(mine)
            except FileExistsError:
                await self._clear()
                await self._make(mine)
        except FileExistsError:
            raise self._locked(Owner()) from None
        except OSError as error:
            reason = f"no lock can be made there ({error.strerror}): only the state is locked"
            return Problem(ROOT, None, "E_NO_LOCK", reason, "note")
        self._mine = mine
        _held.add(self._number)
        return None

    async def stamp(self) -> Attributes | None:
        """What the server says of the lock: its time is the server's clock. None: no lock."""
        return await self._site.look(self._location) if self._mine else None

    def abandon(self) -> None:
        """The connection is lost: what is left over there is known to be nobody's."""
        self._mine = b""
        _held.discard(self._number)

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

    async def _make(self, mine: bytes) -> None:
        """Raises: FileExistsError, when somebody holds it."""
        site = self._site
        if not site.can_link:
            return await self._written(self._location, mine)
        draft = site.location(TreePath(LOCK + b".%d" % os.getpid()))
        await site.discard(draft)
        await self._written(draft, mine)
        try:
            await take_name(site, draft, self._location)
        except FileExistsError:
            await site.discard(draft)
            raise

    async def _written(self, location: bytes, content: bytes) -> None:
        sftp = self._site.sftp
        try:
            handle = await sftp.open(location, WRITE | CREATE | EXCLUSIVE, 0o600)
        except OSError:
            if await self._site.look(location) is None:
                raise
            raise FileExistsError(errno.EEXIST, "it is locked") from None
        written = Written(sftp, handle, 0)
        await written.write(content)
        closed = sftp.release(handle)
        await written.finish()
        await sftp.done(closed)

    async def _clear(self) -> None:
        """Take away the lock of a run that has certainly ended. Raises: Locked, OSError."""
        found = await self._content(self._location)
        owner = _owner(found)
        if not has_ended(owner):
            raise self._locked(owner)
        site = self._site
        aside = site.location(TreePath(LOCK + b".old.%d" % os.getpid()))
        await site.discard(aside)
        await rename_new(site, self._location, aside)
        if await self._content(aside) == found:
            return await site.remove(aside)
        # Another run was faster, and this is its lock.
        await rename_new(site, aside, self._location)
        raise self._locked(owner)

    async def _content(self, location: bytes) -> bytes:
        """What a lock says; empty when it is gone."""
        sftp = self._site.sftp
        try:
            handle = await sftp.open(location, READ)
        except FileNotFoundError:
            return b""
        stream = Stream(sftp, handle, 0, _MOST_BYTES)
        sftp.release(handle)
        return await stream.next()

    def _locked(self, owner: Owner) -> Locked:
        who = f" (run {_shown(owner.run)} on {_shown(owner.host)})" if owner.host else ""
        return Locked(
            f"another run is writing to this root{who}",
            where=self._where,
            hint="wait for it; when it has surely ended, remove `.reconcile/lock` in that root",
        )


def myself(run: str, number: int) -> Owner:
    """This process, as its lock of that number names it."""
    process = os.getpid()
    return Owner(
        run,
        socket.gethostname(),
        _line("/etc/machine-id"),
        _line("/proc/sys/kernel/random/boot_id"),
        _space(),
        process,
        _started(process),
        number,
    )


def has_ended(owner: Owner) -> bool:
    """The process is certainly no more; False: it runs, or nobody can tell from here."""
    here = myself("", 0)
    if not here.machine or (owner.machine, owner.host) != (here.machine, here.host):
        return False
    if not here.boot or not owner.boot or not owner.process:
        return False
    if owner.boot != here.boot:
        return True
    if not here.space or owner.space != here.space:
        return False
    if (owner.process, owner.started) == (here.process, here.started):
        return owner.number not in _held
    return _started(owner.process) != owner.started


def _owner(content: bytes) -> Owner:
    """What a lock's text says; nobody, when it says nothing that we know."""
    try:
        return msgspec.json.decode(content, type=Owner)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Owner()


def _shown(text: str) -> str:
    return text[:_TEXT_CHARACTERS].encode("unicode_escape").decode()


def _line(place: str) -> str:
    try:
        with open(place, encoding="ascii") as stream:
            return stream.readline().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _space() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _started(process: int) -> str:
    """When a process began, in ticks since boot; empty: there is none."""
    try:
        with open(f"/proc/{process}/stat", "rb") as stream:
            return stream.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return ""
