"""The crew: plain cases done in bulk, by two forked processes when there are many.

What the crew leaves undone, the general way does afterwards in this process;
so a worker that dies costs time only. Workers share the root's lock through
their inherited descriptor and end with the run.
"""

import threading
from collections.abc import Iterable, Sequence
from typing import Any

from reconcile.model.entry import Tracked
from reconcile.model.plan import Step
from reconcile.model.receipt import Receipt
from reconcile.trees.base import Supply
from reconcile.trees.plain import (
    Group,
    Lstat,
    Plain,
    groups,
    plain_case,
    publish_groups,
    receipt_of,
    stage_groups,
)
from reconcile.trees.rooted import Root
from reconcile.trees.site import Site
from reconcile.trees.staging import origin_of
from reconcile.trees.workers import Emit, Pool, WorkerFailed

WORTH_IT = 64
"""Fewer items than this are not worth a message to another process."""
_PER_TASK = 64
"""Small enough that two waiting tasks fit into a pipe."""
Task = tuple[str, bool, list[Group]]


class Crew:
    """Does plain cases for one site, from one source root, for one run."""

    def __init__(self, site: Site, workers: int) -> None:
        self._site = site
        self._workers = workers
        self._origin: Root | None = None
        self._pool: Pool | None = None
        self._staged: dict[int, Plain] = {}

    def stage(self, steps: Sequence[Step], supply: Supply, *, flush: bool) -> set[int]:
        """Stage what is plain; the ids of what is staged now."""
        cases = self._plain(steps, supply, self._site.options.header.tracked)
        if not cases:
            return set()
        by_id = {case.step.id: case for case in cases}
        staged = {
            number: by_id[number] for ids in self._do("stage", cases, flush=flush) for number in ids
        }
        self._staged.update(staged)
        return set(staged)

    def publish(self, steps: Iterable[Step]) -> dict[int, Receipt]:
        """Publish what `stage` staged of these; receipts of what is published now."""
        cases = [self._staged.pop(step.id) for step in steps if step.id in self._staged]
        if not cases:
            return {}
        by_id = {case.step.id: case for case in cases}
        receipts = {}
        for answer in self._do("publish", cases):
            for number, numbers in answer:
                case = by_id[number]
                receipts[number] = receipt_of(case.step, case.item[1], numbers)
                self._site.flusher.touch(case.parent)
        return receipts

    def close(self) -> None:
        """End the workers."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def _plain(self, steps: Sequence[Step], supply: Supply, tracked: Tracked) -> list[Plain]:
        if tracked.owner or tracked.xattr:
            return []
        cases = []
        for step in steps:
            origin = origin_of(supply, step)
            if origin is None:
                continue
            if self._origin is None:
                self._origin = origin
            case = plain_case(step, tracked) if origin is self._origin else None
            if case is not None:
                cases.append(case)
        return cases

    def _do(self, what: str, cases: Sequence[Plain], *, flush: bool = False) -> list[Any]:
        """Answers, in any order. Any: what `_handle` answers for this task."""
        tasks: list[Task] = [(what, flush, batch) for batch in groups(cases, _PER_TASK)]
        pool = self._hired(len(cases))
        if pool is None:
            return [self._handle(task) for task in tasks]
        answers: list[Any] = []
        try:
            answers.extend(answer for done, answer in pool.run(tasks) if done)
        except (WorkerFailed, BrokenPipeError):
            self._workers = 0
            self.close()
        except BaseException:
            self.close()  # its answers would be taken for those of the next call
            raise
        return answers

    def _hired(self, count: int) -> Pool | None:
        if self._pool is None and self._workers and count >= WORTH_IT:
            if threading.active_count() > 1:
                self._workers = 0  # a fork would copy locks that threads hold
                return None
            self._pool = Pool(self._workers, self._work)
        return self._pool if count >= WORTH_IT else None

    def _work(self, task: Task, emit: Emit) -> list[int] | list[tuple[int, Lstat]]:
        """In a worker: directories are looked up anew for every task."""
        del emit
        self._site.root.forget()
        if self._origin is not None:
            self._origin.forget()
        return self._handle(task)

    def _handle(self, task: Task) -> list[int] | list[tuple[int, Lstat]]:
        what, flush, batch = task
        if what == "publish":
            return publish_groups(self._site, batch)
        assert self._origin is not None
        return stage_groups(self._site, self._origin, batch, flush=flush)
