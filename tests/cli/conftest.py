"""What the tests of the command line share."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconcile.cli.face import Face
from reconcile.cli.look import Look
from reconcile.cli.parse import parse

GOLDEN = Path(__file__).with_name("golden")


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def golden(utc: None) -> Callable[[str, str], None]:
    """Compare a text with its file under golden/; GOLDEN=1 writes the file instead."""

    def check(name: str, text: str) -> None:
        place = GOLDEN / f"{name}.txt"
        if os.environ.get("GOLDEN"):
            place.write_text(text, encoding="utf-8")
        assert place.read_text(encoding="utf-8") == text, f"after reading: GOLDEN=1, {name}"

    return check


def face_of(line: str, look: Look | None = None) -> Face:
    """The face of a command line, both streams looking as `look` says."""
    argv = line.split()
    parsed = parse(argv)
    assert parsed is not None, line
    face = Face(parsed, argv, {})
    face.out = face.err = look or Look()
    return face


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """For a child process: a state of its own, no terminal, no colour wishes."""
    return {
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "RECONCILE_STATE_DIR": str(tmp_path / "state"),
        "TZ": "UTC",
    }
