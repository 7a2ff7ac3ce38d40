"""Ledger: after each batch, one transaction takes in what really happened.

The baseline (from receipts), both sides' stat indexes (so that the next scan
knows our own writes), versions kept, and the journal move together or not at
all.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence

import msgspec

from reconcile.decide.advance import Bare, Settling, nowhere_bare, revise, side_edits
from reconcile.engine.pairs import now_ns
from reconcile.model.codec import encode
from reconcile.model.job import Job
from reconcile.model.manifest import Header, Manifest
from reconcile.model.plan import Action, Plan, Side, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.store.records import Baseline, Run, Version
from reconcile.store.state import Store


def no_cursor(side: Side) -> bytes:
    """For pairs without a remote side."""
    del side
    return b""


class StoreLedger:
    """The `engine.apply.Ledger` of a pair's store."""

    def __init__(
        self,
        store: Store,
        info: Baseline,
        left: Manifest,
        right: Manifest,
        *,
        whole_plan: Plan,
        plan_id: str = "",
        done: Collection[int] = (),
        cursor: Callable[[Side], bytes] = no_cursor,
        job: Job | None = None,
        bare: Bare = nowhere_bare,
    ) -> None:
        """`info` names run, header, filters and identities of the generation to be made;
        `whole_plan` has those steps too that an earlier part of the same run has `done`;
        `cursor` tells a remote side's state after what was last done there; `job` is noted
        with the run; `bare` is `Settling`'s."""
        self._plan = whole_plan
        self._store = store
        self._info = info
        self._left = left
        self._right = right
        self._plan_id = plan_id
        self._before = done
        self._cursor = cursor
        self._job = job
        self._bare = bare
        self._settling: Settling | None = None
        self._run: Run | None = None
        self._counts: Counter[tuple[Side, Action]] = Counter()

    @property
    def counts(self) -> tuple[tuple[str, str, int], ...]:
        """(side, action, how many were done), sorted."""
        named = sorted((*what, count) for what, count in self._counts.items())
        return tuple((side.value, action.value, count) for side, action, count in named)

    def begin(self, run: str, plan: Plan) -> None:
        """Note the run and take in what both sides agree on already."""
        self._settling = Settling(self._plan, self._left, self._right, self._before, self._bare)
        self._run = Run(
            run,
            self._plan_id,
            plan.made_from,
            now_ns(),
            encode(self._plan if self._plan_id else _without_steps(self._plan)),
            kind=plan.kind,
            of=plan.of,
            job=self._job,
        )
        with self._store.transaction():
            if plan.steps or plan.reverts:
                self._store.runs.begin(self._run)
            if not self._before:
                self._agree()

    def _agree(self) -> None:
        assert self._settling is not None
        base = self._store.manifest("base", header=self._header)
        agreed = self._settling.agreed(base)
        agreed.edits.update((each.path, each.entry) for each in self._plan.reverts)
        if base.root is None and not self._plan.kind.settles:
            return  # nothing was agreed on, so nothing can be taken back
        if agreed.edits or agreed.grafts or base.root is None:
            self._store.baselines.commit(revise(base, agreed.edits, agreed.grafts), self._info)

    @property
    def _header(self) -> Header:
        return self._info.header

    def intend(self, steps: Sequence[Step]) -> None:
        """Nothing to note: temporary names are functions of their steps, recovery finds them."""

    def commit(self, steps: Sequence[Step], receipts: Sequence[Receipt]) -> None:
        """See `Ledger.commit`."""
        assert self._settling is not None
        done = [receipt.step for receipt in receipts if receipt.status is Status.DONE]
        self._settling.take(steps, receipts)
        with self._store.transaction():
            if self._plan.kind.settles:
                self._settle(done)
            for side in Side:
                written = side_edits(steps, receipts, side)
                self._store.note_writes(side, written, self._cursor(side))
            self._store.versions.add(self._versions(steps, receipts))
            self._store.runs.record(self._info.run, steps, receipts)
        self._counts.update(
            (step.side, step.action)
            for step, receipt in zip(steps, receipts, strict=True)
            if receipt.status is Status.DONE
        )

    def _settle(self, done: Sequence[int]) -> None:
        assert self._settling is not None
        base = self._store.manifest("base", header=self._header)
        edits = self._settling.settled(base, done)
        if edits:
            self._store.baselines.commit(revise(base, edits), self._info)

    def narrowed(self) -> None:
        """Both sides were let go: directories that had to be filled have their own modes now."""
        if self._settling is None or not self._plan.kind.settles:
            return
        base = self._store.manifest("base", header=self._header)
        edits = self._settling.narrowed(base)
        if edits:
            with self._store.transaction():
                self._store.baselines.commit(revise(base, edits), self._info)

    def _versions(self, steps: Sequence[Step], receipts: Sequence[Receipt]) -> list[Version]:
        time_ns = now_ns()
        return [
            Version(
                self._info.run,
                step.side,
                step.at,
                receipt.version,
                step.expect.id,
                step.expect.size,
                step.expect.mtime_ns,
                time_ns,
                step.action.value,
            )
            for step, receipt in zip(steps, receipts, strict=True)
            if receipt.version and step.expect is not None
        ]

    def finish(self, status: str) -> None:
        """Note how the run ended; an interrupted one stays open, to be gone on with."""
        if self._run is None or (status == "interrupted" and self._plan_id):
            return
        newest = self._store.baselines.newest()
        ended = msgspec.structs.replace(
            self._run,
            ended_ns=now_ns(),
            result=status,
            counts=self.counts,
            baseline_after=newest.number if newest else 0,
        )
        with self._store.transaction():
            if self._store.runs.get(self._run.id) is not None:
                self._store.runs.end(ended)
                self._store.runs.prune(KEPT_RUNS)
            if self._plan_id and status in ("done", "partial"):
                self._store.runs.consume(self._plan_id, self._run.id, ended.ended_ns)


def _without_steps(plan: Plan) -> Plan:
    """What the journal does not tell: conflicts, problems, guards."""
    return msgspec.structs.replace(plan, steps=(), agreements=())


KEPT_RUNS = 100
"""Runs whose plans and journals are kept."""
