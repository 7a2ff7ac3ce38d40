"""The version area and the quarantine: where content goes instead of being destroyed.

    .reconcile/versions/RUN/PATH      superseded by a step, verified to be what the plan expected
    .reconcile/quarantine/RUN/PATH    leftovers of an interrupted run, and what nobody expected

Under unique names: an occupied name gets `.~2~`, and nothing here is ever
replaced. Directories are mirrored. A mount below the root makes the move a
verified copy. Who may own and read the directories: `area.py`.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator

from reconcile.model.errors import PathRefused
from reconcile.model.treepath import ROOT, TreePath, check_name, join, split
from reconcile.trees.area import LocalArea
from reconcile.trees.base import RunOptions
from reconcile.trees.copying import copy_content, same_bytes, write_all
from reconcile.trees.flushing import Flusher
from reconcile.trees.rooted import READ, Root
from reconcile.trees.syscalls import System
from reconcile.trees.temporary import AREA

_NOT_A_DIRECTORY = frozenset({errno.ENOTDIR, errno.ELOOP})
_MAX_CLASHES = 10_000
VERSIONS_KIND = b"versions"
VERSIONS = TreePath(AREA + b"/" + VERSIONS_KIND)
QUARANTINE = TreePath(AREA + b"/quarantine")
_SUFFIX = re.compile(r"\.~[1-9][0-9]{0,4}~\Z")


class Place:
    """A directory of the version area, open, and the name to try first in it."""

    def __init__(self, directory: TreePath, dir_fd: int, name: bytes) -> None:
        self.directory = directory
        self.dir_fd = dir_fd
        self.name = name

    def names(self) -> Iterator[bytes]:
        """The name itself, then `.~2~`, `.~3~` …; never longer than a name may be."""
        yield self.name
        for number in range(2, _MAX_CLASHES):
            suffix = b".~%d~" % number
            yield self.name[: 255 - len(suffix)] + suffix


class Keeper:
    """Moves content into the version area or the quarantine of one run."""

    def __init__(self, root: Root, system: System, flusher: Flusher, options: RunOptions) -> None:
        self._area = LocalArea(root, system, flusher)
        self._system = system
        self._flusher = flusher
        self._run = options.run.encode()
        self._record = options.record

    def open_area(self) -> int:
        """`.reconcile`, open, made when there is none. Raises: OSError, PermissionError."""
        return self._area.top()

    def version_place(self, path: TreePath) -> Place:
        """Made ready before anything is moved, so that a full disk stops us in time."""
        return self._place(b"versions", path)

    def keep(self, dir_fd: int, name: bytes, place: Place) -> bytes:
        """Move `name` to `place`; the path it got. Raises: OSError, `name` is untouched then."""
        for free in place.names():
            try:
                self._system.rename_new(dir_fd, name, place.dir_fd, free)
            except FileExistsError:
                continue
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                if not self._copied_over(dir_fd, name, place.dir_fd, free):
                    continue
            self._flusher.touch(place.directory)
            return join(place.directory, free)
        raise OSError(errno.EEXIST, "no free name in the version area", name)

    def quarantine(self, dir_fd: int, name: bytes, path: TreePath) -> bytes:
        """Move `name`, which stood at `path`, to the quarantine. Raises: OSError."""
        return self.keep(dir_fd, name, self._place(b"quarantine", path))

    def check(self) -> None:
        """What is kept may be kept here. Raises: OSError, saying why it may not."""
        self._area.check()

    def forget(self) -> None:
        """Let go of every directory held."""
        self._area.forget()

    def _place(self, kind: bytes, path: TreePath) -> Place:
        parent, name = split(path)
        top = join(join(AREA, kind), self._run)
        try:
            fd = self._area.directory(kind, self._run, parent)
        except OSError as error:
            if error.errno not in _NOT_A_DIRECTORY | {errno.ENOENT}:
                raise
        else:
            return Place(join(top, parent) if parent else top, fd, name)
        made = self._make(kind, parent)
        directory = join(top, made) if made else top
        return Place(directory, self._area.directory(kind, self._run, made), name)

    def _make(self, kind: bytes, path: TreePath) -> TreePath:
        """Every directory of `path`; a name that a kept file occupies gets a suffix."""
        fd = os.dup(self._area.run_directory(kind, self._run))
        if kind == VERSIONS_KIND:
            self._tell_whose(fd)
        made = mirrored = ROOT
        top = join(join(AREA, kind), self._run)
        try:
            for part in path.split(b"/") if path else ():
                mirrored = join(mirrored, part)
                at = join(top, made) if made else top
                name, below = self._enter(Place(at, fd, part), mirrored)
                os.close(fd)
                fd, made = below, join(made, name)
                self._flusher.touch(at)
        finally:
            os.close(fd)
        return made

    def _tell_whose(self, run_fd: int) -> None:
        """Put the run's record beside what it keeps, once; without it that is kept all the same."""
        if not self._record:
            return
        try:
            fd = self._system.create(run_fd, AREA)
        except OSError:
            return
        try:
            write_all(self._system, fd, self._record)
            self._flusher.flush_inode(fd)
        except OSError:
            self._system.unlink(run_fd, AREA)
        finally:
            os.close(fd)

    def _enter(self, place: Place, mirrored: TreePath) -> tuple[bytes, int]:
        for name in place.names():
            try:
                return name, self._area.make(place.dir_fd, name, mirrored)
            except OSError as error:
                if error.errno not in _NOT_A_DIRECTORY:
                    raise
        raise OSError(errno.EEXIST, "no free name in the version area", place.name)

    def copy(self, dir_fd: int, name: bytes, to_fd: int, free: bytes) -> None:
        """A second one of a file or link, flushed and verified, under a name that is free.

        Raises: OSError; there is no second one then.
        """
        if stat.S_ISLNK(os.stat(name, dir_fd=dir_fd, follow_symlinks=False).st_mode):
            self._system.symlink(to_fd, free, os.readlink(name, dir_fd=dir_fd))
        else:
            self._copy_file(dir_fd, name, to_fd, free)

    def _copied_over(self, dir_fd: int, name: bytes, to_fd: int, free: bytes) -> bool:
        """Copy, flush, verify, unlink: a move between file systems. False: `free` is taken."""
        try:
            self.copy(dir_fd, name, to_fd, free)
        except FileExistsError:
            return False
        # RACE: a writer that still has the old file open writes into nothing from here on.
        self._system.unlink(dir_fd, name)
        return True

    def _copy_file(self, dir_fd: int, name: bytes, to_fd: int, free: bytes) -> None:
        source_fd = os.open(name, READ, dir_fd=dir_fd)
        try:
            fd = self._system.create(to_fd, free)
            try:
                self._copy_verified(source_fd, fd)
            except OSError:
                self._system.unlink(to_fd, free)
                raise
            finally:
                os.close(fd)
        finally:
            os.close(source_fd)

    def _copy_verified(self, source_fd: int, fd: int) -> None:
        before = os.fstat(source_fd)
        copy_content(self._system, source_fd, fd, 0, before.st_size)
        self._system.chmod(fd, before.st_mode & 0o777)
        self._system.set_mtime(fd, before.st_mtime_ns)
        self._system.fsync(fd)
        if not same_bytes(fd, source_fd):
            raise OSError(errno.EIO, "the copy into the version area differs")


