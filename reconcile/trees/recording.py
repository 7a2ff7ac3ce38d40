"""RecordingTree: another tree, and a record of the work it was asked to do.

For claims like "a second run reads no content and writes nothing".
"""

from collections.abc import Callable, Iterator, Sequence

from reconcile.model.entry import Entry
from reconcile.model.plan import Problem, Step
from reconcile.model.policy import Abilities
from reconcile.model.receipt import Receipt
from reconcile.model.treepath import TreePath
from reconcile.trees.base import Observation, RunOptions, Supply, Tally, Tree


class RecordingTree:
    """Passes everything on to `inner` and notes what it was."""

    def __init__(self, inner: Tree) -> None:
        self.inner = inner
        self.observed = 0
        self.read_bytes = 0
        self.staged: list[Step] = []
        """Steps that came to `stage`, those that need no content among them."""
        self.carried_out: list[Step] = []
        self.receipts: list[Receipt] = []
        """Of `stage` (failures) and `carry_out`, as they came."""
        self.begun: list[RunOptions] = []
        self.cleared: list[TreePath] = []
        """Leftovers that `begin` was given."""
        self.pruned: list[TreePath] = []
        self.ended = 0
        self.closed = 0

    @property
    def url(self) -> str:
        """See `Tree.url`."""
        return self.inner.url

    @property
    def abilities(self) -> Abilities:
        """See `Tree.abilities`."""
        return self.inner.abilities

    def observe(self, progress: Callable[[Tally], None]) -> Observation:
        """See `Tree.observe`."""
        self.observed += 1
        return self.inner.observe(progress)

    def read(self, path: TreePath, entry: Entry, offset: int = 0) -> Iterator[bytes]:
        """See `Tree.read`."""
        for block in self.inner.read(path, entry, offset):
            self.read_bytes += len(block)
            yield block

    def token(self, token_id: str) -> bytes | None:
        """See `Tree.token`."""
        return self.inner.token(token_id)

    def begin(self, options: RunOptions, leftovers: Sequence[TreePath]) -> Sequence[Problem]:
        """See `Tree.begin`."""
        self.begun.append(options)
        self.cleared.extend(leftovers)
        return self.inner.begin(options, leftovers)

    def stage(self, steps: Sequence[Step], supply: Supply) -> Sequence[Receipt]:
        """See `Tree.stage`."""
        self.staged.extend(steps)
        receipts = self.inner.stage(steps, supply)
        self.receipts.extend(receipts)
        return receipts

    def carry_out(self, steps: Sequence[Step]) -> Sequence[Receipt]:
        """See `Tree.carry_out`."""
        self.carried_out.extend(steps)
        receipts = self.inner.carry_out(steps)
        self.receipts.extend(receipts)
        return receipts

    def prune(self, places: Sequence[TreePath]) -> Sequence[Problem]:
        """See `Tree.prune`."""
        self.pruned.extend(places)
        return self.inner.prune(places)

    def end(self) -> None:
        """See `Tree.end`."""
        self.ended += 1
        self.inner.end()

    def close(self) -> None:
        """See `Tree.close`."""
        self.closed += 1
        self.inner.close()
