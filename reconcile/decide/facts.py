"""Facts: what the guards (`decide/guards.py`) have to know beside the plan."""

import msgspec

from reconcile.decide.identity import Kinship, kinship
from reconcile.decide.older import Return
from reconcile.decide.token import Bearing
from reconcile.model.entry import Kind
from reconcile.model.treepath import TreePath


class SideFacts(msgspec.Struct, frozen=True):
    """One side as it was observed for this plan."""

    root_kind: Kind | None
    """What the root is; None: there is nothing."""
    identity: str
    """The root's own, as observed."""
    known_identity: str
    """The same when the baseline was made; empty: not known."""
    entries: int
    """Visible entries of every kind below the root."""
    files: int
    """Of these, files and links."""
    complete: bool = True
    """The listing came to its end."""
    excluded: bool = False
    """A filter hides something at its top."""
    missing: tuple[TreePath, ...] = ()
    """Those of `limits.require` that are not there, whether a filter shows them or not."""
    hidden: tuple[TreePath, ...] = ()
    """Those of them that filters hide where nobody can look for them."""
    held: float = 0.0
    """The share of the baseline's files and links that it holds unchanged (`decide/evidence.py`);
    asked only where neither token nor identity show the root of the last run."""
    returned: Return | None = None
    """All that changed here is what it was before the last runs (`decide/older.py`)."""
    suspects: int = 0
    """Files of the baseline that look changed by time, size or token alone."""
    token: Bearing = Bearing.UNASKED
    """What the pair's token in the root says (`decide/token.py`)."""

    @property
    def kinship(self) -> Kinship:
        """How the root is related to that of the last run: by its token, where it bears that
        one; else by its identity, which proves nothing of a root that lacks it."""
        if self.token is Bearing.OURS:
            return Kinship.SAME
        known = kinship(self.known_identity, self.identity)
        is_unproved = self.token is not Bearing.UNASKED and known is Kinship.SAME
        return Kinship.UNSURE if is_unproved else known


class GuardFacts(msgspec.Struct, frozen=True):
    """What the guards have to know beside the plan."""

    left: SideFacts
    right: SideFacts
    base_entries: int = 0
    """Entries of every kind in the baseline; 0: it is empty, or this is a first run."""
    base_files: int = 0
    """Of these, files and links."""
    accept_new_root: bool = False
    accept_older: bool = False
