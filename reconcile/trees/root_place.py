"""The root directory of this machine: opened, or told why not; told from another in its place."""

import os

from reconcile.model.errors import Denied, RootMissing
from reconcile.trees.syscalls import birth_ns


def open_root(location: bytes) -> int:
    """A descriptor of the root directory. Raises: RootMissing, Denied."""
    shown = os.fsdecode(location)
    try:
        return os.open(location, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
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
