"""Places that stories happen in: what users do there, and what is there, whatever holds it."""

from typing import NamedTuple, Protocol

from msgspec.structs import replace

from reconcile.model.codec import encode
from reconcile.model.entry import Kind
from reconcile.model.manifest import Header
from reconcile.model.treepath import TreePath, parents
from reconcile.trees.memory import MemoryTree
from tests.stories.kinds import SideKind
from tests.trees.memory_sides import MemorySide, ready


class Held(NamedTuple):
    """One thing as it is now."""

    kind: Kind
    content: bytes
    """Of a file; a link's target; empty for a directory."""
    mode: int
    mtime_ns: int
    tag: bytes = b""
    """Its extended attribute."""


class Place(Protocol):
    """One side of a story. Every act may raise OSError: then nothing came of it."""

    kind: SideKind

    def write(self, path: bytes, content: bytes, mtime_ns: int) -> None:
        """A file is written, or written anew; directories above it come into being."""

    def remove(self, path: bytes) -> None:
        """A name goes, with all below it."""

    def rename(self, old: bytes, new: bytes) -> None:
        """A thing gets another name, which may be taken."""

    def chmod(self, path: bytes, mode: int) -> None:
        """Its permissions change."""

    def touch(self, path: bytes, mtime_ns: int) -> None:
        """A file's time changes."""

    def tag(self, path: bytes, value: bytes) -> None:
        """A file's extended attribute changes."""

    def link(self, path: bytes, target: bytes) -> None:
        """A link is made where nothing is."""

    def mkdir(self, path: bytes) -> None:
        """A directory is made where nothing is."""

    def held(self) -> dict[bytes, Held]:
        """What is there, ours left out."""

    def kept(self) -> set[bytes]:
        """Every content in its version area."""

    def replace(self, *, empty: bool) -> None:
        """Another disk, or none, is in its place."""

    def restore(self) -> None:
        """The disk that belongs there is back, and has room."""

    def fill(self) -> None:
        """The disk has hardly any room."""

    def close(self) -> None:
        """Nothing more happens here."""


class MemoryPlace:
    """A place in memory."""

    def __init__(self, name: str, kind: SideKind, header: Header) -> None:
        self.kind = kind
        self.tree = MemoryTree(name, header, kind.abilities, composes=kind.composes)
        self.side = MemorySide(name, self.tree)
        self.url = self.side.url
        self._header = header

    def write(self, path: bytes, content: bytes, mtime_ns: int) -> None:
        """See `Place.write`."""
        place = self.tree.find(TreePath(path))
        mode = 0o644
        if place is not None:
            if self.tree.entries[place].kind != Kind.FILE:
                raise IsADirectoryError
            mode = self.tree.entries[place].mode
        self._refuse_below_file(path)
        self.tree.put(path, content, mode, mtime_ns)

    def remove(self, path: bytes) -> None:
        """See `Place.remove`."""
        self.tree.remove(path)

    def rename(self, old: bytes, new: bytes) -> None:
        """See `Place.rename`."""
        self._refuse_below_file(new)
        above = [self.tree.find(TreePath(p)) for p in parents(TreePath(new))[:-1]]
        target = self.tree.find(TreePath(new))
        moved = self.tree.entries[TreePath(old)]
        kinds = (moved.kind, self.tree.entries[target].kind if target is not None else None)
        if old in above or (target not in (None, old) and Kind.DIR in kinds):
            raise OSError(22, "not there")
        self.tree.rename(old, new)

    def chmod(self, path: bytes, mode: int) -> None:
        """See `Place.chmod`."""
        self.tree.chmod(path, mode)

    def touch(self, path: bytes, mtime_ns: int) -> None:
        """See `Place.touch`."""
        entry = self.tree.entries[TreePath(path)]
        self.tree.hold(TreePath(path), replace(entry, mtime_ns=mtime_ns))

    def tag(self, path: bytes, value: bytes) -> None:
        """See `Place.tag`."""
        entry = self.tree.entries[TreePath(path)]
        extra = (("xattr", encode([["user.tag", value]])),)
        self.tree.hold(TreePath(path), replace(entry, extra=extra))

    def link(self, path: bytes, target: bytes) -> None:
        """See `Place.link`."""
        self._refuse_taken(path)
        self.tree.put_link(path, target)

    def mkdir(self, path: bytes) -> None:
        """See `Place.mkdir`."""
        self._refuse_taken(path)
        self.tree.put_directory(path)

    def held(self) -> dict[bytes, Held]:
        """See `Place.held`."""
        return {
            bytes(path): Held(
                entry.kind,
                self.tree.contents.get(path, entry.id if entry.kind == Kind.LINK else b""),
                entry.mode,
                entry.mtime_ns,
                dict(entry.extra).get("xattr", b""),
            )
            for path, entry in self.tree.entries.items()
        }

    def kept(self) -> set[bytes]:
        """See `Place.kept`."""
        return set(self.tree.kept.values())

    def replace(self, *, empty: bool) -> None:
        """See `Place.replace`."""
        other = MemoryTree("other", self._header, self.kind.abilities, composes=self.kind.composes)
        if not empty:
            other.put(b"another", b"of another disk")
            self.side.identity = "another disk"
        self.side.tree = other

    def restore(self) -> None:
        """See `Place.restore`."""
        self.side.tree = self.tree
        self.side.identity = self.side.url
        self.tree.room_bytes = None
        self.side.before = ready

    def fill(self) -> None:
        """See `Place.fill`."""
        contents = (*self.tree.contents.values(), *self.tree.kept.values())
        self.tree.room_bytes = sum(map(len, contents)) + 9

    def close(self) -> None:
        """See `Place.close`."""
        self.side.forget()

    def _refuse_taken(self, path: bytes) -> None:
        if self.tree.find(TreePath(path)) is not None:
            raise FileExistsError
        self._refuse_below_file(path)

    def _refuse_below_file(self, path: bytes) -> None:
        while b"/" in path:
            path = path.rpartition(b"/")[0]
            place = self.tree.find(TreePath(path))
            if place is not None and self.tree.entries[place].kind != Kind.DIR:
                raise NotADirectoryError
