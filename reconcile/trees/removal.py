"""Taking names away: into the version area, looked at there, and back when it was not expected.

Without a version area a name goes to its temporary name first and is unlinked
only when its content is the expected one. Directories go by rmdir, never with
anything in them.
"""

import errno

from reconcile.model.entry import Entry
from reconcile.model.plan import Step
from reconcile.model.receipt import Receipt
from reconcile.model.treepath import TreePath, split
from reconcile.trees.publish import NOT_EMPTY
from reconcile.trees.receipts import gone, stale
from reconcile.trees.site import Site, Spot, as_expected, has_content, look
from reconcile.trees.staging import put_away
from reconcile.trees.versions import text_of

_CHANGED = "it changed while it was being removed"


def remove_directory(site: Site, step: Step, spot: Spot) -> Receipt:
    """rmdir; what is not empty is stale."""
    try:
        site.system.rmdir(spot.dir_fd, spot.leaf)
    except FileNotFoundError:
        return gone(step)
    except OSError as error:
        if error.errno in NOT_EMPTY:
            return stale(step, "the directory is not empty")
        if error.errno == errno.ENOTDIR:
            return stale(step, "it is no directory any more")
        raise
    site.flusher.touch(spot.parent)
    return gone(step)


def remove_name(site: Site, step: Step, spot: Spot) -> Receipt:
    """A file or link goes; its content is kept, or was verified before it was unlinked."""
    expect = step.expect
    if expect is None:
        return gone(step)
    status = look(spot.dir_fd, spot.leaf)
    if status is None:
        return gone(step)
    if not as_expected(site, status, expect):
        return stale(step, "it is not what the plan saw")
    if site.options.versions:
        return _into_versions(site, step, spot, expect)
    return _away(site, step, spot, expect)


def _into_versions(site: Site, step: Step, spot: Spot, expect: Entry) -> Receipt:
    place = site.keeper.version_place(step.at)
    kept = site.keeper.keep(spot.dir_fd, spot.leaf, place)
    site.flusher.touch(spot.parent)
    name = split(TreePath(kept))[1]
    try:
        if has_content(site, place.dir_fd, name, expect):
            return gone(step, text_of(kept))
    except OSError:
        site.system.rename_new(place.dir_fd, name, spot.dir_fd, spot.leaf)
        raise
    try:
        site.system.rename_new(place.dir_fd, name, spot.dir_fd, spot.leaf)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.EXDEV):
            raise
        return stale(step, f"{_CHANGED}; that content is kept in `{text_of(kept)}`")
    return stale(step, _CHANGED)


def _away(site: Site, step: Step, spot: Spot, expect: Entry) -> Receipt:
    put_away(site, spot, spot.temp)
    site.system.rename_new(spot.dir_fd, spot.leaf, spot.dir_fd, spot.temp)
    site.flusher.touch(spot.parent)
    try:
        if has_content(site, spot.dir_fd, spot.temp, expect):
            site.system.unlink(spot.dir_fd, spot.temp)
            return gone(step)
    except OSError:
        site.system.rename_new(spot.dir_fd, spot.temp, spot.dir_fd, spot.leaf)
        raise
    try:
        site.system.rename_new(spot.dir_fd, spot.temp, spot.dir_fd, spot.leaf)
    except FileExistsError:
        kept = site.keeper.quarantine(spot.dir_fd, spot.temp, spot.path)
        return stale(step, f"{_CHANGED}; that content is kept in `{text_of(kept)}`")
    return stale(step, _CHANGED)
