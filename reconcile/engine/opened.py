"""Opened: one pair, open for one command: its lock, its state, its two trees.

Who holds the pair's lock may write to the state. A command that only looks and
finds the lock taken (or the state not writable) keeps what it scans in a
temporary file instead and waits for nobody.
"""

import contextlib
import os
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

import msgspec

from reconcile.decide.filters import Filter
from reconcile.engine.events import Listener, Noted, Scanned
from reconcile.engine.pairs import filter_of, header_of, now_ns, pair_id, rules_digest, settings_of
from reconcile.model.errors import Denied, Locked, StateError
from reconcile.model.job import Job
from reconcile.model.manifest import ABSENT, Manifest
from reconcile.model.plan import Problem, Side
from reconcile.model.treepath import ROOT
from reconcile.store.database import set_aside
from reconcile.store.lock import PairLock
from reconcile.store.records import Baseline, SideIndex
from reconcile.store.state import Store, pair_directory
from reconcile.trees.base import Observation, Tally
from reconcile.trees.lazy_sink import LazySink
from reconcile.trees.observe import Seen, Sink, observe
from reconcile.trees.spool import Spool

if TYPE_CHECKING:
    from reconcile.trees.local import LocalTree


class Opened:
    """A context manager; everything taken is let go at its end."""

    def __init__(
        self,
        job: Job,
        listener: Listener,
        *,
        run: str = "",
        exclusive: bool,
        keeps: bool = True,
    ) -> None:
        """`exclusive`: take the pair's lock or raise Locked; else take it when it is free.

        Without `keeps` nothing is written in the state, and no lock is taken.
        """
        self.job = job
        self.listener = listener
        self.run = run
        self.pair = pair_id(job.left, job.right)
        self.directory = pair_directory(job.state_dir, self.pair)
        self.header = header_of(job)
        self.filter: Filter | None = filter_of(job)
        self.rules_digest = rules_digest(job, self.filter)
        self._exit = contextlib.ExitStack()
        self.is_writable = False
        self.notes: list[Problem] = []
        try:
            self.store = self._open(exclusive, keeps)
        except BaseException:
            self._exit.close()
            raise
        self._trees: dict[Side, LocalTree] = {}

    def __enter__(self) -> "Opened":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exit.close()

    def tree(self, side: Side) -> "LocalTree":
        """The side as a tree, made when first asked for."""
        if side not in self._trees:
            from reconcile.trees.local import LocalTree  # 15 ms: the write side comes with it

            self._trees[side] = LocalTree(self._location(side))
            self._exit.callback(self._trees[side].close)
        return self._trees[side]

    @property
    def left(self) -> "LocalTree":
        """The left tree."""
        return self.tree(Side.LEFT)

    @property
    def right(self) -> "LocalTree":
        """The right tree."""
        return self.tree(Side.RIGHT)

    def url(self, side: Side) -> str:
        """Where a side is, as text for people."""
        return self._location(side).decode("utf-8", "backslashreplace")

    def _location(self, side: Side) -> bytes:
        return os.fsencode(self.job.left if side is Side.LEFT else self.job.right)

    def baseline(self) -> Baseline | None:
        """The newest generation that is agreed on; None: a first run."""
        newest = self.store.baselines.newest()
        return newest if newest is not None and newest.root is not None else None

    def base(self) -> Manifest:
        """What was agreed on, under this job's header; ABSENT on a first run.

        A baseline of another hash algorithm cannot be compared with anything:
        it reads as a first run, in which nothing is deleted.
        """
        if self.baseline() is None:
            return ABSENT
        return self.store.manifest("base", header=self.header)

    @property
    def noted_pair(self) -> bool:
        """The state knows where its two roots are."""
        return bool(self.store.noted("left"))

    def note_pair(self) -> None:
        """Tell the state where its two roots are, for `status`; in a transaction."""
        self.store.note(left=self.url(Side.LEFT), right=self.url(Side.RIGHT))

    def observe(self, side: Side) -> Observation:
        """The side as it is now."""

        def progress(tally: Tally) -> None:
            self.listener(Scanned(side, tally))

        seen = self._look(side, self._location(side), progress)
        self.listener(Scanned(side, seen.tally, final=True))
        for problem in seen.problems:
            self.listener(Noted(problem))
        return seen

    def _open(self, exclusive: bool, keeps: bool) -> Store:
        try:
            if keeps:
                wait_s = self.job.lock_wait_s if exclusive else 0.0
                self._exit.enter_context(PairLock(self.directory, self.run, wait_s=wait_s))
                self.is_writable = True
        except (Locked, Denied):
            if exclusive:
                raise
        store = self._open_store()
        self._exit.callback(store.close)
        return store

    def _open_store(self) -> Store:
        try:
            return Store.open(self.directory, create=self.is_writable)
        except StateError:
            if not (self.job.first_run and self.is_writable):
                raise
            kept = set_aside(self.directory)
            self.notes.append(
                Problem(
                    ROOT,
                    None,
                    "E_STATE_CORRUPT",
                    f"the damaged state was put aside as {kept}; this is a first run",
                    "note",
                )
            )
            return Store.open(self.directory, create=True)

    def _look(self, side: Side, location: bytes, progress: Callable[[Tally], None]) -> Observation:
        started = now_ns()
        known = self.store.side(side)
        usable = known is not None and known.header == self.header
        index = self.store.index(side) if usable and not self.job.paranoid else None
        if index is not None:
            self._exit.callback(index.close)
        trusted = known is not None and known.digest == self.rules_digest
        settings = settings_of(self.job, self.filter, started)
        if not self.is_writable:
            spool = Spool(index)
            self._exit.callback(spool.close)
            seen = observe(location, settings, index, spool, progress, trusted=trusted)
            return _observation(side, seen, spool.manifest(self.header, seen.root))
        with contextlib.ExitStack() as transaction:
            sink = LazySink(self._begin(transaction, side, clear=not usable))
            seen = observe(location, settings, index, sink, progress, trusted=trusted)
            worth = SideIndex(self.rules_digest, seen.identity, seen.root, self.header, started)
            if sink.was_used or known is None or not _same_worth(known, worth):
                sink.begin()
                self.store.set_side(side, worth)
        return _observation(side, seen, self.store.manifest(side))

    def _begin(
        self, transaction: contextlib.ExitStack, side: Side, *, clear: bool
    ) -> Callable[[], Sink]:
        def begin() -> Sink:
            transaction.enter_context(self.store.transaction())
            if clear:
                self.store.clear(side)
            return self.store.sink(side)

        return begin


def _same_worth(known: SideIndex, worth: SideIndex) -> bool:
    return msgspec.structs.replace(known, time_ns=0, serial=0) == msgspec.structs.replace(
        worth, time_ns=0, serial=0
    )


def _observation(side: Side, seen: Seen, manifest: Manifest) -> Observation:
    problems = tuple(msgspec.structs.replace(problem, side=side) for problem in seen.problems)
    return Observation(manifest, problems, seen.identity, True, seen.tally, seen.leftovers)
