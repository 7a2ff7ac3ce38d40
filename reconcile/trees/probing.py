"""Probing: what a directory can hold, tried in our own area, of which nothing stays.

For a file system whose kind says nothing, on a side that is about to be written
to. Every file lies in one directory of its own below `.reconcile/`; what cannot
be tried stays as it was known by looking.
"""

import errno
import os
import secrets
import stat
import unicodedata
from collections.abc import Callable

from msgspec.structs import replace

from reconcile.model.entry import LEAST_NS, MOST_NS, carried_ns
from reconcile.model.policy import Abilities
from reconcile.trees.abilities import is_listed, swapped
from reconcile.trees.syscalls import DIRECTORY, SYSTEM, exists
from reconcile.trees.temporary import AREA

SUSPECTS = '"*:<>?\\|\x01'
LAST_SUSPECTS = ". "
RESERVED = (b"nul", b"com1.txt")
NAME = "caf\u00e9".encode()
_ODD_NS = 1_700_000_001_234_567_891
"""A time that no coarse file system keeps as it is."""
_STEPS = (1, 100, 1000, 10**6, 10**7, 10**9, 2 * 10**9)
_NOBODY = 65_534
_CREATE = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


def tried(root_fd: int, known: Abilities) -> Abilities:
    """`known`, corrected by what really happens; `known` itself, where nothing can be made."""
    try:
        area_fd, is_new = _area(root_fd)
    except OSError:
        return known
    try:
        return _tried_in(area_fd, known)
    except OSError:
        return known
    finally:
        os.close(area_fd)
        if is_new:
            _quietly(lambda: os.rmdir(AREA, dir_fd=root_fd))


def _area(root_fd: int) -> "tuple[int, bool]":
    """Our area, open, and whether it was made for this."""
    is_new = not exists(root_fd, AREA)
    if is_new:
        os.mkdir(AREA, 0o700, dir_fd=root_fd)
    fd = os.open(AREA, DIRECTORY, dir_fd=root_fd)
    area, root = os.fstat(fd), os.fstat(root_fd)
    if area.st_dev != root.st_dev or area.st_uid not in (os.geteuid(), root.st_uid):
        os.close(fd)
        raise OSError(errno.EPERM, "our area is a stranger's")
    return fd, is_new


def _tried_in(area_fd: int, known: Abilities) -> Abilities:
    name = f"probe-{secrets.token_hex(8)}".encode()
    os.mkdir(name, 0o700, dir_fd=area_fd)
    try:
        fd = os.open(name, DIRECTORY, dir_fd=area_fd)
        try:
            return _Probe(fd, known).run()
        finally:
            for each in os.listdir(fd):
                _quietly(lambda left=each: os.unlink(left, dir_fd=fd))  # type: ignore[misc]  # bound
            os.close(fd)
    finally:
        _quietly(lambda: os.rmdir(name, dir_fd=area_fd))


class _Probe:
    """Questions put to one empty directory."""

    def __init__(self, fd: int, known: Abilities) -> None:
        self._fd = fd
        self._known = known

    def run(self) -> Abilities:
        """Everything that can be tried. Raises: OSError, when not even a file can be made."""
        known = self._known
        self._make(NAME)
        composed = unicodedata.normalize("NFD", NAME.decode()).encode()
        forbidden = "".join(c for c in SUSPECTS if not self._holds(f"a{c}b".encode()))
        last = "".join(c for c in LAST_SUSPECTS if not self._holds(f"a{c}".encode()))
        least_ns, most_ns = self._span()
        return replace(
            known,
            folds_case=exists(self._fd, swapped(NAME)),
            folds_unicode=exists(self._fd, composed),
            text_names=not self._holds(b"a\xff"),
            forbidden=controls(forbidden),
            forbidden_last=last,
            reserved_names=not all(map(self._holds, RESERVED)),
            modes=self._keeps_modes(),
            owners=self._keeps_owners(),
            xattrs=self._works(lambda: os.setxattr(self._file(), "user.reconcile", b"1")),
            links=self._works(lambda: os.symlink(b"a", b"link", dir_fd=self._fd)),
            hard_links=self._works(lambda: SYSTEM.link(self._fd, NAME, self._fd, b"second")),
            exchange=self._exchanges(),
            mtime_step_ns=self._step(),
            least_mtime_ns=least_ns,
            most_mtime_ns=most_ns,
            tried=True,
        )

    def _make(self, name: bytes) -> None:
        os.close(os.open(name, _CREATE, 0o600, dir_fd=self._fd))

    def _holds(self, name: bytes) -> bool:
        """A file of this name can be made, and is listed under it."""
        return self._works(lambda: self._make(name)) and is_listed(self._fd, name)

    def _works(self, act: Callable[[], None]) -> bool:
        try:
            act()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
                raise
            return False
        return True

    def _file(self) -> bytes:
        return b"/proc/self/fd/%d/%s" % (self._fd, NAME)

    def _looked(self) -> os.stat_result:
        return os.stat(NAME, dir_fd=self._fd, follow_symlinks=False)

    def _keeps_modes(self) -> bool:
        for mode in (0o700, 0o640):
            if not self._works(lambda mode=mode: os.chmod(NAME, mode, dir_fd=self._fd)):  # type: ignore[misc]  # bound
                return False
            if stat.S_IMODE(self._looked().st_mode) != mode:
                return False
        return True

    def _keeps_owners(self) -> bool:
        """Only who may give a file away can try."""
        if os.geteuid() != 0:
            return self._known.owners
        before = self._looked()
        if not self._works(lambda: os.chown(NAME, _NOBODY, _NOBODY, dir_fd=self._fd)):
            return False
        after = self._looked()
        _quietly(lambda: os.chown(NAME, before.st_uid, before.st_gid, dir_fd=self._fd))
        return (after.st_uid, after.st_gid) == (_NOBODY, _NOBODY)

    def _exchanges(self) -> bool:
        self._make(b"other")
        return self._works(lambda: SYSTEM.renameat2(self._fd, NAME, self._fd, b"other", 2))

    def _span(self) -> tuple[int, int]:
        """The first and the last time it takes, where it says so by taking the nearest."""
        least, most = (self._nearest(asked) for asked in (LEAST_NS, MOST_NS))
        known = self._known.least_mtime_ns, self._known.most_mtime_ns
        return (max(least, known[0]), min(most, known[1])) if least < 0 < most else known

    def _nearest(self, asked_ns: int) -> int:
        if not self._works(lambda: os.utime(NAME, ns=(asked_ns, asked_ns), dir_fd=self._fd)):
            return asked_ns
        return carried_ns(self._looked().st_mtime_ns)

    def _step(self) -> int:
        os.utime(NAME, ns=(_ODD_NS, _ODD_NS), dir_fd=self._fd)
        found = self._looked().st_mtime_ns
        return next((step for step in _STEPS if _ODD_NS // step * step == found), _STEPS[-1])


def controls(forbidden: str) -> str:
    """Where one control character is refused, all are."""
    if "\x01" not in forbidden:
        return forbidden
    return forbidden.replace("\x01", "") + "".join(map(chr, range(1, 32)))


def _quietly(act: Callable[[], None]) -> None:
    try:
        act()
    except OSError:
        pass  # it is not there, or cannot go: a probe's directory is ours, the next run sees it
