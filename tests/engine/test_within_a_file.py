"""How far a run is moves within one large file too, while it is hashed and while it is copied."""

import os
from pathlib import Path

import pytest

from reconcile.engine import apply as applying
from reconcile.engine import looks
from reconcile.engine.cycle import apply_job
from reconcile.engine.events import Event, Moved, Phase, Scanned
from reconcile.model.job import Job
from reconcile.trees import hashing, workers
from reconcile.trees.pulse import heard, patiently, went

SIZE = 40 << 20


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """The events of a first run that carries one large file and two small ones."""
    for module in (applying, looks):
        monkeypatch.setattr(module, "BEAT_S", 0.0)
    monkeypatch.setattr(hashing, "WIDE_BYTES", 4 << 20)
    for side in ("left", "right"):
        (tmp_path / side).mkdir()
    (tmp_path / "left/large").write_bytes(os.urandom(1 << 20) * (SIZE >> 20))
    for name in ("a", "b"):
        (tmp_path / "left" / name).write_bytes(b"small")
    events: list[Event] = []
    job = Job(str(tmp_path / "left"), str(tmp_path / "right"), str(tmp_path / "state"))
    apply_job(job, events.append, lambda planning: planning.plan)
    return events


def test_hashing_is_told_within_the_file(told: list[Event]) -> None:
    read = [e.tally.hashed_bytes for e in told if isinstance(e, Scanned) and e.side == "left"]
    assert read == sorted(read)
    within = [count for count in read if 0 < count < SIZE]
    assert len(within) >= 5


def test_copying_is_told_within_the_file_and_never_decreases(told: list[Event]) -> None:
    start = told.index(Phase("transfer"))
    moved = [e for e in told[start:] if isinstance(e, Moved)]
    counts = [e.bytes_done for e in moved]
    assert counts == sorted(counts)
    assert len([count for count in counts if 0 < count < SIZE]) >= 4
    assert counts[-1] == moved[-1].bytes_total == SIZE + 10
    assert all(e.bytes_done <= e.bytes_total for e in moved)


def test_a_worker_process_beats_for_its_owner() -> None:
    def work(task: int, emit: workers.Emit) -> int:
        del emit
        for _ in range(3):
            workers.went(task)
        return task

    pool = workers.Pool(1, work)
    counts: list[int] = []
    try:
        with pytest.MonkeyPatch.context() as patch, heard(counts.append):
            patch.setattr(workers, "BEAT_S", 0.0)
            pool.close()
            pool = workers.Pool(1, work)
            assert [answer for done, answer in pool.run([5, 7]) if done] == [5, 7]
    finally:
        pool.close()
    assert sum(counts) == 3 * (5 + 7)


def test_whoever_waits_for_the_disk_is_told_and_hears_its_error() -> None:
    def broken(fd: int) -> None:
        raise OSError(5, f"no disk {fd}")

    with heard(lambda count: None), pytest.raises(OSError, match="no disk 7"):
        patiently(broken, 7)
    with pytest.raises(OSError, match="no disk 8"):
        patiently(broken, 8)


def test_outside_nobody_listens() -> None:
    counts: list[int] = []
    with heard(counts.append):
        went(1)
    went(2)
    assert counts == [1]
