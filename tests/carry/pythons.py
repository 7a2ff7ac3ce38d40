"""The interpreters a bundle is tried with: this one, and whatever others there are.

On PATH, and where managers of interpreters keep theirs below a home.
"""

import functools
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = tuple(f"python3.{minor}" for minor in range(8, 15))
SHELL = shutil.which("sh") or "/bin/sh"
_IS_FIT = "import sys, sqlite3; sys.exit(sys.version_info < (3, 8))"
_KEPT = (
    ".*/versions/3.{minor}.*/bin/python3",
    ".local/share/*/python/*3.{minor}.*/bin/python3",
)


@functools.cache
def pythons() -> dict[str, str]:
    """Name -> executable; `this` first. None but `this` is needed."""
    found = {"this": sys.executable}
    for name in NAMES:
        if name == f"python3.{sys.version_info.minor}":
            continue
        place = next((place for place in _places(name) if not _fails(place)), None)
        if place:
            found[name] = place
    return found


def _places(name: str) -> Iterator[str]:
    place = shutil.which(name)
    if place:
        yield place
    for pattern in _KEPT:
        yield from map(str, sorted(Path.home().glob(pattern.format(minor=name[8:]))))


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
