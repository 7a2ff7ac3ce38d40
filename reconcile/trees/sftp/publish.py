"""Publishing over SFTP: what a step does to a final name, only if the world is as it expects.

A new name is taken by a hard link, which never replaces; else by the protocol's
own rename, which must not. For a replacement the old content first gets a
second name in the version area and is looked at there; then the new one is
renamed over it. So there is no moment without the old or the new content.
RACE: a file that somebody renames over the target between that look and our
rename, one round trip, is lost; one edited in place is kept, because what is
held is the same file.
Without hard links, or without a rename that replaces, the old name goes away
first: for a moment there is none, and what a crash leaves then is a conflict.
"""

from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.trees.metadata import final_mode
from reconcile.trees.receipts import stale
from reconcile.trees.sftp import packets
from reconcile.trees.sftp.client import ServerFailure
from reconcile.trees.sftp.means import Means, rename_new, take_name
from reconcile.trees.sftp.outcomes import done
from reconcile.trees.sftp.packets import Attributes
from reconcile.trees.sftp.rows import kind_of
from reconcile.trees.sftp.site import Site, Spot, beside, looks_like
from reconcile.trees.sftp.staging import put_away, replaced_mode


class TargetChanged(Exception):
    """What was put away is not what the plan saw; it has its name again."""


async def publish_file(means: Means, step: Step, spot: Spot, want: Entry) -> Receipt:
    """Give staged content its final name."""
    site = means.site
    if step.expect is not None:
        return await _replace(means, step, spot, want)
    try:
        await take_name(site, spot.temp, spot.final)
    except (FileExistsError, FileNotFoundError):
        return await _occupied(means, step, spot, want)
    except OSError:
        await site.discard(spot.temp)
        raise
    return await published(means, step, spot, want)


async def make_link(means: Means, step: Step, spot: Spot, want: Entry) -> Receipt:
    """A symbolic link, new or in place of what is expected."""
    if step.expect is None:
        try:
            await means.links.make(spot.final, want.id, want.mtime_ns)
        except FileExistsError:
            return await settled(means, step, spot, want)
        return await published(means, step, spot, want)
    if not means.site.as_expected(await means.site.look(spot.final), step.expect):
        return await settled(means, step, spot, want)
    await put_away(means.site, means.area, spot, spot.temp_leaf)
    await means.links.make(spot.temp, want.id, want.mtime_ns)
    return await _replace(means, step, spot, want)


async def make_directory(means: Means, step: Step, spot: Spot, want: Entry) -> Receipt:
    """An empty directory, new or in place of the file or link that is expected."""
    site, expect = means.site, step.expect
    kept = None
    if expect is not None:
        if not site.as_expected(await site.look(spot.final), expect) or expect.kind == Kind.DIR:
            return await settled(means, step, spot, want)
        try:
            kept = await taken_away(means, spot, expect)
        except TargetChanged:
            return stale(step, "the target changed while it was replaced")
    try:
        await _mkdir(site, spot.final, want)
    except OSError:
        if kept is not None:
            await put_back(means, kept, spot)
        if await site.look(spot.final) is None:
            raise
        return await settled(means, step, spot, want)
    version = await superseded(means, kept, expect)
    return await published(means, step, spot, want, version)


async def published(
    means: Means, step: Step, spot: Spot, want: Entry, version: TreePath | None = None
) -> Receipt:
    """The receipt for a name that was just given its content.

    RACE: an edit in the moment since then that keeps size and time would be
    certified; a young time is never vouched for (`outcomes.done`).
    """
    means.site.touched.add(spot.parent)
    found = await means.site.look(spot.final)
    return done(means.site, step, spot.leaf, found, version, sure=looks_like(found, want))


async def settled(means: Means, step: Step, spot: Spot, want: Entry) -> Receipt:
    """The name is not as expected: done when it is as wanted, else stale. Nothing is touched."""
    if await means.site.is_there(spot, want):
        return done(means.site, step, spot.leaf, await means.site.look(spot.final))
    return stale(step, "the target is not what the plan saw")


async def confirm(means: Means, step: Step, spot: Spot, want: Entry) -> Receipt:
    """The receipt of a step for which nothing was staged: done when the name is right already."""
    if await means.site.is_there(spot, want):
        return done(means.site, step, spot.leaf, await means.site.look(spot.final))
    return Receipt(step.id, Status.FAILED, "E_INTERNAL", "its content was not staged")


async def taken_away(means: Means, spot: Spot, expect: Entry) -> TreePath:
    """Rename a file or link into the version area, and look at it there; where it is now.

    Raises: TargetChanged, when it is not `expect`: it has its name again, or the
    name was taken meanwhile and it stays where it is kept; OSError.
    """
    site = means.site
    kept = await means.area.take(spot.final, await _place(means, spot))
    site.touched.add(spot.parent)
    location = site.location(kept)
    try:
        found = await site.look(location)
        good = found is not None and await site.still_holds(location, found, expect)
    except OSError:
        await put_back(means, kept, spot)
        raise
    if not good:
        await put_back(means, kept, spot)
        raise TargetChanged
    return kept


