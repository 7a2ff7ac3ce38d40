"""One writer per root: who may hold its lock, whom it keeps away, and when it is over."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.model.errors import Locked
from reconcile.trees import lease
from reconcile.trees.base import RunOptions
from reconcile.trees.lease import LEASE_S, Owner, encode, myself
from reconcile.trees.local import LocalTree
from tests.nobody import as_nobody

OPTIONS = RunOptions("r-test")
ELSEWHERE = myself("r-far", 1)._replace(machine="other", host="far")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def tree(root: Path) -> Iterator[LocalTree]:
    found = LocalTree(os.fsencode(root))
    yield found
    found.close()


def codes(tree: LocalTree) -> list[str]:
    return [note.code for note in tree.begin(OPTIONS, ())]


def locked(root: Path, text: bytes, age_s: float) -> Path:
    (root / ".reconcile").mkdir(mode=0o700)
    place = root / ".reconcile/lock"
    place.write_bytes(text)
    then = place.stat().st_mtime - age_s
    os.utime(place, (then, then))
    return place


def test_who_can_only_read_a_root_cannot_block_it(root: Path, tree: LocalTree) -> None:
    """A stranger holds flock on all that a reader can open."""
    assert codes(tree) == []
    held = []
    for place in (root, root.parent):
        fd = os.open(place, os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_EX)
        held.append(fd)
    assert (root / ".reconcile").stat().st_mode & 0o777 == 0o700
    assert (root / ".reconcile/lock").stat().st_mode & 0o777 == 0o600
    tree.end()

    assert codes(tree) == []
    for fd in held:
        os.close(fd)


def test_nothing_of_a_lock_stays(root: Path, tree: LocalTree) -> None:
    tree.begin(OPTIONS, ())
    assert [path.name for path in (root / ".reconcile").iterdir()] == ["lock"]
    tree.end()
    assert list(root.iterdir()) == []


def test_a_second_run_is_told_who_holds_the_root(root: Path, tree: LocalTree) -> None:
    tree.begin(OPTIONS, ())
    other = LocalTree(os.fsencode(root))
    with pytest.raises(Locked) as caught:
        other.begin(RunOptions("r-other"), ())
    other.close()
    assert f"(run r-test on {os.uname().nodename}, process {os.getpid()})" in caught.value.message
    assert "--lock-wait" in caught.value.hint
    assert [path.name for path in (root / ".reconcile").iterdir()] == ["lock"]


KILLED = """
import os, sys
from reconcile.trees.base import RunOptions
from reconcile.trees.local import LocalTree
LocalTree(os.fsencode(sys.argv[1])).begin(RunOptions("r-killed"), ())
os.kill(os.getpid(), 9)
"""


def test_the_lock_of_a_killed_run_is_free_at_once(root: Path, tree: LocalTree) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(root)], check=False)
    assert (root / ".reconcile/lock").exists()

    assert codes(tree) == []
    tree.end()

    assert list(root.iterdir()) == []


def test_a_kernel_lock_that_is_free_is_over_whoever_had_it(root: Path, tree: LocalTree) -> None:
    """Of an agent's run on a machine of another name, as in a container that is no more."""
    locked(root, encode(ELSEWHERE._replace(way="flock")), 0)
    assert codes(tree) == []


@pytest.mark.parametrize("text", [encode(ELSEWHERE), b"", b"[]", b'{"run": 3}', b"{" * 9999])
def test_a_lease_by_sftp_holds_while_it_is_renewed(
    root: Path, tree: LocalTree, text: bytes
) -> None:
    place = locked(root, text, LEASE_S - 60)
    with pytest.raises(Locked):
        tree.begin(OPTIONS, ())
    assert place.read_bytes() == text

    then = place.stat().st_mtime - 120
    os.utime(place, (then, then))
    assert codes(tree) == []


