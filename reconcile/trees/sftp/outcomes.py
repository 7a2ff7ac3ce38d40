"""Receipts of the SFTP write side, in the words of `trees/receipts.py`."""

from reconcile.model.entry import Entry
from reconcile.model.errors import PathRefused
from reconcile.model.plan import Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.statrow import is_racy
from reconcile.model.treepath import TreePath
from reconcile.trees.receipts import failed
from reconcile.trees.sftp.packets import Attributes
from reconcile.trees.sftp.rows import SECOND_NS, fingerprint, kind_of
from reconcile.trees.sftp.site import Site
from reconcile.trees.versions import text_of


def done(
    site: Site,
    step: Step,
    leaf: bytes,
    found: Attributes | None,
    kept: TreePath | None = None,
    *,
    sure: bool = True,
) -> Receipt:
    """Done: the name holds what was wanted.

    `found` is what the server says of it now: mode and time are what is so, also
    where they could not be set. Unless it is `sure` that this is said of exactly
    that content, the next look reads it again; so too where its time is so young
    that an edit could still bear the same second.
    """
    want = step.want
    assert want is not None
    mode, mtime_ns, mark = want.mode, want.mtime_ns, None
    if found is not None and kind_of(found) == want.kind:
        mode, mtime_ns = found.mode & 0o7777, found.mtime_s * SECOND_NS
        if sure and not is_racy(mtime_ns, site.clock_ns):
            mark = fingerprint(found)
    entry = Entry(leaf, want.kind, want.size, mtime_ns, mode, want.id, want.extra)
    version = text_of(kept) if kept else ""
    return Receipt(step.id, Status.DONE, "", "", entry, mark, version, want.size)


async def failure(site: Site, step: Step, error: OSError | PathRefused) -> Receipt:
    """An error; what was there is there still."""
    if isinstance(error, PathRefused):
        return failed(step, error)
    return failed(step, await site.explained(error))
