"""Publishing: what a step does to a final name, only if the world is as it expects.

A new name is taken with NOREPLACE. A replacement is an EXCHANGE, after which
what came out is looked at: not what the plan saw, and it is exchanged back. So
the window between a look and a rename loses nothing. Taking names away:
`removal.py`; changing them in place: `altering.py`.
"""

import errno
import os

from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import PathRefused
from reconcile.model.plan import Step
from reconcile.model.receipt import Receipt, Status
from reconcile.trees.abilities import is_listed
from reconcile.trees.attributes import add_xattrs, wanted_xattrs
from reconcile.trees.held import done_as_found
from reconcile.trees.metadata import final_mode, follow_mode, set_owner
from reconcile.trees.receipts import is_as_written, stale
from reconcile.trees.site import (
    Site,
    Spot,
    as_expected,
    has_content,
    is_there,
    kind_of,
    look,
)
from reconcile.trees.staging import discard, put_away
from reconcile.trees.syscalls import DIRECTORY
from reconcile.trees.versions import Place

OTHER_SPELLING = (
    "another spelling of this name stands there, and the side does not tell the two apart"
)
NOT_EMPTY = frozenset({errno.ENOTEMPTY, errno.EEXIST})


def publish_file(site: Site, step: Step, spot: Spot, want: Entry) -> Receipt:
    """Give staged content its final name."""
    if step.expect is not None:
        return _replace(site, step, spot, want)
    try:
        site.system.rename_new(spot.dir_fd, spot.temp, spot.dir_fd, spot.leaf)
    except (FileExistsError, FileNotFoundError):
        return _occupied(site, step, spot, want)
    except OSError:
        discard(site, spot, spot.temp)
        raise
    site.flusher.touch(spot.parent)
    return published(site, step, spot, want)


def make_link(site: Site, step: Step, spot: Spot, want: Entry) -> Receipt:
    """A symbolic link, new or in place of what is expected."""
    if step.expect is None:
        try:
            site.system.symlink(spot.dir_fd, spot.leaf, want.id)
        except FileExistsError:
            return _settled(site, step, spot, want)
        site.flusher.touch(spot.parent)
        site.system.set_link_mtime(spot.dir_fd, spot.leaf, want.mtime_ns)
        return published(site, step, spot, want)
    if not as_expected(site, look(spot.dir_fd, spot.leaf), step.expect):
        return _settled(site, step, spot, want)
    put_away(site, spot, spot.temp)
    site.system.symlink(spot.dir_fd, spot.temp, want.id)
    site.system.set_link_mtime(spot.dir_fd, spot.temp, want.mtime_ns)
    return _replace(site, step, spot, want)


def make_directory(site: Site, step: Step, spot: Spot, want: Entry) -> Receipt:
    """An empty directory, new or in place of the file or link that is expected."""
    if step.expect is None:
        try:
            _mkdir(site, spot, spot.leaf, want)
        except FileExistsError:
            return _settled(site, step, spot, want)
        site.flusher.touch(spot.parent)
        return published(site, step, spot, want)
    if not as_expected(site, look(spot.dir_fd, spot.leaf), step.expect):
        return _settled(site, step, spot, want)
    put_away(site, spot, spot.temp)
    _mkdir(site, spot, spot.temp, want)
    return _replace(site, step, spot, want)


def published(site: Site, step: Step, spot: Spot, want: Entry, version: bytes = b"") -> Receipt:
    """The receipt for a name that was just given its content.

    A time that the side rounds is no edit. RACE: an edit in the moment since
    then that keeps size and mtime would be certified by the fingerprint; any
    other edit leaves the receipt without one.
    """
    status = look(spot.dir_fd, spot.leaf)
    if status is not None and kind_of(status) != want.kind:
        status = None
    vouched = status is not None and (
        want.kind != Kind.FILE or is_as_written(status.st_size, status.st_mtime_ns, want)
    )
    return done_as_found(site, step, spot, status, vouched=vouched, version=version)


def confirm(site: Site, step: Step, spot: Spot, want: Entry) -> Receipt:
    """The receipt of a step for which nothing was staged: done when the name is right already."""
    if is_there(site, spot, want):
        return done_as_found(site, step, spot, look(spot.dir_fd, spot.leaf))
    return Receipt(step.id, Status.FAILED, "E_INTERNAL", "its content was not staged")


def _settled(site: Site, step: Step, spot: Spot, want: Entry) -> Receipt:
    """The name is not as expected: done when it is as wanted, else stale. Nothing is touched.

    What answers to the name in another spelling is another name's: never what was wanted.
    """
    if is_there(site, spot, want):
        if not is_listed(spot.dir_fd, spot.leaf):
            return stale(step, OTHER_SPELLING, "E_NAME_UNREPRESENTABLE")
        return done_as_found(site, step, spot, look(spot.dir_fd, spot.leaf))
    return stale(step, "the target is not what the plan saw")


def _occupied(site: Site, step: Step, spot: Spot, want: Entry) -> Receipt:
    """As `_settled`, for a step with something of ours under the temporary name."""
    receipt = _settled(site, step, spot, want)
    _drop(site, spot, want)
    return receipt


