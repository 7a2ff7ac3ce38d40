"""What the tests of audits share: two sides, a state, and everything that could be written to."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

Snapshot = dict[str, tuple[object, ...]]


class Place:
    """Two sides that agreed once and have changed since, with a home and a state of their own."""

    def __init__(self, room: Path) -> None:
        self.room = room
        self.left, self.right, self.state = room / "left", room / "right", room / "state"
        self.home, self.temporary = room / "home", room / "tmp"
        for directory in (self.left, self.right, self.home, self.temporary):
            directory.mkdir()
        for number in range(20):
            (self.left / f"file-{number}").write_text(f"{number}\n" * 50)
        self.environment = {
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "RECONCILE_STATE_DIR": str(self.state),
            "TMPDIR": str(self.temporary),
            "TZ": "UTC",
        }

    def agree(self) -> None:
        """A first run, then changes on both sides, one of them a conflict."""
        assert self.run("apply", self.left, self.right, "--yes").returncode == 0
        (self.left / "new").write_text("new\n")
        (self.left / "file-1").write_text("changed at left\n")
        (self.right / "file-2").write_text("changed at right, longer\n")
        (self.right / "file-3").unlink()
        (self.left / "file-4").rename(self.left / "moved")
        (self.left / "both").write_text("left\n")
        (self.right / "both").write_text("right!\n")

    def run(
        self, *words: object, before: tuple[str, ...] = (), also: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """One command; `before` stands in front of it."""
        return subprocess.run(
            [*before, "reconcile", *map(str, words)],
            cwd=self.room, env={**self.environment, **(also or {})}, capture_output=True,
            text=True, check=False, stdin=subprocess.DEVNULL, timeout=120,
        )  # fmt: skip

    def snapshot(self, *also: Path) -> Snapshot:
        """Everything below the room and `also`: what it is, when it changed, what it holds.

        Of the directory of temporary files that nothing is left in it.
        """
        found: Snapshot = {}
        assert not list(self.temporary.iterdir())
        for top in (self.room, *also):
            for directory, below, files in os.walk(top):
                below[:] = [name for name in below if Path(directory, name) != self.temporary]
                for name in ("", *below, *files):
                    found[os.path.join(directory, name)] = _facts(Path(directory, name))
        return found


def _facts(place: Path) -> tuple[object, ...]:
    status = place.lstat()
    content = place.read_bytes() if place.is_file() else b""
    return (
        status.st_ino, status.st_mode, status.st_mtime_ns, status.st_ctime_ns, status.st_size,
        content,
    )  # fmt: skip
