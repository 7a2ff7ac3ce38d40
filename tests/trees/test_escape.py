"""Escape: nothing outside the root is read, made, changed or removed, whatever a plan says and
whatever somebody does to the directories meanwhile."""

import ctypes
import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.model.errors import Denied
from reconcile.model.plan import Action, Step
from reconcile.model.receipt import Status
from reconcile.model.treepath import TreePath
from reconcile.trees import rooted
from reconcile.trees.base import RunOptions, Supply
from reconcile.trees.local import LocalTree
from reconcile.trees.temporary import step_temp
from tests.trees.looking import Steps, directory, entry_at, file, link

CONTENT = b"from the plan"
HOSTILE = [
    b"..",
    b"../canary/new",
    b"a/../../canary/new",
    b"/etc/reconcile-test",
    b"//etc/reconcile-test",
    b".",
    b"a/.",
    b"a/..",
    b"a//b",
    b"",
    b"a/\0b",
    b"a\0",
    b"out/new",
    b"out/kept",
    b"out-up/canary/kept",
    b"to-kept",
    b"to-kept/x",
    b"x" * 256,
    b".rcn-0123456789abcdef",
    b"a/.rcn-0123456789abcdef/b",
    b".reconcile",
    b".reconcile/versions/r-1/x",
]


class Anything(Supply):
    """Content for any step."""

    def read(self, step: Step, offset: int) -> Iterator[bytes]:
        yield CONTENT[offset:]


class Outside:
    """A directory beside the root that must stay exactly as it is."""

    def __init__(self, place: Path) -> None:
        self.location = os.fsencode(place / "canary")
        os.mkdir(self.location)
        self.kept = self.location + b"/kept"
        with open(self.kept, "wb") as stream:
            stream.write(b"canary")
        os.utime(self.kept, ns=(1, 1))
        os.chmod(self.kept, 0o640)
        self.before = self.look()

    def look(self) -> tuple[object, ...]:
        """Names, bytes, modes and times."""
        status, top = os.stat(self.kept), os.stat(self.location)
        with open(self.kept, "rb") as stream:
            content = stream.read()
        names = sorted(os.listdir(self.location))
        return (names, content, status.st_mode, status.st_mtime_ns, top.st_mode, top.st_mtime_ns)

    def is_untouched(self) -> bool:
        """Nothing about it changed."""
        return self.look() == self.before


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    return Outside(tmp_path)


@pytest.fixture
def root(tmp_path: Path, outside: Outside) -> bytes:
    location = os.fsencode(tmp_path / "root")
    os.makedirs(location + b"/a")
    os.symlink(outside.location, location + b"/out")
    os.symlink(b"..", location + b"/out-up")
    os.symlink(outside.kept, location + b"/to-kept")
    return location


def run(tree: LocalTree, steps: list[Step]) -> list[Status]:
    """Stage and carry out, everything."""
    tree.begin(RunOptions("r-1"), ())
    failures = tree.stage(steps, Anything())
    receipts = tree.carry_out(steps)
    tree.end()
    staged = {receipt.step for receipt in failures}
    return [r.status for r in receipts if r.step not in staged] + [r.status for r in failures]


def every_step(path: bytes) -> list[Step]:
    """One step of each kind at this path."""
    steps = Steps()
    content = file(b"x", CONTENT)
    canary = file(b"x", b"canary", mtime_ns=1, mode=0o640)
    steps.add(Action.CREATE, path, None, content)
    steps.add(Action.CREATE, path, None, link(b"x", b"target"))
    steps.add(Action.MKDIR, path, None, directory(b"x"))
    steps.add(Action.UPDATE, path, canary, content)
    steps.add(Action.MKDIR, path, canary, directory(b"x"))
    steps.add(Action.META, path, canary, file(b"x", b"canary", mtime_ns=1, mode=0o755))
    steps.add(Action.MOVE, path, None, content, source=b"a")
    steps.add(Action.MOVE, b"moved", None, canary, source=path)
    return steps.made


