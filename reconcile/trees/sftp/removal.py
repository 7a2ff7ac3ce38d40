"""Taking names away over SFTP: into the version area, looked at there, back when not expected.

Without a version area a name goes to its temporary name first and is removed
only when its content is the expected one. Directories go by rmdir, never with
anything in them.
"""

from reconcile.model.entry import Kind
from reconcile.model.plan import Step
from reconcile.model.receipt import Receipt
from reconcile.trees.receipts import gone, stale
from reconcile.trees.sftp.client import ServerFailure
from reconcile.trees.sftp.means import Means
from reconcile.trees.sftp.publish import TargetChanged, superseded, taken_away
from reconcile.trees.sftp.rows import kind_of
from reconcile.trees.sftp.site import Spot
from reconcile.trees.versions import text_of


async def remove_directory(means: Means, step: Step, spot: Spot) -> Receipt:
    """rmdir; what is not empty is stale."""
    site = means.site
    found = await site.look(spot.final)
    if found is None:
        return gone(step)
    if kind_of(found) != Kind.DIR:
        return stale(step, "it is no directory any more")
    try:
        await site.remove_directory(spot.final)
    except FileNotFoundError:
        return gone(step)
    except ServerFailure:
        handle = await site.sftp.open_directory(spot.final)
        try:
            if not await _is_empty(means, handle):
                return stale(step, "the directory is not empty")
        finally:
            site.sftp.release(handle)
        raise
    site.touched.add(spot.parent)
    return gone(step)


async def remove_name(means: Means, step: Step, spot: Spot) -> Receipt:
    """A file or link goes; its content is kept, or was verified before it was removed."""
    expect = step.expect
    if expect is None:
        return gone(step)
    found = await means.site.look(spot.final)
    if found is None:
        return gone(step)
    if not means.site.as_expected(found, expect):
        return stale(step, "it is not what the plan saw")
    try:
        kept = await taken_away(means, spot, expect)
    except TargetChanged:
        return stale(step, "it changed while it was being removed")
    except FileNotFoundError:
        return gone(step)
    version = await superseded(means, kept, expect)
    return gone(step, text_of(version) if version else "")


async def _is_empty(means: Means, handle: bytes) -> bool:
    while batch := await means.site.sftp.list(handle):
        if any(named.name not in (b".", b"..") for named in batch):
            return False
    return True
