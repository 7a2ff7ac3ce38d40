"""What the disk will not let anybody change stands in the plan, by its path, before the first
write; everything else is done."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.filesystems.program import Pair, names
from tests.filesystems.test_clocks_and_accounts import START, Account
from tests.trees.mounts import call, need, unmount

pytestmark = pytest.mark.root


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """In sync, and edited at the left since."""
    need("chattr")
    pair = Pair(tmp_path)
    for name in ("fixed", "log", "gone", "other", "shut/in", "grows/in"):
        (pair.left / name).parent.mkdir(exist_ok=True)
        (pair.left / name).write_text("one")
    assert pair.apply().code == 0
    if subprocess.run(["chattr", "+i", pair.right / "fixed"], check=False).returncode:
        pytest.skip("this file system knows no immutable files")
    try:
        yield pair
    finally:
        subprocess.run(["chattr", "-R", "-i", "-a", pair.right], check=False)


def test_what_is_immutable_is_told_in_the_plan_and_the_others_are_done(pair: Pair) -> None:
    call("chattr", "+i", pair.right / "gone", pair.right / "shut")
    call("chattr", "+a", pair.right / "log", pair.right / "grows")
    for name in ("fixed", "log", "other", "shut/in", "shut/new", "grows/in"):
        (pair.left / name).write_text(f"two of {name}")
    (pair.left / "gone").unlink()
    before = names(pair.right)
    planned = pair.run("diff", str(pair.left), str(pair.right))
    for name in ("fixed", "log", "gone", "shut/in", "shut/new", "grows/in"):
        assert any(f" {name}  E_DENIED" in line for line in planned.text.splitlines()), name
    assert "chattr -i" in planned.text
    assert "chattr -a" in planned.text
    for _ in range(2):
        ran = pair.apply()
        assert ran.code == 4, ran.text
        assert "failed" not in ran.text
        assert names(pair.right) == {**before, "other": "two of other"}
    call("chattr", "-R", "-i", "-a", pair.right)
    assert pair.apply().code == 0
    assert names(pair.right) == names(pair.left)


def test_a_directory_that_holds_what_cannot_go_stays_whole(pair: Pair) -> None:
    call("chattr", "+i", pair.right / "shut/in")
    subprocess.run(["rm", "-r", pair.left / "shut", pair.left / "grows"], check=True)
    ran = pair.apply()
    assert ran.code == 4, ran.text
    assert "of `in` below it: it is immutable" in ran.text
    assert names(pair.right).keys() == {"fixed", "log", "gone", "other", "shut", "shut/in"}
    assert names(pair.left).keys() == {"fixed", "log", "gone", "other"}


@pytest.mark.slow
def test_a_move_whose_old_name_cannot_go_leaves_it_and_makes_the_new_one(pair: Pair) -> None:
    (pair.left / "fixed").rename(pair.left / "renamed")
    ran = pair.apply()
    assert ran.code == 4, ran.text
    assert names(pair.right)["renamed"] == "one"
    assert names(pair.right)["fixed"] == "one"
    assert "fixed" not in names(pair.left)
    call("chattr", "-i", pair.right / "fixed")
    assert pair.apply().code == 0
    assert names(pair.right) == names(pair.left)


def test_a_mount_inside_that_is_read_only_is_told_in_the_plan(pair: Pair) -> None:
    inside = pair.right / "shut"
    (pair.left / "shut/in").write_text("two")
    (pair.left / "other").write_text("two")
    call("mount", "--bind", inside, inside)
    try:
        call("mount", "-o", "remount,bind,ro", inside)
        planned = pair.run("diff", str(pair.left), str(pair.right))
        assert "shut/in  E_READ_ONLY" in planned.text
        assert pair.apply().code == 4
        assert names(pair.right)["other"] == "two"
    finally:
        unmount(inside)
    assert pair.apply().code == 0
    assert names(pair.right) == names(pair.left)


def test_a_closed_directory_of_ones_own_is_told_in_the_plan(tmp_path: Path) -> None:
    account = Account(tmp_path)
    left, right = account.home / "left", account.home / "right"
    made = """
import os
os.makedirs("left/closed"); os.mkdir("right")
open("left/closed/a", "w").write("one"); open("left/other", "w").write("one")
"""
    assert account.do(made).code == 0
    assert account.apply(left, right).code == 0
    edited = """
import os
open("left/closed/a", "w").write("two"); open("left/other", "w").write("two")
os.chmod("right/closed", 0o555)
"""
    assert account.do(edited).code == 0
    planned = account.do(START, "diff", str(left), str(right))
    assert "closed/a  E_DENIED" in planned.text
    assert "chmod u+wx" in planned.text
    ran = account.apply(left, right)
    assert ran.code == 4, ran.text
    assert names(right) == {"closed": "d", "closed/a": "one", "other": "two"}
    (right / "closed").chmod(0o755)
    assert account.apply(left, right).code == 0
    assert names(right) == names(left)


def test_a_directory_that_was_closed_once_filled_can_be_opened_again(tmp_path: Path) -> None:
    """Its own mode is what was agreed on, not the wider one that it had while it was filled."""
    account = Account(tmp_path)
    left, right = account.home / "left", account.home / "right"
    made = """
import os
os.makedirs("left/closed"); os.mkdir("right")
open("left/closed/a", "w").write("one"); os.chmod("left/closed", 0o555)
"""
    assert account.do(made).code == 0
    assert account.apply(left, right, "--meta", "mode").code == 0
    (left / "closed").chmod(0o755)
    assert account.apply(left, right, "--meta", "mode").code == 0
    for side in (left, right):
        assert (side / "closed").stat().st_mode & 0o777 == 0o755


def test_what_became_of_an_unreadable_file_is_said_once(tmp_path: Path) -> None:
    account = Account(tmp_path)
    left, right = account.home / "left", account.home / "right"
    assert account.do('import os; os.mkdir("left"); os.mkdir("right")').code == 0
    (left / "secret").write_text("of root")
    (left / "secret").chmod(0)
    os.chown(left / "secret", 0, 0)
    ran = account.apply(left, right)
    assert "E_UNREADABLE" in ran.text
    assert "left untouched; left untouched" not in ran.text


def test_a_state_in_a_place_that_is_closed_is_no_bug_of_ours(tmp_path: Path) -> None:
    account = Account(tmp_path)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert account.do('import os; os.mkdir("left"); os.mkdir("right")').code == 0
    sides = account.home / "left", account.home / "right"
    ran = account.apply(*sides, "--state-dir", str(closed / "state"))
    assert ran.code == 9, ran.text
    assert "E_DENIED" in ran.text
    assert "E_INTERNAL" not in ran.text
