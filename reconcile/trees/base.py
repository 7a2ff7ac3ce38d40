"""Tree: anything that can observe, read, stage, carry out and close.

What a side cannot do is declared in `Abilities`, never guessed. Batches are one
round trip. Every implementation passes the one `TreeContract` suite
(tests/trees/contract.py); `MemoryTree` is the reference.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec

from reconcile.model.entry import Entry
from reconcile.model.job import Durability
from reconcile.model.manifest import DEFAULT_HEADER, Header, Manifest
from reconcile.model.plan import Problem, Step
from reconcile.model.policy import Abilities
from reconcile.model.receipt import Receipt
from reconcile.model.treepath import TreePath


class Tally(msgspec.Struct, frozen=True):
    """What an observation counted."""

    files: int = 0
    directories: int = 0
    links: int = 0
    """Links, and what else is neither file nor directory."""
    size_bytes: int = 0
    hashed_files: int = 0
    hashed_bytes: int = 0
    """Content bytes read. 0 on an unchanged second run."""
    resumed_files: int = 0
    """Not read: a look that was interrupted had hashed them."""
    resumed_bytes: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(a + b for a, b in zip(_fields(self), _fields(other), strict=True)))


def _fields(tally: Tally) -> tuple[int, ...]:
    return msgspec.structs.astuple(tally)


class Observation(NamedTuple):
    """One side as it is now."""

    manifest: Manifest
    problems: tuple[Problem, ...]
    """Sorted by path. UNKNOWN entries stand in the manifest as well."""
    identity: str
    """The root's own: `dev:inode` and kind locally. A change stops the run."""
    complete: bool
    """False: the listing ended early; nothing may be concluded from an absence."""
    tally: Tally
    leftovers: tuple[TreePath, ...] = ()
    """Temporary names of an interrupted run (`.rcn-…`), invisible to the merge."""
    mounts: tuple[TreePath, ...] = ()
    """Where other file systems begin, sorted; as far as that was looked at."""


class Supply(Protocol):
    """Content for steps that create or update files: the other tree, this one, or the state."""

    def read(self, step: Step, offset: int) -> Iterator[bytes]:
        """The bytes of `step.source` from `offset`, in blocks of at most 1 MiB.

        Raises: OSError, or ContentChanged when the source is no longer what
        the plan saw (noticed at the latest at the end).
        """


class ContentChanged(Exception):
    """The source no longer holds what the plan saw."""


class RunOptions(msgspec.Struct, frozen=True):
    """What a side must know of the run before it is changed."""

    run: str
    """`r-…`: names the run's place in the version area."""
    durability: Durability = Durability.BATCH
    versions: bool = True
    header: Header = DEFAULT_HEADER
    """The pair's hash algorithm and tracked metadata: what content ids and modes mean."""
    record: bytes = b""
    """What is put beside the versions of this run (`model/kept_by.py`); empty: nothing.
    LIMIT: an agent before this version is not told."""
    token: bytes = b""
    """What is left in `.reconcile/pairs` (`model/token.py`); empty: nothing."""


class ChangeableTree(Protocol):
    """What apply needs of a side: everything but looking."""

    @property
    def url(self) -> str:
        """Where it is, redacted, for people."""

    @property
    def abilities(self) -> Abilities:
        """What it can hold."""

    def read(self, path: TreePath, entry: Entry, offset: int = 0) -> Iterator[bytes]:
        """Content of a file from `offset`, in blocks. Raises: OSError, ContentChanged."""

    def token(self, token_id: str) -> bytes | None:
        """What the token file of `token_id` (`model/token.py`) holds; empty: there is none, or none
        that can be read; None: this side keeps none."""

    def begin(self, options: RunOptions, leftovers: Sequence[TreePath]) -> Sequence[Problem]:
        """Lock the root for writing, put an interrupted run's leftovers in quarantine, and leave
        the pair's token.

        Raises: Locked, Denied. What could not be moved comes back as notes, and as one
        (`trees/tokens.py`) that no token could be left.
        """

    def stage(self, steps: Sequence[Step], supply: Supply) -> Sequence[Receipt]:
        """Bring the content that `steps` want beside its final names, verified and durable.

        Resumable: verified bytes of an interrupted run are not written again.
        Only failures come back (STALE when a source changed); a step without a
        receipt is staged. Steps that need no content are passed over.
        """

    def carry_out(self, steps: Sequence[Step]) -> Sequence[Receipt]:
        """Do `steps` in order, each only if the world is as it expects; one receipt each.

        Superseded content goes to the version area under a name of its own. On
        return everything DONE is as durable as the run's options ask.
        """

    def prune(self, places: Sequence[TreePath]) -> Sequence[Problem]:
        """Remove kept content for good, between `begin` and `end`.

        `places`, relative to the root, lie in the version area. What is gone
        already counts as removed; directories left empty go too. A problem for
        each that is there still. On return the others are gone durably.
        Raises: UsageError, when this side cannot do that; nothing was removed.
        """

    def end(self) -> None:
        """Release the lock that `begin` took."""

    def close(self) -> None:
        """Let go of everything held."""


class Tree(ChangeableTree, Protocol):
    """One side."""

    def observe(self, progress: Callable[[Tally], None]) -> Observation:
        """The side as it is now. Raises: RootMissing, Denied, Unreachable."""
