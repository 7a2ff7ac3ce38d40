"""`reconcile version`: what runs here. Imports nothing heavy."""

import json
import sys

from reconcile import __version__
from reconcile.cli.face import Face


def run(face: Face) -> int:
    """One line, or one document."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    if face.is_json:
        document = {
            "format": "reconcile-version/1.0",
            "version": __version__,
            "python": python,
            "platform": sys.platform,
        }
        face.say(json.dumps(document, separators=(",", ":")))
    else:
        face.say(f"reconcile {__version__}")
        if face.verbose:
            face.say(f"python {python} ({sys.platform})")
    return 0
