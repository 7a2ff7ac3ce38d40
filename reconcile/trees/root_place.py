"""The root directory of this machine: opened, or told why not; told from another in its place."""

import errno
import os
from shlex import quote

from reconcile.model.errors import Denied, RootMissing
from reconcile.trees.syscalls import birth_ns
from reconcile.trees.way import open_to_read


def open_root(location: bytes) -> int:
    """A descriptor of the root directory. Raises: RootMissing, Denied."""
    shown = os.fsdecode(location)
    try:
        return open_to_read(location)
    except FileNotFoundError:
        raise RootMissing(
            f"there is no directory `{shown}`",
            where=_nearest(location),
            changed='nothing (an absent root is never read as "everything was deleted")',
            hint="mount it, correct the path, or create it: `mkdir` it by hand",
        ) from None
    except NotADirectoryError:
        raise RootMissing(f"`{shown}` is not a directory", hint="give a directory") from None
    except PermissionError:
        raise Denied(f"`{shown}` cannot be opened: permission denied", code="E_DENIED") from None
    except OSError as error:
        raise refused(error, location) from None


def refused(error: OSError, location: bytes) -> Exception:
    """What to raise when the way to a root cannot be gone; of a stranger's link, why not."""
    if error.errno != errno.ELOOP:
        return error
    shown = os.fsdecode(location)
    return Denied(
        f"on the way to `{shown}`: {error.strerror}",
        where=shown,
        changed="nothing",
        hint=f"whoever made the link chooses where it leads; to mean that place, name what "
        f"`readlink -f {quote(shown)}` shows",
        code="E_LINK_OF_OTHERS",
    )


def root_identity(fd: int) -> str:
    """What tells this root from another one mounted in its place (`decide/identity.py`)."""
    status = os.fstat(fd)
    volume = os.fstatvfs(fd).f_fsid
    return f"{status.st_dev}:{status.st_ino} {volume:x}:{birth_ns(fd)}"


def _nearest(location: bytes) -> str:
    """What does exist on the way to a missing root, for the message."""
    parent = os.path.dirname(location.rstrip(b"/")) or b"."
    try:
        names = sorted(os.listdir(parent))[:8]
    except OSError:
        return f"`{os.fsdecode(parent)}` does not exist either"
    listed = "  ".join(os.fsdecode(name) for name in names) or "nothing"
    return f"`{os.fsdecode(parent)}` exists; it contains: {listed}"
