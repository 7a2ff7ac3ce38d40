"""Difference: what three trees say of one path. Facts only; judgement is in `decide`."""

import msgspec

from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Side
from reconcile.model.treepath import TreePath


class Difference(msgspec.Struct, frozen=True, gc=False):
    """One name as base, left and right have it; `None` is absence.

    `path` is the name all three share: as the baseline spells it, else left,
    else right. The sides' own spellings differ from it only where names were
    paired by Unicode form or by case.
    """

    path: TreePath
    base: Entry | None
    left: Entry | None
    right: Entry | None
    left_at: TreePath
    """The name as left spells it, or would."""
    right_at: TreePath
    """The name as right spells it, or would."""

    def entry(self, side: Side) -> Entry | None:
        """What `side` has here."""
        return self.left if side is Side.LEFT else self.right

    def at(self, side: Side) -> TreePath:
        """How `side` spells the name."""
        return self.left_at if side is Side.LEFT else self.right_at

    @property
    def is_tree(self) -> bool:
        """Both sides hold a directory here: its children decide."""
        return is_directory(self.left) and is_directory(self.right)


def is_directory(entry: Entry | None) -> bool:
    """It is there and a directory."""
    return entry is not None and entry.kind == Kind.DIR
