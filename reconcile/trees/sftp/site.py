"""Site: a root on the server while it is being changed, and a step's spot in it.

SFTP knows paths, not open directories. So that nothing is written through a
link, every directory above a name is looked at before each batch.
RACE: a directory that is replaced by a link between that look and a step is
followed. Nobody but who may write there can do that.
"""

import errno
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple

from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Step
from reconcile.model.treepath import TreePath, join, parents, split
from reconcile.trees.base import RunOptions
from reconcile.trees.rooted import check_leaf
from reconcile.trees.sftp import packets
from reconcile.trees.sftp.client import Answer, ServerFailure, Sftp
from reconcile.trees.sftp.contents import ON_THEIR_WAY, read_id
from reconcile.trees.sftp.hashing import RemoteHasher
from reconcile.trees.sftp.packets import Ask, Attributes, text, whole_seconds
from reconcile.trees.sftp.rows import SECOND_NS, kind_of
from reconcile.trees.sftp.tasks import Budget, Event
from reconcile.trees.temporary import refuse_ours, step_temp

PROVEN_BY_LOOKS = 64 << 10
"""Up to this size content is read before it is superseded, whatever size and time say."""
ASK_FROM = 256 << 10
"""Larger files are hashed by the server, where it can: less is read back sooner than a program
is started there."""
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EOPNOTSUPP})
_LOW_BYTES = 1 << 20

LINK = b"hardlink@openssh.com"
RENAME = b"posix-rename@openssh.com"
FSYNC = b"fsync@openssh.com"
LSETSTAT = b"lsetstat@openssh.com"


class Spot(NamedTuple):
    """Where a step acts: a directory that was looked at, and two names in it."""

    folder: bytes
    """Its location on the server."""
    leaf: bytes
    temp_leaf: bytes
    parent: TreePath
    path: TreePath

    @property
    def final(self) -> bytes:
        """The location of the name."""
        return self.folder + b"/" + self.leaf

    @property
    def temp(self) -> bytes:
        """The location of the temporary name beside it."""
        return self.folder + b"/" + self.temp_leaf


async def _nothing() -> None:
    """No lock, nothing to renew."""


