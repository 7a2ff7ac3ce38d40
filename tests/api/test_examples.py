"""examples/python-api runs as it stands, and is typed as a user's program would be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.checkout import ROOT
from tests.house.test_examples import content

EXAMPLES = ROOT / "examples/python-api"


class Place:
    """Two edited copies of the first steps, and programs that are run beside them."""

    def __init__(self, place: Path) -> None:
        self.place = place
        for side in ("left", "right"):
            shutil.copytree(ROOT / "examples/first-steps" / side, place / side, symlinks=True)

    def run(self, program: str, *words: str) -> tuple[int, str]:
        """Exit code and what it printed."""
        answer = subprocess.run(
            [sys.executable, EXAMPLES / program, *words],
            cwd=self.place,
            env={**os.environ, "RECONCILE_STATE_DIR": str(self.place / "state")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in answer.stderr, answer.stderr
        return answer.returncode, answer.stdout + answer.stderr


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A place of its own."""
    return Place(tmp_path)


def test_nightly_brings_both_together_and_ends_with_0(place: Place) -> None:
    code, said = place.run("nightly.py", "left", "right")
    assert (code, said.splitlines()[-1]) == (0, "9 done, baseline #1")
    assert place.run("nightly.py", "left", "none")[0] == 12


def test_a_rule_of_ones_own_stops_a_plan(place: Place) -> None:
    contract = place.place / "left/contracts/lease.md"
    contract.parent.mkdir()
    contract.write_text("sea view", encoding="utf-8")
    assert place.run("approve.py", "left", "right") == (0, "8 steps done\n")
    contract.unlink()
    _, said = place.run("approve.py", "left", "right")
    assert "nothing is applied today" in said
    assert (place.place / "right/contracts/lease.md").exists()


def test_a_function_decides_conflicts(place: Place) -> None:
    code, said = place.run("decide.py", "left", "right")
    assert code == 0, said
    assert said.endswith("1 decided, 0 left\n")
    texts = {(place.place / side / "notes/todo.md").read_bytes() for side in ("left", "right")}
    assert len(texts) == 1


def test_an_audit_writes_its_report_and_nothing_else(place: Place) -> None:
    code, said = place.run("sheet.py", "left", "right", "audit.csv")
    assert (code, said.split(",")[0]) == (2, "3 create")
    assert sorted(path.name for path in place.place.iterdir()) == ["audit.csv", "left", "right"]


def test_a_run_is_taken_back(place: Place) -> None:
    before = [content(place.place / side) for side in ("left", "right")]
    place.run("nightly.py", "left", "right")
    run = place.run("take_back.py")[1].split()[0]
    code, said = place.run("take_back.py", run)
    assert code == 0
    assert "took it back" in said
    assert [content(place.place / side) for side in ("left", "right")] == before


def test_every_example_is_run_and_named() -> None:
    tests = Path(__file__).read_text(encoding="utf-8")
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for program in EXAMPLES.glob("*.py"):
        assert f'"{program.name}"' in tests
        assert f"`{program.name} " in page
