"""Judge: the walk down three trees, and the rules R1-R4 that hold in every mode.

First match wins; only two directories lead further down. What is left over goes
to `decide/table.py`: one side's change, or a conflict. docs/semantics.md §2.
"""

from reconcile.decide import reasons
from reconcile.decide.carry import Carrier
from reconcile.decide.draft import Draft, Drafts
from reconcile.decide.respelling import Respellings
from reconcile.decide.scene import Scene
from reconcile.decide.table import Table
from reconcile.model.difference import Difference, is_directory
from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Action, Agreement, Problem, Side


class Judge:
    """Walks the differences and writes drafts."""

    def __init__(self, scene: Scene, carrier: Carrier, table: Table, drafts: Drafts) -> None:
        self._scene = scene
        self._carrier = carrier
        self._table = table
        self._drafts = drafts
        self._respellings = Respellings(scene, carrier)

    def root(self, found: Difference) -> None:
        """The two roots, which are never replaced, moved or changed in mode themselves."""
        if found.base is not None and self._is_nothing(found):
            return
        if self._carrier.unknown(found):
            return
        for side in Side:
            if not is_directory(found.entry(side)):
                text = f"{side} has no tree; nothing was compared"
                self._drafts.problem(Problem(found.path, side, reasons.NO_TREE, text))
                return
        if self._scene.same(found.left, found.right):
            self._settle(found)
        else:
            self._children(found)

    def _is_nothing(self, found: Difference) -> bool:
        same = self._scene.same
        return same(found.left, found.right) and same(found.base, found.left)

    def _children(self, above: Difference) -> None:
        left = self._scene.clashes(above, Side.LEFT)
        right = self._scene.clashes(above, Side.RIGHT)
        for child in self._scene.children(above):
            if left and self._carrier.clash(child, Side.LEFT, left):
                continue
            if right and self._carrier.clash(child, Side.RIGHT, right):
                continue
            if any(self._carrier.taken(child, side) for side in Side):
                continue
            self._judge(child)

    def _judge(self, found: Difference) -> None:
        """R1 to R4, which hold in every mode; then the mode's own."""
        if _is_ignored(found.left) or _is_ignored(found.right):
            self._drafts.undecided.append(found)
            return
        if self._carrier.unknown(found):
            return
        if self._scene.same(found.left, found.right):
            self._settle(found)
        elif found.is_tree:
            self._table.directory(found)
            self._children(found)
        elif self._is_implied(found):
            self._imply(found)
            self._children(found)
        elif self._scene.is_invisible(found):
            if found.base is not None:
                self._forget(found)
        else:
            self._table.decide(found)

    def _settle(self, found: Difference) -> None:
        """R4: both have the same; the baseline takes it, except over what is frozen."""
        if self._respellings.settle(found):
            return
        if self._scene.same(found.base, found.left) and not self._respellings.is_news(found):
            return
        if is_directory(found.base) and found.is_tree and self._scene.has_frozen(found):
            self._children(found)
            return
        entry = found.left and self._respellings.booked(found.left, found)
        self._drafts.agreements.append(Agreement(found.path, entry))

    def _is_implied(self, found: Difference) -> bool:
        """A directory on one side, nothing on the other, and a side that only implies them."""
        only = found.left or found.right
        return (
            self._scene.is_dirless
            and is_directory(only)
            and (found.left is None or found.right is None)
        )

    def _imply(self, found: Difference) -> None:
        """Nothing is done about the directory itself; it is made when something comes into it."""
        for side in Side:
            entry = found.entry(side.other)
            if entry is not None and self._scene.abilities(side).directories:
                self._drafts.implied[side, found.at(side)] = Draft(
                    side,
                    Action.MKDIR,
                    found.path,
                    found.at(side),
                    None,
                    self._carrier.bare(entry, found.path),
                    reason=reasons.FIRST_NEEDED,
                )

    def _forget(self, found: Difference) -> bool:
        """Both are without it, but for what filters hide; that stays frozen. Is nothing of it left?

        Here one side has nothing, and the other at most directories of excluded things.
        """
        entry = found.left or found.right
        if _is_ignored(entry):
            return False
        is_gone = True
        if is_directory(found.base) and is_directory(entry):
            mark = len(self._drafts.agreements)
            for child in self._scene.children(found):
                if child.base is not None and not self._forget(child):
                    is_gone = False
            if is_gone:
                del self._drafts.agreements[mark:]
        if is_gone:
            self._drafts.agreements.append(Agreement(found.path, None))
        return is_gone


def _is_ignored(entry: Entry | None) -> bool:
    return entry is not None and entry.kind == Kind.IGNORED