def text_of(kept: bytes) -> str:
    """A place of the version area as text; bytes that are no UTF-8 stand as `\\xNN`."""
    return kept.decode("utf-8", "backslashreplace")


def place_of(run: str, path: TreePath, text: str) -> TreePath | None:
    """The place that stands as `text` for what `run` kept of `path`; None: it is none of that path.

    The inverse of `text_of`, which alone tells no byte `\\xff` from its escape.
    """
    wanted = (*VERSIONS.split(b"/"), run.encode(), *path.split(b"/"))
    told = text.split("/")
    found = [_spelled(*both) for both in zip(wanted, told, strict=False)]
    names = [name for name in found if name is not None]
    if not len(names) == len(wanted) == len(told):
        return None
    return TreePath(b"/".join(names))


def may_hold(root: bytes, place: TreePath, size_bytes: int | None = None) -> bool:
    """Content, of this size, may be at `place`: only what may not be looked at is not known.

    It is told when it is read.
    """
    try:
        status = os.lstat(os.path.join(root, place))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True
    return size_bytes in (None, status.st_size)


def _spelled(name: bytes, told: str) -> bytes | None:
    """The name itself, or the one it got where that was taken; None: neither."""
    if text_of(name) == told:
        return name
    suffix = _SUFFIX.search(told)
    if suffix is None:
        return None
    number = suffix[0].encode()
    other = name[: 255 - len(number)] + number
    return other if text_of(other) == told else None


def check_kept(place: TreePath) -> None:
    """`place` is one where a run keeps content, or left some. Raises: PathRefused: it is none."""
    names = place.split(b"/")
    if TreePath(b"/".join(names[:2])) not in (VERSIONS, QUARANTINE) or len(names) < 4:
        raise PathRefused(place, "no place of the version area")
    for name in names:
        check_name(name)
