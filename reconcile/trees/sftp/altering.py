"""Changing a name in place over SFTP: its metadata, or where it stands."""

from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath, split
from reconcile.trees.metadata import final_mode
from reconcile.trees.receipts import stale
from reconcile.trees.rooted import check_leaf
from reconcile.trees.sftp import packets
from reconcile.trees.sftp.means import Means, rename_new
from reconcile.trees.sftp.outcomes import done
from reconcile.trees.sftp.packets import Attributes
from reconcile.trees.sftp.publish import settled
from reconcile.trees.sftp.rows import kind_of
from reconcile.trees.sftp.site import PROVEN_BY_LOOKS, Site, Spot, beside, looks_like
from reconcile.trees.sftp.staging import replaced_mode, wanted_owner
from reconcile.trees.temporary import refuse_ours


async def set_metadata(means: Means, step: Step, spot: Spot, want: Entry) -> Receipt:
    """Mode and owner of a file or directory whose content is as expected."""
    site, expect = means.site, step.expect
    found = await site.look(spot.final)
    if found is None or not looks_like(found, expect) or kind_of(found) != want.kind:
        return stale(step, "the target is not what the plan saw")
    verified = want.kind == Kind.FILE and (
        found.size <= PROVEN_BY_LOOKS or not site.is_proven(found)
    )
    if verified and not await site.has_content(spot.final, want):
        return stale(step, "the target's content is not what the plan saw")
    await _change(site, spot, want, found)
    after = await site.look(spot.final)
    sure = after is not None and looks_like(after, expect)
    return done(site, step, spot.leaf, after, sure=verified and sure)


async def _change(site: Site, spot: Spot, want: Entry, found: Attributes) -> None:
    tracked = site.options.header.tracked
    owner = wanted_owner(site, want, None)
    if owner is not None and owner != (found.uid, found.gid):
        await site.try_attributes(spot.final, packets.attributes(owner=owner))
    if not site.has_metadata(found, want):
        mode = found.mode & 0o7000 | final_mode(want, replaced_mode(found), tracked)
        await site.set_attributes(spot.final, packets.attributes(mode=mode))


async def move(means: Means, step: Step, spot: Spot, want: Entry) -> Receipt:
    """Another name for the same thing; the new name must be free, the old one as planned."""
    site, source = means.site, step.source
    assert source is not None
    if step.expect is not None:
        return Receipt(step.id, Status.FAILED, "E_UNSUPPORTED", "a move never replaces")
    refuse_ours(source.path)
    parent, leaf = split(source.path)
    check_leaf(leaf, source.path)
    folder = await site.directory(parent)
    old = Spot(folder if parent else site.root, leaf, spot.temp_leaf, parent, source.path)
    before = await site.look(old.final)
    if before is None:
        if await site.is_there(spot, want):
            return await settled(means, step, spot, want)
        return stale(step, "what was to be moved is gone")
    hashed = not looks_like(before, source.entry) or not site.is_proven(before)
    if hashed and not await site.has_content(old.final, source.entry):
        return stale(step, "what was to be moved is not what the plan saw")
    try:
        await _rename(means, old, spot, before)
    except FileExistsError:
        return stale(step, "the new name is taken")
    site.touched.update((parent, spot.parent))
    after = await site.look(spot.final)
    known = hashed and after == before
    return done(site, step, spot.leaf, after, sure=known)


async def _rename(means: Means, old: Spot, new: Spot, before: Attributes) -> None:
    """Files get the new name first, then lose the old one: neither replaces, nothing is lost.

    What has the old name by then is renamed aside and looked at before it goes:
    somebody may have put another file there.
    """
    site = means.site
    if kind_of(before) != Kind.FILE or not (site.can_link and site.can_replace):
        return await rename_new(site, old.final, new.final)
    try:
        await site.link(old.final, new.final)
    except OSError:
        return await rename_new(site, old.final, new.final)
    aside = await means.area.take(old.final, _aside(old))
    location = site.location(aside)
    if await site.look(location) == before:
        return await site.discard(location)
    try:
        await rename_new(site, location, old.final)
    except FileExistsError:
        await means.area.quarantine(location, old.path)


def _aside(old: Spot) -> TreePath:
    return beside(old, old.temp_leaf + b".old")
