"""The whole program over two directories, as somebody types it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

RECONCILE = Path(sys.executable).with_name("reconcile")


class Ran(NamedTuple):
    """What became of one command."""

    code: int
    text: str
    """Both streams."""


class Pair:
    """Two directories and a state of their own."""

    def __init__(self, place: Path, left: Path | None = None, right: Path | None = None) -> None:
        self.place = place
        self.left = left or place / "left"
        self.right = right or place / "right"
        for side in (self.left, self.right):
            side.mkdir(parents=True, exist_ok=True)

    def apply(self, *words: str, when: str = "") -> Ran:
        """`apply LEFT RIGHT --yes …`; `when`: by a clock that is wrong by so much."""
        sides = str(self.left), str(self.right)
        return self.run("apply", *sides, "--yes", "--progress", "none", *words, when=when)

    def run(self, *words: str, when: str = "") -> Ran:
        """Any command."""
        clock = ["faketime", "-f", when] if when else []
        environment = {
            "HOME": str(self.place),
            "LC_ALL": "C.UTF-8",
            "PATH": os.environ["PATH"],
            "RECONCILE_STATE_DIR": str(self.place / "state"),
            "TZ": "UTC",
        }
        done = subprocess.run(
            [*clock, RECONCILE, *words],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=120,
        )
        text = done.stdout + done.stderr
        assert "Traceback" not in text, text
        assert "E_INTERNAL" not in text, text
        return Ran(done.returncode, text)

    def plan(self, *words: str) -> dict[str, Any]:
        """What `diff --json` prints."""
        told = self.run("diff", str(self.left), str(self.right), "--json", *words)
        found: dict[str, Any] = json.loads(told.text)
        return found


def slowly(*values: str) -> list[Any]:
    """Parameters that are tried only by `just slow`: each costs seconds."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


def names(top: Path) -> dict[str, str]:
    """Path -> content of every file, `l:` and its target of every link, `d` of a directory;
    ours left out."""
    found: dict[str, str] = {}
    for above, directories, files in os.walk(top):
        directories[:] = [name for name in directories if name != ".reconcile"]
        for name in [*directories, *files]:
            place = Path(above, name)
            path = str(place.relative_to(top))
            if place.is_symlink():
                found[path] = f"l:{place.readlink()}"
            else:
                found[path] = "d" if place.is_dir() else place.read_bytes().decode()
    return found


def modes(top: Path) -> dict[str, int]:
    """Path -> permission bits of what is not a link."""
    paths = [p for p in top.rglob("*") if ".reconcile" not in p.parts and not p.is_symlink()]
    return {str(p.relative_to(top)): p.stat().st_mode & 0o7777 for p in paths}
