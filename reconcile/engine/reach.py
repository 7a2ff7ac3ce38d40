"""Reach: can a side be reached at all? Nothing is listed, and nothing is written."""

import os

from reconcile.engine.pairs import pair_id
from reconcile.engine.places import is_remote
from reconcile.model.errors import RootMissing


def reach(endpoint: str, other: str) -> None:
    """Come and go. `endpoint` is absolute or a URL, `other` the side opposite.

    Raises: RootMissing, Unreachable, Denied.
    """
    if is_remote(endpoint):
        from reconcile.trees.open import connected, remote_tree
        from reconcile.trees.remote import SessionOptions

        options = SessionOptions(pair_id(endpoint, other))
        connected(remote_tree(endpoint, options), endpoint, options).close()
    elif not os.path.exists(endpoint):
        raise RootMissing(
            f"there is no directory `{endpoint}`",
            hint="mount it, correct the path, or create it: `mkdir` it by hand",
        )
