"""The interpreters a bundle is tried with: this one, and whatever others PATH offers."""

import functools
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = tuple(f"python3.{minor}" for minor in range(8, 15))
SHELL = shutil.which("sh") or "/bin/sh"
_IS_FIT = "import sys, sqlite3; sys.exit(sys.version_info < (3, 8))"


@functools.cache
def pythons() -> dict[str, str]:
    """Name -> executable; `this` first. None but `this` is needed."""
    found = {"this": sys.executable}
    for name in NAMES:
        place = shutil.which(name)
        if place and not _fails(place) and name != f"python3.{sys.version_info.minor}":
            found[name] = place
    return found


def _fails(place: str) -> bool:
    command = [place, "-I", "-S", "-c", _IS_FIT]
    return subprocess.run(command, capture_output=True, check=False).returncode != 0


def bare(executable: str) -> list[str]:
    """How it is started over there: nothing of its environment, no site, no packages."""
    return [executable, "-I", "-S", "-X", "utf8"]


def path_with(folder: Path, **programs: str) -> str:
    """A PATH that holds just these programs and `sh`: scripts that run it by its place."""
    folder.mkdir()
    for name, place in {"sh": SHELL, **programs}.items():
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec "{place}" "$@"\n')
        script.chmod(0o755)
    return str(folder)
