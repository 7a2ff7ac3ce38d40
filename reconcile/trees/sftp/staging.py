"""Staging over SFTP: content brought beside its final name, verified, before anything changes.

Names and rules are those of `trees/staging.py`. Of small files many are on
their way at once, each in four round trips; a large one goes alone, with many
blocks on their way, and grows as `….part` where a later run can go on.
What was written is read back, or hashed by the server.
"""

import errno
from typing import NamedTuple

from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import PathRefused
from reconcile.model.job import Durability
from reconcile.model.plan import Step
from reconcile.model.receipt import Receipt
from reconcile.trees.base import ContentChanged
from reconcile.trees.copying import digest_of
from reconcile.trees.metadata import final_mode
from reconcile.trees.receipts import stale
from reconcile.trees.sftp import packets
from reconcile.trees.sftp.area import Area
from reconcile.trees.sftp.client import Answer, ServerFailure
from reconcile.trees.sftp.outcomes import failure
from reconcile.trees.sftp.packets import CREATE, EXCLUSIVE, READ, WRITE, Ask, Attributes, text
from reconcile.trees.sftp.rows import kind_of
from reconcile.trees.sftp.site import FSYNC, Site, Spot, beside
from reconcile.trees.sftp.streams import Stream, Written

SMALL_BYTES = 128 << 10
"""Up to this size content is held in memory, many files at once."""


class Task:
    """One file on its way."""

    __slots__ = ("area", "site", "spot", "step", "target", "want")

    def __init__(
        self, site: Site, area: Area, step: Step, spot: Spot, target: Attributes | None
    ) -> None:
        assert step.want is not None
        self.site = site
        self.area = area
        self.step = step
        self.want: Entry = step.want
        self.spot = spot
        self.target = target


async def stage_small(
    site: Site, area: Area, step: Step, content: bytes | Exception
) -> Receipt | None:
    """Stage content that is at hand (or the reason why it is not); None when it is staged, or
    already under its final name."""
    try:
        task = await prepared(site, area, step)
        if task is None:
            return None
        if isinstance(content, Exception):
            raise content
        if digest_of(content, site.options.header.hash_name) != task.want.id:
            raise ContentChanged
        await _write_small(task, content)
    except (ContentChanged, OSError, PathRefused) as error:
        return await ended(site, step, error)
    return None


class NotExpected(ContentChanged):
    """The target, not the source, is another one than the plan saw."""


async def prepared(site: Site, area: Area, step: Step) -> Task | None:
    """The task of a step whose target is as expected; None: it is right already.

    Raises: NotExpected, OSError, PathRefused.
    """
    want = step.want
    assert want is not None
    spot = await site.spot(step)
    target = await site.look(spot.final)
    if site.as_expected(target, step.expect):
        return Task(site, area, step, spot, target)
    if not await site.is_there(spot, want):
        raise NotExpected
    await put_away(site, area, spot, spot.temp_leaf)
    return None


async def ended(site: Site, step: Step, error: Exception) -> Receipt:
    """The receipt of a step that could not be staged."""
    if isinstance(error, NotExpected):
        return stale(step, "the target is not what the plan saw")
    if isinstance(error, ContentChanged):
        return stale(step, "the source changed meanwhile", "E_CHANGED_WHILE_READING")
    assert isinstance(error, OSError | PathRefused)
    return await failure(site, step, error)


async def put_away(site: Site, area: Area, spot: Spot, leaf: bytes) -> None:
    """Move a leftover to the quarantine; what is empty holds nothing and just goes."""
    location = spot.folder + b"/" + leaf
    found = await site.look(location)
    if found is None:
        return
    if kind_of(found) == Kind.FILE and not found.size:
        await site.remove(location)
        return
    if kind_of(found) == Kind.DIR:
        try:
            await site.remove_directory(location)
        except ServerFailure:
            pass  # there is something in it
        else:
            return
    await area.quarantine(location, beside(spot, leaf))


async def create(task: Task, location: bytes) -> bytes:
    """A handle of a new file that we may read and write. Raises: ServerFailure, it exists."""
    return await task.site.sftp.open(location, READ | WRITE | CREATE | EXCLUSIVE, 0o600)


async def adopted(task: Task) -> bool:
    """A complete leftover with the right content is used again; any other is put away."""
    site, spot = task.site, task.spot
    found = await site.look(spot.temp)
    if found is None:
        return False
    if await is_complete(task, spot.temp):
        handle = await site.sftp.open(spot.temp, READ | WRITE)
        await finish(task, handle)
        return True
    await put_away(site, task.area, spot, spot.temp_leaf)
    return False


