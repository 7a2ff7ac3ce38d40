"""The past: runs, what became of one path, what is kept of it, and taking back.

These functions ask every pair that a state knows; `Pair` has them for itself.
"""

from typing import Unpack

from reconcile.api.options import Options, Place, asked_again, begun, state_place
from reconcile.api.pair import Approve, Pair, PathLike, approval, everything, tree_path
from reconcile.engine.cycle import apply_job
from reconcile.engine.events import Listener, silent
from reconcile.engine.history import PathEvent, RunDetail, RunEntry, path_history, runs_of
from reconcile.engine.history import run_detail as detail_of
from reconcile.engine.outcome import Outcome, Planning
from reconcile.engine.planning import make_plan
from reconcile.engine.resolving import OpenConflict, open_conflicts
from reconcile.engine.undoing import run_to_undo, undo_maker


def history(*, state_dir: Place | None = None) -> tuple[RunEntry, ...]:
    """Every run that this machine knows, newest first."""
    return tuple(runs_of(state_place(state_dir)))


def history_of(path: PathLike, *, state_dir: Place | None = None) -> tuple[PathEvent, ...]:
    """What runs did at a path, newest first; of a path nothing happened at, below it."""
    return tuple(path_history(state_place(state_dir), tree_path(path)))


def run_detail(run: str, *, state_dir: Place | None = None) -> RunDetail:
    """One run with every step and its outcome; any beginning of the id that only it has will do.

    Raises: NotFound, UsageError.
    """
    return detail_of(state_place(state_dir), run)


def conflicts(*, state_dir: Place | None = None) -> tuple[OpenConflict, ...]:
    """What stands in every pair that this machine knows. `pair_of` leads to its pair."""
    return tuple(open_conflicts(state_place(state_dir)))


def pair_of(run: str, *, state_dir: Place | None = None) -> Pair:
    """The pair of a run, as it was asked for then. Raises: NotFound, StateError."""
    return Pair.of(run_to_undo(state_place(state_dir), run)[2])


def undo_plan(
    run: str,
    *,
    skip_changed: bool = False,
    state_dir: Place | None = None,
    listener: Listener = silent,
    **options: Unpack[Options],
) -> Planning:
    """The plan that takes a run back, without doing it. See `undo`."""
    _, found, job = run_to_undo(state_place(state_dir), run)
    maker = undo_maker(found.id, skip_changed=skip_changed)
    return make_plan(begun(asked_again(job, options)), listener, maker)


def undo(
    run: str,
    *,
    skip_changed: bool = False,
    state_dir: Place | None = None,
    approve: Approve = everything,
    listener: Listener = silent,
    **options: Unpack[Options],
) -> Outcome:
    """Take a run back: every path it touched is again as before, by a plan like any other.

    Options come before what was asked then: a guard's number, for one.
    Raises: ChangedSince, when something changed since the run, unless
    `skip_changed` leaves that as it is; NotFound, when what it superseded is no
    longer kept; and all that `Pair.apply` raises.
    """
    _, found, job = run_to_undo(state_place(state_dir), run)
    maker = undo_maker(found.id, skip_changed=skip_changed)
    return apply_job(begun(asked_again(job, options)), listener, approval(approve), maker)
