"""Receiving: the same faults where every content comes from far away.

Small files have arrived when they are asked for, larger ones come as streams.
Whatever happens leaves nothing, or a temporary name that the next run adopts or
puts away; a lost connection costs what was on its way, and no more.
"""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from blake3 import blake3

from reconcile.model.entry import Entry
from reconcile.model.errors import Unreachable
from reconcile.model.plan import Step
from reconcile.model.receipt import Status
from reconcile.model.treepath import TreePath
from reconcile.trees.base import Tree
from reconcile.trees.growing import STREAM_RESUMED_FROM
from reconcile.trees.memory import MemoryTree
from tests.faults.scenario import RIGHT, Scenario
from tests.trees.looking import snapshot
from tests.trees.systems import Counting, Failing, Stopped, Stopping

LARGE = blake3(b"large").digest(length=STREAM_RESUMED_FROM + 1000)
THINGS: dict[str, bytes | str | None] = {
    **RIGHT,
    "changed": LARGE,
    "deep/changed": b"a newer content below",
    "large": LARGE[:-1],
    "empty": b"",
    "many/f1": b"new content",
    "many/f2": b"another new content",
}
MANY = {f"f{number}": b"%d" % number for number in range(30)}
NUMBERS = (errno.EIO, errno.ENOSPC, errno.EACCES, errno.EMFILE, errno.EDQUOT)
PIECE = 100_000


class FarTree(MemoryTree):
    """A side whose contents travel; its connection is lost after so many bytes."""

    def __init__(self, location: bytes, lost_after: int | None) -> None:
        super().__init__("far")
        self._lost_after = lost_after
        self.sent = 0
        for path, thing in snapshot(location).items():
            if thing.startswith(b"f:"):
                self.put(path, thing[2:])

    def read(self, path: TreePath, entry: Entry, offset: int = 0) -> Iterator[bytes]:
        for block in super().read(path, entry, offset):
            for start in range(0, len(block), PIECE):
                yield self._sent(block[start : start + PIECE])

    def whole(self, step: Step) -> bytes | None:
        """Small files have arrived."""
        source = step.source
        if source is None or source.entry.size > STREAM_RESUMED_FROM:
            return None
        return self._sent(b"".join(super().read(source.path, source.entry)))

    def _sent(self, data: bytes) -> bytes:
        if self._lost_after is not None and self.sent + len(data) > self._lost_after:
            raise Unreachable("the connection was lost")
        self.sent += len(data)
        return data


class FarScenario(Scenario):
    """Left is far away."""

    lost_after: int | None = None
    far: FarTree

    def open_left(self) -> Tree:
        self.far = FarTree(self.left, self.lost_after)
        return self.far


def calls_of(scenario: Scenario) -> list[str]:
    """The changing calls of an undisturbed run."""
    counting = Counting()
    scenario.run(counting)
    scenario.reset()
    return counting.names


@pytest.mark.parametrize("how", ["after", "half"])
def test_a_run_that_ends_at_any_call_loses_nothing_and_the_next_one_finishes(
    tmp_path: Path, how: str
) -> None:
    scenario = FarScenario(tmp_path, THINGS)
    names = calls_of(scenario)
    total = len(names)
    assert total > 30
    for at in range(1, total + 1):
        if how == "half" and names[at - 1] != "write":
            continue
        scenario.reset()
        with pytest.raises(Stopped):
            scenario.run(Stopping(at, how))
        assert scenario.lost() == set(), f"at call {at} of {total}"
        assert scenario.torn() == {}, f"at call {at} of {total}"
        scenario.settle()
        assert scenario.lost() == set(), f"after the run that followed call {at} of {total}"


@pytest.mark.parametrize("sticky", [False, True], ids=["once", "for good"])
def test_a_call_that_fails_costs_its_paths_only_and_nothing_is_lost(
    tmp_path: Path, *, sticky: bool
) -> None:
    scenario = FarScenario(tmp_path, THINGS)
    names = calls_of(scenario)
    for at in range(1, len(names) + 1):
        scenario.reset()
        number = NUMBERS[at % len(NUMBERS)]
        steps = scenario.steps()
        receipts = scenario.run(Failing(at, number, sticky=sticky), steps)
        where = f"{errno.errorcode[number]} at call {at}: {names[at - 1]}"
        assert scenario.lies(steps, receipts) == [], where
        assert all(r.code for r in receipts if r.status is not Status.DONE), where
        assert scenario.lost() == set(), where
        assert scenario.torn() == {}, where
        scenario.settle()
        assert scenario.lost() == set(), where


def test_an_arrived_file_that_fails_once_is_tried_again(tmp_path: Path) -> None:
    scenario = FarScenario(tmp_path, {"new": b"new content"})
    steps = [step for step in scenario.steps() if step.at == b"new"]
    for at in range(1, 5):
        scenario.reset()
        receipts = scenario.run(Failing(at, errno.EIO), steps)
        assert [r.status for r in receipts] == [Status.DONE], f"call {at}"


def test_a_connection_lost_anywhere_costs_what_was_on_its_way(tmp_path: Path) -> None:
    scenario = FarScenario(tmp_path, THINGS)
    scenario.run()
    total = scenario.far.sent
    for cut in range(0, total, total // 23):
        scenario.reset()
        scenario.lost_after = cut
        with pytest.raises(Unreachable):
            scenario.run()
        assert scenario.ledger.status == "interrupted"
        sent = scenario.far.sent
        assert scenario.lost() == set()
        assert scenario.torn() == {}
        scenario.lost_after = None
        receipts = scenario.run()
        assert {receipt.status for receipt in receipts} == {Status.DONE}
        assert sent + scenario.far.sent - total <= PIECE, f"cut after {cut} bytes"
        scenario.settle()


def test_content_is_flushed_before_it_is_published_and_names_before_they_count(
    tmp_path: Path,
) -> None:
    scenario = FarScenario(tmp_path, dict(MANY))
    counting = Counting()
    scenario.run(counting, steps=[s for s in scenario.steps() if s.want is not None])
    names = list(enumerate(counting.names))
    written = [k for k, name in names if name in ("create", "write", "chmod", "set_mtime")]
    flushed = [k for k, name in names if name in ("fsync", "syncfs")]
    renamed = [k for k, name in names if name == "renameat2"]
    assert len(renamed) == 30
    assert any(max(written) < k < min(renamed) for k in flushed)
    assert max(flushed) > max(renamed)
