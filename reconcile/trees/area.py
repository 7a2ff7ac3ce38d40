"""The area of a root, `.reconcile`: who may own it, who may read it, and how it is reached.

What is superseded goes where nobody reads it, or takes it away, who could not
before. Four rules, held to by descriptor each time, never by a path:

    owner    of `.reconcile`, `versions` and `quarantine`: we, root, or the owner of the root
             directory, who may move whatever is in it. In a root that its group shares: any
             member, because nobody else can have made them there.
    rights   theirs are 0700. Where the root's group may write and others may not, they are that
             group's, 2770, and what a member put into the latter two stays that member's
             (sticky). More may write there than may move it in the root: it is refused.
    runs     a run's own directory is made by it: 0700, in a shared root 2750.
    below    directories are mirrored: 0700; in a shared root no wider than the one mirrored.

An ordinary account finds another's area closed, and says so before it writes;
root gives what it makes at the top to the owner of the root directory.
"""

import errno
import os
import secrets
import stat
from contextlib import suppress

from reconcile.decide.area_rights import (
    CLOSED,
    LOOSE,
    NO_DIRECTORY,
    PRIVATE,
    RUN_SHARED,
    Rights,
    is_loose,
    may_own,
    stranger,
    top_mode,
)
from reconcile.model.errors import Denied
from reconcile.model.treepath import ROOT, TreePath, join, split
from reconcile.trees.attributes import drop_lists, group_bits, has_lists
from reconcile.trees.flushing import Flusher
from reconcile.trees.rooted import Root
from reconcile.trees.syscalls import DIRECTORY, SYSTEM, System, exists
from reconcile.trees.temporary import AREA, PREFIX

KINDS = (b"versions", b"quarantine")
_WRITES = 0o022
_NOTHING = ": nothing is kept there"
_NOBODY = 65_534
"""Whom servers take root for, and containers whomever they do not know."""
_NO_DIRECTORY = frozenset({errno.ENOTDIR, errno.ELOOP})


