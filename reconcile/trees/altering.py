"""Changing a name in place: its metadata, or where it stands."""

import errno
import os

from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import split
from reconcile.trees.abilities import is_listed
from reconcile.trees.attributes import keep_acl_narrow, replace_xattrs, wanted_xattrs
from reconcile.trees.copying import hash_fd
from reconcile.trees.held import done_as_found
from reconcile.trees.metadata import final_mode, replaced_mode, set_owner
from reconcile.trees.receipts import stale
from reconcile.trees.rooted import READ, check_leaf
from reconcile.trees.site import (
    Site,
    Spot,
    has_content,
    has_metadata,
    is_there,
    kind_of,
    look,
    looks_like,
)
from reconcile.trees.staging import IN_MEMORY, put_away
from reconcile.trees.temporary import refuse_ours

_PATH_ONLY = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def set_metadata(site: Site, step: Step, spot: Spot, want: Entry) -> Receipt:
    """Mode and owner of a file or directory whose content is as expected."""
    expect = step.expect
    if site.options.header.tracked.xattr and wanted_xattrs(want) is None:
        detail = "so many extended attributes travel with content only"
        return Receipt(step.id, Status.FAILED, "E_UNSUPPORTED", detail)
    fd, readable = _open(spot)
    try:
        before = os.fstat(fd)
        if kind_of(before) != want.kind or not looks_like(before, expect):
            return stale(step, "the target is not what the plan saw")
        if _may_be_planted(spot, before):
            detail = "it has another name, and somebody else may have put it here: left as it is"
            return Receipt(step.id, Status.FAILED, "E_UNSUPPORTED", detail)
        if not _has_planned_mode(site, before, expect, want):
            return stale(step, "the target's mode is not what the plan saw")
        verified = readable and want.kind == Kind.FILE
        if verified and hash_fd(fd, site.options.header.hash_name) != want.id:
            return stale(step, "the target's content is not what the plan saw")
        _change(site, fd, want, before)
        after = os.fstat(fd)
    finally:
        os.close(fd)
    vouched = verified and looks_like(after, expect)
    return done_as_found(site, step, spot, after, vouched=vouched)


def _may_be_planted(spot: Spot, status: os.stat_result) -> bool:
    """A file with a second name, where others than we, root and its owner may make names.

    Whose it is elsewhere is not known: its mode and owner would change there as well.
    """
    if kind_of(status) != Kind.FILE or status.st_nlink == 1:
        return False
    directory = os.fstat(spot.dir_fd)
    others = directory.st_uid not in (0, os.geteuid(), status.st_uid)
    return others or bool(directory.st_mode & 0o022)


def _has_planned_mode(
    site: Site, before: os.stat_result, expect: Entry | None, want: Entry
) -> bool:
    """A file's tracked bits are those the plan saw, or already those it wants."""
    if want.kind != Kind.FILE or expect is None:
        return True
    return any(has_metadata(site, before, entry) for entry in (expect, want))


def _open(spot: Spot) -> tuple[int, bool]:
    """The descriptor, and whether it can be read."""
    try:
        return os.open(spot.leaf, READ, dir_fd=spot.dir_fd), True
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.ELOOP, errno.ENXIO):
            raise
    return os.open(spot.leaf, _PATH_ONLY, dir_fd=spot.dir_fd), False


def _change(site: Site, fd: int, want: Entry, before: os.stat_result) -> None:
    tracked = site.options.header.tracked
    if tracked.owner:
        set_owner(site, fd, want)
    mode = final_mode(want, replaced_mode(before), tracked)
    if not has_metadata(site, before, want):
        keep_acl_narrow(site.system, fd)
        # Another owner has made the system take set-id bits away: they do not come back.
        site.system.chmod(fd, os.fstat(fd).st_mode & 0o7000 | mode)
    xattrs = wanted_xattrs(want) if tracked.xattr else None
    if xattrs is not None:
        replace_xattrs(site.system, fd, xattrs)
    site.flusher.flush_inode(fd)