async def is_complete(task: Task, location: bytes) -> bool:
    """The file holds the wanted content, as the server's disk has it."""
    return await task.site.has_content(location, task.want)


async def finish(task: Task, handle: bytes) -> None:
    """Give a staged file its looks, make it durable, close it. Raises: OSError."""
    try:
        await follow_owner(task, handle)
    except OSError:
        task.site.sftp.release(handle)
        raise
    await all_done(task.site, dress(task, handle))


class Dressing(NamedTuple):
    """What was asked of a staged file: its looks, and then its flush and its close."""

    looks: Answer | None
    """None: this server lets nobody set them."""
    end: tuple[Answer, ...]


def dress(task: Task, handle: bytes) -> Dressing:
    """Ask for a file's looks, its flush and its close; nothing may be asked of it afterwards,
    because a server gives the handle to the next file."""
    site, sftp = task.site, task.site.sftp
    asked = sftp.ask(Ask.FSETSTAT, text(handle) + looks(task)) if site.can_dress else None
    flush = (sftp.extended(FSYNC, text(handle)),) if flushes(site) else ()
    return Dressing(asked, (*flush, sftp.release(handle)))


async def all_done(site: Site, dressing: Dressing) -> None:
    """Wait for every status. Raises: OSError, the first."""
    await site.dressed(dressing.looks)
    for answer in dressing.end:
        await site.sftp.done(answer)


def looks(task: Task) -> bytes:
    """Mode and time of the file to be."""
    mode = final_mode(task.want, replaced_mode(task.target), task.site.options.header.tracked)
    return packets.attributes(mode=mode, mtime_ns=task.want.mtime_ns)


def replaced_mode(target: Attributes | None) -> int | None:
    """The mode a replacement keeps; None: it is no file that is replaced."""
    return target.mode if target is not None and kind_of(target) == Kind.FILE else None


def flushes(site: Site) -> bool:
    """Files are flushed before they are published; where the server has no fsync it cannot be."""
    return site.can_flush and site.options.durability is not Durability.NONE


def wanted_owner(site: Site, want: Entry, target: Attributes | None) -> tuple[int, int] | None:
    """(uid, gid): the wanted one where tracked, else the replaced file's; None: ours."""
    if site.options.header.tracked.owner:
        for name, value in want.extra:
            if name == "owner":
                uid, _, gid = value.partition(b":")
                return int(uid), int(gid)
    if target is None or kind_of(target) != Kind.FILE:
        return None
    return target.uid, target.gid


async def follow_owner(task: Task, handle: bytes) -> None:
    """An owner that may not be set is left out: the content matters more."""
    owner = wanted_owner(task.site, task.want, task.target)
    if owner is None:
        return
    sftp = task.site.sftp
    now = await sftp.fstat(handle)
    if owner == (now.uid, now.gid):
        return
    try:
        body = text(handle) + packets.attributes(owner=owner)
        await sftp.done(sftp.ask(Ask.FSETSTAT, body))
    except OSError:
        pass


async def _write_small(task: Task, content: bytes) -> None:
    temp = task.spot.temp
    try:
        handle = await create(task, temp)
    except ServerFailure:
        if await task.site.look(temp) is None:
            raise
        if await adopted(task):
            return
        handle = await create(task, temp)
    try:
        await _fill(task, handle, content)
    except OSError as error:
        why = await task.site.explained(error)  # before there is room again
        await task.site.discard(temp)
        raise why from error


async def _fill(task: Task, handle: bytes, content: bytes) -> None:
    """Write, read back, dress, close: all asked for at once, as servers keep a file's order."""
    sftp = task.site.sftp
    try:
        await follow_owner(task, handle)
    except OSError:
        sftp.release(handle)
        raise
    written = Written(sftp, handle, 0)
    await written.write(content)  # less than a window: nothing is waited for
    back = Stream(sftp, handle, 0, len(content))
    dressing = dress(task, handle)
    await written.finish()
    same = await _reads_back(back, content)
    await all_done(task.site, dressing)
    if not same and not await is_complete(task, task.spot.temp):
        raise OSError(errno.EIO, "what was written reads back differently")


async def _reads_back(back: Stream, content: bytes) -> bool:
    """False, too, when a server's short answers outlive the handle."""
    parts = []
    try:
        while part := await back.next():
            parts.append(part)
    except ServerFailure:
        return False
    return b"".join(parts) == content