@pytest.mark.parametrize("walking", [False, True], ids=["openat2", "walk"])
@pytest.mark.parametrize("path", HOSTILE)
def test_a_hostile_path_is_refused_by_every_kind_of_step(
    root: bytes, outside: Outside, path: bytes, *, walking: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if walking:
        monkeypatch.setattr(rooted, "open_beneath", _no_openat2)
    tree = LocalTree(root)
    for step in every_step(path):
        assert Status.DONE not in run(tree, [step]), step.action
    tree.close()
    assert outside.is_untouched()
    assert sorted(os.listdir(root)) == [b"a", b"out", b"out-up", b"to-kept"]


@pytest.mark.parametrize("path", [b"out/kept", b"out-up/canary/kept", b"../canary/kept"])
def test_a_hostile_path_deletes_and_removes_nothing(
    root: bytes, outside: Outside, path: bytes
) -> None:
    tree = LocalTree(root)
    steps = Steps()
    steps.add(Action.DELETE, path, file(b"kept", b"canary", mtime_ns=1, mode=0o640), None)
    steps.add(Action.RMDIR, os.path.dirname(path), directory(b"canary"), None)
    for step in steps.made:
        run(tree, [step])
    tree.close()
    assert outside.is_untouched()


@pytest.mark.parametrize("path", [b"out/kept", b"../canary/kept", b"to-kept", b"out", b"a"])
def test_nothing_outside_is_read(root: bytes, outside: Outside, path: bytes) -> None:
    tree = LocalTree(root)
    entry = file(b"kept", b"canary", mtime_ns=1, mode=0o640)
    with pytest.raises(Exception, match=r".*"):  # OSError or ContentChanged: never content
        b"".join(tree.read(TreePath(path), entry))
    tree.close()


def test_a_link_in_place_of_the_version_area_is_not_followed(root: bytes, outside: Outside) -> None:
    os.symlink(outside.location, root + b"/.reconcile")
    with open(root + b"/a/file", "wb") as stream:
        stream.write(b"old")
    steps = Steps()
    steps.add(Action.DELETE, b"a/file", entry_at(root, b"a/file"), None)
    tree = LocalTree(root)
    with pytest.raises(Denied, match="is no directory"):
        run(tree, steps.made)
    tree.close()
    assert outside.is_untouched()
    assert entry_at(root, b"a/file") is not None


def test_a_leftover_name_that_is_a_link_is_not_written_through(
    root: bytes, outside: Outside
) -> None:
    steps = Steps()
    step = steps.add(Action.CREATE, b"a/file", None, file(b"file", CONTENT))
    os.symlink(outside.kept, root + b"/a/" + step_temp(step))
    tree = LocalTree(root)
    assert run(tree, steps.made) == [Status.DONE]
    tree.close()
    assert outside.is_untouched()


def _no_openat2(root_fd: int, path: bytes) -> int:
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


class Flipper(threading.Thread):
    """Exchanges a directory with a link that points outside, over and over."""

    def __init__(self, root: bytes) -> None:
        super().__init__()
        self._names = (root + b"/d", root + b"/d-link")
        self.flips = 0
        self.over = threading.Event()

    def run(self) -> None:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
        while not self.over.is_set():
            if renameat2(-100, self._names[0], -100, self._names[1], 2) == 0:
                self.flips += 1


def flip_while_writing(root: bytes, outside: Outside, flips: int) -> int:
    """Write, replace and delete below a name that is a directory one moment and a link the
    next, until it was so often and a step was carried out; how many were."""
    os.mkdir(root + b"/d")
    os.symlink(outside.location, root + b"/d-link")
    flippers = [Flipper(root), Flipper(root)]
    for flipper in flippers:
        flipper.start()
    tree = LocalTree(root, workers=0)
    done = rounds = 0
    try:
        while (flipped := sum(flipper.flips for flipper in flippers)) < flips or not done:
            assert flipped < 100 * flips, "no step was carried out"
            rounds += 1
            steps = Steps()
            canary = file(b"kept", b"canary", mtime_ns=1, mode=0o640)
            name = b"d/f%d" % (rounds % 10)
            steps.add(
                Action.CREATE, name, entry_at(root, name), file(name, CONTENT, mtime_ns=rounds)
            )
            steps.add(Action.DELETE, b"d/f%d" % ((rounds + 5) % 10), None, None)
            steps.add(Action.UPDATE, b"d/kept", canary, file(b"kept", CONTENT))
            steps.add(Action.DELETE, b"d/kept", canary, None)
            steps.add(Action.META, b"d/kept", canary, file(b"kept", b"canary", mode=0o755))
            steps.add(Action.MKDIR, b"d/m%d" % rounds, None, directory(b"m"))
            done += run(tree, steps.made).count(Status.DONE)
    finally:
        for flipper in flippers:
            flipper.over.set()
            flipper.join()
        tree.close()
    return done


def test_flipping_a_directory_and_a_link_never_leads_outside(root: bytes, outside: Outside) -> None:
    assert flip_while_writing(root, outside, 100_000) > 0
    assert outside.is_untouched()


def test_flipping_without_openat2_never_leads_outside(
    root: bytes, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooted, "open_beneath", _no_openat2)
    assert flip_while_writing(root, outside, 10_000) > 0
    assert outside.is_untouched()
