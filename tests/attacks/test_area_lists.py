"""The version area of a root with access lists: a mask is nobody's right, and none is inherited."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.attacks.test_version_area import AREA, GROUP, SECRET, deletion, modes_below, run
from tests.nobody import NOBODY, as_nobody
from tests.trees.looking import fill

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several accounts"),
    pytest.mark.skipif(shutil.which("setfacl") is None, reason="there is no setfacl here"),
]
KEPT = b"/.reconcile/versions/r-1/private/t"


def setfacl(*arguments: str) -> None:
    done = subprocess.run(["setfacl", *arguments], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this file system has no access lists")


def root_at(tmp_path: Path, mode: int) -> bytes:
    """Of GROUP, with a directory in it that is as closed, and a file that is not."""
    place = tmp_path / "root"
    place.mkdir()
    root = os.fsencode(place)
    fill(root, {"private/t": SECRET})
    os.chmod(root + b"/private/t", 0o644)
    for name in (b"", b"/private"):
        os.chown(root + name, -1, GROUP)
        os.chmod(root + name, mode)
    return root


def can_read(path: bytes, reachable: Path, uid: int, groups: tuple[int, ...]) -> object:
    return as_nobody(lambda: os.access(path, os.R_OK), reachable, uid, groups)


def test_a_list_that_lets_one_account_in_shares_nothing_with_the_group(tmp_path: Path) -> None:
    """The mode shows the list's mask where the group's own rights would stand."""
    root = root_at(tmp_path, 0o700)
    setfacl("-m", "u:bin:rwx", os.fsdecode(root), os.fsdecode(root + b"/private"))
    assert stat.S_IMODE(os.stat(root).st_mode) == 0o770
    assert can_read(root + b"/private/t", tmp_path / "root/..", NOBODY, (GROUP,)) is False
    run(root, [deletion(root)])
    assert can_read(root + KEPT, tmp_path / "root/..", NOBODY, (GROUP,)) is False
    assert set(modes_below(root + AREA).values()) == {0o700}


def test_a_part_of_a_shared_folder_that_only_a_list_opens_stays_closed_to_the_group(
    tmp_path: Path,
) -> None:
    root = root_at(tmp_path, 0o2770)
    os.chmod(root + b"/private", 0o700)
    setfacl("-m", "u:bin:rwx", os.fsdecode(root + b"/private"))
    run(root, [deletion(root)])
    assert modes_below(root + AREA)["versions/r-1/private"] & 0o777 == 0o700
    assert can_read(root + KEPT, tmp_path / "root/..", NOBODY, (GROUP,)) is False


def test_what_new_things_of_the_root_would_inherit_opens_nothing_of_the_area(
    tmp_path: Path,
) -> None:
    """A default list of the root, made after a directory that it does not open."""
    root = root_at(tmp_path, 0o2770)
    os.chmod(root + b"/private", 0o750)
    setfacl("-d", "-m", f"u:{NOBODY}:rwx", os.fsdecode(root))
    setfacl("-m", f"u:{NOBODY}:rwx", os.fsdecode(root))
    assert can_read(root + b"/private/t", tmp_path / "root/..", NOBODY, ()) is False
    run(root, [deletion(root)])
    assert can_read(root + KEPT, tmp_path / "root/..", NOBODY, ()) is False
    for top, _, _ in os.walk(root + AREA):
        assert [name for name in os.listxattr(top) if "acl" in name] == []


def test_a_folder_that_its_group_shares_by_list_and_mode_is_shared(tmp_path: Path) -> None:
    root = root_at(tmp_path, 0o2770)
    setfacl("-m", "u:bin:rx", os.fsdecode(root))
    run(root, [deletion(root)])
    assert modes_below(root + AREA)["."] == 0o2770
