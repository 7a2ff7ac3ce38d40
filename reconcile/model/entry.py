"""Entry: one name in a directory, as one side holds it.

Six kinds. FILE, DIR and LINK are content. SPECIAL (fifo, socket, device) is
present and never transferable. UNKNOWN is there, or may be, and its state could
not be established: nothing is ever done at, above or below it. IGNORED exists
and a filter excludes it: invisible to the merge, real when its parent is to go.

`id` by kind: FILE the content id, DIR the tree id (empty: never equals
anything, because something below is SPECIAL or UNKNOWN), LINK the target,
SPECIAL and UNKNOWN the reason as ASCII, IGNORED empty. Absence is `None`,
never an Entry. FORMAT.md §3.
"""

from enum import IntEnum
from typing import Annotated

import msgspec
from msgspec import Meta


class Kind(IntEnum):
    """What a name is. The numbers are in manifests: never renumber."""

    FILE = 1
    DIR = 2
    LINK = 3
    SPECIAL = 4
    UNKNOWN = 5
    IGNORED = 6


Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""An amount or a place: what a signed 64-bit number holds, never negative."""
EXTRA_BYTES = 4096
"""The longest value of a pair."""
Pair = tuple[Annotated[str, Meta(max_length=64)], Annotated[bytes, Meta(max_length=EXTRA_BYTES)]]
"""A name and a value of `Entry.extra`."""


LEAST_NS, MOST_NS = -(2**63), 2**63 - 1
"""The times that an entry can say: 1677 to 2262."""


def carried_ns(time_ns: int) -> int:
    """The time an entry says of a file of this time: the nearest it can."""
    return min(max(time_ns, LEAST_NS), MOST_NS)


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One name. Compare content with `same`, never with `==` (times and sizes differ).

    The ranges are those of FORMAT.md §3; decoding checks them, making one does not.
    """

    name: Annotated[bytes, Meta(max_length=255)]
    kind: Kind
    size: Count = 0
    """Bytes of a file; 0 for every other kind."""
    mtime_ns: Annotated[int, Meta(ge=LEAST_NS, le=MOST_NS)] = 0
    mode: Annotated[int, Meta(ge=0, le=0o7777)] = 0
    """Permission bits (0o7777 at most)."""
    id: Annotated[bytes, Meta(max_length=4096)] = b""
    extra: Annotated[tuple[Pair, ...], Meta(max_length=8)] = ()
    """Sorted pairs that travel beside the id: `owner` (b"uid:gid"), `xattr`
    (packed [[name, value]], or its hash when longer than `EXTRA_BYTES`),
    `sha256`, a side's opaque `token`."""

    @property
    def is_exec(self) -> bool:
        """The owner may execute it."""
        return bool(self.mode & 0o100)

    @property
    def is_content(self) -> bool:
        """It is a file, a directory or a link: something that can be carried over."""
        return self.kind <= Kind.LINK


class Tracked(msgspec.Struct, frozen=True, array_like=True):
    """Which metadata belongs to an entry's identity, beside kind and content.

    `exec`: the executable bit of files (the default set). `mode`: the nine
    permission bits of files and directories, instead of `exec`. `owner`,
    `xattr`: the pair of that name in `extra`.
    """

    exec: bool = True
    mode: bool = False
    owner: bool = False
    xattr: bool = False


DEFAULT_TRACKED = Tracked()


def meta(entry: Entry, tracked: Tracked) -> int:
    """The tracked permission bits: 0o777 part with `mode`, 0 or 1 with `exec`, else 0."""
    if entry.kind == Kind.FILE:
        if tracked.mode:
            return entry.mode & 0o777
        return 1 if tracked.exec and entry.mode & 0o100 else 0
    return entry.mode & 0o777 if tracked.mode and entry.kind == Kind.DIR else 0


def attributes(entry: Entry, tracked: Tracked) -> tuple[tuple[str, bytes], ...]:
    """The tracked pairs of `extra`, in order; usually empty."""
    if not (tracked.owner or tracked.xattr) or not entry.extra:
        return ()
    return tuple(
        pair
        for pair in entry.extra
        if (pair[0] == "owner" and tracked.owner) or (pair[0] == "xattr" and tracked.xattr)
    )


def same_content(a: Entry | None, b: Entry | None) -> bool:
    """Kind and id are equal, metadata apart. Absent equals absent; UNKNOWN equals nothing."""
    if a is None or b is None:
        return a is b
    return a.kind == b.kind and a.id == b.id and a.is_content and (bool(a.id) or a.kind != Kind.DIR)


def same(a: Entry | None, b: Entry | None, tracked: Tracked = DEFAULT_TRACKED) -> bool:
    """The same thing for the merge: content and tracked metadata. Times never count."""
    if a is None or b is None:
        return a is b
    return (
        same_content(a, b)
        and meta(a, tracked) == meta(b, tracked)
        and attributes(a, tracked) == attributes(b, tracked)
    )
