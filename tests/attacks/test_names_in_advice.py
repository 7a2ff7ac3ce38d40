"""What a message says to type is safe to type: a name in it is one word, whoever chose it."""

import os
from pathlib import Path

import pytest

from tests.attacks.handed_over import STRANGER, creating, forge, run
from tests.attacks.test_foreign_plans import local, with_

NAME = "e;id > PWNED;$(id).rplan"
QUOTED = f"'{NAME}'"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file of somebody else")


@pytest.fixture
def sides(tmp_path: Path) -> Path:
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
    job = local(tmp_path)
    forge(tmp_path / NAME, creating(job.left, job.right, b"f", b""), job)
    return tmp_path


def advised(done: str, *wanted: str) -> None:
    assert [each for each in wanted if each not in done] == [], done
    assert f" {NAME}" not in done.partition("try: ")[2], done


@as_root
def test_a_foreign_plan(sides: Path) -> None:
    os.chown(sides / NAME, STRANGER, STRANGER)
    advised(run("apply", NAME, cwd=sides).err, f"reconcile show {QUOTED}")


def test_a_plan_that_names_a_program_and_one_that_cannot_be_obeyed_so(sides: Path) -> None:
    advised(run("apply", NAME, "--full", cwd=sides).err, f"reconcile show {QUOTED} --full")
    job = with_(local(sides), left="ssh://h/x?config=/etc/passwd")
    forge(sides / NAME, creating(job.left, job.right, b"f", b""), job)
    advised(run("apply", NAME, cwd=sides).err, f"reconcile apply {QUOTED} LEFT RIGHT")


def test_a_plan_in_the_place_of_a_job(sides: Path) -> None:
    done = run("diff", NAME, cwd=sides).err
    advised(done, f"reconcile show {QUOTED}", f"reconcile apply {QUOTED}")


def test_an_included_job_file(sides: Path) -> None:
    name = "a;id > PWNED.toml"
    (sides / name).write_text("version = 1\n")
    (sides / name).chmod(0o666)
    (sides / "reconcile.toml").write_text('version = 1\ninclude = ["*.toml"]\n')
    done = run("diff", "x", cwd=sides)
    assert done.code == 78, done
    assert f"chmod go-w '{name}'" in done.err.replace("./", ""), done
