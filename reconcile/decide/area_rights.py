"""Who may own a directory of the area of a root, and what it may let others do.

The rules of `trees/area.py`, for whoever sees owners and modes: the descriptor of a
local directory, or what a server says of one. Modes are permission bits.
"""

from typing import NamedTuple

PRIVATE = 0o700
RUN_SHARED = 0o2750
"""A run's own directory, where the root's group shares the root."""
_TOP_SHARED = (0o2770, 0o3770)
_WRITES = 0o022
_STICKY = 0o1000


class Rights(NamedTuple):
    """Whose a directory is, and what it lets whom do."""

    uid: int
    gid: int
    mode: int

    @property
    def is_shared(self) -> bool:
        """As a root: its group may write to it, and others may not."""
        return bool(self.mode & 0o020) and not self.mode & 0o002


def top_mode(depth: int, root: Rights) -> int:
    """Of `.reconcile` (depth 0), and of `versions` and `quarantine` in it (1)."""
    return _TOP_SHARED[depth] if root.is_shared else PRIVATE


def may_own(uid: int, root: Rights) -> bool:
    """Whoever owns the root's directory may own a directory that runs share, and in a
    root that its group shares any member; others only as far as they are we, or root."""
    return root.is_shared or uid == root.uid


def is_loose(found: Rights, root: Rights) -> bool:
    """More may write there than may move it in the root."""
    ours = root.is_shared and found.gid == root.gid
    loose = found.mode & _WRITES & ~(0o020 if ours else 0)
    if not root.mode & _STICKY:
        loose &= ~root.mode
    return bool(loose) and not found.mode & _STICKY


def stranger(uid: int) -> str:
    """Why a directory of this owner is not used."""
    return f"belongs to another account (uid {uid})"


LOOSE = "may be written to by other accounts"
NO_DIRECTORY = "is no directory"
CLOSED = "is closed to this account"
