"""What a bundle is, and where the sources it is made of lie.

Light to import: every connection needs this much, and only the first one makes
a bundle.
"""

import os
from typing import Any, NamedTuple

import reconcile

PACKAGE = "reconcile"
SHIMS = "trees/carry/stdlib"
"""The stand-ins; below them everything runs on 3.8 as it is."""
FAR = "far_"
"""In front of the names of those that over there go by the name of what they stand in for."""
CODEC = "msgpack"
"""The package whose own sources go over too."""
LOADER = "loader.py"
"""The one of them that goes over on the command line."""


class Bundle(NamedTuple):
    """The file and its name."""

    data: bytes
    sha256: str


def folder() -> str:
    """The installed package's own directory (inside a zip file: a path that does not exist)."""
    return os.path.dirname(reconcile.__file__)


def source(path: str) -> bytes:
    """A file of the installed package. Raises: OSError."""
    loader: Any = reconcile.__spec__.loader  # Any: `get_data` is PEP 302's, and optional
    data: bytes = loader.get_data(os.path.join(folder(), path))
    return data
