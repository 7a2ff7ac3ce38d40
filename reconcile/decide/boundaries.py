"""Boundaries: whether a directory may be believed, after what is mounted on it has changed.

A mount that is missing shows the directory below it, which is empty or holds
something else; a mount that is new hides what was there. Neither is a deletion.
What is the same file system is believed whatever it holds.
"""

from collections.abc import Collection, Sequence

from reconcile.decide.guards import HELD_SHARE
from reconcile.model.boundary import Boundary

MOST_NAMES = 64
"""So many names of a directory are remembered."""


def remembered(names: Collection[bytes]) -> tuple[bytes, ...]:
    """Of a directory's names those to remember, sorted."""
    return tuple(sorted(names)[:MOST_NAMES])


def lost(known: Boundary | None, identity: str, names: Collection[bytes]) -> str:
    """Why a directory that is of this identity now, and holds `names`, is not observed; empty:
    it is. `known`: as it was when it was last believed; None: nothing is known of it."""
    if known is None or known.identity == identity or not known.names:
        return ""
    held = set(names)
    still = sum(name in held for name in known.names)
    if still >= HELD_SHARE * len(known.names):
        return ""
    gone = _shown(known.names)
    if not identity:
        return f"what was mounted here is not mounted now, and {gone}"
    if not known.identity:
        return f"something is mounted over this directory now, and {gone}"
    return f"another file system is mounted here now, and {gone}"


def _shown(names: Sequence[bytes]) -> str:
    some = ", ".join(f"`{name.decode('utf-8', 'backslashreplace')}`" for name in names[:3])
    more = ", …" if len(names) > 3 else ""
    return f"it holds no more what it held ({some}{more})"
