"""History: what runs did, what became of one path, and what is kept of it.

Reads only the states: no side is asked, nothing is written, and nobody waits.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from heapq import merge
from typing import TypeVar

import msgspec

from reconcile.engine.known import KnownPair, find_run, in_state, known_pairs
from reconcile.engine.outcome import Ended
from reconcile.model.block import HashName
from reconcile.model.codec import decode
from reconcile.model.errors import ManifestError, ReconcileError
from reconcile.model.plan import Conflict, Plan, PlanKind, Problem, Side, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.store.lock import holder
from reconcile.store.records import Baseline, Run, Version
from reconcile.store.state import Store
from reconcile.trees.versions import place_of

T = TypeVar("T")
_FEW = 1000
ADOPT = "adopt"
"""The kind of a run that only took in what was equal on both sides: no step, no journal."""
RUNNING = "running"
INTERRUPTED = "interrupted"
WELL = ("done", RUNNING)
"""Results that need nobody."""


class RunEntry(msgspec.Struct, frozen=True):
    """One run of one pair, in short."""

    id: str
    pair: KnownPair
    kind: str
    """Of `PlanKind`, or `adopt`."""
    of: str
    """As `Plan.of`."""
    started_ns: int
    ended_ns: int
    """0: it has not ended, or nobody saw it end."""
    result: str
    """`done`, `partial`, `failed`, `interrupted`, `running`."""
    counts: tuple[tuple[str, str, int], ...]
    """(side, action, how many were done)."""
    not_done: int
    """Steps that it tried and did not do; of those no longer in the journal nothing is known."""
    baseline_before: int
    baseline_after: int
    undone_by: str
    """The newest run that took it back; empty: none."""
    has_journal: bool
    """Its steps are still known."""
    hash_name: HashName = "blake3"
    """What its ids are made with."""

    @property
    def is_well(self) -> bool:
        """It did all that it was to do, or is at it."""
        return self.result in WELL


class NumberedVersion(msgspec.Struct, frozen=True):
    """One kept version of a path: `vN`, its own in the pair as long as it is kept."""

    number: int
    version: Version
    place: TreePath | None
    """Where it lies below its side's root; None: what the state says is no such place."""


class RunDetail(msgspec.Struct, frozen=True):
    """One run: every step with its outcome, and what it left alone."""

    entry: RunEntry
    run: Run
    done: tuple[Step, ...]
    not_done: tuple[Ended, ...]
    """Tried and not done, each with its receipt."""
    not_reached: tuple[Step, ...]
    """Of an interrupted saved plan: what it never came to."""
    journal: tuple[tuple[Step, Receipt], ...]
    conflicts: tuple[Conflict, ...]
    problems: tuple[Problem, ...]
    versions: tuple[NumberedVersion, ...]
    """Of what it superseded, what is still kept."""
    dropped: int
    """Versions that it made and that are kept no longer."""


class PairKept(msgspec.Struct, frozen=True):
    """What one pair keeps."""

    pair: KnownPair
    hash_name: HashName
    versions: tuple[NumberedVersion, ...]
    """Newest first."""


class PathEvent(msgspec.Struct, frozen=True):
    """What one run did at one path, or meant to."""

    run: RunEntry
    step: Step
    receipt: Receipt
    kept: NumberedVersion | None
    """What stood there before, when that is still kept."""


def runs_of(state_dir: str, pair: str = "") -> Sequence[RunEntry]:
    """Every run of the pair of this id, or of all, newest first. A damaged state is passed over.

    Of one pair in the order they were begun, whatever its clock said; among several by time.
    """
    found: list[Sequence[RunEntry]] = []
    for known in _pairs(state_dir, pair):
        try:
            found.append(_read(known, _entries))
        except ReconcileError:
            continue
    return tuple(merge(*found, key=lambda entry: -entry.started_ns))


def run_detail(state_dir: str, run: str) -> RunDetail:
    """The run of this id, or of the only one that begins so. Raises: NotFound, UsageError."""
    pair, found = find_run(state_dir, run)
    return _read(pair, lambda known, store: _detail(known, store, found))


def path_history(state_dir: str, path: TreePath, pair: str = "") -> Sequence[PathEvent]:
    """What happened at `path`, newest first; of a path that nothing happened at, below it.

    Only what the journals still hold: the last 100 runs of each pair.
    """
    found: list[Sequence[PathEvent]] = []
    for below in (False, True):
        for known in _pairs(state_dir, pair):
            events = _read(known, partial(_events, path=path, below=below))
            found.append(tuple(reversed(events)))
        if any(found):
            break
    return tuple(merge(*found, key=lambda event: -event.run.started_ns))


def versions_of(
    store: Store, path: TreePath | None = None, side: Side | None = None
) -> Sequence[NumberedVersion]:
    """What is kept of `path` (None: of every path), newest first. `side` leaves the others out.

    A number is the version's own in the state: what is superseded or pruned later moves none.
    """
    return tuple(
        NumberedVersion(version.id, version, place_of(version.run, version.path, version.place))
        for version in store.versions.find(path)
        if side in (None, version.side)
    )


