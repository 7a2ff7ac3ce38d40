"""What the programs we start are told: no password for a server, in no word and no variable."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile import ReconcileError
from reconcile.cli.editing import edited, paged
from reconcile.engine.merging import Texts, merge_texts
from reconcile.engine.trusting import look_at
from reconcile.trees.ssh.place import SshPlace, parse_place
from reconcile.trees.ssh.program import open_program

SECRET = "not-for-children"


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory where every program of PATH writes down what it is told, into `said`."""
    for name in ("git", "vi", "less", "ssh", "ssh-keyscan", "ssh-keygen"):
        file = tmp_path / name
        said = tmp_path / "said"
        file.write_text(f'#!/bin/sh\n/usr/bin/env > {said}\necho "$@" >> {said}\n')
        file.chmod(0o755)
    for name in ("RECONCILE_SSH_PASSWORD", "RECONCILE_SSH_PASSWORD_FILE"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("RECONCILE_SSH", str(tmp_path / "ssh"))
    for name in ("PAGER", "VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    with open(os.devnull) as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        yield tmp_path


def _place() -> SshPlace:
    place = parse_place("ssh://127.0.0.1/srv")
    assert place is not None
    return place


def _connect() -> None:
    program = open_program(_place(), ["agent"])
    program.failure(b"")


CHILDREN = {
    "git": lambda: merge_texts(Texts(b"a\n", b"b\n", b"c\n")),
    "editor": lambda: edited(b"text", b"f.txt", os.environ),
    "pager": lambda: paged(["line"], os.environ),
    "ssh": _connect,
    "ssh that is asked for its settings": lambda: look_at(_place(), os.environ),
}


@pytest.mark.parametrize("start", CHILDREN.values(), ids=CHILDREN)
def test_a_program_that_is_not_ours_is_told_no_password(told: Path, start: object) -> None:
    assert callable(start)
    with contextlib.suppress(ReconcileError):  # it answers nothing; what it was told counts
        start()
    said = (told / "said").read_text()
    assert f"PATH={told}" in said
    assert SECRET not in said
