"""The past: runs, what became of one path, what is kept of it, and taking back.

These functions ask every pair that a state knows; `Pair` has them for itself.
"""

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Unpack

from reconcile.api.options import Options, Place, asked_again, begun, state_place
from reconcile.api.pair import Approve, Pair, PathLike, approval, everything, tree_path
from reconcile.engine.cycle import apply_job
from reconcile.engine.events import Listener, silent
from reconcile.engine.history import PathEvent, RunDetail, RunEntry, path_history, runs_of
from reconcile.engine.history import run_detail as detail_of
from reconcile.engine.known import find_run
from reconcile.engine.opened import Opened
from reconcile.engine.outcome import Outcome, Planning
from reconcile.engine.pairs import pair_id
from reconcile.engine.planning import make_plan
from reconcile.engine.resolving import OpenConflict, open_conflicts
from reconcile.engine.restoring import Asked, At, restore_maker
from reconcile.engine.restoring import pair_of as knowing
from reconcile.engine.undoing import run_to_undo, undo_maker
from reconcile.engine.writing_out import write_out
from reconcile.model.errors import StateError, UsageError
from reconcile.model.job import Job
from reconcile.model.plan import Side


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


def restore(
    *paths: PathLike,
    at: str | datetime = "",
    side: str = "",
    pair: Pair | None = None,
    state_dir: Place | None = None,
    approve: Approve = everything,
    listener: Listener = silent,
    **options: Unpack[Options],
) -> Outcome:
    """Put back what stood at `paths`, as an edit of that side, by a plan like any other.

    `at`: `v2` (a version's number), a run (just before it), or a moment; left out,
    the newest version. `side`: `left`, `right`, `both`; left out, where it was
    kept. `pair`: which pair, where several know the paths.
    Raises: NotFound, when nothing of it is kept; UsageError; NotRestored, when
    it cannot stand there; and all that `Pair.apply` raises.
    """
    job, asked = _restoring(paths, at, side, pair, state_dir)
    maker = restore_maker(asked)
    return apply_job(begun(asked_again(job, options)), listener, approval(approve), maker)


def write_version(
    path: PathLike,
    location: Place,
    *,
    at: str | datetime = "",
    side: str = "",
    pair: Pair | None = None,
    state_dir: Place | None = None,
) -> None:
    """Write what stood at `path` to the new file `location`; neither side changes. See `restore`.

    Raises: NotFound; UsageError, when something stands at `location`.
    """
    job, asked = _restoring((path,), at, side, pair, state_dir)
    with Opened(begun(job), silent, exclusive=False, keeps=False) as opened:
        write_out(opened, asked, os.fsencode(os.path.expanduser(os.fspath(location))))


def _restoring(
    paths: Sequence[PathLike],
    at: str | datetime,
    side: str,
    pair: Pair | None,
    state_dir: Place | None,
) -> tuple[Job, Asked]:
    directory = pair.job.state_dir if pair is not None else state_place(state_dir)
    wanted = tuple(tree_path(path) for path in paths)
    if side not in _SIDES:
        raise UsageError(f"`{side}` is no side", hint="left, right or both")
    known = knowing(directory, wanted, pair_id(pair.left, pair.right) if pair is not None else "")
    if pair is None and known.job is None:
        raise StateError(
            "the state of this pair was written by an older version, which noted too little",
            hint="make a plan for it once, or name the pair",
            code="E_STATE_TOO_OLD",
        )
    job = pair.job if pair is not None else known.job
    assert job is not None
    return job, Asked(wanted, _moment(directory, at), _SIDES[side])


_SIDES = {"": (), "left": (Side.LEFT,), "right": (Side.RIGHT,), "both": (Side.LEFT, Side.RIGHT)}


def _moment(state_dir: str, at: str | datetime) -> At:
    """Raises: UsageError, NotFound."""
    if isinstance(at, datetime):
        return At(time_ns=int(at.timestamp() * 1e9))
    if at.startswith("r-"):
        return At(run=find_run(state_dir, at)[1].id)
    if not at or (at.startswith("v") and at[1:].isdecimal() and int(at[1:])):
        return At(version=int(at[1:] or 0))
    raise UsageError(f"`{at}` names no moment", hint="`v2`, a run's id, or a datetime")


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
