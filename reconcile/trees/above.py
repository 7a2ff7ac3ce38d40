"""Above: who could exchange a name on the way to a place, so that its path leads elsewhere.

What is gone back to by its path (the state, the example) is safe only where nobody but us
and root can rename what lies on the way. Judged as the way is gone, on open directories.
"""

import errno
import grp
import os
import pwd
import stat

from reconcile.decide.makers import put_there_by
from reconcile.trees.acl import ACCESS, lets_others_write
from reconcile.trees.regular import open_found
from reconcile.trees.way import open_way, real_path

_NO_LIST = (errno.ENODATA, errno.ENOTSUP, errno.ENOENT)


def open_above(location: str) -> str:
    """The directory on the way to `location` in which somebody else could exchange a name.

    Empty: nobody but us and root can, so that its path stays what it is. Links and what they
    lead through are judged too: a path resolved first would not show the directory that a
    link in it was put into for a moment. A sticky directory protects what is ours in it.
    What lies above our own home is not judged: whoever owns that has us already. What is
    missing is for us to make.

    Raises: OSError; `ELOOP`, for a link on the way that is neither ours nor root's.
    """
    home = _own_home()

    def judge(directory: int) -> None:
        if _may_be_exchanged_in(directory):
            try:
                place = os.readlink(f"/proc/self/fd/{directory}")
            except FileNotFoundError:  # no `/proc`, and so no name: it may be above our home
                raise _Shared(os.path.dirname(location)) from None
            if not home.startswith(place.rstrip("/") + "/"):
                raise _Shared(place)

    try:
        way = open_way(os.path.dirname(location), judge=judge)
        try:
            judge(way)
        finally:
            os.close(way)
    except FileNotFoundError:
        return ""
    except _Shared as shared:
        return shared.place
    return ""


class _Shared(Exception):
    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


def _may_be_exchanged_in(directory: int) -> bool:
    """Somebody else can rename what is ours in the open directory."""
    status = os.fstat(directory)
    if status.st_uid not in (0, os.geteuid()):
        return True
    return not status.st_mode & stat.S_ISVTX and others_may_write(directory, status)


def others_may_write(fd: int, status: os.stat_result) -> bool:
    """Accounts other than its owner and root may write what is open as `fd`.

    A group that is our own alone is nobody else. An access list shows its mask in the
    place of the group's bits, and is looked into.
    """
    if status.st_mode & stat.S_IWOTH:
        return True
    if not status.st_mode & stat.S_IWGRP:
        return False
    return lets_others_write(access_list(fd)) or not is_own_group(status.st_gid)


def why_distrusted(location: str) -> str:
    """Why the file at `location` is nobody's word but a stranger's; empty: only we and root could
    have written it, and put it there. Its link's owner counts too. What is not there is for
    whoever reads it to tell.
    """
    known = {0, os.geteuid()}
    try:
        found = open_found(location)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"cannot be judged ({error.strerror})"
    try:
        for each in (found.status, found.name):
            if each.st_uid not in known:
                return f"belongs to user {each.st_uid}"
        if others_may_write(found.descriptor, found.status):
            return f"can be written by others (mode {stat.S_IMODE(found.status.st_mode):04o})"
        return put_there_by(found.held.st_uid, stat.S_IMODE(found.held.st_mode), known)
    finally:
        os.close(found.descriptor)


def is_own_group(gid: int) -> bool:
    """Root's group, or the one that was made for our account and has no other member."""
    if gid == 0:
        return True
    if gid != os.getegid():
        return False
    try:
        group = grp.getgrgid(gid)
        account = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return gid == os.geteuid()
    return group.gr_name == account and not set(group.gr_mem) - {account}


def access_list(fd: int) -> bytes:
    """The packed access list of what is open as `fd`; empty: it has none."""
    try:
        return os.getxattr(f"/proc/self/fd/{fd}", ACCESS)
    except OSError as error:
        if error.errno in _NO_LIST:
            return b""
        raise


def _own_home() -> str:
    """Our own home directory; empty, where it is somebody else's or none."""
    home = real_path(os.path.expanduser("~"))
    try:
        return home if os.stat(home).st_uid == os.geteuid() else ""
    except OSError:
        return ""
