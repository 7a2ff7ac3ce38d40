"""Claims: whether what an unknown run keeps in a root is a pair's to list and to restore."""

from collections.abc import Collection
from typing import NamedTuple

from reconcile.model.kept_by import KeptBy
from reconcile.model.plan import Side


class Claimant(NamedTuple):
    """A pair, and the side in whose root something unknown is kept."""

    pair: str
    side: Side
    left: str
    right: str
    others: Collection[str] = ()
    """Ids of the other pairs that this state directory knows."""
    shares_root: bool = False
    """One of them has this very root."""


def claims(claimant: Claimant, run: str, record: KeptBy | None) -> bool:
    """The run was one of this pair, as far as is known.

    1. A record that names this pair says so; one that names another known pair denies it.
    2. Else the pair had another name then: its state was lost, or a root has moved. It is
       this one when the side is the same and one of the two roots still is.
    3. Without a record (an older version, or one that says another run) it is this pair's
       when no other that is known has this root.
    """
    if record is None or record.run != run:
        return not claimant.shares_root
    if record.pair == claimant.pair:
        return True
    if record.pair in claimant.others or record.side is not claimant.side:
        return False
    return claimant.left == record.left or claimant.right == record.right
