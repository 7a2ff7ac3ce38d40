"""One writer per root; a lock is taken over only from who has certainly ended."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.model.errors import Locked
from reconcile.trees.base import RunOptions
from reconcile.trees.lease import LEASE_S, Owner, encode, has_ended, myself
from reconcile.trees.local import LocalTree
from reconcile.trees.sftp.tree import SftpTree
from tests.sftp.servers import plain_server

OPTIONS = RunOptions("r-test")
HERE = myself("r-other", 77)


def ended_process() -> Owner:
    """A process of this machine that has certainly ended."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with open(f"/proc/{child.pid}/stat", "rb") as stream:
        started = stream.read().rpartition(b")")[2].split()[19].decode()
    child.communicate(b"\n")
    return HERE._replace(process=child.pid, started=started)


needs_machine = pytest.mark.skipif(
    not (HERE.machine and HERE.boot and HERE.space),
    reason="this machine has no id or no /proc: no lock is ever taken over here",
)


@needs_machine
def test_only_a_process_of_this_machine_that_is_gone_has_certainly_ended() -> None:
    gone = ended_process()
    running = HERE._replace(process=os.getppid(), started=_started(os.getppid()))
    cases = {
        "gone": (gone, True),
        "gone before the last boot": (gone._replace(boot="earlier", space="other"), True),
        "its number has another process now": (running._replace(started="1"), True),
        "a lock this process let go": (HERE, True),
        "running": (running, False),
        "on another machine": (gone._replace(machine="other"), False),
        "on a machine of the same id and another name": (gone._replace(host="other"), False),
        "in another container": (gone._replace(space="pid:[1]"), False),
        "nobody knows": (Owner(), False),
    }
    assert {name: has_ended(owner) for name, (owner, _) in cases.items()} == {
        name: ended for name, (_, ended) in cases.items()
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def tree(root: Path) -> Iterator[SftpTree]:
    found = SftpTree(plain_server, "sftp://peer/", os.fsencode(root))
    yield found
    found.close()


@needs_machine
def test_the_lock_of_a_killed_run_is_taken_over(root: Path, tree: SftpTree) -> None:
    (root / ".reconcile").mkdir()
    (root / ".reconcile/lock").write_bytes(encode(ended_process()))

    assert list(tree.begin(OPTIONS, ())) == []
    tree.end()

    assert list(root.iterdir()) == [], "nothing of a lock stays"


ELSEWHERE = HERE._replace(machine="other", host="far")
TEXTS = [encode(ELSEWHERE), encode(ELSEWHERE._replace(way="flock")), b"", b"{", b"x" * 100_000]


def locked(root: Path, text: bytes, age_s: int) -> None:
    (root / ".reconcile").mkdir()
    lock = root / ".reconcile/lock"
    lock.write_bytes(text)
    then = lock.stat().st_mtime - age_s
    os.utime(lock, (then, then))


@pytest.mark.parametrize("text", TEXTS)
def test_a_lock_that_is_renewed_is_left_alone(root: Path, tree: SftpTree, text: bytes) -> None:
    locked(root, text, LEASE_S - 60)

    with pytest.raises(Locked) as caught:
        tree.begin(OPTIONS, ())

    assert (root / ".reconcile/lock").read_bytes() == text
    assert sorted(path.name for path in (root / ".reconcile").iterdir()) == ["lock"]
    assert "10 minutes later at the latest" in caught.value.hint
    assert ("on far" in caught.value.message) == (b"far" in text)


@pytest.mark.parametrize("text", TEXTS)
def test_a_lock_that_nobody_has_renewed_is_taken_over_from_anywhere(
    root: Path, tree: SftpTree, text: bytes
) -> None:
    """A killed run of another host, of a container that is no more, of a machine without an id."""
    locked(root, text, LEASE_S + 60)

    assert list(tree.begin(OPTIONS, ())) == []
    tree.end()

    assert list(root.iterdir()) == []


def test_a_run_that_goes_on_renews_its_lock(
    root: Path, tree: SftpTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconcile.trees.sftp.lock.RENEWED_S", 0)
    tree.begin(OPTIONS, ())
    lock = root / ".reconcile/lock"
    os.utime(lock, (1, 1))
    text = lock.read_bytes()

    tree.carry_out(())

    assert lock.stat().st_mtime > 1_000_000
    assert lock.read_bytes() == text


def test_a_run_whose_lock_was_taken_over_stops(
    root: Path, tree: SftpTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconcile.trees.sftp.lock.RENEWED_S", 0)
    tree.begin(OPTIONS, ())
    (root / ".reconcile/lock").write_bytes(encode(ELSEWHERE))

    with pytest.raises(Locked, match="taken away"):
        tree.carry_out(())


def test_a_run_by_sftp_and_one_here_exclude_each_other(root: Path, tree: SftpTree) -> None:
    here = LocalTree(os.fsencode(root))
    tree.begin(OPTIONS, ())
    with pytest.raises(Locked, match="run r-test on "):
        here.begin(OPTIONS, ())
    tree.end()

    here.begin(OPTIONS, ())
    with pytest.raises(Locked, match="run r-test on "):
        tree.begin(OPTIONS, ())
    here.end()

    tree.begin(OPTIONS, ())
    tree.end()
    here.close()
    assert list(root.iterdir()) == []


def test_a_root_inside_one_that_is_written_to_waits(root: Path) -> None:
    (root / "inner").mkdir()
    outer = LocalTree(os.fsencode(root))
    inner = SftpTree(plain_server, "sftp://peer/", os.fsencode(root / "inner"))
    outer.begin(OPTIONS, ())
    with pytest.raises(Locked, match="a root that holds this one"):
        inner.begin(OPTIONS, ())
    outer.close()
    inner.begin(OPTIONS, ())
    inner.close()


def test_a_lock_that_is_somebody_elses_by_now_is_not_removed(root: Path, tree: SftpTree) -> None:
    tree.begin(OPTIONS, ())
    (root / ".reconcile/lock").write_bytes(b"theirs")

    tree.end()

    assert (root / ".reconcile/lock").read_bytes() == b"theirs"


def _started(process: int) -> str:
    with open(f"/proc/{process}/stat", "rb") as stream:
        return stream.read().rpartition(b")")[2].split()[19].decode()
