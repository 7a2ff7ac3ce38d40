"""A large file over SFTP: many blocks on their way, resumed where an interrupted run stopped.

LIMIT: an interrupted part is gone on with at its end and the whole is verified
then, by the server's hasher or by reading it back.
"""

import errno
from collections.abc import Iterator

from reconcile.model.errors import PathRefused
from reconcile.model.plan import Step
from reconcile.model.receipt import Receipt
from reconcile.trees.base import ContentChanged, Supply
from reconcile.trees.growing import RESUMED_FROM
from reconcile.trees.hashing import new_hasher
from reconcile.trees.sftp.area import Area
from reconcile.trees.sftp.means import take_name
from reconcile.trees.sftp.packets import READ, WRITE
from reconcile.trees.sftp.site import Site
from reconcile.trees.sftp.staging import (
    Task,
    adopted,
    create,
    ended,
    finish,
    is_complete,
    prepared,
    put_away,
)
from reconcile.trees.sftp.streams import Written
from reconcile.trees.temporary import PART


async def stage_large(site: Site, area: Area, step: Step, supply: Supply) -> Receipt | None:
    """Stage one step's content as it comes; None when it is staged, or there already."""
    try:
        task = await prepared(site, area, step)
        if task is None or await adopted(task):
            return None
        if task.want.size > RESUMED_FROM:
            await _in_parts(task, supply)
        else:
            await _at_once(task, supply)
    except (ContentChanged, OSError, PathRefused) as error:
        return await ended(site, step, error)
    return None


async def _at_once(task: Task, supply: Supply) -> None:
    handle = await create(task, task.spot.temp)
    try:
        await _bring(task, handle, task.spot.temp, 0, supply)
    except ContentChanged:
        await task.site.discard(task.spot.temp)
        raise
    except OSError as error:
        why = await task.site.explained(error)  # before there is room again
        await task.site.discard(task.spot.temp)
        raise why from error


async def _in_parts(task: Task, supply: Supply) -> None:
    site, part = task.site, task.spot.temp + PART
    if not await _part_goes_on(task, part, supply):
        handle = await create(task, part)
        try:
            await _bring(task, handle, part, 0, supply)
        except ContentChanged:
            await site.discard(part)
            raise
        except OSError as error:
            why = await site.explained(error)
            if why.errno in (errno.ENOSPC, errno.EDQUOT):
                await site.discard(part)  # others need the room more than a resume does
            raise why from error
    await take_name(site, part, task.spot.temp)


async def _part_goes_on(task: Task, part: bytes, supply: Supply) -> bool:
    """An interrupted run's part was completed and verifies; one that does not is put away."""
    site = task.site
    found = await site.look(part)
    if found is None:
        return False
    if found.mode & 0o170000 == 0o100000 and found.size <= task.want.size:
        try:
            handle = await site.sftp.open(part, READ | WRITE)
            await _bring(task, handle, part, found.size, supply)
        except ContentChanged:
            pass  # the part, or the source: starting anew will tell
        else:
            return True
    await put_away(site, task.area, task.spot, task.spot.temp_leaf + PART)
    return False


async def _bring(task: Task, handle: bytes, location: bytes, offset: int, supply: Supply) -> None:
    """From `offset` to the end of the content; verified, dressed and closed.

    Raises: ContentChanged, OSError; the handle is closed then too.
    """
    sftp = task.site.sftp
    try:
        await _written(task, handle, offset, supply)
        if not await is_complete(task, location):
            raise ContentChanged
    except (ContentChanged, OSError):
        sftp.release(handle)
        raise
    await finish(task, handle)


async def _written(task: Task, handle: bytes, offset: int, supply: Supply) -> None:
    written = Written(task.site.sftp, handle, offset)
    hasher = new_hasher(task.site.options.header.hash_name) if not offset else None
    for block in _blocks(task, supply, offset):
        await task.site.renew()
        if hasher is not None:
            hasher.update(block)
        await written.write(block)
    await written.finish()
    if written.offset != task.want.size or (hasher and hasher.digest() != task.want.id):
        raise ContentChanged


def _blocks(task: Task, supply: Supply, offset: int) -> Iterator[bytes]:
    """The supply's blocks, never more than the content has bytes. Raises: ContentChanged."""
    for block in supply.read(task.step, offset):
        offset += len(block)
        if offset > task.want.size:
            raise ContentChanged
        yield block