def test_a_run_that_goes_on_renews_its_lease(
    root: Path, tree: LocalTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconcile.trees.locking.RENEWED_S", 0)
    tree.begin(OPTIONS, ())
    place = root / ".reconcile/lock"
    os.utime(place, (1, 1))

    tree.carry_out(())

    assert place.stat().st_mtime > 1_000_000


def test_a_run_whose_lease_was_taken_over_stops(
    root: Path, tree: LocalTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconcile.trees.locking.RENEWED_S", 0)
    tree.begin(OPTIONS, ())
    place = root / ".reconcile/lock"
    place.unlink()
    place.write_bytes(encode(ELSEWHERE))

    with pytest.raises(Locked, match="taken away"):
        tree.carry_out(())
    tree.end()

    assert place.read_bytes() == encode(ELSEWHERE), "another one's lock stays"


def test_a_root_inside_one_that_is_written_to_waits(root: Path, tree: LocalTree) -> None:
    (root / "a/inner").mkdir(parents=True)
    inner = LocalTree(os.fsencode(root / "a/inner"))
    tree.begin(OPTIONS, ())
    with pytest.raises(Locked, match="a root that holds this one"):
        inner.begin(OPTIONS, ())
    tree.end()
    assert codes(inner) == []
    inner.close()


def test_a_root_that_cannot_be_written_to_is_not_locked(root: Path) -> None:
    (root / "a").write_text("x")
    root.chmod(0o555)

    def notes() -> list[str]:
        tree = LocalTree(os.fsencode(root))
        found = [note.reason for note in tree.begin(OPTIONS, ())]
        tree.close()
        return found

    assert as_nobody(notes, root.parent) == [
        "no lock can be made there (Permission denied); only the state is locked"
    ]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a file of another account")
def test_a_strangers_area_in_a_shared_directory_blocks_nobody(root: Path, tree: LocalTree) -> None:
    """Whoever may write to a directory like /tmp makes `.reconcile` first, and holds its lock."""
    root.chmod(0o1777)
    place = locked(root, encode(ELSEWHERE), 0)
    for each in (place.parent, place):
        os.chown(each, 65534, 65534)

    notes = tree.begin(RunOptions("r-test", versions=False), ())

    assert [note.code for note in notes] == ["E_NO_LOCK"]
    assert "belongs to another account" in notes[0].reason


@pytest.mark.parametrize("kind", ["file", "link"])
def test_something_else_in_the_place_of_the_area_is_told(
    root: Path, tree: LocalTree, kind: str
) -> None:
    if kind == "file":
        (root / ".reconcile").write_text("mine")
    else:
        (root / ".reconcile").symlink_to(root.parent)

    [note] = tree.begin(RunOptions("r-test", versions=False), ())

    assert "is no directory" in note.reason
    assert {path.name for path in root.parent.iterdir()} == {"root"}


@pytest.mark.parametrize("kind", ["fifo", "link", "directory"])
def test_something_else_in_the_place_of_the_lock_neither_hangs_nor_is_followed(
    root: Path, tree: LocalTree, kind: str
) -> None:
    (root / ".reconcile").mkdir(mode=0o700)
    place = root / ".reconcile/lock"
    if kind == "fifo":
        os.mkfifo(place)
    elif kind == "link":
        place.symlink_to(root.parent / "outside")
    else:
        place.mkdir()

    [note] = [*tree.begin(OPTIONS, ())] or [None]

    assert note is not None
    assert note.code == "E_NO_LOCK"
    assert not (root.parent / "outside").exists()


def test_what_a_stranger_writes_into_a_lock_names_nobody_and_breaks_nothing() -> None:
    for text in (b"", b"\xff", b"[1]", b'{"process": "x"}', b'{"number": true}', b"9" * 10_000):
        assert lease.decode(text) == Owner()
    odd = lease.decode(encode(Owner(run="\x1b[31m" + "x" * 500, host="h")))
    assert odd.run.startswith("\x1b")
    assert "\x1b" not in odd.shown
    assert len(odd.shown) < 200
