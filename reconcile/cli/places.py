"""Where the state of a command line is."""

from reconcile.cli.face import Face
from reconcile.engine.places import state_dir


def state_dir_of(face: Face) -> str:
    """--state-dir > RECONCILE_STATE_DIR > the default; absolute."""
    return state_dir(face.value("state_dir"), face.env)
