"""Apply: carry a plan out, batch by batch, so that stopping anywhere loses nothing.

Per batch: directories that content needs, then content staged on both sides,
then every step in plan order, then the ledger. The ledger (and so the baseline)
hears of a step only when both what it wrote and its names are durable. Apply
never decides and never compares: a step that finds another world says so in its
receipt.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from reconcile.decide.basis import choose_bases
from reconcile.engine.batches import Batch, batches, brings_content, content_bytes
from reconcile.engine.events import Listener, Moved, StepEnded, StepStarted
from reconcile.engine.interrupts import Interrupts
from reconcile.engine.twins import Twins
from reconcile.model.errors import Interrupted, ReconcileError, Unreachable
from reconcile.model.plan import Plan, Side, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.trees.base import ChangeableTree, RunOptions
from reconcile.trees.pulse import BEAT_S, heard, went
from reconcile.trees.receipts import skipped
from reconcile.trees.rooted import Root
from reconcile.trees.temporary import unwanted

Merged = Callable[[bytes, int], Iterator[bytes]]
"""Content that waits in the state: (content id, offset) to blocks."""


class Ledger(Protocol):
    """Who keeps the run's journal and advances the baseline."""

    def begin(self, run: str, plan: Plan) -> None:
        """The plan is about to be carried out; durable on return."""

    def intend(self, steps: Sequence[Step]) -> None:
        """These steps are next."""

    def commit(self, steps: Sequence[Step], receipts: Sequence[Receipt]) -> None:
        """These steps are over; receipts match steps by position. Durable on return."""

    def finish(self, status: str) -> None:
        """The run is over: `done`, `partial`, `interrupted` or `failed`."""


def no_merged_content(content_id: bytes, offset: int) -> Iterator[bytes]:
    """For runs whose plans hold no merged content."""
    raise FileNotFoundError(f"merged content {content_id.hex()} at {offset} is not in the state")


