"""Worker processes answer, fail loudly, and never outlive their pool."""

import os
import signal

import pytest

from reconcile.trees.workers import Emit, Pool, WorkerFailed


def test_every_task_is_answered_once_with_what_it_emitted_before() -> None:
    def double(task: int, emit: Emit) -> tuple[int, int]:
        emit((task, "half way"))
        return task, task * 2

    pool = Pool(2, double)
    answers = list(pool.run(range(50)))
    pool.close()

    assert sorted(answer for last, answer in answers if last) == [(n, n * 2) for n in range(50)]
    assert len([answer for last, answer in answers if not last]) == 50


def test_an_exception_in_a_worker_is_an_error_with_its_place() -> None:
    def fail(task: int, emit: Emit) -> None:
        raise ValueError("no such thing")

    pool = Pool(2, fail)
    with pytest.raises(WorkerFailed) as caught:
        list(pool.run([1]))
    pool.close()

    assert "no such thing" in caught.value.where


def test_a_worker_that_dies_is_an_error_not_a_hang() -> None:
    def die(task: int, emit: Emit) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    pool = Pool(2, die)
    with pytest.raises(WorkerFailed):
        list(pool.run([1, 2, 3]))
    pool.close()
