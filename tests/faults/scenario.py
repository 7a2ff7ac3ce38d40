"""One pair of trees with every kind of step between them, to be broken in every way.

The left side is the truth; `run` plans what makes right equal to it and applies
that, as a whole run does: look, put leftovers away, stage, carry out, commit.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from reconcile.engine.apply import apply, leftovers_to_clear
from reconcile.engine.events import silent
from reconcile.model.entry import same_content
from reconcile.model.job import Durability
from reconcile.model.manifest import DEFAULT_HEADER
from reconcile.model.plan import MadeFrom, Plan, Side, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.trees.base import RunOptions, Tree
from reconcile.trees.local import LocalTree
from reconcile.trees.syscalls import System
from tests.trees.looking import all_contents, entry_at, fill, mirror, snapshot

LEFT: dict[str, bytes | str | None] = {
    "new": b"new content",
    "deep/er/new": b"another new content",
    "empty": b"",
    "changed": b"the newer content",
    "deep/changed": b"a newer content below",
    "link": "new target",
    "was-file": None,
    "was-file/in": b"in a directory now",
    "was-dir": b"a file now",
    "was-link": b"no link any more",
    "same": b"the same on both sides",
}
RIGHT: dict[str, bytes | str | None] = {
    "changed": b"the older content",
    "deep/changed": b"an older content below",
    "link": "old target",
    "was-file": b"superseded by a directory",
    "was-dir": None,
    "was-link": "somewhere",
    "gone": b"deleted on the left",
    "gone-dir/a/b": b"deleted with its directory",
    "same": b"the same on both sides",
}


class Committed:
    """A ledger that remembers what it was told."""

    def __init__(self) -> None:
        self.done: dict[int, Receipt] = {}
        self.status = ""

    def begin(self, run: str, plan: Plan) -> None:
        """Nothing to note."""

    def intend(self, steps: Sequence[Step]) -> None:
        """Nothing to note."""

    def commit(self, steps: Sequence[Step], receipts: Sequence[Receipt]) -> None:
        """These are over."""
        self.done.update((receipt.step, receipt) for receipt in receipts)

    def finish(self, status: str) -> None:
        """The run is over."""
        self.status = status


def plan_of(steps: Sequence[Step]) -> Plan:
    """A plan of just these steps."""
    made_from = MadeFrom("pair", "left", "right", 0, b"", b"", b"", DEFAULT_HEADER)
    return Plan(made_from, tuple(steps))


class Scenario:
    """The two trees on disk, and what was in them at the start."""

    def __init__(self, place: Path, left: dict[str, bytes | str | None] = LEFT) -> None:
        self._place = os.fsencode(place)
        self._template = self._place + b"/template"
        for side, things in ((b"/left", left), (b"/right", RIGHT)):
            os.makedirs(self._template + side)
            fill(self._template + side, things)
        os.chmod(self._template + b"/right/gone", 0o640)
        self.template_right = self._template + b"/right"
        self.left = self._place + b"/now/left"
        self.right = self._place + b"/now/right"
        self.runs = 0
        self.reset()
        self.contents = all_contents(self.left, self.right)

    def reset(self) -> None:
        """Both trees as they were at the start."""
        shutil.rmtree(self._place + b"/now", ignore_errors=True)
        shutil.copytree(self._template, self._place + b"/now", symlinks=True)

    def steps(self) -> list[Step]:
        """What makes right equal to left, as of now."""
        return mirror(self.left, self.right)

    def run(
        self,
        system: System | None = None,
        steps: list[Step] | None = None,
        durability: Durability = Durability.BATCH,
        *,
        versions: bool = True,
    ) -> list[Receipt]:
        """One run from its observation to its end; `steps` may have been planned earlier."""
        self.runs += 1
        plan = plan_of(self.steps() if steps is None else steps)
        options = RunOptions(f"r-{self.runs}", durability, versions)
        right = LocalTree(self.right, system=system or System())
        left = self.open_left()
        self.ledger = Committed()
        try:
            right.begin(options, leftovers_to_clear(plan, Side.RIGHT, self.leftovers()))
            left.begin(options, ())
            return apply(plan, left, right, self.ledger, silent, options)
        finally:
            left.close()
            right.close()

    def open_left(self) -> Tree:
        """The side that everything comes from."""
        return LocalTree(self.left)

    def leftovers(self) -> list[TreePath]:
        """Temporary names on the right side."""
        area = os.path.join(self.right, b".reconcile")
        return [
            TreePath(os.path.relpath(os.path.join(top, name), self.right))
            for top, directories, files in os.walk(self.right)
            for name in [*directories, *files]
            if name.startswith(b".rcn-") and not top.startswith(area)
        ]

    def lost(self) -> set[bytes]:
        """Contents of the start that are nowhere any more."""
        return self.contents - all_contents(self.left, self.right)

    def torn(self) -> dict[bytes, bytes]:
        """Final names on the right that hold something no version ever was."""
        return {
            path: thing
            for path, thing in snapshot(self.right).items()
            if thing.startswith(b"f:") and thing[2:] not in self.contents and b".rcn-" not in path
        }

    def lies(self, steps: Sequence[Step], receipts: Sequence[Receipt]) -> list[Receipt]:
        """Receipts that say DONE of something that is not so.

        A path with a later step that was not done may hold what that one wanted.
        """
        last = {step.at: step.id for step in steps}
        return [
            receipt
            for step, receipt in zip(steps, receipts, strict=True)
            if receipt.status is Status.DONE
            and last[step.at] == step.id
            and not same_content(entry_at(self.right, step.at), step.want)
        ]

    def settle(self) -> None:
        """An ordinary run after the trouble: everything done, sides equal, nothing left over."""
        receipts = self.run()
        not_done = [r for r in receipts if r.status is not Status.DONE]
        assert not not_done, not_done
        assert snapshot(self.right) == snapshot(self.left)
        assert self.leftovers() == []
        assert self.run() == []