class AreaTop:
    """`.reconcile` of a root that is open, and the directories in it that runs share."""

    def __init__(self, root_fd: int, system: System = SYSTEM, *, only_looks: bool = False) -> None:
        """`only_looks`: change nothing, and take what would be put right as right."""
        self._root_fd = root_fd
        self._system = system
        self._only_looks = only_looks
        self._our_uid: int | None = None
        self.made: list[TreePath] = []
        """What was made by this object, to be flushed."""

    def open(self, path: TreePath, *, make: bool) -> int:
        """The area or a directory in it, open, each component judged on the way.

        Raises: OSError; PermissionError, saying why it may not be used.
        """
        fd, at = os.dup(self._root_fd), ROOT
        for depth, name in enumerate(path.split(b"/")):
            try:
                below = self._checked(fd, join(at, name), min(depth, 1), make=make)
            finally:
                os.close(fd)
            fd, at = below, join(at, name)
        return fd

    def enter(self, dir_fd: int, name: bytes, mode: int, gid: int | None) -> tuple[int, bool]:
        """(the directory, open; whether it was made now). Raises: OSError."""
        with suppress(FileNotFoundError):
            return os.open(name, DIRECTORY, dir_fd=dir_fd), False
        try:
            self._system.mkdir(dir_fd, name, PRIVATE)
        except FileExistsError:  # another run of another pair was faster
            return os.open(name, DIRECTORY, dir_fd=dir_fd), False
        fd = os.open(name, DIRECTORY, dir_fd=dir_fd)
        # RACE: in a root that anybody may write to, a directory put here in this instant is
        # taken for the one just made if it is ours as well.
        if not self.is_trusted(os.fstat(fd).st_uid):
            os.close(fd)
            raise foreign(TreePath(name), "was replaced while it was made")
        if mode != PRIVATE or has_lists(fd):
            self._settle(fd, mode, gid)
        return fd, True

    def is_shared(self) -> bool:
        """The root's group may write to it, and others may not."""
        return _root_rights(self._root_fd).is_shared

    def is_trusted(self, uid: int) -> bool:
        """It is root's or our own, by whatever number this file system has us."""
        if uid in (0, os.geteuid()):
            return True
        if self._only_looks:
            return uid == _NOBODY and os.geteuid() == 0  # a run that writes finds out who we are
        if self._our_uid is None:
            self._our_uid = self._uid_here()
        return uid == self._our_uid

    def _checked(self, dir_fd: int, path: TreePath, depth: int, *, make: bool) -> int:
        root = _root_rights(self._root_fd)
        mode = top_mode(depth, root)
        fd, made = self._open(dir_fd, path, mode, make=make)
        if made:
            self._give_away(fd)
            self.made.append(path)
            return fd
        try:
            self._judge(fd, path, mode, root)
        except OSError:
            os.close(fd)
            raise
        return fd

    def _open(self, dir_fd: int, path: TreePath, mode: int, *, make: bool) -> tuple[int, bool]:
        name = split(path)[1]
        try:
            if not make:
                return os.open(name, DIRECTORY, dir_fd=dir_fd), False
            gid = os.fstat(self._root_fd).st_gid if self.is_shared() else None
            return self.enter(dir_fd, name, mode, gid)
        except OSError as error:
            if error.errno in _NO_DIRECTORY:
                raise foreign(path, NO_DIRECTORY) from error
            if error.errno == errno.EACCES and exists(dir_fd, name):
                raise foreign(path, CLOSED) from error
            raise

    def _judge(self, fd: int, path: TreePath, mode: int, root: Rights) -> None:
        found = _rights(fd)
        if found.uid == os.geteuid() and (found.mode != mode or has_lists(fd)):
            if self._only_looks:
                return
            self._settle(fd, mode, root.gid if root.is_shared else None)
            found = _rights(fd)
        if not (may_own(found.uid, root) or self.is_trusted(found.uid)):
            raise foreign(path, stranger(found.uid))
        if is_loose(found, root):
            raise foreign(path, LOOSE)

    def _uid_here(self) -> int:
        """Who makes what we make: a server may call us otherwise (NFS, FUSE)."""
        name = PREFIX + secrets.token_hex(8).encode()
        try:
            self._system.mkdir(self._root_fd, name, PRIVATE)
        except OSError:
            return os.geteuid()
        try:
            return os.stat(name, dir_fd=self._root_fd, follow_symlinks=False).st_uid
        finally:
            self._system.rmdir(self._root_fd, name)

    def _settle(self, fd: int, mode: int, gid: int | None) -> None:
        """Mode and group, the wider only with the group it is meant for, and no list: one that
        the root gives to what is made in it may let in whom a mirrored directory keeps out."""
        try:
            drop_lists(self._system, fd)
        except OSError:
            mode = PRIVATE  # which leaves its entries without effect
        if gid is not None and os.fstat(fd).st_gid != gid:
            try:
                self._system.chown(fd, -1, gid)
            except OSError:
                mode = PRIVATE
        with suppress(OSError):  # a file system without modes of its own keeps what it says
            self._system.chmod(fd, mode)

    def _give_away(self, fd: int) -> None:
        """What root made is the root directory's owner's, who goes on with it without root."""
        owner = os.fstat(self._root_fd).st_uid
        if os.geteuid() == 0 and owner:
            with suppress(OSError):
                self._system.chown(fd, owner, -1)


class LocalArea:
    """What runs keep in the area of one root of this machine. Nothing is made before it is kept."""

    def __init__(self, root: Root, system: System, flusher: Flusher) -> None:
        self._root = root
        self._top = AreaTop(root.fd, system)
        self._flusher = flusher
        self._runs: dict[TreePath, Root] = {}

    def check(self) -> None:
        """What is there already may be used. Makes nothing.

        Raises: OSError; PermissionError, saying why it may not.
        """
        for kind in KINDS:
            with suppress(FileNotFoundError):
                os.close(self._top.open(join(AREA, kind), make=False))

    def top(self) -> int:
        """`.reconcile` itself, open, made when there is none. Raises: OSError, PermissionError."""
        fd = self._top.open(AREA, make=True)
        self._flush_made()
        return fd

    def directory(self, kind: bytes, run: bytes, parent: TreePath) -> int:
        """The open directory that mirrors `parent` in a run's place, if it was made already.

        Raises: OSError: ENOENT, or ENOTDIR where something kept has its name.
        """
        fd = self._run(kind, run, make=False).directory(parent)
        if not self._top.is_trusted(os.fstat(fd).st_uid):
            raise foreign(join(join(AREA, kind), run), "holds another account's directory")
        return fd

    def run_directory(self, kind: bytes, run: bytes) -> int:
        """A run's own place, made when there is none. Raises: OSError, PermissionError."""
        return self._run(kind, run, make=True).fd

    def make(self, dir_fd: int, name: bytes, mirrored: TreePath) -> int:
        """The directory `name` in a run's place, new or there already, open.

        Raises: OSError; ENOTDIR and ELOOP, when something else has the name.
        """
        mode, gid = self._as_mirrored(mirrored)
        return self._top.enter(dir_fd, name, mode, gid)[0]

    def forget(self) -> None:
        """Let go of everything: the next call looks at the world again."""
        while self._runs:
            self._runs.popitem()[1].close()

    def _run(self, kind: bytes, run: bytes, *, make: bool) -> Root:
        place = join(join(AREA, kind), run)
        held = self._runs.get(place)
        if held is None:
            held = self._runs[place] = Root(place, self._open_run(place, make=make))
        return held

    def _open_run(self, place: TreePath, *, make: bool) -> int:
        above, name = split(place)
        top_fd = self._top.open(above, make=make)
        try:
            if not make:
                fd, made = os.open(name, DIRECTORY, dir_fd=top_fd), False
            else:
                mode = RUN_SHARED if self._top.is_shared() else PRIVATE
                fd, made = self._top.enter(top_fd, name, mode, None)
        finally:
            os.close(top_fd)
        if made:
            self._top.made.append(place)
            self._flush_made()
        elif not self._top.is_trusted(os.fstat(fd).st_uid):
            os.close(fd)
            raise foreign(place, "was made by another account")
        return fd

    def _flush_made(self) -> None:
        for path in self._top.made:
            self._flusher.touch(split(path)[0])
        self._top.made.clear()

    def _as_mirrored(self, directory: TreePath) -> tuple[int, int | None]:
        """(mode, group) of what mirrors a directory of the root."""
        if not self._top.is_shared():
            return PRIVATE, None
        try:
            found = _root_rights(self._root.directory(directory))
        except OSError:
            return PRIVATE, None
        return PRIVATE | found.mode & 0o050, found.gid