def move(site: Site, step: Step, spot: Spot, want: Entry) -> Receipt:
    """Another name for the same thing; the new name must be free, the old one as planned."""
    source = step.source
    assert source is not None
    if step.expect is not None:
        return Receipt(step.id, Status.FAILED, "E_UNSUPPORTED", "a move never replaces")
    refuse_ours(source.path)
    parent, leaf = split(source.path)
    check_leaf(leaf, source.path)
    from_fd = site.root.directory(parent)
    before = look(from_fd, leaf)
    if before is None:
        if is_there(site, spot, want):
            return done_as_found(site, step, spot, look(spot.dir_fd, spot.leaf))
        return stale(step, "what was to be moved is gone")
    exact = looks_like(before, source.entry)
    hashed = not exact or before.st_size <= IN_MEMORY
    if hashed and not has_content(site, from_fd, leaf, source.entry):
        return stale(step, "what was to be moved is not what the plan saw")
    try:
        _rename(site, from_fd, leaf, spot)
    except FileExistsError:
        return stale(step, "the new name is taken")
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        refusal = _carry(site, step, (from_fd, leaf, before), spot, want)
        if refusal is not None:
            return refusal
    site.flusher.touch(parent)
    site.flusher.touch(spot.parent)
    after = look(spot.dir_fd, spot.leaf)
    known = hashed and after is not None and _unchanged(before, after, same_file=False)
    return done_as_found(site, step, spot, after, vouched=known)


def _rename(site: Site, from_fd: int, leaf: bytes, spot: Spot) -> None:
    """To a free name, or to another spelling of the same one where the side folds them.

    Raises: FileExistsError, nothing changed then.
    """
    try:
        site.system.rename_new(from_fd, leaf, spot.dir_fd, spot.leaf)
    except FileExistsError:
        if is_listed(spot.dir_fd, spot.leaf):
            raise
        put_away(site, spot, spot.temp)
        site.system.rename_new(from_fd, leaf, spot.dir_fd, spot.temp)
        try:
            site.system.rename_new(spot.dir_fd, spot.temp, spot.dir_fd, spot.leaf)
        except OSError:
            site.system.rename_new(spot.dir_fd, spot.temp, from_fd, leaf)
            raise


def _carry(
    site: Site, step: Step, old: tuple[int, bytes, os.stat_result], spot: Spot, want: Entry
) -> Receipt | None:
    """A move into another file system of the same root: a copy, verified and published, and
    only then the old name goes. None: done; else why not, and all is as it was."""
    from_fd, leaf, before = old
    put_away(site, spot, spot.temp)
    site.keeper.copy(from_fd, leaf, spot.dir_fd, spot.temp)
    try:
        _dress_copy(site, spot, want)
        now = look(from_fd, leaf)
        if now is None or not _unchanged(before, now):
            site.system.unlink(spot.dir_fd, spot.temp)
            return stale(step, "what was to be moved changed meanwhile")
        site.system.rename_new(spot.dir_fd, spot.temp, spot.dir_fd, spot.leaf)
    except FileExistsError:
        site.system.unlink(spot.dir_fd, spot.temp)
        return stale(step, "the new name is taken")
    site.system.fsync(spot.dir_fd)
    # RACE: an edit of the old file since the look is lost with its name.
    site.system.unlink(from_fd, leaf)
    return None


def _dress_copy(site: Site, spot: Spot, want: Entry) -> None:
    tracked = site.options.header.tracked
    if want.kind != Kind.FILE or not (tracked.owner or tracked.xattr):
        return
    fd = os.open(spot.temp, READ, dir_fd=spot.dir_fd)
    try:
        if tracked.owner:
            set_owner(site, fd, want)
        if tracked.xattr:
            replace_xattrs(site.system, fd, wanted_xattrs(want) or {})
    finally:
        os.close(fd)


def _unchanged(before: os.stat_result, after: os.stat_result, *, same_file: bool = True) -> bool:
    marks = [(s.st_size, s.st_mtime_ns) for s in (before, after)]
    return marks[0] == marks[1] and (not same_file or before.st_ino == after.st_ino)
