"""Tokens in a root on a server: `.reconcile/pairs`, as `trees/tokens.py` has them here."""

from reconcile.model.entry import Kind
from reconcile.model.token import MOST_BYTES, decode_token
from reconcile.model.treepath import TreePath, join
from reconcile.trees.sftp.area import Area, write_new
from reconcile.trees.sftp.client import Sftp
from reconcile.trees.sftp.packets import READ
from reconcile.trees.sftp.rows import kind_of
from reconcile.trees.sftp.site import Site
from reconcile.trees.sftp.streams import Stream
from reconcile.trees.tokens import PAIRS


async def token_at(sftp: Sftp, root: bytes, token_id: str) -> bytes:
    """What the token file of `token_id` holds; empty: there is none, or none that can be read."""
    location = root + b"/" + join(PAIRS, token_id.encode())
    try:
        found = await sftp.lstat(location)
        if found is None or kind_of(found) != Kind.FILE or found.size > MOST_BYTES:
            return b""
        handle = await sftp.open(location, READ)
        stream = Stream(sftp, handle, 0, MOST_BYTES)
        sftp.release(handle)
        return await stream.next()
    except OSError:
        return b""


async def leave_token(site: Site, area: Area, token: bytes) -> None:
    """Put the token in its place, whole. Raises: OSError.

    Where the server cannot replace a name, a run that is killed just then leaves none. A power
    cut there may bring the one before back, and then raises a question.
    """
    told = decode_token(token)
    assert told is not None, "a token of ours"
    place = join(await area.directory(PAIRS), told.id.encode())
    location, draft = site.location(place), site.location(TreePath(place + b".new"))
    await site.discard(draft)
    await write_new(site.sftp, draft, token)
    if site.can_replace:
        return await site.replace(draft, location)
    await site.discard(location)
    return await site.rename(draft, location)
