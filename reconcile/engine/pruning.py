"""Pruning: superseded content that is kept no longer, removed from the sides and the state.

`decide/retention.py` says what is too much; here is what is needed, and the order
of the removal: content first, its row in the state after it, each batch durable
before the next. So whatever happens in between, no content is without a row that
leads to it; a row whose content is gone is dropped by the next pruning. Content that
a killed run left without a row gets one first (`orphans.py`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from reconcile.decide.retention import Kept, Needed, Protection, spared, superfluous
from reconcile.engine.bases import contents
from reconcile.engine.events import Listener, Phase
from reconcile.engine.history import NumberedVersion, plan_of, versions_of
from reconcile.engine.opened import Opened
from reconcile.engine.orphans import note_orphans
from reconcile.engine.outcome import Outcome
from reconcile.engine.pairs import now_ns
from reconcile.engine.quarantined import OldLeftovers, outlived
from reconcile.engine.waiting import patiently
from reconcile.model.entry import Kind
from reconcile.model.errors import ReconcileError
from reconcile.model.job import Durability, Job, Retention
from reconcile.model.manifest import walk
from reconcile.model.plan import PlanKind, Problem, Side
from reconcile.model.treepath import ROOT, TreePath
from reconcile.store.records import Run, Version
from reconcile.store.state import Store
from reconcile.trees.base import ChangeableTree, RunOptions

_BATCH = 4096
_NAME = "prune"
"""What stands for a run in the lock of a root."""
WAITING_NS = 30 * 86_400 * 10**9
"""Contents of the state younger than this may wait for a saved plan, which nobody here knows."""
_NO_PLACE = "the state does not say where it is kept in a way that can be believed"


class Going(msgspec.Struct, frozen=True):
    """One version that goes, and the limit that says so: `count`, `age` or `size`."""

    kept: NumberedVersion
    why: str


class Staying(msgspec.Struct, frozen=True):
    """One version that stays although a limit calls it too much."""

    kept: NumberedVersion
    why: str
    protection: Protection


class Pruning(msgspec.Struct, frozen=True):
    """What is kept and what of it goes, or went."""

    job: Job
    retention: Retention
    count: int
    """Versions kept before."""
    size_bytes: int
    going: tuple[Going, ...]
    """Oldest first."""
    problems: tuple[Problem, ...] = ()
    """What could not be removed: it is still kept, and still known."""
    removed: int = 0
    removed_bytes: int = 0
    contents: int = 0
    """Contents of the state itself that nothing needed."""
    spared: tuple[Staying, ...] = ()
    """What the limits call too much and something may still ask for, oldest first."""
    outlived: tuple[OldLeftovers, ...] = ()
    """What lies in quarantine for longer than the age asked for; it goes as well."""
    unseen: tuple[Problem, ...] = ()
    """Sides whose quarantine could not be looked at, as notes."""
    cleared: int = 0
    """Of `outlived`, removed."""

    @property
    def going_bytes(self) -> int:
        """Of all that goes."""
        return sum(each.kept.version.size_bytes for each in self.going)


Agree = Callable[[Pruning], bool]
"""Shown what goes, before anything does; False stops."""
TakesPart = Callable[[TreePath], bool]


def everything(path: TreePath) -> bool:
    """Every path takes part."""
    del path
    return True


def prune(
    job: Job,
    listener: Listener,
    agree: Agree,
    takes_part: TakesPart = everything,
    *,
    even_last: bool = False,
) -> Pruning:
    """Remove what `job.retention` calls too much, at the paths that take part.

    `even_last`: also what the last run superseded; it cannot be undone then.
    Sides are asked only when something goes. Raises: Locked, Unreachable …; what
    was removed by then is gone on both ends, the rest is kept and known.
    """
    with Opened(job, listener, exclusive=True) as opened:
        note_orphans(opened)
        pruning = _found(opened, takes_part, even_last=even_last)
        if takes_part is everything:
            pruning = _with_quarantine(opened, pruning)
        if not agree(pruning):
            return pruning
        return _cleared(opened, _carried_out(opened, pruning))


def look(
    job: Job, listener: Listener, takes_part: TakesPart, *, even_last: bool = False
) -> Pruning:
    """What `prune` would remove. Writes nothing, takes no lock; a side is asked only what
    lies in its quarantine."""
    with Opened(job, listener, exclusive=False, keeps=False) as opened:
        pruning = _found(opened, takes_part, even_last=even_last)
        return _with_quarantine(opened, pruning) if takes_part is everything else pruning


def after_run(opened: Opened, outcome: Outcome) -> Outcome:
    """After a run that ended well, within its lock: what its job keeps no longer goes.

    That something could not be removed is a note: the run is what it was.
    """
    if not outcome.run or outcome.not_done:
        return outcome
    try:
        pruning = _carried_out(opened, _found(opened, everything))
    except ReconcileError as error:
        note = Problem(ROOT, None, error.code, f"nothing was pruned: {error.message}", "note")
        return msgspec.structs.replace(outcome, problems=(*outcome.problems, note))
    notes = [msgspec.structs.replace(each, severity="note") for each in pruning.problems]
    return msgspec.structs.replace(
        outcome,
        problems=(*outcome.problems, *notes),
        pruned=pruning.removed,
        pruned_bytes=pruning.removed_bytes,
    )


def needed(store: Store) -> Needed:
    """What pruning may not touch, whatever the limits say."""
    newest = store.runs.recent(_BATCH)
    unfinished = [run for run in newest if not run.ended_ns]
    last = [*newest[:1], *[run for run in newest if run.counts][:1]]
    bringing = {content for run in unfinished for content in _sources(store, run)}
    speaking = set()
    for standing in store.conflicts.standing():
        conflict = standing.conflict
        for entry in (conflict.base, conflict.left, conflict.right):
            if entry is not None and entry.kind in (Kind.FILE, Kind.LINK):
                speaking.add(entry.id)
    return Needed(
        _needed_runs(last), _needed_runs(unfinished), frozenset(bringing), frozenset(speaking)
    )


def _needed_runs(runs: Sequence[Run]) -> frozenset[str]:
    """The runs themselves, and those that they take back and may not be done with."""
    undone = {run.of for run in runs if run.kind is PlanKind.UNDO and run.result != "done"}
    return frozenset({run.id for run in runs} | undone)


def _sources(store: Store, run: Run) -> Iterator[bytes]:
    """The contents that an unfinished run brings from somewhere."""
    whole = store.runs.get(run.id)
    plan = plan_of(whole) if whole is not None else None
    for step in plan.steps if plan is not None else ():
        if step.source is not None:
            yield step.source.entry.id


def _found(opened: Opened, takes_part: TakesPart, *, even_last: bool = False) -> Pruning:
    job, every = opened.job, versions_of(opened.store)
    by_number = dict(enumerate(reversed(every)))
    others = frozenset(n for n, each in by_number.items() if not takes_part(each.version.path))
    stays = needed(opened.store)._replace(numbers=others)
    if even_last:
        stays = stays._replace(last=frozenset())
    kept = [_kept(number, each.version) for number, each in by_number.items()]
    asked = kept, job.retention, stays, now_ns()
    return Pruning(
        job,
        job.retention,
        len(every),
        sum(each.version.size_bytes for each in every),
        tuple(Going(by_number[each.kept.number], each.why) for each in superfluous(*asked)),
        spared=tuple(
            Staying(by_number[each.kept.number], each.why, each.protection)
            for each in spared(*asked)
        ),
    )


def _with_quarantine(opened: Opened, pruning: Pruning) -> Pruning:
    found, unseen = outlived(opened, needed(opened.store))
    return msgspec.structs.replace(pruning, outlived=found, unseen=unseen)


def _cleared(opened: Opened, pruning: Pruning) -> Pruning:
    """What outlived its age in quarantine, removed."""
    problems, cleared = list(pruning.problems), 0
    for old in pruning.outlived:
        places = [each.place for each in old.leftovers]
        with _begun(opened, old.side) as tree:
            told = [p for part in _batches(places) for p in tree.prune(part)]
        problems += [msgspec.structs.replace(each, side=old.side) for each in told]
        cleared += len(places) - len(told)
    return msgspec.structs.replace(pruning, problems=tuple(problems), cleared=cleared)


def _batches(places: Sequence[TreePath]) -> Iterator[Sequence[TreePath]]:
    return (places[start : start + _BATCH] for start in range(0, len(places), _BATCH))


@contextmanager
def _begun(opened: Opened, side: Side) -> Iterator[ChangeableTree]:
    """A side locked for pruning. Raises: Locked, Unreachable …"""
    asked = opened.job.durability
    durability = Durability.BATCH if asked is Durability.NONE else asked
    tree = opened.tree(side)
    with opened.at(side):
        options = RunOptions(opened.run or _NAME, durability, False, opened.header)
        patiently(opened, lambda: tree.begin(options, ()))
        try:
            yield tree
        finally:
            tree.end()


def _kept(number: int, version: Version) -> Kept:
    return Kept(
        number,
        version.side,
        version.path,
        version.run,
        version.content_id,
        version.size_bytes,
        version.time_ns,
    )


def _carried_out(opened: Opened, pruning: Pruning) -> Pruning:
    opened.listener(Phase("prune"))
    problems: list[Problem] = []
    gone: list[NumberedVersion] = []
    for side in Side:
        mine = [each.kept for each in pruning.going if each.kept.version.side is side]
        problems += [
            Problem(each.version.path, side, "E_PATH", _NO_PLACE)
            for each in mine
            if each.place is None
        ]
        told, removed = _removed(opened, side, [each for each in mine if each.place is not None])
        problems += told
        gone += removed
    return msgspec.structs.replace(
        pruning,
        problems=tuple(problems),
        removed=len(gone),
        removed_bytes=sum(each.version.size_bytes for each in gone),
        contents=_prune_contents(opened),
    )


def _removed(
    opened: Opened, side: Side, going: Sequence[NumberedVersion]
) -> tuple[list[Problem], list[NumberedVersion]]:
    """Problems, and what is gone from this side and from the state."""
    problems: list[Problem] = []
    gone: list[NumberedVersion] = []
    if not going:
        return problems, gone
    with _begun(opened, side) as tree:
        for start in range(0, len(going), _BATCH):
            part = going[start : start + _BATCH]
            told = tree.prune([each.place for each in part if each.place is not None])
            still = {problem.path: problem for problem in told}
            done = [each for each in part if each.place not in still]
            with opened.store.transaction():
                opened.store.versions.drop(each.version.id for each in done)
            gone += done
            problems += [
                msgspec.structs.replace(still[each.place], path=each.version.path, side=side)
                for each in part
                if each.place in still
            ]
    return problems, gone


def _prune_contents(opened: Opened) -> int:
    """Remove contents of the state that no merge, conflict or waiting plan can ask for."""
    kept = contents(opened)
    young_ns = now_ns() - WAITING_NS
    old = {identifier for identifier, time_ns in kept.held() if time_ns < young_ns}
    if not old:
        return 0
    stays = needed(opened.store)
    keep = set(stays.conflicts | stays.bringing)
    with opened.store.reading():
        keep.update(entry.id for _, entry in walk(opened.base()) if entry.id in old)
    return kept.prune(keep, young_ns)
