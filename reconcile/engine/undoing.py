"""Undoing: a run taken back, as a plan like any other. `decide/undo.py` judges."""

from collections.abc import Collection, Sequence

import msgspec

from reconcile.decide.undo import LeftOut, Past, Present, TakenBack, take_back
from reconcile.engine.known import KnownPair, find_run
from reconcile.engine.opened import Opened
from reconcile.engine.planning import PlanMaker, Sight
from reconcile.model.entry import Entry, Kind, same
from reconcile.model.errors import NotFound, StalePlan, StateError, UsageError
from reconcile.model.job import KEEP_ALL, Job
from reconcile.model.manifest import ABSENT, Manifest, lookup
from reconcile.model.plan import Action, Plan, PlanKind, Problem, Side, Step
from reconcile.model.receipt import Receipt
from reconcile.model.treepath import ROOT, TreePath
from reconcile.store.records import Run
from reconcile.trees.versions import may_hold, place_of

_LISTED = 10
_CANNOT = "E_NOT_UNDONE"
_RESIDUE = "E_RESIDUE"
_AGAIN = "E_COMES_AGAIN"
_AGAIN_TEXT = (
    "the two sides differ again then, and the next run (a timer's too) carries the same over "
    "once more, unless one side is changed before it"
)
_OPEN_AGAIN = "what was decided is open again: the next run finds the same conflicts"


class ChangedSince(StalePlan):
    """What a run left is no longer there, or what it superseded is not kept."""

    code = "E_CHANGED_SINCE"


def run_to_undo(state_dir: str, run: str) -> tuple[KnownPair, Run, Job]:
    """The run of this id, or of the only one that begins so, and what had been asked.

    Raises: UsageError, when `run` is empty; NotFound; StateError.
    """
    if not run:
        hint = "reconcile undo LEFT RIGHT takes back the last one of these two"
        raise UsageError("which run is to be undone?", hint=hint)
    pair, found = find_run(state_dir, run)
    return pair, found, job_of_run(state_dir, pair, found)


def job_of_run(state_dir: str, pair: KnownPair, found: Run) -> Job:
    """What had been asked of a run that is to be undone.

    How much is kept is no matter of that run: what is taken back is, and as long as the pair's
    job says now. Raises: StateError.
    """
    if found.job is None:
        raise StateError(
            f"run {found.id} was made by an older version, which noted too little to undo it",
            hint="reconcile restore PATH brings back what it superseded",
            code="E_STATE_TOO_OLD",
        )
    kept = pair.job.retention if pair.job is not None else KEEP_ALL
    job = msgspec.structs.replace(found.job, state_dir=state_dir, versions=True, retention=kept)
    if pair.job is None:
        return job
    # Where its roots are by now: one of them may have been moved since.
    return msgspec.structs.replace(job, left=pair.job.left, right=pair.job.right)


def undo_maker(run: str, *, skip_changed: bool = False) -> PlanMaker:
    """Makes the plan that takes back the run of this id.

    The maker raises: NotFound, when the run or what it began with is no longer
    kept; StalePlan, when it was made under another hash or metadata set;
    ChangedSince, when something changed since, unless that is to be skipped.
    """

    def make(opened: Opened, sight: Sight) -> Plan:
        found = _run(opened, run)
        taken = take_back(
            Past(_journal(opened, found), _base_before(opened, found)),
            Present(
                sight.base, sight.left.manifest, sight.right.manifest, _Kept(opened, run).place
            ),
        )
        if taken.changed and not skip_changed:
            raise _changed_since(run, taken.changed)
        return Plan(
            sight.made_from,
            taken.steps,
            problems=(
                *_cut_off(found),
                *_returning(opened, sight, taken, found.kind),
                *_notes(taken),
            ),
            kind=PlanKind.UNDO,
            of=run,
            reverts=() if found.kind is PlanKind.RESTORE else taken.reverts,
        )

    return make


def _run(opened: Opened, run: str) -> Run:
    found = opened.store.runs.get(run)
    if found is None:
        raise NotFound(f"no run `{run}` of this pair is known", hint="see: reconcile history")
    if found.made_from.header != opened.header:
        raise StalePlan(
            f"run {run} was made under another hash or metadata set than the pair has now",
            hint="reconcile restore PATH brings back single files",
        )
    return found


