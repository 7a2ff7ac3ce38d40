"""Boundary: a directory below a root at which another file system begins, or did."""

import msgspec

from reconcile.model.treepath import TreePath


class Boundary(msgspec.Struct, frozen=True):
    """What a directory was, and held, when it was last observed."""

    path: TreePath
    identity: str
    """Of the file system that began there; empty: none did."""
    names: tuple[bytes, ...]
    """Some of the names that it held, sorted."""
