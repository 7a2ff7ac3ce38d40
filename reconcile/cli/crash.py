"""The file that is left behind by a bug, and only by a bug (exit 1)."""

import os
import sys
import tempfile
import time
import traceback

from reconcile import __version__
from reconcile.cli.face import Face
from reconcile.engine.places import redacted, state_dir
from reconcile.trees.placing import place


def write_crash_file(face: Face | None, error: Exception, argv: list[str]) -> str:
    """`crash-….txt` in the state directory, else where temporary files go; mode 0600.

    Holds versions, the command line without passwords, and the traceback: no
    content of any file. Empty when no place can be written.
    """
    name = time.strftime("crash-%Y%m%dT%H%M%SZ", time.gmtime()) + f"-{os.getpid()}.txt"
    text = "\n".join(
        (
            f"reconcile {__version__}, python {sys.version}",
            "argv: " + " ".join(ascii(redacted(word)) for word in argv),
            "".join(traceback.format_exception(error)),
        )
    )
    given = face.value("state_dir") if face is not None else ""
    for directory in (state_dir(given, os.environ), _temporary()):
        try:
            location = os.path.join(directory, name)
            place(location, [text.encode("utf-8", "backslashreplace")], mode=0o600, make=0o700)
        except (OSError, ValueError):
            continue
        return location
    return ""


def _temporary() -> str:
    """Where temporary files go; empty: nowhere."""
    try:
        return tempfile.gettempdir()
    except OSError:
        return ""
