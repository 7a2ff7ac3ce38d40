"""The crew: plain cases done in bulk, by two forked processes when there are many.

Processes are forked to copy local files; content that has arrived in this process
is written here. What the crew leaves undone, the general way does afterwards in
this process; so a worker that dies costs time only. Workers share the root's lock
through their inherited descriptor and end with the run.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from reconcile.model.plan import Step
from reconcile.model.receipt import Receipt
from reconcile.trees.base import ContentChanged, Supply
from reconcile.trees.plain import (
    Group,
    Lstat,
    Plain,
    groups,
    plain_case,
    publish_groups,
    receipt_of,
    stage_arrived,
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

    def stage(self, steps: Sequence[Step], supply: Supply, *, flush: bool) -> dict[int, Plain]:
        """Stage what is plain; what is staged now, by step id. `accept` makes it count."""
        tracked = self._site.options.header.tracked
        if tracked.owner or tracked.xattr:
            return {}
        if self._origin is None:
            origins = (origin_of(supply, step) for step in steps)
            self._origin = next((origin for origin in origins if origin is not None), None)
        by_id: dict[int, Plain] = {}
        staged: dict[int, Plain] = {}
        if self._origin is not None:
            cases = self._plain(steps, supply, by_id)
            for ids in self._do("stage", cases, self._hired(len(steps)), flush=flush):
                staged.update((number, by_id[number]) for number in ids)
        arrived = self._arrived(steps, supply, by_id)
        staged.update((c.step.id, c) for c in stage_arrived(self._site, arrived, flush=flush))
        return staged

    def accept(self, staged: Mapping[int, Plain]) -> None:
        """This is as durable as the run asks: it may be published."""
        self._staged.update(staged)

    def publish(self, steps: Sequence[Step]) -> dict[int, Receipt]:
        """Publish what `stage` staged of these; receipts of what is published now."""
        here = {step.id: self._staged.pop(step.id) for step in steps if step.id in self._staged}
        receipts = {}
        pool = self._pool if len(here) >= WORTH_IT else None
        for answer in self._do("publish", here.values(), pool):
            for number, numbers in answer:
                case = here[number]
                receipts[number] = receipt_of(case.step, case.item[1], numbers)
                self._site.flusher.touch(case.parent)
        return receipts

    def close(self) -> None:
        """End the workers."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def _plain(
        self, steps: Sequence[Step], supply: Supply, by_id: dict[int, Plain]
    ) -> Iterator[Plain]:
        """The plain cases, noted in `by_id` as they are made."""
        tracked = self._site.options.header.tracked
        for step in steps:
            if origin_of(supply, step) is not self._origin:
                continue
            case = plain_case(step, tracked)
            if case is not None:
                by_id[step.id] = case
                yield case

    def _arrived(
        self, steps: Sequence[Step], supply: Supply, tried: Mapping[int, Plain]
    ) -> Iterator[tuple[Plain, bytes]]:
        """The plain cases whose content is at hand."""
        whole: Callable[[Step], bytes | None] | None = getattr(supply, "whole", None)
        if whole is None:
            return
        tracked = self._site.options.header.tracked
        for step in steps:
            case = None if step.id in tried else plain_case(step, tracked)
            if case is None:
                continue
            try:
                data = whole(step)
            except (OSError, ContentChanged):
                continue  # the general way asks again, and reports it
            if data is not None:
                yield case, data

    def _do(
        self, what: str, cases: Iterable[Plain], pool: Pool | None, *, flush: bool = False
    ) -> Iterator[Any]:
        """Answers, in any order, while the next tasks are made. Any: what `_handle` answers."""
        tasks = ((what, flush, batch) for batch in groups(cases, _PER_TASK))
        if pool is None:
            yield from map(self._handle, tasks)
            return
        try:
            for done, answer in pool.run(tasks):
                if done:
                    yield answer
        except WorkerFailed:
            self._workers = 0
            self.close()
        except BaseException:
            self.close()  # its answers would be taken for those of the next call
            raise

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
