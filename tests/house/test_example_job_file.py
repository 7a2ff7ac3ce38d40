"""The example of a job file does what its README says, command by command."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.checkout import ROOT

README = (ROOT / "examples/job-file/README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\| `reconcile ([^`]+)`", README, re.MULTILINE)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the example; its job file belongs to us alone."""
    where = tmp_path / "copy"
    shutil.copytree(ROOT / "examples/job-file", where)
    (where / "reconcile.toml").chmod(0o644)
    return where


def says(copy: Path, line: str, code: int = 0) -> str:
    answer = subprocess.run(
        [Path(sys.executable).with_name("reconcile"), *line.split()],
        cwd=copy,
        env={"PATH": os.environ["PATH"], "HOME": str(copy), "LC_ALL": "C.UTF-8"}
        | {"RECONCILE_STATE_DIR": str(copy.parent / "state")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == code, answer.stdout + answer.stderr
    assert answer.stderr == ""
    return answer.stdout


def test_its_commands_do_what_it_says(copy: Path) -> None:
    assert COMMANDS == ["config check", "diff photos", "apply photos", "apply notes", "status"]
    assert says(copy, "config check") == "reconcile.toml: ok, 2 jobs, 1 endpoint\n"
    shown = says(copy, "diff photos")
    assert "2026/crane.txt" in shown
    assert "crane.tmp" not in shown
    assert "harbour" not in shown, "an update brings nothing back"
    assert "1 created" in says(copy, "apply photos --yes")
    says(copy, "apply notes --yes")
    kept = sorted(path.name for path in (copy / "nas/notes").glob("todo*"))
    assert len(kept) == 2
    assert kept == sorted(path.name for path in (copy / "laptop/notes").glob("todo*"))
    rows = says(copy, "status").splitlines()
    assert [row.split()[0] for row in rows[1:3]] == ["photos", "notes"]
    assert rows[-1].startswith("next:  reconcile ")


def test_its_marker_guards_the_disk_that_is_not_there(copy: Path) -> None:
    (copy / "nas/photos/.mounted").unlink()
    answer = subprocess.run(
        [Path(sys.executable).with_name("reconcile"), "apply", "photos", "--yes"],
        cwd=copy,
        env={"PATH": os.environ["PATH"], "HOME": str(copy)}
        | {"RECONCILE_STATE_DIR": str(copy.parent / "state")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert answer.returncode == 5
    assert not (copy / "nas/photos/2026/crane.txt").exists()
