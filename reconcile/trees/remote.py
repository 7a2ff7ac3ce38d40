"""RemoteTree: a side on another machine, looked at by difference and changed in batches.

The near side keeps a copy of the far side's pages and a cursor: what the far
side's state was when the copy was complete. A look brings the page rows that
differ from that, and nothing when nothing does.

Two methods more may be offered, and are looked for by name, to whoever stages
content that comes from here: `whole(step) -> bytes | None`, the complete content
of a small file that has arrived already (unverified), and `rebuild(step, offset,
basis_fd) -> Iterator[bytes]`, content as `read` gives it, for which ranges of the
open file `basis_fd` may be used again.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from reconcile.model.block import HashName
from reconcile.model.errors import Unreachable
from reconcile.model.plan import Problem, Step
from reconcile.trees.base import ChangeableTree, Tally
from reconcile.trees.looking import Looking
from reconcile.trees.observe import Seen, Sink
from reconcile.trees.scan import Index

if TYPE_CHECKING:
    from reconcile.trees.chunking import ChunkCache


class SessionOptions(NamedTuple):
    """What a connection has to know of the run it serves."""

    pair: str
    """Names the pair: what the far side keeps for it, it keeps under this name."""
    compress: bool = False
    """Content goes through the compressed stream too."""
    pace: Callable[[int], float] | None = None
    """So many bytes are about to travel: seconds to wait before they do."""
    cache: "ChunkCache | None" = None
    """Where lists of chunks of this side's files are kept."""
    traceless: bool = False
    """Nothing is to be put by on the far side, nor here because of it."""
    clock_lag_ns: int | None = None
    """What `RemoteTree.clock_lag_ns` was when a run last wrote there; None: not known."""


class NoAgent(Unreachable):
    """The host is there, and can run no agent; its SFTP server may still do."""

    code = "E_NO_AGENT"


class OtherProtocol(NoAgent):
    """There is an agent, of a version that does not fit; one that is carried over will."""

    code = "E_PROTOCOL"


class RemoteTree(ChangeableTree, Protocol):
    """One side behind a connection. Every operation may raise Unreachable."""

    @property
    def hash_names(self) -> tuple[HashName, ...]:
        """What the far side can do, best first; known after `connect`."""

    @property
    def skew_ns(self) -> int:
        """Its clock minus ours, measured by `connect`; 0: not known."""

    @property
    def clock_lag_ns(self) -> int | None:
        """What to add to our clock for a time that its clock has surely reached, as far as only
        writing there shows it; None: nothing was written, or connecting tells it each time."""

    @property
    def about(self) -> str:
        """Who answers over there, as it says itself, for people; known after `connect`."""

    @property
    def root_identity(self) -> str:
        """What tells its root from another one in its place; known after `connect`."""

    @property
    def free_bytes(self) -> int | None:
        """What is left on the root's file system; None: it was not told."""

    @property
    def notes(self) -> Sequence[Problem]:
        """What the plan has to say of this connection (a carried agent, a noisy shell)."""

    @property
    def cursor(self) -> bytes:
        """msgpack [epoch, serial, root id]: its state after the last `look` or `carry_out`.

        Empty when the next look cannot go on from it. After `carry_out` also
        when anything but that batch has happened there since the cursor before:
        whoever takes it over believes to know all rows up to it.
        """

    def connect(self) -> None:
        """Make the connection; nothing is asked of a tree before. Once is enough.

        Raises: Unreachable, Denied, RootMissing; NoAgent.
        """

    def keeping_troubles(self, *, only_looks: bool) -> Sequence[Problem]:
        """Why nothing superseded may be kept in the root (an error), and what of that this side
        cannot say (notes); for the plan, without a side. Known after `connect`.

        `only_looks`: nothing is written, and who we are over there is not found out by that.
        """

    def start_look(self, want: Looking) -> None:
        """Send the request and return: the far side looks while others do something else."""

    def look(
        self, want: Looking, index: Index | None, sink: Sink, progress: Callable[[Tally], None]
    ) -> Seen:
        """The side as it is now; `want` is that of `start_look`, when there was one.

        To the sink go the page rows that differ from what `want.cursor` stands
        for. A tree that keeps the state of the far side there, and cannot go on
        from the cursor, begins with `sink.forget((), (b"",))` and sends every
        row. One that does not compares with `index`, as a local scan does, and
        gives no cursor.
        Raises: RootMissing, Denied, Unreachable.
        """

    def fetch(self, steps: Sequence[Step]) -> None:
        """The sources of these steps will be read from here next, in this order.

        A step may be passed over, and read from an offset, all the same.
        """
