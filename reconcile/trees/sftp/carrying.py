"""One step carried out over SFTP, whatever it is; trouble with it becomes its receipt."""

from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, assert_never

from reconcile.model.entry import Kind
from reconcile.model.errors import PathRefused
from reconcile.model.job import Durability
from reconcile.model.plan import Action, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.trees.receipts import failed, gone, skipped, stale
from reconcile.trees.sftp.altering import move, set_metadata
from reconcile.trees.sftp.levels import levels
from reconcile.trees.sftp.means import Means
from reconcile.trees.sftp.outcomes import failure
from reconcile.trees.sftp.packets import READ, text
from reconcile.trees.sftp.publish import confirm, make_directory, make_link, publish_file
from reconcile.trees.sftp.removal import remove_directory, remove_name
from reconcile.trees.sftp.site import FSYNC, Site, Spot
from reconcile.trees.staging import needs_content


def carry_out(means: Means, steps: Sequence[Step], staged: set[int]) -> list[Receipt]:
    """Every step, in an order that cannot be told from the given one; receipts as given."""
    site = means.site
    site.forget()
    receipts: dict[int, Receipt] = {}
    for level in levels(steps):
        works = _works(means, level, staged, receipts)
        receipts.update((receipt.step, receipt) for receipt in site.sftp.run_all(works))
    try:
        site.sftp.run(flush(site))
    except OSError as error:
        return [failed(step, error) for step in steps]
    return [receipts[step.id] for step in steps]


def _works(
    means: Means, level: Sequence[Step], staged: set[int], receipts: dict[int, Receipt]
) -> "Iterator[Coroutine[Any, None, Receipt]]":
    """Any: what coroutines wait for is `tasks.Event` of any kind."""
    for step in level:
        before = ((need, receipts.get(need)) for need in step.needs)
        undone = next((n for n, r in before if r and r.status is not Status.DONE), 0)
        if undone:
            receipts[step.id] = skipped(step, undone)
        else:
            yield _carried_out(means, step, step.id in staged)


async def _carried_out(means: Means, step: Step, staged: bool) -> Receipt:
    try:
        spot = await means.site.spot(step)
    except FileNotFoundError as error:
        return gone(step) if step.want is None else failed(step, error)
    except NotADirectoryError:
        return stale(step, "something above it is no directory any more")
    except (OSError, PathRefused) as error:
        return await failure(means.site, step, error)
    try:
        return await _act(means, step, spot, staged)
    except (OSError, PathRefused) as error:
        return await failure(means.site, step, error)
    finally:
        _forget(means.site, step)


async def _act(means: Means, step: Step, spot: Spot, staged: bool) -> Receipt:
    want, expect = step.want, step.expect
    if want is None:
        if expect is not None and expect.kind == Kind.DIR:
            return await remove_directory(means, step, spot)
        return await remove_name(means, step, spot)
    if step.action is Action.MOVE:
        return await move(means, step, spot, want)
    if step.action is Action.META:
        return await set_metadata(means, step, spot, want)
    if needs_content(step) and not staged:
        return await confirm(means, step, spot, want)
    match want.kind:
        case Kind.FILE:
            return await publish_file(means, step, spot, want)
        case Kind.LINK:
            return await make_link(means, step, spot, want)
        case Kind.DIR:
            return await make_directory(means, step, spot, want)
        case Kind.SPECIAL | Kind.UNKNOWN | Kind.IGNORED:
            return stale(step, "it is nothing that can be carried over", "E_UNSUPPORTED")
        case _:
            assert_never(want.kind)


def _forget(site: Site, step: Step) -> None:
    """What was known of directories that this step made or took away."""
    if step.action is Action.MOVE or (step.expect is not None and step.expect.kind == Kind.DIR):
        site.forget()
    elif step.want is not None and step.want.kind == Kind.DIR:
        site.forget(step.at)


async def flush(site: Site) -> None:
    """Make the touched directories durable, where the server opens directories as files.

    Raises: OSError, when it does and the flush fails.
    """
    touched, site.touched = site.touched, set()
    if site.can_flush and site.options.durability is not Durability.NONE:
        await site.sftp.together(_flushed(site, path) for path in sorted(touched))


async def _flushed(site: Site, path: TreePath) -> None:
    try:
        handle = await site.sftp.open(site.location(path), READ)
    except OSError:
        return  # it went, or this server opens no directories
    flushed = site.sftp.extended(FSYNC, text(handle))
    site.sftp.release(handle)
    await site.sftp.done(flushed)
