"""A clock that was wrong, an ordinary user, and a folder that two accounts share."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.filesystems.program import Pair, Ran, modes, names
from tests.nobody import NOBODY
from tests.trees.mounts import need

pytestmark = pytest.mark.root


def need_clock() -> None:
    if shutil.which("faketime") is None:
        pytest.skip("`faketime` is not installed (scripts/test.sh installs it as root)")


def test_the_last_run_is_the_one_that_was_written_last_whatever_the_clock_said(
    tmp_path: Path,
) -> None:
    need_clock()
    pair = Pair(tmp_path)
    (pair.left / "a").write_text("one")
    assert pair.apply().code == 0
    (pair.left / "a").write_text("two")
    assert pair.apply(when="+10d").code == 0
    (pair.left / "b").write_text("today")
    assert pair.apply().code == 0
    undone = pair.run("undo", "last", "--yes")
    assert undone.code == 0, undone.text
    assert not (pair.right / "b").exists()
    assert (pair.right / "a").read_text() == "two"


@pytest.mark.slow
def test_a_clock_that_jumps_back_loses_no_edit(tmp_path: Path) -> None:
    need_clock()
    pair = Pair(tmp_path)
    (pair.left / "a").write_text("one")
    (pair.left / "b").write_text("one")
    assert pair.apply(when="+400d").code == 0
    (pair.right / "a").write_text("two")
    (pair.left / "b").write_text("two")
    assert pair.apply(when="-400d").code == 0
    assert names(pair.left) == names(pair.right) == {"a": "two", "b": "two"}


START = "import sys; from reconcile.cli.main import main; sys.exit(main(sys.argv[1:]))"
CHECKOUT = Path(__file__).parents[2]


class Account:
    """Somebody without rights, with a home of their own."""

    def __init__(self, place: Path, uid: int = NOBODY, gid: int = NOBODY) -> None:
        self._ids = [f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
        self.home = place / f"home-{uid}"
        self.home.mkdir()
        os.chown(self.home, uid, gid)
        for above in place.parents:
            if above.stat().st_mode & 0o001 == 0:
                above.chmod(above.stat().st_mode | 0o011)
        place.chmod(0o755)
        need("setpriv")
        if self.do("import reconcile.cli.main, msgspec, blake3").code:
            pytest.skip("the system's Python cannot run this checkout for another account")

    def do(self, script: str, *words: str) -> Ran:
        """A Python script, as them."""
        paths = [str(CHECKOUT), *(each for each in sys.path if "site-packages" in each)]
        environment = {
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "PATH": "/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(paths),
        }
        done = subprocess.run(
            ["setpriv", *self._ids, "/usr/bin/python3", "-c", script, *words],
            env=environment,
            cwd=self.home,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Ran(done.returncode, done.stdout + done.stderr)

    def apply(self, left: Path, right: Path, *words: str) -> Ran:
        """`reconcile apply LEFT RIGHT --yes`."""
        sides = str(left), str(right)
        ran = self.do(START, "apply", *sides, "--yes", "--progress", "none", *words)
        assert "Traceback" not in ran.text, ran.text
        return ran


def test_an_ordinary_user_changes_no_mode_or_owner_back_and_forth(tmp_path: Path) -> None:
    account = Account(tmp_path)
    left, right = account.home / "left", account.home / "right"
    made = """
import os, sys
os.mkdir("left"); os.mkdir("right"); os.mkdir("left/closed")
open("left/closed/a", "w").write("one"); os.chmod("left/closed/a", 0o444)
os.chmod("left/closed", 0o555)
open("left/mine", "w").write("two"); os.chmod("left/mine", 0o600)
"""
    assert account.do(made).code == 0
    (left / "roots").write_text("of root")
    (left / "roots").chmod(0o644)
    before = modes(left)
    owners = {path: (left / path).stat().st_uid for path in before}
    for _ in range(3):
        ran = account.apply(left, right, "--meta", "mode,owner")
        assert modes(left) == before, ran.text
        assert {path: (left / path).stat().st_uid for path in before} == owners
    assert names(right) == names(left)
    assert modes(right)["closed"] == 0o555
    assert ran.code == 0 or "roots" in ran.text


def test_a_home_is_a_root_like_any_other_with_the_state_in_it(tmp_path: Path) -> None:
    account = Account(tmp_path)
    backup = account.home.parent / "backup"
    backup.mkdir()
    os.chown(backup, NOBODY, NOBODY)
    assert account.do('open("letter", "w").write("one")').code == 0
    for _ in range(3):
        ran = account.apply(account.home, backup)
        assert ran.code == 0, ran.text
    assert names(backup) == {"letter": "one"}
    back = account.apply(backup, account.home, "--mode", "mirror")
    assert (account.home / "letter").read_text() == "one", back.text
    assert "letter" in account.do(START, "history").text or back.code in (0, 2)
    assert account.apply(account.home, backup).code == 0


def test_two_accounts_share_a_folder(tmp_path: Path) -> None:
    first, second = Account(tmp_path, 41001, 41000), Account(tmp_path, 41002, 41000)
    shared = tmp_path / "shared"
    shared.mkdir()
    os.chown(shared, 0, 41000)
    shared.chmod(0o2775)
    for number, account in enumerate((first, second)):
        made = f'import os; os.umask(0o002); os.mkdir("own"); open("own/f{number}", "w").write("x")'
        assert account.do(made).code == 0
    for account in (first, second, first, second):
        ran = account.apply(account.home / "own", shared)
        assert ran.code == 0, ran.text
    assert names(shared) == {"f0": "x", "f1": "x"}
    assert first.do('open("own/f1", "w").write("edited by the first")').code == 0
    for account in (first, second):
        ran = account.apply(account.home / "own", shared)
        assert ran.code == 0, ran.text
    assert names(second.home / "own") == {"f0": "x", "f1": "edited by the first"}