def _beating(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same blocks; each is told as it comes by (a range of the basis is no block)."""
    for block in blocks:
        yield block
        went(len(block) if isinstance(block, bytes) else 0)


class Routed:
    """A `Supply` that reads each step's source from the tree that has it."""

    def __init__(
        self,
        left: ChangeableTree,
        right: ChangeableTree,
        merged: Merged = no_merged_content,
        steps: Sequence[Step] = (),
    ) -> None:
        """`steps`: the plan's; among what they take away is what new files may be made of."""
        self._trees = {Side.LEFT: left, Side.RIGHT: right}
        self._merged = merged
        self._steps = steps
        self._bases: dict[Side, Mapping[int, TreePath]] = {}

    def read(self, step: Step, offset: int) -> Iterator[bytes]:
        """See `Supply.read`."""
        source = step.source
        assert source is not None
        if source.side is None:
            return self._merged(source.entry.id, offset)
        return _beating(self._trees[source.side].read(source.path, source.entry, offset))

    def whole(self, step: Step) -> bytes | None:
        """All of a small file that has arrived from afar, unverified; None: only `read` will do."""
        find = getattr(self._source_tree(step), "whole", None)
        content: bytes | None = find(step) if find is not None else None
        return content

    def rebuild(self, step: Step, offset: int, basis_fd: int) -> Iterator[bytes]:
        """As `read`; what `basis_fd` holds already need not come from afar."""
        rebuild = getattr(self._source_tree(step), "rebuild", None)
        if rebuild is None:
            return self.read(step, offset)
        blocks: Iterator[bytes] = rebuild(step, offset, basis_fd)
        return _beating(blocks)

    def basis(self, step: Step) -> TreePath | None:
        """A file of the receiving side that the step's content is probably like."""
        if step.side not in self._bases:
            self._bases[step.side] = choose_bases(self._steps, step.side)
        return self._bases[step.side].get(step.id)

    def prefix_is(self, step: Step, length: int, digest: bytes) -> bool:
        """The first `length` bytes of the source have this content id, as far as is known."""
        ask = getattr(self._source_tree(step), "prefix_is", None)
        return ask is None or bool(ask(step, length, digest))

    def announce(self, steps: Sequence[Step]) -> None:
        """These steps will be staged now: the trees that hold their content may send it ahead."""
        coming: dict[Side, list[Step]] = {}
        for step in steps:
            source = step.source
            if brings_content(step) and source is not None and source.side is step.side.other:
                coming.setdefault(source.side, []).append(step)
        for side, wanted in coming.items():
            fetch = getattr(self._trees[side], "fetch", None)
            if fetch is not None:
                fetch(wanted)

    def _source_tree(self, step: Step) -> ChangeableTree | None:
        source = step.source
        return None if source is None or source.side is None else self._trees[source.side]

    def origin(self, step: Step) -> Root | None:
        """The local root behind the source, so that files are copied by the kernel."""
        root = getattr(self._source_tree(step), "root", None)
        return root if isinstance(root, Root) else None


def leftovers_to_clear(plan: Plan, side: Side, leftovers: Sequence[TreePath]) -> Sequence[TreePath]:
    """What `Tree.begin` shall put away: leftovers that no step of the plan can go on with."""
    return unwanted(leftovers, (step for step in plan.steps if step.side is side))


def apply(
    plan: Plan,
    left: ChangeableTree,
    right: ChangeableTree,
    ledger: Ledger,
    listener: Listener,
    options: RunOptions,
    merged: Merged = no_merged_content,
    twins: Twins | None = None,
) -> list[Receipt]:
    """Carry out every step of `plan`; one receipt each, in plan order.

    `twins`: where content would travel that a side has, it is copied there.
    Both trees have been begun with `options`; the caller ends them. A failure
    of one step is its receipt; steps that need it are SKIPPED.
    Raises: Interrupted on SIGINT and SIGTERM, between two batches or while
    content is staged; Unreachable, when a side is lost; whatever the ledger or
    the listener raises. All that was committed by then stays committed, and the
    next run goes on.
    """
    ledger.begin(options.run, plan)
    run = _Run(plan, left, right, ledger, listener, merged, twins)
    status = "failed"
    try:
        with Interrupts() as interrupts, heard(run.went):
            run.carry_out(batches(plan.steps), interrupts)
        status = "done" if all(r.status is Status.DONE for r in run.receipts) else "partial"
    except ReconcileError as error:
        if isinstance(error, Interrupted | Unreachable):
            status = "interrupted"
        if not isinstance(error, Interrupted):
            run.tell_changed(error)
        raise
    finally:
        try:
            ledger.finish(status)
        except ReconcileError as error:
            run.tell_changed(error)
            raise
    return run.receipts


class _Over(NamedTuple):
    """A batch's steps, and the receipts of those that are over."""

    steps: Sequence[Step]
    ended: dict[int, Receipt]


class _Run:
    """What has happened so far."""

    def __init__(
        self,
        plan: Plan,
        left: ChangeableTree,
        right: ChangeableTree,
        ledger: Ledger,
        listener: Listener,
        merged: Merged,
        twins: Twins | None,
    ) -> None:
        self._trees = {Side.LEFT: left, Side.RIGHT: right}
        self._twins = twins
        self._supply = Routed(left, right, merged, plan.steps)
        self._ledger = ledger
        self._listener = listener
        self._total = len(plan.steps)
        self._total_bytes = sum(map(content_bytes, plan.steps))
        self._done_bytes = 0
        self._flying_bytes = 0
        """Gone over, of files that are not over yet."""
        self._told_bytes = 0
        self._told_s = time.monotonic()
        self._undone: set[int] = set()
        self._over: list[_Over] = []
        """Batches, and what of them is over and not yet committed."""
        self.receipts: list[Receipt] = []

    def carry_out(self, every: Iterable[Batch], interrupts: Interrupts) -> None:
        """All batches, committed on return, however it ends.

        A batch is committed when the next one's content is on its way: a far
        side works while the ledger does.
        """
        try:
            for batch in every:
                interrupts.check()
                self._carry_out(batch, interrupts)
        finally:
            with interrupts.held():
                self._commit()

    def _carry_out(self, batch: Batch, interrupts: Interrupts) -> None:
        ended = self._needless(batch.steps)
        for step in batch.steps:
            self._listener(StepStarted(step))
        before, self._over = self._over, [*self._over, _Over(batch.steps, ended)]
        with interrupts.held():
            self._ledger.intend(batch.steps)
            self._each_side(batch.first, ended, self._act)
        self._each_side(batch.steps, ended, self._stage)
        with interrupts.held():
            self._over = before
            self._commit()
            self._over = [_Over(batch.steps, ended)]
        with interrupts.held():
            self._skip_dependents(batch.steps, ended)
            self._each_side(batch.steps, ended, self._act)
            self._undone.update(n for n, r in ended.items() if r.status is not Status.DONE)
        assert all(step.id in ended for step in batch.steps), "one receipt each"

    def tell_changed(self, error: ReconcileError) -> None:
        """What the run had come to by then.

        A step whose outcome nobody heard has no receipt: the next run looks.
        """
        done = sum(1 for receipt in self.receipts if receipt.status is Status.DONE)
        again = "run the same command again: it goes on from there"
        error.changed = (
            f"{done:,} of {self._total:,} steps are done and recorded; the others are done or "
            "not, each as a whole"
        )
        error.hint = f"{error.hint}; then {again}" if error.hint else again

    def _commit(self) -> None:
        """Record the steps that are over, each once, whatever the listener raises."""
        while self._over:
            steps, ended = self._over[0]
            over = [step for step in steps if step.id in ended]
            receipts = [ended[step.id] for step in over]
            if over:
                self._ledger.commit(over, receipts)
            self._over = self._over[1:]
            self._tell(over, receipts)

    def _needless(self, steps: Sequence[Step]) -> dict[int, Receipt]:
        """Receipts of the steps that need one which was not done in an earlier batch."""
        ended: dict[int, Receipt] = {}
        if self._undone:
            self._skip(steps, self._undone, ended)
        return ended

    def _skip_dependents(self, steps: Sequence[Step], ended: dict[int, Receipt]) -> None:
        """What needs a step whose content could not be staged is not tried either."""
        undone = {n for n, receipt in ended.items() if receipt.status is not Status.DONE}
        if undone:
            self._skip(steps, undone, ended)

    def _skip(self, steps: Sequence[Step], undone: set[int], ended: dict[int, Receipt]) -> None:
        for step in steps:
            need = next((n for n in step.needs if n in undone), 0)
            if need and step.id not in ended:
                ended[step.id] = skipped(step, need)
                undone.add(step.id)

    def _each_side(
        self,
        steps: Sequence[Step],
        ended: dict[int, Receipt],
        act: Callable[[Side, Sequence[Step]], Sequence[Receipt]],
    ) -> None:
        for side in Side:
            left_to_do = [s for s in steps if s.side is side and s.id not in ended]
            if left_to_do:
                ended.update((receipt.step, receipt) for receipt in act(side, left_to_do))

    def _stage(self, side: Side, steps: Sequence[Step]) -> Sequence[Receipt]:
        copied = [step if self._twins is None else self._twins.resourced(step) for step in steps]
        receipts = self._stage_as(side, copied)
        hinted = {step.id: step for step, copy in zip(steps, copied, strict=True) if copy != step}
        again = [hinted[receipt.step] for receipt in receipts if receipt.step in hinted]
        if not again:
            return receipts
        others = [receipt for receipt in receipts if receipt.step not in hinted]
        return [*others, *self._stage_as(side, again)]

    def _stage_as(self, side: Side, steps: Sequence[Step]) -> Sequence[Receipt]:
        self._supply.announce(steps)
        return self._trees[side].stage(steps, self._supply)

    def _act(self, side: Side, steps: Sequence[Step]) -> Sequence[Receipt]:
        return self._trees[side].carry_out(steps)

    def _tell(self, steps: Sequence[Step], receipts: Sequence[Receipt]) -> None:
        for step, receipt in zip(steps, receipts, strict=True):
            self._done_bytes += content_bytes(step)
            self.receipts.append(receipt)
            self._listener(StepEnded(step, receipt))
        over = sum(map(content_bytes, steps))
        self._flying_bytes = max(0, self._flying_bytes - over)
        self._tell_moved(self._done_bytes)

    def went(self, count: int) -> None:
        """Content is on its way: told now and then (`pulse.Hear`)."""
        self._flying_bytes += count
        now_s = time.monotonic()
        if now_s - self._told_s >= BEAT_S:
            self._tell_moved(min(self._done_bytes + self._flying_bytes, self._total_bytes))

    def _tell_moved(self, count: int) -> None:
        """Never fewer than before."""
        self._told_s = time.monotonic()
        self._told_bytes = max(self._told_bytes, count)
        moved = Moved(len(self.receipts), self._total, self._told_bytes, self._total_bytes)
        self._listener(moved)
