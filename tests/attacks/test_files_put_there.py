"""Files of ours with a stranger's content: our runs write them into trees where he may rename.

What `apply` writes as root belongs to root. In a tree of a stranger's he gives it the name of
a job file or a plan; in a tree of our own it may have come with such a name.
"""

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

from reconcile.decide.makers import Maker, distrust
from reconcile.engine.job_files import load
from reconcile.engine.job_places import Found
from reconcile.model.errors import ConfigError
from tests.attacks.exchanging import Exchanger
from tests.attacks.handed_over import STRANGER, creating, forge, run
from tests.attacks.test_foreign_plans import hostile_config, local, with_

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file of somebody else")


@pytest.fixture
def sides(tmp_path: Path) -> Path:
    """A pair, its right side a stranger's, with a job file and a plan that came from the left."""
    for name in ("left", "right", "etc"):
        (tmp_path / name).mkdir()
    config, _ = hostile_config(tmp_path)
    left, right = f"ssh://h/x?config={config}", str(tmp_path / "etc")
    job = f'version = 1\n[job.x]\nleft = "{left}"\nright = "{right}"\n'
    (tmp_path / "left" / "job.toml").write_text(job)
    local_job = with_(local(tmp_path), right=right)
    forge(
        tmp_path / "left" / "e.rplan", creating(local_job.left, right, b"job.toml", b""), local_job
    )
    assert run("apply", "left", "right", "--yes", cwd=tmp_path).code == 0
    return tmp_path


@as_root
@pytest.mark.parametrize("named", [(), ("-c", "reconcile.toml"), ("-c", "./reconcile.toml")])
def test_a_file_of_ours_is_no_job_file_in_a_stranger_s_directory(
    sides: Path, named: tuple[str, ...]
) -> None:
    right = sides / "right"
    os.chown(right, STRANGER, STRANGER)
    (right / "job.toml").rename(right / "reconcile.toml")
    done = run("diff", "x", *named, cwd=right)
    assert done.code == 78, done
    assert f"lies in a directory of user {STRANGER}" in done.err
    assert not (sides / "was-run").exists()


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_nor_is_one_found_where_everybody_may_write(sides: Path, mode: int) -> None:
    right = sides / "right"
    (right / "job.toml").rename(right / "reconcile.toml")
    right.chmod(mode)
    done = run("diff", "x", cwd=right)
    assert done.code == 78, done
    assert "directory that everybody may write to" in done.err
    assert not (sides / "was-run").exists()


def test_a_job_file_that_came_in_a_tree_starts_no_program_before_it_is_named(sides: Path) -> None:
    right = sides / "right"
    (right / "job.toml").rename(right / "reconcile.toml")
    done = run("diff", "x", cwd=right)
    assert done.code == 78, done
    assert "--config reconcile.toml" in done.err
    assert not (sides / "was-run").exists()
    run("diff", "x", "--config", "reconcile.toml", cwd=right)
    assert (sides / "was-run").exists()


@as_root
def test_a_plan_of_ours_is_not_obeyed_in_a_stranger_s_directory(sides: Path) -> None:
    plan = sides / "right" / "e.rplan"
    os.chown(sides / "right", STRANGER, STRANGER)
    done = run("apply", str(plan), "--yes", cwd=sides)
    assert done.code == 64, done
    assert f"lies in a directory of user {STRANGER}" in done.err
    assert "(cp)" in done.err
    (sides / "etc" / "way").symlink_to(sides / "left")
    os.lchown(sides / "etc" / "way", STRANGER, STRANGER)
    done = run("apply", str(sides / "etc" / "way" / "e.rplan"), "--yes", cwd=sides)
    assert done.code == 64, done
    assert f"a link of user {STRANGER} is not followed" in done.err
    assert sorted(os.listdir(sides / "etc")) == ["way"]


def test_the_directory_of_a_plan_counts() -> None:
    sound = Maker(1000, 1000, 0o644, 1000, 0o755)
    assert distrust(sound, 1000) == ""
    assert distrust(sound._replace(held_by=0, held_mode=0o1777), 1000) == ""
    assert "everybody" in distrust(sound._replace(held_mode=0o777), 1000)
    assert "user 7" in distrust(sound._replace(held_by=7), 1000)
    assert distrust(sound._replace(held_by=7), 1000, 7) == ""


@as_root
def test_a_job_file_that_a_list_or_a_group_of_others_may_write_is_not_obeyed(
    tmp_path: Path,
) -> None:
    file = tmp_path / "reconcile.toml"
    file.write_text('version = 1\n[job.x]\nleft = "left"\nright = "right"\n')
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
    file.chmod(0o664)
    assert run("diff", "x", cwd=tmp_path).code == 0
    os.chown(file, -1, 100)
    done = run("diff", "x", cwd=tmp_path)
    assert done.code == 78, done
    assert "group 100, which is not ours" in done.err
    os.chown(file, -1, 0)
    subprocess.run(["setfacl", "-m", f"u:{STRANGER}:rw", file], check=True)
    done = run("diff", "x", cwd=tmp_path)
    assert done.code == 78, done
    assert "access list" in done.err


@as_root
@pytest.mark.parametrize("exchanges", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("works_there", [True, False])
def test_what_is_judged_is_what_is_read_while_a_stranger_exchanges_directories(
    open_place: Path, monkeypatch: pytest.MonkeyPatch, works_there: bool, exchanges: int
) -> None:
    theirs = open_place / "theirs"
    for name in ("theirs", "theirs/evil", "theirs/good"):
        (open_place / name).mkdir()
    for name in ("evil", "good"):
        text = f'version = 1\n[job.{name}]\nleft = "/{name}"\nright = "/right"\n'
        (theirs / name / "reconcile.toml").write_text(text)
    for each in (theirs, theirs / "evil"):
        os.chown(each, STRANGER, STRANGER)
    monkeypatch.chdir(theirs / "evil")
    location = "reconcile.toml" if works_there else str(theirs / "evil" / "reconcile.toml")
    obeyed = set()
    stranger = Exchanger([(theirs / "evil", theirs / "good", theirs / "good")], STRANGER)
    try:
        stranger.work()
        while stranger.count < exchanges:
            with contextlib.suppress(ConfigError):
                obeyed |= set(load(Found(location, "--config")).book.jobs)
    finally:
        stranger.end()
    assert obeyed <= (set() if works_there else {"good"})
