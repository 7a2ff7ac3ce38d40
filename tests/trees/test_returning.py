"""What was kept comes back with all that it had: mode, time, owner, attributes."""

import os
from pathlib import Path

import pytest

from reconcile.engine.apply import apply
from reconcile.engine.events import silent
from reconcile.model.entry import Tracked
from reconcile.model.manifest import Header
from reconcile.model.plan import Action, Side, Source, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.trees.base import RunOptions
from reconcile.trees.local import LocalTree
from tests.faults.scenario import Committed, plan_of
from tests.trees.looking import Steps, entry_at, fill

F = TreePath(b"f")
EXACT = Header(tracked=Tracked(mode=True))


class Right:
    """One directory that is changed, run by run."""

    def __init__(self, place: Path) -> None:
        (place / "left").mkdir()
        self.left = os.fsencode(place / "left")
        self.root = os.fsencode(place / "right")
        self.place = place / "right"
        self.place.mkdir()
        self.runs = 0

    def run(self, *steps: Step, header: Header = EXACT) -> list[Receipt]:
        self.runs += 1
        options = RunOptions(f"r-{self.runs}", header=header)
        left, right = LocalTree(self.left), LocalTree(self.root, workers=0)
        try:
            for tree in (left, right):
                tree.begin(options, ())
            return apply(plan_of(steps), left, right, Committed(), silent, options)
        finally:
            left.close()
            right.close()


def back(right: Right, kept: Receipt, before: Step) -> Step:
    """The step that brings a version back."""
    assert before.expect is not None
    source = Source(Side.RIGHT, TreePath(kept.version.encode()), before.expect)
    now = entry_at(right.root, F)
    action = Action.CREATE if now is None else Action.UPDATE
    return Step(1, Side.RIGHT, action, F, F, now, before.expect, source)


@pytest.mark.parametrize("superseded", ["deleted", "replaced"])
@pytest.mark.parametrize("size", [20, 100_000, 1 << 21])
def test_everything_that_a_file_had_comes_back(tmp_path: Path, superseded: str, size: int) -> None:
    right = Right(tmp_path)
    fill(right.root, {"f": os.urandom(size)})
    fill(right.left, {"f": b"newer"})
    location = right.place / "f"
    location.chmod(0o641)
    os.setxattr(location, "user.note", b"mine")
    if os.geteuid() == 0:
        os.chown(location, 1234, 4321)
    content, then = location.read_bytes(), location.stat()
    step = Steps().add(
        Action.DELETE if superseded == "deleted" else Action.UPDATE,
        F,
        entry_at(right.root, F),
        None if superseded == "deleted" else entry_at(right.left, F),
    )
    [kept] = right.run(step, header=Header())
    if superseded == "replaced":
        os.removexattr(location, "user.note")

    [receipt] = right.run(back(right, kept, step))

    assert receipt.status is Status.DONE
    now = location.stat()
    assert location.read_bytes() == content
    assert (now.st_mode, now.st_mtime_ns) == (then.st_mode, then.st_mtime_ns)
    assert (now.st_uid, now.st_gid) == (then.st_uid, then.st_gid)
    assert os.getxattr(location, "user.note") == b"mine"
    assert (right.place / kept.version).read_bytes() == content


def test_a_version_that_was_written_to_since_does_not_come_back(tmp_path: Path) -> None:
    right = Right(tmp_path)
    fill(right.root, {"f": b"before"})
    step = Steps().add(Action.DELETE, F, entry_at(right.root, F), None)
    [kept] = right.run(step)
    (right.place / kept.version).write_bytes(b"BEFORE")
    [receipt] = right.run(back(right, kept, step))
    assert (receipt.status, receipt.code) == (Status.STALE, "E_CHANGED_WHILE_READING")
    assert not (right.place / "f").exists()


def test_a_directory_that_becomes_a_link_in_one_batch_is_done(tmp_path: Path) -> None:
    """Names in it and below it were removed just before: that cannot be flushed any more."""
    right = Right(tmp_path)
    fill(right.root, {"d/e/x": b"x"})
    fill(right.left, {"d": "target"})
    steps = Steps()
    for action, path in ((Action.DELETE, b"d/e/x"), (Action.RMDIR, b"d/e")):
        steps.add(action, path, entry_at(right.root, path), None)
    old, new = entry_at(right.root, b"d"), entry_at(right.left, b"d")
    steps.add(Action.UPDATE, b"d", old, new, needs=(2,))
    receipts = right.run(*steps.made, header=Header())
    assert [receipt.status for receipt in receipts] == [Status.DONE] * 3
    assert os.readlink(right.place / "d") == "target"