def open_area(root_fd: int, *, make: bool) -> int:
    """The area of an open root, for what runs share in it: its owner and mode were judged.

    Raises: OSError; FileNotFoundError, when there is none and none is to be made;
    PermissionError, saying why it may not be used.
    """
    return AreaTop(root_fd).open(AREA, make=make)


def trouble_at(location: bytes) -> str:
    """Why nothing may be kept in the root at `location`; empty: it may, as far as is seen."""
    try:
        root_fd = os.open(location, DIRECTORY)
    except OSError:
        return ""  # whoever looks at that side says so
    try:
        for kind in KINDS:
            with suppress(FileNotFoundError):
                os.close(AreaTop(root_fd, only_looks=True).open(join(AREA, kind), make=False))
    except OSError as error:
        return short(error)
    finally:
        os.close(root_fd)
    return ""


def not_kept(error: OSError, where: str) -> Denied:
    """The refusal of a run that would keep what it supersedes."""
    return Denied(
        f"what is superseded cannot be kept: {error.strerror}",
        where=where,
        hint="move it away, or have its owner give it up; or keep none: --no-versions",
        code="E_AREA",
    )


def short(error: OSError) -> str:
    """Why nothing may be kept, without saying again that nothing is."""
    why = error.strerror or str(error)
    return why.removesuffix(_NOTHING)


def _root_rights(fd: int) -> Rights:
    """Of the root, or a directory in it: where it has a list, its mode shows the list's mask,
    which is nobody's right, in the place of the group's."""
    found, bits = _rights(fd), group_bits(fd)
    return found if bits is None else found._replace(mode=found.mode & ~0o070 | bits << 3)


def _rights(fd: int) -> Rights:
    found = os.fstat(fd)
    return Rights(found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode))


def is_ours_alone(root: Root, path: TreePath, fd: int) -> bool:
    """The open file was kept at `path`, in directories that none but we, or root, may write to.

    Only of such a file is it known that it is the one that was kept, owner and all.
    """
    directory, _, leaf = path.rpartition(b"/")
    here = os.dup(root.fd)
    try:
        for name in directory.split(b"/"):
            below = os.open(name, DIRECTORY, dir_fd=here)
            os.close(here)
            here = below
            found = os.fstat(here)
            if found.st_uid not in (0, os.geteuid()) or found.st_mode & _WRITES:
                return False
        kept, opened = os.stat(leaf, dir_fd=here, follow_symlinks=False), os.fstat(fd)
    except OSError:
        return False
    finally:
        os.close(here)
    return (kept.st_dev, kept.st_ino) == (opened.st_dev, opened.st_ino)


def foreign(path: TreePath, why: str) -> PermissionError:
    """The refusal of a directory in which nothing may be kept."""
    shown = path.decode("utf-8", "backslashreplace")
    return PermissionError(errno.EACCES, f"`{shown}` {why}{_NOTHING}")
