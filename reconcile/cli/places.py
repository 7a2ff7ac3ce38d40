"""Where things are: see `engine/places.py`, which the Python API shares."""

from reconcile.engine.places import (
    default_state_dir,
    endpoint,
    is_remote,
    local_endpoint,
    redacted,
    refuse_overlap,
    state_dir,
)

__all__ = [
    "default_state_dir",
    "endpoint",
    "is_remote",
    "local_endpoint",
    "redacted",
    "refuse_overlap",
    "state_dir",
]
