"""LoopbackTree: a far side in this very process: a local tree behind an index of its own.

It does what an agent does, without a wire, and can be made to fail at any
operation: the engine is tried against it where a real connection would only be
slow. A far side lives in `FARS` under its name, and `loop://NAME` reaches it.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from blake3 import blake3

from reconcile.decide.advance import side_edits
from reconcile.model.block import HashName
from reconcile.model.codec import encode
from reconcile.model.entry import Entry
from reconcile.model.errors import Unreachable
from reconcile.model.manifest import PageRow
from reconcile.model.plan import Problem, Step
from reconcile.model.policy import Abilities
from reconcile.model.receipt import Receipt
from reconcile.model.treepath import TreePath
from reconcile.store.far_index import FarIndex
from reconcile.trees.base import RunOptions, Supply, Tally
from reconcile.trees.lazy_sink import LazySink
from reconcile.trees.local import LocalTree
from reconcile.trees.looking import Looking
from reconcile.trees.observe import Seen, Sink, observe
from reconcile.trees.open import OPENERS
from reconcile.trees.remote import SessionOptions
from reconcile.trees.spool import Spool

FARS: dict[str, "Far"] = {}
"""By name: what `loop://NAME` reaches."""


class Far:
    """A machine with one root."""

    def __init__(self, name: str, root: Path, cache: Path) -> None:
        self.root = os.fsencode(root)
        self.cache = str(cache)
        self.hash_names: tuple[HashName, ...] = ("blake3", "sha256")
        self.skew_ns = 0
        self.notes: tuple[Problem, ...] = ()
        self.root_identity = "1:2"
        self.complete = True
        self.rows: list[PageRow] = []
        """All that was ever told."""
        self.calls: list[str] = []
        self.fetched: list[int] = []
        self.trouble: Callable[[str], None] = lambda _: None
        self.twist: Callable[[PageRow], PageRow] = lambda row: row
        """What becomes of a page on its way."""
        self.url = f"loop://{name}"
        FARS[name] = self

    def lose_at(self, call: str, number: int = 1) -> None:
        """The connection is lost when `call` is made for the `number`-th time from now."""
        left = number

        def trouble(made: str) -> None:
            nonlocal left
            left -= made == call
            if made == call and left == 0:
                raise Unreachable("the connection was lost", where=self.url)

        self.trouble = trouble

    def heal(self) -> None:
        """No trouble any more."""
        self.trouble = lambda _: None

    def told(self) -> int:
        """How many pages were told since this was last asked."""
        count = len(self.rows)
        self.rows.clear()
        return count

    def forget(self) -> None:
        """Its cache is gone."""
        for name in os.listdir(self.cache):
            os.unlink(os.path.join(self.cache, name))


class LoopbackTree:
    """One session with a far side."""

    def __init__(self, far: Far) -> None:
        self._far = far
        self._tree = LocalTree(far.root, workers=0)
        self._index: FarIndex | None = None
        self.url = far.url
        self.hash_names = far.hash_names
        self.clock_lag_ns: int | None = None
        self.free_bytes: int | None = None
        self.skew_ns = far.skew_ns
        self.notes = far.notes
        self.root_identity = far.root_identity
        self.cursor = b""

    @property
    def abilities(self) -> Abilities:
        """See `Tree.abilities`."""
        return self._tree.abilities

    def connect(self) -> None:
        """See `RemoteTree.connect`."""
        self._call("connect")

    def keeping_troubles(self, *, only_looks: bool) -> Sequence[Problem]:
        del only_looks
        return ()

    def start_look(self, want: Looking) -> None:
        """See `RemoteTree.start_look`."""
        del want
        self._call("start_look")

    def look(
        self, want: Looking, index: object, sink: Sink, progress: Callable[[Tally], None]
    ) -> Seen:
        """See `RemoteTree.look`."""
        del index
        self._call("look")
        rows: Iterator[PageRow] | None
        seen, rows = self._kept(want, progress) if want.keep else self._unkept(want, progress)
        if rows is None:
            sink.forget((), (b"",))
            rows = self._hold().every()
        told = [self._far.twist(row) for row in rows or ()]
        self._far.rows += told
        sink.write(told)
        self.cursor = self._hold().cursor() if want.keep else b""
        return seen._replace(cursor=self.cursor, complete=self._far.complete)

    def _kept(
        self, want: Looking, progress: Callable[[Tally], None]
    ) -> tuple[Seen, Iterator[PageRow] | None]:
        index, settings = self._hold(), want.settings
        digest = blake3(encode((settings.header, want.spec, settings.links))).digest()
        known = index.known
        usable = known is not None and known.header == settings.header
        trusted = known is not None and known.digest == digest
        with contextlib.ExitStack() as transaction:

            def begin() -> Sink:
                transaction.enter_context(index.transaction())
                if not usable:
                    index.clear()
                return index.sink()

            sink = LazySink(begin)
            stats = index.stats() if usable and not settings.paranoid else None
            seen = observe(
                self._far.root, settings, stats, sink, progress, trusted=trusted, workers=0
            )
            if stats is not None:
                stats.close()
            was = known and (known.digest, known.identity, known.root)
            if sink.was_used or was != (digest, seen.identity, seen.root):
                sink.begin()
                index.settle(digest, settings.header, seen.identity, seen.root)
        return seen, index.newer(want.cursor)

    def _unkept(
        self, want: Looking, progress: Callable[[Tally], None]
    ) -> tuple[Seen, Iterator[PageRow]]:
        rows: list[PageRow] = []

        class Keep(Spool):
            def write(self, found: Sequence[PageRow]) -> None:
                rows.extend(found)

        keep = Keep()
        seen = observe(self._far.root, want.settings, None, keep, progress, trusted=False)
        keep.close()
        return seen, iter(rows)

    def fetch(self, steps: Sequence[Step]) -> None:
        """See `RemoteTree.fetch`."""
        self._far.fetched += [step.id for step in steps]

    def read(self, path: TreePath, entry: Entry, offset: int = 0) -> Iterator[bytes]:
        """See `Tree.read`."""
        self._call("read")
        yield from self._tree.read(path, entry, offset)

    def token(self, token_id: str) -> bytes | None:
        """See `Tree.token`."""
        return self._tree.token(token_id)

    def begin(self, options: RunOptions, leftovers: Sequence[TreePath]) -> Sequence[Problem]:
        """See `Tree.begin`."""
        self._call("begin")
        return self._tree.begin(options, leftovers)

    def stage(self, steps: Sequence[Step], supply: Supply) -> Sequence[Receipt]:
        """See `Tree.stage`."""
        self._call("stage")
        return self._tree.stage(steps, supply)

    def carry_out(self, steps: Sequence[Step]) -> Sequence[Receipt]:
        """See `Tree.carry_out`."""
        self._call("carry_out")
        receipts = self._tree.carry_out(steps)
        index = self._hold()
        before = index.cursor()
        index.note_writes(side_edits(steps, receipts, steps[0].side))
        self.cursor = index.cursor() if before and before == self.cursor else b""
        self._call("carried_out")
        return receipts

    def prune(self, places: Sequence[TreePath]) -> Sequence[Problem]:
        """See `Tree.prune`."""
        self._call("prune")
        return self._tree.prune(places)

    def end(self) -> None:
        """See `Tree.end`."""
        self._call("end")
        self._tree.end()

    def close(self) -> None:
        """See `Tree.close`."""
        self._tree.close()
        if self._index is not None:
            self._index.close()
            self._index = None

    def _hold(self) -> FarIndex:
        if self._index is None:
            self._index = FarIndex.open(self._far.cache)
        return self._index

    def _call(self, name: str) -> None:
        self._far.calls.append(name)
        self._far.trouble(name)


def open_loop(endpoint: str, options: SessionOptions) -> LoopbackTree:
    """The opener of `loop://`."""
    del options
    return LoopbackTree(FARS[endpoint.removeprefix("loop://")])


OPENERS["loop"] = open_loop