async def put_back(means: Means, kept: TreePath, spot: Spot) -> None:
    """Return what was taken away to its name; where that is taken now, it stays kept."""
    try:
        await rename_new(means.site, means.site.location(kept), spot.final)
    except FileExistsError:
        if not means.site.options.versions:
            await means.area.quarantine(means.site.location(kept), spot.path)


async def superseded(means: Means, kept: TreePath | None, expect: Entry | None) -> TreePath | None:
    """What becomes of content that was put away: the version, or nothing where none is kept.

    It was verified when it was put away; what somebody wrote into it since goes
    to the quarantine.
    """
    if kept is None or means.site.options.versions:
        return kept
    location = means.site.location(kept)
    if looks_like(await means.site.look(location), expect):
        await means.site.discard(location)
    else:
        await means.area.quarantine(location, kept)
    return None


async def _occupied(means: Means, step: Step, spot: Spot, want: Entry) -> Receipt:
    """As `settled`, for a step with something of ours under the temporary name."""
    receipt = await settled(means, step, spot, want)
    await means.site.discard(spot.temp)
    return receipt


async def _mkdir(site: Site, location: bytes, want: Entry) -> None:
    mode = final_mode(want, None, site.options.header.tracked) | 0o700
    await site.make_directory(location, mode)
    found = await site.look(location)
    if found is not None and kind_of(found) == Kind.DIR and found.mode & 0o777 != mode:
        body = packets.attributes(mode=found.mode & 0o7000 | mode)
        await site.try_attributes(location, body)


async def _replace(means: Means, step: Step, spot: Spot, want: Entry) -> Receipt:
    """Put what is staged in the place of what is expected, and keep that."""
    site, expect = means.site, step.expect
    assert expect is not None
    found = await site.look(spot.final)
    if not site.as_expected(found, expect):
        return await _occupied(means, step, spot, want)
    ours = await site.look(spot.temp)
    if ours is None:
        return await confirm(means, step, spot, want)
    try:
        await _follow_mode(site, spot, want, found, ours)
        if expect.kind == Kind.DIR:
            return await _replace_directory(means, step, spot, want)
        kept = await _replaced(means, spot, expect)
    except TargetChanged:
        await site.discard(spot.temp)
        return stale(step, "the target changed while it was replaced")
    except OSError:
        await site.discard(spot.temp)
        raise
    version = await superseded(means, kept, expect)
    return await published(means, step, spot, want, version)


async def _replaced(means: Means, spot: Spot, expect: Entry) -> TreePath:
    """Where the old content is, now that the new one has its name.

    Raises: TargetChanged, OSError.
    """
    site = means.site
    kept = await _held(means, spot, expect) if site.can_replace else None
    if kept is not None:
        try:
            await site.replace(spot.temp, spot.final)
        except OSError:
            await site.discard(site.location(kept))
            raise
        return kept
    kept = await taken_away(means, spot, expect)
    try:
        await take_name(site, spot.temp, spot.final)
    except OSError:
        await put_back(means, kept, spot)
        raise
    return kept


async def _held(means: Means, spot: Spot, expect: Entry) -> TreePath | None:
    """Where the target has a second name, under which it was found to be `expect`.

    None: no second name can be had. Raises: TargetChanged, OSError.
    """
    site = means.site
    kept = await means.area.hold(spot.final, await _place(means, spot))
    if kept is None:
        return None
    location = site.location(kept)
    try:
        found = await site.look(location)
        followed = found is not None and expect.kind == Kind.LINK != kind_of(found)
        good = found is not None and await site.still_holds(location, found, expect)
    except OSError:
        await site.discard(location)
        raise
    if not good:
        await site.discard(location)
    if followed:
        return None  # QUIRK: some systems give the link's target a second name
    if not good:
        raise TargetChanged
    return kept


async def _place(means: Means, spot: Spot) -> TreePath:
    """Where the old content goes: the version area, or beside its name until it is sure."""
    if means.site.options.versions:
        return await means.area.version_place(spot.path)
    return beside(spot, spot.temp_leaf + b".old")


async def _replace_directory(means: Means, step: Step, spot: Spot, want: Entry) -> Receipt:
    """An empty directory makes room."""
    site = means.site
    try:
        await site.remove_directory(spot.final)
        await take_name(site, spot.temp, spot.final)
    except (ServerFailure, FileExistsError):
        await site.discard(spot.temp)
        return stale(step, "the directory is not empty")
    return await published(means, step, spot, want)


async def _follow_mode(
    site: Site, spot: Spot, want: Entry, found: Attributes | None, ours: Attributes
) -> None:
    """Somebody may have changed the target's mode since staging: it stays as they set it."""
    if want.kind != Kind.FILE:
        return
    mode = final_mode(want, replaced_mode(found), site.options.header.tracked)
    if mode != ours.mode & 0o777:
        await site.try_attributes(spot.temp, packets.attributes(mode=mode))
