"""One writer per root; a lock is taken over only from who has certainly ended."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from reconcile.model.errors import Locked
from reconcile.trees.base import RunOptions
from reconcile.trees.sftp.lock import Owner, has_ended, myself
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
    return replace(HERE, process=child.pid, started=started)


needs_machine = pytest.mark.skipif(
    not (HERE.machine and HERE.boot and HERE.space),
    reason="this machine has no id or no /proc: no lock is ever taken over here",
)


@needs_machine
def test_only_a_process_of_this_machine_that_is_gone_has_certainly_ended() -> None:
    gone = ended_process()
    running = replace(HERE, process=os.getppid(), started=_started(os.getppid()))
    cases = {
        "gone": (gone, True),
        "gone before the last boot": (replace(gone, boot="earlier", space="other"), True),
        "its number has another process now": (replace(running, started="1"), True),
        "a lock this process let go": (HERE, True),
        "running": (running, False),
        "on another machine": (replace(gone, machine="other"), False),
        "on a machine of the same id and another name": (replace(gone, host="other"), False),
        "in another container": (replace(gone, space="pid:[1]"), False),
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
    (root / ".reconcile/lock").write_bytes(msgspec.json.encode(ended_process()))

    assert list(tree.begin(OPTIONS, ())) == []
    tree.end()

    assert list(root.iterdir()) == [], "nothing of a lock stays"


@pytest.mark.parametrize(
    "text", [msgspec.json.encode(replace(HERE, machine="other")), b"", b"{", b"x" * 100_000]
)
def test_a_lock_of_which_nothing_is_certain_is_left_alone(
    root: Path, tree: SftpTree, text: bytes
) -> None:
    (root / ".reconcile").mkdir()
    (root / ".reconcile/lock").write_bytes(text)

    with pytest.raises(Locked) as caught:
        tree.begin(OPTIONS, ())

    assert (root / ".reconcile/lock").read_bytes() == text
    assert sorted(path.name for path in (root / ".reconcile").iterdir()) == ["lock"]
    assert "remove `.reconcile/lock`" in caught.value.hint


def test_a_lock_that_is_somebody_elses_by_now_is_not_removed(root: Path, tree: SftpTree) -> None:
    tree.begin(OPTIONS, ())
    (root / ".reconcile/lock").write_bytes(b"theirs")

    tree.end()

    assert (root / ".reconcile/lock").read_bytes() == b"theirs"


def _started(process: int) -> str:
    with open(f"/proc/{process}/stat", "rb") as stream:
        return stream.read().rpartition(b")")[2].split()[19].decode()
