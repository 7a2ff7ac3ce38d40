"""One writer per pair: exactly one wins, and the dead hold nothing."""

import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconcile.model.errors import Locked, StateError
from reconcile.store.lock import PairLock, holder
from tests.store.helpers import Child, pair, wait_for_ever


def hold(directory: str) -> Callable[[Callable[[str], None]], None]:
    def work(say: Callable[[str], None]) -> None:
        with PairLock(directory, "r-held"):
            say("held")
            wait_for_ever()

    return work


def test_a_second_run_is_told_who_is_at_work(tmp_path: Path) -> None:
    child = Child(hold(pair(tmp_path)))
    assert child.line() == "held"
    with pytest.raises(Locked, match=f"r-held.*{child.pid}.* since ") as raised:
        PairLock(pair(tmp_path), "r-2")
    assert raised.value.exit_code == 7
    found = holder(pair(tmp_path))
    assert found is not None
    assert (found.pid, found.run) == (child.pid, "r-held")
    child.kill()
    assert holder(pair(tmp_path)) is None


def test_a_killed_holder_leaves_nothing_behind(tmp_path: Path) -> None:
    child = Child(hold(pair(tmp_path)))
    assert child.line() == "held"
    child.kill()
    PairLock(pair(tmp_path), "r-2").release()


def test_a_worker_that_outlives_its_owner_does_not_keep_the_lock(tmp_path: Path) -> None:
    reads, writes = os.pipe()

    def work(say: Callable[[str], None]) -> None:
        lock = PairLock(pair(tmp_path), "r-1")
        worker = os.fork()
        if not worker:
            os.close(writes)
            say("working")
            os.read(reads, 1)  # until the test lets go
            os._exit(0)
        assert lock is not None
        wait_for_ever()

    child = Child(work)
    assert child.line() == "working"
    os.kill(child.pid, 9)
    os.waitpid(child.pid, 0)
    PairLock(pair(tmp_path), "r-2").release()
    os.close(writes)
    os.close(reads)
    assert child.rest() == []


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    with PairLock(pair(tmp_path), "r-1") as lock:
        with pytest.raises(Locked):
            PairLock(pair(tmp_path), "r-2")
        lock.release()
        with PairLock(pair(tmp_path), "r-2"):
            assert json.loads((Path(pair(tmp_path)) / "lock").read_text())["run"] == "r-2"


def test_waiting_takes_the_lock_when_it_becomes_free(tmp_path: Path) -> None:
    reads, writes = os.pipe()

    def work(say: Callable[[str], None]) -> None:
        os.close(writes)
        with PairLock(pair(tmp_path), "r-1"):
            say("held")
            os.read(reads, 1)

    child = Child(work)
    assert child.line() == "held"

    def wait(say: Callable[[str], None]) -> None:
        os.close(writes)
        PairLock(pair(tmp_path), "r-2", wait_s=60).release()

    waiter = Child(wait)
    os.close(writes)
    os.close(reads)
    assert (child.end(), waiter.end()) == (0, 0)


def test_waiting_lasts_as_long_as_asked_and_ends(tmp_path: Path) -> None:
    started = time.monotonic()
    with PairLock(pair(tmp_path), "r-1"), pytest.raises(Locked):
        PairLock(pair(tmp_path), "r-2", wait_s=0.06)
    assert time.monotonic() - started >= 0.06


@pytest.mark.parametrize("text", ["", "garbage", '{"pid": "x"}'])
def test_what_stands_in_the_file_decides_nothing(tmp_path: Path, text: str) -> None:
    PairLock(pair(tmp_path), "r-1").release()
    place = Path(pair(tmp_path)) / "lock"
    place.write_text(text)
    with PairLock(pair(tmp_path), "r-2"):
        place.write_text(text)
        with pytest.raises(Locked, match="another run"):
            PairLock(pair(tmp_path), "r-3")


def test_a_lock_file_that_is_a_link_is_refused(tmp_path: Path) -> None:
    PairLock(pair(tmp_path), "r-1").release()
    place = Path(pair(tmp_path)) / "lock"
    place.unlink()
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError, match="not a regular file"):
        PairLock(pair(tmp_path), "r-2")
    assert not (tmp_path / "elsewhere").exists()


def race(directory: str, runners: int) -> int:
    """How many of the runners, started at once, got the lock."""
    gate, open_gate = os.pipe()
    over, end = os.pipe()

    def work(say: Callable[[str], None]) -> None:
        os.close(open_gate)
        os.close(end)
        os.read(gate, 1)
        try:
            lock = PairLock(directory, f"r-{os.getpid()}")
        except Locked:
            say("lost")
            return
        say("won")
        os.read(over, 1)
        lock.release()

    children = [Child(work) for _ in range(runners)]
    os.close(open_gate)
    said = [child.line() for child in children]
    os.close(end)
    os.close(gate)
    os.close(over)
    assert [child.end() for child in children] == [0] * runners
    assert set(said) <= {"won", "lost"}
    return said.count("won")


def test_of_runs_started_at_once_exactly_one_wins(tmp_path: Path) -> None:
    assert [race(pair(tmp_path), 2) for _ in range(100)] == [1] * 100


@pytest.mark.slow
def test_of_a_thousand_races_each_has_one_winner(tmp_path: Path) -> None:
    assert [race(pair(tmp_path), 4) for _ in range(1000)] == [1] * 1000


def test_a_disk_that_takes_no_byte_still_lets_the_lock_be_taken(tmp_path: Path) -> None:
    def work(say: Callable[[str], None]) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        with PairLock(pair(tmp_path), "r-full"):
            say("held")
            wait_for_ever()

    child = Child(work)
    assert child.line() == "held"
    with pytest.raises(Locked):
        PairLock(pair(tmp_path), "r-2")
    child.kill()