def kept_versions(
    state_dir: str, pair: str = "", path: TreePath | None = None, side: Side | None = None
) -> Sequence[PairKept]:
    """What the pair of this id keeps, or each pair; as `versions_of`."""

    def kept(known: KnownPair, store: Store) -> PairKept:
        newest = store.baselines.newest()
        hash_name = newest.header.hash_name if newest is not None else "blake3"
        return PairKept(known, hash_name, tuple(versions_of(store, path, side)))

    return tuple(_read(known, kept) for known in _pairs(state_dir, pair))


def _pairs(state_dir: str, pair: str) -> Iterator[KnownPair]:
    for known in known_pairs(state_dir):
        if pair in ("", known.pair):
            yield known


def _read(known: KnownPair, ask: Callable[[KnownPair, Store], T]) -> T:
    return in_state(known, lambda store: ask(known, store))


def _entries(known: KnownPair, store: Store) -> Sequence[RunEntry]:
    runs = store.runs.every()
    makers = _Entries(known, store, runs)
    listed = {run.id for run in runs}
    adopted = [made for made in makers.baselines if made.run not in listed]
    found: list[RunEntry] = []
    for run in runs:
        entry = makers.entry(run)
        last = max(entry.baseline_after, entry.baseline_before)
        while adopted and adopted[0].number > last:
            found.append(makers.adopted(adopted.pop(0)))
        found.append(entry)
    return [*found, *map(makers.adopted, adopted)]


class _Entries:
    """Makes the entries of one pair."""

    def __init__(self, known: KnownPair, store: Store, runs: Sequence[Run]) -> None:
        self._known = known
        self._store = store
        self._tallies = store.runs.tallies()
        every = store.baselines.every()
        self._by_run = {made.run: made.number for made in every}
        self.baselines = [made for made in every if made.run.startswith("r-")]
        held = holder(known.directory)
        self._running = held.run if held is not None else ""
        self._undone: dict[str, str] = {}
        for run in reversed(runs):
            if run.kind is PlanKind.UNDO and (run.result == "done" or run.counts):
                self._undone[run.of] = run.id

    def entry(self, run: Run) -> RunEntry:
        """A run that the state lists."""
        tally = self._tallies.get(run.id, {})
        return RunEntry(
            run.id,
            self._known,
            run.kind.value,
            run.of,
            run.started_ns,
            run.ended_ns,
            self._result(run),
            run.counts or self._counts(run.id, tally),
            sum(count for status, count in tally.items() if status is not Status.DONE),
            run.made_from.generation,
            run.baseline_after or self._by_run.get(run.id, 0),
            self._undone.get(run.id, ""),
            run.id in self._tallies,
            run.made_from.header.hash_name,
        )

    def adopted(self, made: Baseline) -> RunEntry:
        """A run of which only its baseline tells: there was no step in it."""
        return RunEntry(
            made.run, self._known, ADOPT, "", made.time_ns, made.time_ns, "done", (), 0,
            made.number - 1, made.number, "", False, made.header.hash_name,
        )  # fmt: skip

    def _counts(self, run: str, tally: Mapping[Status, int]) -> tuple[tuple[str, str, int], ...]:
        """Of a run that did not come to note its own."""
        if not tally.get(Status.DONE):
            return ()
        done = Counter(
            (step.side.value, step.action.value)
            for step, receipt in self._store.runs.journal(run)
            if receipt.status is Status.DONE
        )
        return tuple((*what, count) for what, count in sorted(done.items()))

    def _result(self, run: Run) -> str:
        if run.ended_ns:
            return run.result
        return RUNNING if run.id == self._running else INTERRUPTED


def _detail(known: KnownPair, store: Store, run: Run) -> RunDetail:
    journal = tuple(store.runs.journal(run.id))
    plan = plan_of(run)
    tried = {step.id for step, _ in journal}
    versions = tuple(each for each in versions_of(store) if each.version.run == run.id)
    made = sum(1 for _, receipt in journal if receipt.version)
    return RunDetail(
        _Entries(known, store, store.runs.every()).entry(run),
        run,
        tuple(step for step, receipt in journal if receipt.status is Status.DONE),
        tuple(Ended(*each) for each in journal if each[1].status is not Status.DONE),
        tuple(step for step in plan.steps if step.id not in tried) if plan else (),
        journal,
        plan.conflicts if plan else (),
        plan.problems if plan else (),
        versions,
        max(0, made - len(versions)),
    )


def plan_of(run: Run) -> Plan | None:
    """What it carried out, as far as it is kept; None: nothing of it."""
    try:
        return decode(run.plan, Plan) if run.plan else None
    except ManifestError:
        return None


def _events(known: KnownPair, store: Store, *, path: TreePath, below: bool) -> Sequence[PathEvent]:
    told = store.runs.about(path, below=below)
    if not told:
        return ()
    entries = {entry.id: entry for entry in _entries(known, store)}
    kept = _kept(store, {step.at for _, step, receipt in told if receipt.version})
    return [
        PathEvent(entries[run], step, receipt, kept.get((run, step.side, receipt.version)))
        for run, step, receipt in told
        if run in entries
    ]


def _kept(
    store: Store, paths: Collection[TreePath]
) -> Mapping[tuple[str, Side, str], NumberedVersion]:
    """By run, side and place: the versions of these paths. Of many, all are read at once."""
    asked: Iterable[TreePath | None] = paths if len(paths) <= _FEW else (None,)
    found = (numbered for path in asked for numbered in versions_of(store, path))
    return {(each.version.run, each.version.side, each.version.place): each for each in found}
