"""Outcome: what became of steps between their staging and the index.

The near side sends a batch's steps to be done without waiting for how their
staging went: what was not staged is not tried here, nor what needs it. What was
done goes into the index later, when the near side is no longer waiting for it.
"""

from collections.abc import Callable, Sequence

from reconcile.agent.index import IndexHolder
from reconcile.decide.advance import side_edits
from reconcile.model.errors import StateError
from reconcile.model.plan import Side, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.store.database import NOT_DAMAGE
from reconcile.store.far_index import FarIndex
from reconcile.trees.receipts import skipped

_NOTED_FROM = 8192


class Outcome:
    """One run's, on one side."""

    def __init__(self, index: IndexHolder) -> None:
        self._index = index
        self._unstaged: dict[int, Receipt] = {}
        self._steps: list[Step] = []
        self._receipts: list[Receipt] = []
        self.before = index.held.cursor() if index.held is not None else b""
        """Where the index stood when the run began."""

    def staged(self, failures: Sequence[Receipt]) -> None:
        """How the staging of the latest batch went."""
        self._unstaged = {receipt.step: receipt for receipt in failures}

    def carried_out(
        self, steps: Sequence[Step], act: Callable[[Sequence[Step]], Sequence[Receipt]]
    ) -> list[Receipt]:
        """A receipt for each step: of its staging, of what it needs, or of `act`."""
        ended: dict[int, Receipt] = {}
        for step in steps:
            need = next((need for need in step.needs if need in ended), 0)
            if step.id in self._unstaged:
                ended[step.id] = self._unstaged[step.id]
            elif need:
                ended[step.id] = skipped(step, need)
        rest = [step for step in steps if step.id not in ended] if ended else steps
        ended.update((receipt.step, receipt) for receipt in act(rest))
        receipts = [ended[step.id] for step in steps]
        self._steps.extend(steps)
        self._receipts.extend(receipts)
        return receipts

    def note(self, *, all_of_it: bool = False) -> bytes:
        """Put what was done into the index, once it is worth it; where the index stands then."""
        held = self._index.held
        if self._steps and (all_of_it or len(self._steps) >= _NOTED_FROM):
            if held is not None and any(r.status is Status.DONE for r in self._receipts):
                held = self._noted(held)
            self._steps, self._receipts = [], []
        return held.cursor() if held is not None else b""

    def _noted(self, held: FarIndex) -> FarIndex | None:
        """None: it was damaged; the next look makes a new one. One that takes nothing now stays
        as it was: the next look finds what was done by itself."""
        try:
            held.note_writes(side_edits(self._steps, self._receipts, Side.RIGHT))
        except StateError:
            self._index.throw_away()
            return None
        except NOT_DAMAGE:
            return held
        return held
