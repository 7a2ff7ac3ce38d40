"""Errors: every changing call fails in turn, once and for good. Other paths go on."""

import errno
from pathlib import Path

import pytest

from reconcile.model.receipt import Status
from tests.faults.scenario import Scenario
from tests.trees.systems import Counting, Failing

NUMBERS = (errno.EIO, errno.ENOSPC, errno.EACCES, errno.EMFILE, errno.ENAMETOOLONG)


@pytest.mark.parametrize("sticky", [False, True], ids=["once", "for good"])
def test_a_call_that_fails_costs_its_paths_only_and_nothing_is_lost(
    tmp_path: Path, *, sticky: bool
) -> None:
    scenario = Scenario(tmp_path)
    counting = Counting()
    scenario.run(counting)
    for at in range(1, counting.count + 1):
        scenario.reset()
        number = NUMBERS[at % len(NUMBERS)]
        steps = scenario.steps()
        receipts = scenario.run(Failing(at, number, sticky=sticky), steps)
        where = f"{errno.errorcode[number]} at call {at}: {counting.names[at - 1]}"
        assert scenario.lies(steps, receipts) == [], where
        assert all(r.code for r in receipts if r.status is not Status.DONE), where
        assert scenario.lost() == set(), where
        assert scenario.torn() == {}, where
        scenario.settle()
        assert scenario.lost() == set(), where


def test_one_failing_file_does_not_stop_the_others(tmp_path: Path) -> None:
    scenario = Scenario(tmp_path, {"changed": b"the newer content", "new": b"new content"})
    counting = Counting()
    scenario.run(counting)
    scenario.reset()
    replacing = max(k for k, name in enumerate(counting.names, 1) if name == "write")
    receipts = scenario.run(Failing(replacing, errno.EIO))
    not_done = [r for r in receipts if r.status is not Status.DONE]
    assert [r.code for r in not_done] == ["E_IO"]


def test_a_plain_file_that_fails_once_is_tried_again(tmp_path: Path) -> None:
    scenario = Scenario(tmp_path, {"new": b"new content"})
    steps = [step for step in scenario.steps() if step.at == b"new"]
    receipts = scenario.run(Failing(2, errno.EIO), steps)
    assert [r.status for r in receipts] == [Status.DONE]


def test_nothing_is_done_when_nothing_can_be_flushed(tmp_path: Path) -> None:
    scenario = Scenario(tmp_path)
    flushes = ("fsync", "syncfs")
    receipts = scenario.run(Failing(1, errno.EIO, sticky=True, only=flushes))
    assert [r for r in receipts if r.status is Status.DONE] == []
    assert scenario.lost() == set()
