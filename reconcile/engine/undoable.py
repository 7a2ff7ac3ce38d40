"""Which run an undo takes back when none is named. Reads only the states.

A run that is undone already is passed over, and so is every undo: saying `undo` again
goes one run further back and never forward. Where several pairs could be meant
nothing is guessed, and a pair whose state cannot be read could be meant too.
"""

from collections.abc import Collection, Sequence
from contextlib import closing
from typing import NamedTuple

from reconcile.engine.known import KnownPair, in_state, known_pairs
from reconcile.model.errors import NotFound, StateError, UsageError
from reconcile.model.plan import PlanKind
from reconcile.store.pairs import pairs
from reconcile.store.records import PairRecord, Run
from reconcile.store.state import Store, pair_directory

_LISTED = 10


class Undoable(NamedTuple):
    """The run that is taken back next."""

    pair: KnownPair
    run: Run
    idle: str
    """A newer run of the pair, the newest, that changed nothing; empty: there is none."""


def newest_undoable(state_dir: str, pair: str = "") -> Undoable:
    """The newest run of the pair of this id (empty: of the only one there is) that is not undone.

    Raises: UsageError, naming them, when several pairs could be meant; StateError,
    when the state of the pair cannot be read; NotFound, when no run is left.
    """
    known = _only(state_dir) if not pair else _of(state_dir, pair)
    found = in_state(known, _standing)
    if found is None:
        raise NotFound(
            f"no run of {known.left} and {known.right} is left to undo",
            hint="see: reconcile history",
        )
    return Undoable(known, *found)


def idle_note(pair: KnownPair) -> str:
    """What is said where a run that changed nothing was named: which run did, before it."""
    found = in_state(pair, _standing)
    return f"the last that did: reconcile undo {found[0].id}" if found else "no other run did"


def changed_anything(pair: KnownPair, run: Run) -> bool:
    """It did a step, or took the baseline back."""
    return in_state(pair, lambda store: _did(store, run))


def undone(runs: Sequence[Run]) -> Collection[str]:
    """The ids of those that are taken back whole, and whose undo is not itself taken back.

    `runs`: newest first.
    """
    found: set[str] = set()
    for run in runs:
        if run.kind is PlanKind.UNDO and run.result == "done" and run.id not in found:
            found.add(run.of)
    return found


def _standing(store: Store) -> tuple[Run, str] | None:
    runs = store.runs.every()
    gone = undone(runs)
    adopted = [made for made in store.baselines.every() if made.run.startswith("r-")]
    listed = {run.id for run in runs}
    idle = ""
    for run in runs:
        last = max(run.baseline_after, run.made_from.generation)
        newer = next((each for each in adopted if each.number > last), None)
        if newer is not None and newer.run not in listed:
            idle = idle or newer.run
        if run.kind is PlanKind.UNDO or run.id in gone:
            continue
        if _did(store, run):
            return run, idle
        idle = idle or run.id
    return None


def _did(store: Store, run: Run) -> bool:
    return bool(run.counts or store.runs.done(run.id))


def _of(state_dir: str, pair: str) -> KnownPair:
    for record in pairs(state_dir):
        if record.pair == pair and record.damage:
            raise _damaged(record)
    for known in known_pairs(state_dir):
        if known.pair == pair:
            return known
    raise NotFound("no run of these two sides is known", hint="see: reconcile history")


def _only(state_dir: str) -> KnownPair:
    records = [each for each in pairs(state_dir) if each.damage or _may_be_meant(state_dir, each)]
    if not records:
        raise NotFound("no run is known that could be undone", hint="see: reconcile history")
    if len(records) > 1:
        raise UsageError(
            f"the last run of which pair? {len(records):,} pairs have runs",
            where="\n".join(map(_said, records[:_LISTED])),
            hint="reconcile undo LEFT RIGHT, reconcile undo JOB, or reconcile undo RUN",
        )
    return _of(state_dir, records[0].pair)


def _may_be_meant(state_dir: str, record: PairRecord) -> bool:
    if record.last_run is None:
        return False
    directory = pair_directory(state_dir, record.pair)
    with closing(Store.open(directory, create=False)) as store:
        return _standing(store) is not None


def _said(record: PairRecord) -> str:
    if record.damage:
        return f"pair {record.pair}  its state cannot be read: {record.damage}"
    run = record.last_run.id if record.last_run is not None else "-"
    return f"{record.left}  {record.right}  last run {run}"


def _damaged(record: PairRecord) -> StateError:
    return StateError(
        f"the state of pair {record.pair} cannot be read: {record.damage}",
        hint="reconcile doctor",
    )


__all__ = ["Undoable", "changed_anything", "idle_note", "newest_undoable", "undone"]
