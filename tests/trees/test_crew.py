"""The crew: two processes give the same result as one, and a dead one costs time only."""

import os
import signal
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconcile.engine.apply import Routed
from reconcile.model.plan import Side, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.trees.base import RunOptions
from reconcile.trees.crew import WORTH_IT
from reconcile.trees.local import LocalTree
from reconcile.trees.syscalls import System
from tests.trees.looking import children, entry_at, fill, mirror, snapshot
from tests.trees.systems import Counting

MANY = {f"d{number % 7}/f{number}": b"%d" % number * 50 for number in range(3 * WORTH_IT)}


@pytest.fixture
def sides(tmp_path: Path) -> tuple[bytes, bytes]:
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
    left, right = os.fsencode(tmp_path / "left"), os.fsencode(tmp_path / "right")
    fill(left, MANY)
    return left, right


def run(
    sides: tuple[bytes, bytes],
    steps: list[Step],
    system: System | None = None,
    workers: int = 2,
) -> list[Receipt]:
    """The directories first, then everything else, as `apply` does it."""
    left, right = (
        LocalTree(sides[0]),
        LocalTree(sides[1], system=system or System(), workers=workers),
    )
    right.begin(RunOptions("r-1"), ())
    try:
        supply = Routed(left, right)
        new = [step for step in steps if step.expect is None and not step.source]
        files = [step for step in steps if step not in new]
        made = list(right.carry_out(new))
        failures = list(right.stage(files, supply))
        refused = {receipt.step for receipt in failures}
        rest = [step for step in files if step.id not in refused]
        return made + failures + list(right.carry_out(rest))
    finally:
        right.close()
        left.close()


def statuses(receipts: list[Receipt]) -> set[Status]:
    """Every status among them."""
    return {receipt.status for receipt in receipts}


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_many_files_arrive_and_receipts_are_exact(sides: tuple[bytes, bytes], workers: int) -> None:
    steps = mirror(*sides)
    receipts = run(sides, steps, workers=workers)
    assert statuses(receipts) == {Status.DONE}
    assert snapshot(sides[1], ours=True) == snapshot(sides[0])
    by_step = {receipt.step: receipt for receipt in receipts}
    for step in steps:
        if step.source is None:
            continue
        receipt, status = by_step[step.id], os.lstat(os.path.join(sides[1], step.at))
        assert receipt.entry == entry_at(sides[1], step.at) == step.want
        assert receipt.fingerprint is not None
        assert receipt.fingerprint.inode == status.st_ino
        assert receipt.fingerprint.ctime_ns == status.st_ctime_ns


def test_what_others_made_or_changed_is_not_touched_in_bulk_either(
    sides: tuple[bytes, bytes],
) -> None:
    left, right = sides
    steps = mirror(left, right)
    fill(right, {"d0/f0": b"theirs", "d1/f1": MANY["d1/f1"]})
    fill(left, {"d2/f2": b"changed since the plan"})
    by_path = {
        steps[receipt.step - 1].at: receipt.status
        for receipt in run(sides, steps)
        if steps[receipt.step - 1].source
    }
    assert by_path.pop(b"d0/f0") is Status.STALE
    assert by_path.pop(b"d2/f2") is Status.STALE
    assert set(by_path.values()) == {Status.DONE}
    assert snapshot(right)[b"d0/f0"] == b"f:theirs"
    assert [p for p in snapshot(right, ours=True) if b".rcn-" in p] == []


class Dying(System):
    """A worker process is killed in the middle of call number `at` of one kind."""

    def __init__(self, call: str, at: int) -> None:
        self._owner = os.getpid()
        self._call = call
        self._at = at
        self._count = 0

    def _step(self, call: str) -> None:
        if call == self._call and os.getpid() != self._owner:
            self._count += 1
            if self._count == self._at:
                os.kill(os.getpid(), signal.SIGKILL)

    def write(self, fd: int, data: bytes | memoryview) -> int:
        self._step("write")
        return super().write(fd, data)

    def renameat2(self, from_fd: int, name: bytes, to_fd: int, new_name: bytes, flags: int) -> None:
        super().renameat2(from_fd, name, to_fd, new_name, flags)
        self._step("renameat2")


@pytest.mark.parametrize("at", [1, 20])
@pytest.mark.parametrize("call", ["write", "renameat2"])
def test_a_worker_that_dies_costs_nothing_but_time(
    sides: tuple[bytes, bytes], call: str, at: int
) -> None:
    receipts = run(sides, mirror(*sides), Dying(call, at))
    assert statuses(receipts) == {Status.DONE}
    assert snapshot(sides[1]) == snapshot(sides[0])
    assert [p for p in snapshot(sides[1]) if b".rcn-" in p] == []


def test_workers_do_the_bulk_of_the_work(sides: tuple[bytes, bytes]) -> None:
    here = Counting()
    run(sides, mirror(*sides), here)
    assert "create" not in here.names
    assert "renameat2" not in here.names


def test_workers_end_with_the_run(sides: tuple[bytes, bytes]) -> None:
    before = children()
    run(sides, mirror(*sides))
    assert children() <= before


def test_a_copy_on_the_same_side_is_plain_too(sides: tuple[bytes, bytes]) -> None:
    left, right = sides
    run(sides, mirror(left, right))
    fill(left, {f"again/{path}": content for path, content in MANY.items()})
    copies = []
    for step in mirror(left, right):
        if step.source is not None:
            path = type(step.at)(step.at.removeprefix(b"again/"))
            step = replace(step, source=replace(step.source, side=Side.RIGHT, path=path))
        copies.append(step)
    assert statuses(run(sides, copies)) == {Status.DONE}
    assert snapshot(right) == snapshot(left)
