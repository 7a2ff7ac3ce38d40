"""What `apply PLAN` is told and cannot do is refused, never swallowed."""

from pathlib import Path

import pytest

from tests.attacks.handed_over import run


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A pair that has agreed on 20 files, and a plan that deletes 3 of them at right."""
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
    for number in range(20):
        (tmp_path / "left" / f"f{number}").write_text("x")
    assert run("apply", "left", "right", "--yes", cwd=tmp_path).code == 0
    for number in range(3):
        (tmp_path / "left" / f"f{number}").unlink()
    assert run("diff", "left", "right", "-o", "p.rplan", cwd=tmp_path).code == 0
    return tmp_path


UNOBEYED = [
    "--exclude *",
    "--no-delete",
    "--mode mirror",
    "--on-conflict left",
    "--require f9",
    "--allow empty-side",
    "--allow root-changed",
    "--meta none",
    "--summary",
    "--dry-run",
]


@pytest.mark.parametrize("line", UNOBEYED)
def test_what_a_saved_plan_cannot_obey_is_refused_by_name(here: Path, line: str) -> None:
    done = run("apply", "p.rplan", *line.split(), cwd=here)
    assert done.code == 64, done
    assert f"`{line.split()[0]}`" in done.err
    assert (here / "right" / "f0").exists()


@pytest.mark.parametrize("line", ["--max-delete 2", "--max-delete 10%", "--max-delete-size 1"])
def test_a_lower_limit_is_obeyed(here: Path, line: str) -> None:
    done = run("apply", "p.rplan", *line.split(), cwd=here)
    assert done.code == 5, done
    assert (here / "right" / "f0").exists()
    done = run("apply", "p.rplan", "--max-delete", "3", "--durability", "full", cwd=here)
    assert done.code == 0, done
    assert not (here / "right" / "f0").exists()


def test_a_plan_without_steps_says_so_and_is_not_used_up(here: Path) -> None:
    assert run("apply", "p.rplan", cwd=here).code == 0
    assert run("diff", "left", "right", "-o", "q.rplan", cwd=here).code == 0
    for _ in range(2):
        done = run("apply", "q.rplan", cwd=here)
        assert done.code == 0, done
        assert "changes nothing" in done.out


def test_a_state_that_knows_nothing_of_the_pair_is_named(here: Path) -> None:
    done = run("apply", "p.rplan", "--state-dir", "elsewhere", cwd=here)
    assert done.code == 6
    assert "--state-dir" in done.err
    assert "elsewhere" in done.err
