"""What a scan carries along: how to look, and what was noted on the way."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

import msgspec

from reconcile.decide.filters import Filter
from reconcile.model.boundary import Boundary
from reconcile.model.job import FilterSpec
from reconcile.model.manifest import DEFAULT_HEADER, Header
from reconcile.model.plan import Problem
from reconcile.model.statrow import Row
from reconcile.model.treepath import TreePath
from reconcile.trees.base import Tally
from reconcile.trees.listing import Listing

Links = Literal["preserve", "portable", "skip"]
"""`portable`: a link that leads out of the root is a problem. `skip`: links take no part."""


class HashNotes(Protocol):
    """What looks at one root have hashed before they were cut short (`store/hash_log.py`)."""

    @property
    def keeps(self) -> bool:
        """A look goes on, and what it hashes is kept as far as can be told."""

    def begin(self, identity: str, kind: str) -> None:
        """A look at the root of this identity begins; `kind` says what an id means."""

    def noted(self, directory: TreePath) -> "Mapping[bytes, tuple[Row, bytes]]":
        """By name, the stat row and content id of files of a directory."""

    def note(self, directory: TreePath, row: Row, content: bytes) -> None:
        """A file was hashed, and its row is one that the next look may believe."""

    def write(self) -> None:
        """The look is cut short: keep what was noted."""

    def remove(self) -> None:
        """The look is over, and its index kept: it holds all that was noted."""


class Settings(msgspec.Struct, frozen=True):
    """How to look."""

    header: Header = DEFAULT_HEADER
    filter: Filter | None = None
    links: Links = "preserve"
    paranoid: bool = False
    now_ns: int = 0
    """Start of the scan, by the clock that stamps the files."""
    own: tuple[bytes, ...] = ()
    """Places of the machine that is looked at where something of ours may lie."""
    boundaries: tuple[Boundary, ...] = ()
    """Those that the last look at this root knew."""
    accept_mounts: bool = False
    """What is mounted below the root now is right, whatever was there before."""
    notes: "HashNotes | None" = None
    """Where what is hashed is kept until the look is over; None: nowhere."""

    @property
    def notes_kind(self) -> str:
        """What an id means in the notes of a look by these settings."""
        text_only = self.filter is not None and self.filter.text_only
        return f"{self.header.hash_name}{' of text' if text_only else ''}"


class Looking(NamedTuple):
    """One look at a remote side, as asked for."""

    settings: Settings
    """`now_ns` is the near clock's; whoever stamps the files uses a clock of its own."""
    spec: FilterSpec
    """What `settings.filter` was compiled from: a filter travels as its rules."""
    cursor: bytes = b""
    """What `Seen.cursor` said when the near side's stored pages were written; empty: none are."""
    trusted: bool = True
    """The near side's stored pages were made under these very rules."""
    keep: bool = True
    """The side may write its own cache; its tree is never written to."""


class Found(NamedTuple):
    """A directory after its scan."""

    id: bytes
    """Tree id; empty: something below equals nothing."""
    same: bool
    """The id is what the index says it was."""


class Look:
    """One scan's settings, lister, problems and counts."""

    def __init__(
        self, settings: Settings, *, trusted: bool, own_paths: frozenset[TreePath] = frozenset()
    ) -> None:
        tracked = settings.header.tracked
        self.settings = settings
        self.trusted = trusted and not settings.paranoid
        """The index was made under these very rules: its pages may be taken over whole."""
        self.has_extras = tracked.owner or tracked.xattr
        self.listing = Listing(
            settings.filter, settings.now_ns, deep=self.has_extras, own=own_paths
        )
        self.problems: list[Problem] = []
        self.files = self.directories = self.links = 0
        self.size_bytes = self.hashed_files = self.hashed_bytes = 0
        self.resumed_files = self.resumed_bytes = 0

    @property
    def tally(self) -> Tally:
        """What was counted so far."""
        return Tally(
            self.files,
            self.directories,
            self.links,
            self.size_bytes,
            self.hashed_files,
            self.hashed_bytes,
            self.resumed_files,
            self.resumed_bytes,
        )

    def problem(self, path: TreePath, code: str, reason: str, severity: str = "error") -> Problem:
        """Note one path that could not be looked at, or is not carried over."""
        problem = Problem(path, None, code, reason, severity)
        self.problems.append(problem)
        return problem


def cannot(what: str, error: OSError) -> str:
    """The reason of a problem, from an error."""
    return f"cannot {what}: {error.strerror or error}; left untouched"