def _mkdir(site: Site, spot: Spot, name: bytes, want: Entry) -> None:
    tracked = site.options.header.tracked
    mode = final_mode(want, None, tracked)
    is_filled = mode if os.geteuid() == 0 else mode | 0o700  # we could not fill it otherwise
    site.system.mkdir(spot.dir_fd, name, is_filled)
    fd = os.open(name, DIRECTORY, dir_fd=spot.dir_fd)
    try:
        if tracked.owner:
            set_owner(site, fd, want)
        xattrs = wanted_xattrs(want) if tracked.xattr else None
        if xattrs:
            add_xattrs(site.system, fd, xattrs)
        found = os.fstat(fd).st_mode
        if found & 0o1777 != is_filled:
            site.system.chmod(fd, found & 0o6000 | is_filled)
    finally:
        os.close(fd)
    if is_filled != mode:
        site.narrow_later[spot.path] = mode


def narrow(site: Site) -> None:
    """Directories that are filled by now get the modes they were to have.

    One that does not, or that a crash kept from it, is as its receipt says: the
    next run sees that the sides differ.
    """
    for path in sorted(site.narrow_later, reverse=True):
        try:
            site.system.chmod(site.root.directory(path), site.narrow_later[path])
        except (OSError, PathRefused):
            continue
    site.narrow_later.clear()


def _replace(site: Site, step: Step, spot: Spot, want: Entry) -> Receipt:
    """Swap what is staged with what is expected, and keep what came out."""
    expect = step.expect
    assert expect is not None
    status = look(spot.dir_fd, spot.leaf)
    if not as_expected(site, status, expect):
        return _occupied(site, step, spot, want)
    ours = look(spot.dir_fd, spot.temp)
    if ours is None:
        return confirm(site, step, spot, want)
    try:
        keeps = site.options.versions and expect.kind != Kind.DIR
        place = site.keeper.version_place(step.at) if keeps else None
        follow_mode(site, spot, want, status)
        if _makes_room(site, spot, expect):
            site.flusher.touch(spot.parent)
            return published(site, step, spot, want)
    except OSError:
        _drop_if_ours(site, spot, want, ours)
        raise
    site.flusher.touch(spot.parent)
    try:
        version = _displace(site, spot, expect, place)
    except OSError:
        _exchange_back(site, spot, want, ours)
        raise
    if version is None:
        _exchange_back(site, spot, want, ours)
        return stale(step, "the target changed while it was replaced")
    return published(site, step, spot, want, version)


def _makes_room(site: Site, spot: Spot, expect: Entry) -> bool:
    """Exchange the two names; True: an empty directory that cannot be exchanged went instead.

    QUIRK: overlayfs moves no directory of a lower layer (EXDEV). RACE: for a
    moment the name is absent; nothing is lost, for the directory was empty.
    """
    try:
        site.system.exchange(spot.dir_fd, spot.temp, spot.leaf)
    except OSError as error:
        if error.errno != errno.EXDEV or expect.kind != Kind.DIR:
            raise
        site.system.rmdir(spot.dir_fd, spot.leaf)
        site.system.rename_new(spot.dir_fd, spot.temp, spot.dir_fd, spot.leaf)
        return True
    return False


def _displace(site: Site, spot: Spot, expect: Entry, place: Place | None) -> bytes | None:
    """Put away what came out of the exchange; None, nothing done, when it is not `expect`."""
    if expect.kind == Kind.DIR:
        try:
            site.system.rmdir(spot.dir_fd, spot.temp)
        except OSError as error:
            if error.errno in NOT_EMPTY or error.errno == errno.ENOTDIR:
                return None
            raise
        return b""
    if not has_content(site, spot.dir_fd, spot.temp, expect):
        return None
    if place is None:
        site.system.unlink(spot.dir_fd, spot.temp)
        return b""
    return site.keeper.keep(spot.dir_fd, spot.temp, place)


def _exchange_back(site: Site, spot: Spot, want: Entry, ours: os.stat_result) -> None:
    """Undo an exchange. What others wrote meanwhile keeps its name; nothing is unlinked
    but what this run staged. Raises: OSError; the displaced content is then a leftover."""
    try:
        site.system.exchange(spot.dir_fd, spot.temp, spot.leaf)
    except FileNotFoundError:
        # Somebody removed what we had published: what it displaced gets its name back.
        site.system.rename_new(spot.dir_fd, spot.temp, spot.dir_fd, spot.leaf)
        return
    if not _drop_if_ours(site, spot, want, ours):
        site.system.exchange(spot.dir_fd, spot.temp, spot.leaf)
        site.keeper.quarantine(spot.dir_fd, spot.temp, spot.path)


def _drop_if_ours(site: Site, spot: Spot, want: Entry, ours: os.stat_result) -> bool:
    """Remove the temporary name when it is what we staged; False: it is somebody else's."""
    now = look(spot.dir_fd, spot.temp)
    if now is None:
        return True
    if (now.st_dev, now.st_ino, now.st_size) != (ours.st_dev, ours.st_ino, ours.st_size):
        return kind_of(now) == want.kind == Kind.DIR and _drop(site, spot, want)
    return _drop(site, spot, want)


def _drop(site: Site, spot: Spot, want: Entry) -> bool:
    """False: it could not go, because somebody put something into it."""
    if want.kind != Kind.DIR:
        discard(site, spot, spot.temp)
        return True
    try:
        site.system.rmdir(spot.dir_fd, spot.temp)
    except OSError as error:
        return error.errno not in NOT_EMPTY
    return True
