"""Extended attributes: which ones new content is given, and whose.

An allow list, because whoever could write the source chose the content:

    user.*      the replaced file's; where they are tracked, those of the source. Not those by
                which a layer above keeps owners, modes and access lists of its own (`_RIGHTS`).
    POSIX ACL   the replaced file's, each entry cut down to what its mask let through, so that a
                mode that is set afterwards gives nobody more. A replacement has no other: one
                that came from the directory's default list is taken away again.
    the rest    never: `security.*` (capabilities, IMA and EVM, labels of SELinux, AppArmor and
                Smack), `trusted.*`, access lists of NFSv4 and SMB. The system gives a new file
                what it gives any other.
"""

import errno
import os

from reconcile.model.codec import decode
from reconcile.model.entry import Entry
from reconcile.model.errors import ManifestError
from reconcile.trees.acl import ACCESS, DEFAULT, effective
from reconcile.trees.syscalls import System

_RIGHTS = (
    "user.virtfs.",
    "user.virtiofs",
    "user.overlay.",
    "user.fuseoverlayfs.",
    "user.containers.",
    "user.rootlesscontainers",
    "user.NTACL",
    "user.ecryptfs",
)
"""QUIRK: QEMU's 9p and virtiofsd, overlayfs in a user namespace, fuse-overlayfs, container
stores, Samba (`acl_xattr:security_acl_name`) show set-id bits and owners that come from these."""
UNSUPPORTED = frozenset(
    {errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENODATA, errno.E2BIG, errno.ENOSPC}
)
"""Why an owner or an attribute may not be set: it is left out then."""
_GONE = UNSUPPORTED | {errno.ENOENT, errno.ELOOP, errno.EBADF}


def may_travel(name: str) -> bool:
    """The attribute is the user's own and gives nobody a right."""
    is_users = name.startswith("user.") and "\0" not in name and len(name.encode()) <= 255
    return is_users and not name.startswith(_RIGHTS)


def wanted_xattrs(want: Entry) -> dict[str, bytes] | None:
    """The user attributes an entry names; None: it tells only their hash, or names others."""
    packed = dict(want.extra).get("xattr", b"")
    if not packed:
        return {}
    try:
        found = dict(decode(packed, list[tuple[str, bytes]]))
    except ManifestError:
        return None
    return found if all(map(may_travel, found)) else None


def users(model: int | str) -> dict[str, bytes]:
    """The user attributes of an open file, or of one by its place in /proc, that may travel."""
    found = {}
    try:
        for name in os.listxattr(model):
            if may_travel(name):
                found[name] = os.getxattr(model, name)
    except OSError as error:
        if error.errno not in _GONE:
            raise
    return found


def replace_xattrs(system: System, fd: int, wanted: dict[str, bytes]) -> None:
    """Make an open file's user attributes these and no others, as far as they may be set."""
    for name in users(fd):
        if name not in wanted:
            system.remove_xattr(fd, name)
    add_xattrs(system, fd, wanted)


def add_xattrs(system: System, fd: int, wanted: dict[str, bytes]) -> None:
    """Give new content these; one that may not be set is left out."""
    for name, value in wanted.items():
        _set(system, fd, name, value)


def take_acl(system: System, fd: int, model: int | str) -> int | None:
    """Give an open file the model's access list, and no other.

    What its owning group may have (0 to 7) where the list could not be given,
    because the mode tells the mask in its place then; None: the mode tells.
    """
    packed = _acl(model)
    if packed is None:
        _drop_acl(system, fd)
        return None
    acl = effective(packed)
    if acl is not None and _set(system, fd, ACCESS, acl.packed):
        return None
    _drop_acl(system, fd)
    return acl.group_bits if acl is not None else 0


def group_of_acl(model: int | str) -> int | None:
    """What its access list gives the owning group; None: it has none, its mode tells."""
    packed = _acl(model)
    acl = effective(packed) if packed is not None else None
    return acl.group_bits if acl is not None else None


def in_proc(fd: int) -> str:
    """A name for an open file that calls on attributes take, if it is open by its path alone."""
    return f"/proc/self/fd/{fd}"


def keep_acl_narrow(system: System, fd: int) -> None:
    """An open file's own list, before its mode is set: no entry gains by the new mask."""
    packed = _acl(fd)
    acl = effective(packed) if packed is not None else None
    if acl is not None and acl.packed != packed:
        _set(system, fd, ACCESS, acl.packed)


def group_bits(fd: int) -> int | None:
    """What an open directory's group may do, 0 to 7, by its list; None: its mode says it."""
    packed = _acl(fd)
    acl = effective(packed) if packed is not None else None
    return acl.group_bits if acl is not None else None


def has_lists(fd: int) -> bool:
    """An open directory has an access list, or one that what is made in it inherits."""
    try:
        names = os.listxattr(fd)
    except OSError as error:
        if error.errno not in _GONE:
            raise
        return False
    return any(name in names for name in (ACCESS, DEFAULT))


def drop_lists(system: System, fd: int) -> None:
    """Take both lists away. Raises: OSError, where they may not be."""
    for name in (ACCESS, DEFAULT) if has_lists(fd) else ():
        try:
            system.remove_xattr(fd, name)
        except OSError as error:
            if error.errno not in _GONE:
                raise


def _acl(model: int | str) -> bytes | None:
    try:
        return os.getxattr(model, ACCESS)
    except OSError as error:
        if error.errno not in _GONE:
            raise
        return None


def _drop_acl(system: System, fd: int) -> None:
    if _acl(fd) is None:
        return
    try:
        system.remove_xattr(fd, ACCESS)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise


def _set(system: System, fd: int, name: str, value: bytes) -> bool:
    """False: it may not be set here."""
    try:
        system.set_xattr(fd, name, value)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        return False
    return True