class Site:
    """What every part of the write side needs. Requests that change something are here."""

    def __init__(
        self,
        sftp: Sftp,
        root: bytes,
        options: RunOptions,
        hasher: RemoteHasher | None,
    ) -> None:
        self.sftp = sftp
        self.root = root
        self.options = options
        self.hasher = hasher
        self.proven_before_ns = 0
        """A file changed before this, and of the size it had, is as it was looked at."""
        self.clock_ns = 0
        """A time that the server's clock had reached when the run began; 0: not known."""
        self.budget = Budget(ON_THEIR_WAY)
        self.can_link = sftp.offers(LINK)
        self.can_replace = sftp.offers(RENAME)
        self.can_flush = sftp.offers(FSYNC)
        self.can_dress = True
        """It lets us set modes and times; one that has refused it once is not asked again."""
        self.touched: set[TreePath] = set()
        """Directories in which names changed."""
        self.renew: Callable[[], Coroutine[Event[Any], None, None]] = _nothing
        """Tells others that the run which holds the root goes on."""
        self._looked: dict[TreePath, Event[Attributes | None]] = {}

    def location(self, path: TreePath) -> bytes:
        """Where a path is on the server."""
        return self.root + b"/" + path if path else self.root or b"/"

    def forget(self, path: TreePath | None = None) -> None:
        """Look at one directory again, or at every one."""
        if path is None:
            self._looked.clear()
        else:
            self._looked.pop(path, None)

    async def directory(self, path: TreePath) -> bytes:
        """The location of a directory that is one, as is everything above it.

        Raises: FileNotFoundError, NotADirectoryError.
        """
        way = [above for above in (path, *parents(path)) if above]
        for above in way:
            if above not in self._looked:
                self._looked[above] = self.sftp.begin(self.sftp.lstat(self.location(above)))
        for above in reversed(way):
            found = await self._looked[above]
            if found is None:
                raise FileNotFoundError(errno.ENOENT, "there is no such directory")
            if kind_of(found) != Kind.DIR:
                raise NotADirectoryError(errno.ENOTDIR, "something above it is no directory")
        return self.location(path)

    async def spot(self, step: Step) -> Spot:
        """The step's spot. Raises: OSError, PathRefused."""
        path = step.at
        refuse_ours(path)
        parent, leaf = split(path)
        check_leaf(leaf, path)
        folder = await self.directory(parent)
        return Spot(folder if parent else self.root, leaf, step_temp(step), parent, path)

    async def look(self, location: bytes) -> Attributes | None:
        """What is there; None: nothing."""
        return await self.sftp.lstat(location)

    async def remove(self, location: bytes) -> None:
        """Take a file's or link's name away. Raises: OSError."""
        await self.sftp.done(self.sftp.ask(Ask.REMOVE, text(location)))

    async def discard(self, location: bytes) -> None:
        """Remove what this run staged. A name that cannot go is swept by the next run."""
        try:
            await self.remove(location)
        except OSError:
            pass  # the error that led here is the one to report

    async def make_directory(self, location: bytes, mode: int) -> None:
        """Raises: OSError; ServerFailure, when the name is taken."""
        body = text(location) + packets.attributes(mode=mode)
        await self.sftp.done(self.sftp.ask(Ask.MKDIR, body))

    async def remove_directory(self, location: bytes) -> None:
        """Raises: OSError; ServerFailure, when it is not empty."""
        await self.sftp.done(self.sftp.ask(Ask.RMDIR, text(location)))

    async def link(self, location: bytes, new: bytes) -> None:
        """A second name. Raises: OSError; ServerFailure, when the new name is taken."""
        await self.sftp.done(self.sftp.extended(LINK, text(location) + text(new)))

    async def rename(self, location: bytes, new: bytes) -> None:
        """The protocol's own rename: an error when the new name is taken."""
        await self.sftp.done(self.sftp.ask(Ask.RENAME, text(location) + text(new)))

    async def replace(self, location: bytes, new: bytes) -> None:
        """rename(2): what has the new name goes."""
        await self.sftp.done(self.sftp.extended(RENAME, text(location) + text(new)))

    async def set_attributes(self, location: bytes, attributes: bytes) -> None:
        """Of the name itself where the server can, else of what it leads to. Raises: OSError."""
        if self.sftp.offers(LSETSTAT):
            try:
                return await self.sftp.done(
                    self.sftp.extended(LSETSTAT, text(location) + attributes)
                )
            except ServerFailure:
                pass  # QUIRK: old systems cannot change a mode without following
        found = await self.look(location)
        if found is None or kind_of(found) == Kind.LINK:
            raise FileNotFoundError(errno.ENOENT, "it went, or became a link")
        return await self.sftp.done(self.sftp.ask(Ask.SETSTAT, text(location) + attributes))

    async def try_attributes(self, location: bytes, attributes: bytes) -> None:
        """As `set_attributes`; what may not be set is left as it is, and receipts say so."""
        try:
            await self.set_attributes(location, attributes)
        except OSError:
            pass

    async def dressed(self, answer: Answer | None) -> None:
        """Wait for modes and times to be set, where that was asked for. Raises: OSError, unless
        this server just lets nobody set them: content matters more, and receipts say what is so."""
        if answer is None:
            return
        try:
            await self.sftp.done(answer)
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            self.can_dress = False

    async def explained(self, error: OSError) -> OSError:
        """The same error, told better where the server says nothing but "failure"."""
        if not isinstance(error, ServerFailure):
            return error
        space = await self.sftp.space(self.root or b"/")
        if space is None:
            return error
        if space.is_read_only:
            return OSError(errno.EROFS, "the file system there is read-only")
        if space.free_bytes < _LOW_BYTES or (space.files and not space.free_files):
            return OSError(errno.ENOSPC, "no space is left there")
        return error

    def has_metadata(self, found: Attributes, entry: Entry) -> bool:
        """The tracked permission bits are the entry's."""
        tracked = self.options.header.tracked
        if entry.kind == Kind.LINK:
            return True
        if tracked.mode:
            return found.mode & 0o777 == entry.mode & 0o777
        if tracked.exec and entry.kind == Kind.FILE:
            return bool(found.mode & 0o100) == entry.is_exec
        return True

    def as_expected(self, found: Attributes | None, expect: Entry | None) -> bool:
        """The cheap precondition: kind, tracked bits, and for a file size and time."""
        if not looks_like(found, expect):
            return False
        return found is None or expect is None or self.has_metadata(found, expect)

    def is_proven(self, found: Attributes) -> bool:
        """Size and time alone show that a file is what was looked at.

        Else it has to be read: nothing keeps what it holds, it is small, or an
        edit could still bear this very second.
        """
        return (
            self.options.versions
            and found.size > PROVEN_BY_LOOKS
            and found.mtime_s * SECOND_NS < self.proven_before_ns
        )

    async def has_content(self, location: bytes, entry: Entry) -> bool:
        """The name is of the entry's kind and, by reading it, of its content.

        Directories have no content of their own here. Raises: OSError.
        """
        found = await self.look(location)
        if found is None or kind_of(found) != entry.kind:
            return False
        if entry.kind == Kind.LINK:
            return await self.sftp.readlink(location) == entry.id
        if entry.kind == Kind.FILE:
            return found.size == entry.size and await self._is_file(location, entry)
        return entry.kind == Kind.DIR

    async def still_holds(self, location: bytes, found: Attributes, entry: Entry) -> bool:
        """`has_content` of something just looked at; reading is spared where it proves nothing."""
        if not looks_like(found, entry):
            return False
        if entry.kind == Kind.FILE and self.is_proven(found):
            return True
        return await self.has_content(location, entry)

    async def is_there(self, spot: Spot, want: Entry) -> bool:
        """The final name already holds what the step wants, content and tracked metadata."""
        found = await self.look(spot.final)
        return (
            found is not None
            and self.has_metadata(found, want)
            and await self.has_content(spot.final, want)
        )

    async def _is_file(self, location: bytes, entry: Entry) -> bool:
        name = self.options.header.hash_name
        hasher = self.hasher
        if (
            hasher is not None
            and entry.size >= ASK_FROM
            and name in hasher.hash_names
            and hasher.takes(location)
            and hasher.digests(name, [location]) == [entry.id]
        ):
            return True
        content, _ = await read_id(self.sftp, self.budget, location, entry.size, name)
        return content == entry.id


def looks_like(found: Attributes | None, expect: Entry | None) -> bool:
    """Kind, and for a file size and time as SFTP tells it. Content is checked elsewhere."""
    if found is None or expect is None:
        return found is None and expect is None
    if kind_of(found) != expect.kind:
        return False
    if expect.kind != Kind.FILE:
        return True
    return found.size == expect.size and found.mtime_s == whole_seconds(expect.mtime_ns)


def beside(spot: Spot, leaf: bytes) -> TreePath:
    """The path of another name in the spot's directory."""
    return join(spot.parent, leaf)


def folders(steps: Sequence[Step]) -> list[TreePath]:
    """The directories that steps act in, each once."""
    return list(dict.fromkeys(split(step.at)[0] for step in steps))