def _journal(opened: Opened, run: Run) -> Sequence[tuple[Step, Receipt]]:
    journal = opened.store.runs.journal(run.id)
    if not journal and any(count for _, _, count in run.counts):
        raise NotFound(
            f"the journal of run {run.id} is no longer kept",
            hint="reconcile restore PATH brings back what versions hold",
        )
    return journal


def _base_before(opened: Opened, run: Run) -> Manifest:
    generation = run.made_from.generation
    if not generation:
        return ABSENT
    try:
        return opened.store.baselines.manifest(generation)
    except NotFound as error:
        raise NotFound(
            f"baseline #{generation}, with which run {run.id} began, is no longer kept",
            hint="reconcile restore PATH brings back what versions hold",
        ) from error


class _Kept:
    """Finds what a run superseded: in the state's list of versions, and on this machine too."""

    def __init__(self, opened: Opened, run: str) -> None:
        self._opened = opened
        self._run = run
        self._known: Collection[tuple[Side, str]] | None = None

    def place(self, step: Step, receipt: Receipt) -> TreePath | None:
        """See `decide.undo.Kept`."""
        here = self._opened.remote(step.side) is None
        # A step that was done when its run was killed was recorded by the one that
        # went on: it found all done, and nothing to keep.
        told = receipt.version or f".reconcile/versions/{self._run}/{_text(step.at)}"
        if not receipt.version and not here:
            return None
        place = place_of(self._run, step.at, told)
        if place is None or step.expect is None:
            return None
        if receipt.version and (step.side, receipt.version) not in self._listed():
            return None
        is_there = not here or may_hold(self._opened.location(step.side), place, step.expect.size)
        return place if is_there else None

    def _listed(self) -> Collection[tuple[Side, str]]:
        if self._known is None:
            found = self._opened.store.versions.find(run=self._run)
            self._known = {(version.side, version.place) for version in found}
        return self._known


def _text(path: TreePath) -> str:
    return path.decode("utf-8", "backslashreplace")


def _changed_since(run: str, changed: Sequence[LeftOut]) -> ChangedSince:
    names = [f"`{_text(each.path)}` at {each.side.value}: {each.why}" for each in changed[:_LISTED]]
    if len(changed) > _LISTED:
        names.append(f"and {len(changed) - _LISTED:,} more")
    paths = "path" if len(changed) == 1 else "paths"
    return ChangedSince(
        f"{len(changed):,} {paths} of run {run} cannot be taken back",
        where="\n".join(names),
        hint=f"leave them as they are: reconcile undo {run} --skip-changed",
    )


def _cut_off(run: Run) -> tuple[Problem, ...]:
    """A run that was killed did not come to note its last steps, and nobody knows which."""
    was_killed = not run.ended_ns or (run.result == "interrupted" and not run.baseline_after)
    if not was_killed:
        return ()
    why = "the run was killed, and what it did last may not be noted: that stays as it is"
    return (Problem(ROOT, None, _CANNOT, why, "note"),)


def _returning(
    opened: Opened, sight: Sight, taken: TakenBack, kind: PlanKind
) -> tuple[Problem, ...]:
    """Afterwards one side still holds what the run carried: the next run carries it again."""
    wanted = {(step.side, step.path): step.want for step in taken.steps}
    for step in taken.steps:
        if step.action is Action.MOVE and step.source is not None:
            wanted.setdefault((step.side, step.source.path), None)
    seen = {Side.LEFT: sight.left.manifest, Side.RIGHT: sight.right.manifest}
    tracked = opened.header.tracked
    for each in taken.reverts:
        left, right = (
            wanted.get((side, each.path), lookup(manifest, each.path))
            for side, manifest in seen.items()
        )
        if not same(left, right, tracked) and not _both_directories(left, right):
            text = _OPEN_AGAIN if kind is PlanKind.RESOLVE else _AGAIN_TEXT
            return (Problem(ROOT, None, _AGAIN, text, "note"),)
    return ()


def _both_directories(*entries: Entry | None) -> bool:
    return all(entry is not None and entry.kind == Kind.DIR for entry in entries)


def _notes(taken: TakenBack) -> tuple[Problem, ...]:
    changed = [_note(each, _CANNOT, f"{each.why}; left as it is") for each in taken.changed]
    residue = [_note(each, _RESIDUE, f"{each.why}; the directory stays") for each in taken.residue]
    return (*changed, *residue)


def _note(left: LeftOut, code: str, reason: str) -> Problem:
    return Problem(left.path, left.side, code, reason, "note")


__all__ = ["ChangedSince", "job_of_run", "run_to_undo", "undo_maker"]
