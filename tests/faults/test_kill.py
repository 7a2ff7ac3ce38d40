"""Kill: a real process is killed in the middle, with SIGKILL, workers and lock and all."""

import os
import signal
from pathlib import Path

import pytest

from reconcile.model.errors import Locked
from reconcile.model.receipt import Status
from tests.faults.scenario import LEFT, Scenario
from tests.trees.systems import Counting

MANY = {**LEFT, **{f"many/f{number:03}": b"%d" % number * 99 for number in range(300)}}


class Killed(Counting):
    """SIGKILL right after changing call k of this process."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def after(self, k: int, name: str) -> None:
        if k == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def killed_run(scenario: Scenario, at: int) -> bool:
    """Run in a child that is killed after its call `at`; False: it had ended before."""
    child = os.fork()
    if not child:
        try:
            scenario.run(Killed(at))
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("at", [1, 2, 5, 13, 29, 40, 44, 47, 50, 53, 56])
def test_a_killed_process_leaves_no_lock_and_loses_nothing(tmp_path: Path, at: int) -> None:
    scenario = Scenario(tmp_path)
    assert killed_run(scenario, at)
    assert scenario.lost() == set()
    assert scenario.torn() == {}
    scenario.settle()


@pytest.mark.parametrize("at", [3, 30])
def test_workers_of_a_killed_process_end_by_themselves(tmp_path: Path, at: int) -> None:
    """They share the lock until they have ended, which they do with the task at hand."""
    scenario = Scenario(tmp_path, MANY)
    assert killed_run(scenario, at)
    assert scenario.lost() == set()
    receipts = None
    while receipts is None:
        try:
            receipts = scenario.run()
        except Locked:
            os.sched_yield()
    assert {receipt.status for receipt in receipts} == {Status.DONE}
    assert scenario.leftovers() == []
