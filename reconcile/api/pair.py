"""Pair: two sides and what is asked of them; every question and every change as a method.

A value: it opens nothing until a method is called, and lets everything go when
that returns. Nothing is printed; what happens is told to a listener, or yielded,
as the values of `engine/events.py`.
"""

import os
import time
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar, Unpack

from reconcile.api.applying import events
from reconcile.api.conflicts import Keep, Resolved, Texts, chosen, resolve, standing, texts
from reconcile.api.options import Options, Place, asked_again, begun, settled, state_place
from reconcile.api.versions import Agree, agreed, kept, pruned
from reconcile.engine import cycle, inspection, planning
from reconcile.engine.events import Event, Listener, silent
from reconcile.engine.history import NumberedVersion, RunEntry, runs_of
from reconcile.engine.known import find_run
from reconcile.engine.outcome import (
    Explanation,
    Generation,
    Outcome,
    Planning,
    Verification,
)
from reconcile.engine.pairs import pair_id
from reconcile.engine.plan_sides import check_sides, job_to_apply, sides_of
from reconcile.engine.planfile import PlanFile, SavedPlan, plan_id, save_plan, user_named
from reconcile.engine.pruning import Pruning
from reconcile.engine.resolving import OpenConflict
from reconcile.engine.undoable import newest_undoable
from reconcile.engine.undoing import job_of_run, undo_maker
from reconcile.model.errors import NotFound, StalePlan
from reconcile.model.job import Job
from reconcile.model.plan import Conflict, Plan
from reconcile.model.policy import Limits
from reconcile.model.treepath import TreePath, parse

T = TypeVar("T")
Approve = Callable[[Planning], bool]
"""Shown the plan before the first write; whether it may be applied."""
PathLike = str | bytes | os.PathLike[str]
"""A path below the roots."""


def everything(shown: Planning) -> bool:
    """Approves any plan, as `--yes` does; guards still refuse."""
    del shown
    return True


class Pair:
    """Two sides that are kept in agreement.

        pair = Pair("~/photos", "/mnt/backup/photos", on_conflict="keep-both")
        planning = pair.plan()
        outcome = pair.apply(planning)

    Options are those of the command line, with underscores for dashes.
    Raises: UsageError, for an endpoint or an option that cannot be.
    """

    __slots__ = ("_job",)

    def __init__(
        self,
        left: Place,
        right: Place,
        *,
        state_dir: Place | None = None,
        **options: Unpack[Options],
    ) -> None:
        self._job = settled(left, right, state_dir, options)
        begun(self._job)

    @classmethod
    def of(cls, job: Job) -> "Pair":
        """The pair of a settled job."""
        pair = cls.__new__(cls)
        pair._job = job
        return pair

    @classmethod
    def of_plan(
        cls,
        file: PlanFile,
        *,
        trust_owner: str | int | None = None,
        state_dir: Place | None = None,
    ) -> "Pair":
        """The pair that a saved plan was made for, as this machine knows it.

        Raises: UsageError, for a plan of somebody else, unless `trust_owner` names
        them, and when nothing but the plan says where sides on another machine are.
        """
        file.check(_user(trust_owner))
        place = state_place(state_dir)
        sides = sides_of(file.saved, place)
        check_sides(file, sides)
        return cls.of(job_to_apply(file, sides, place))

    def __repr__(self) -> str:
        return f"Pair({self.left!r}, {self.right!r})"

    @property
    def job(self) -> Job:
        """What is asked, settled; its `origins` say where each value came from."""
        return self._job

    @property
    def _id(self) -> str:
        return pair_id(self._job.left, self._job.right)

    @property
    def left(self) -> str:
        """The left endpoint, absolute."""
        return self._job.left

    @property
    def right(self) -> str:
        """The right endpoint, absolute."""
        return self._job.right

    def plan(
        self, *, audit: bool = False, against: str = "", listener: Listener = silent
    ) -> Planning:
        """Observe both sides and compare them with the baseline; no side is written.

        With `audit` nothing is written anywhere, in the state neither, and no lock
        is taken. `against` is another baseline: `#4`, `r-…`, a `.rman` file, `none`;
        such a plan is for looking and is not applied. A guard that fails stands in
        `plan.guards`; only `apply` refuses.
        Raises: RootMissing, Unreachable, Denied, StateError.
        """
        return planning.make_plan(begun(self._job), listener, keeps=not audit, against=against)

    def planning(self) -> Generator[Event | Planning, None, None]:
        """As `plan`: its events as they happen, then the Planning."""
        return events(lambda listener: self.plan(listener=listener))

    def apply(
        self,
        plan: Planning | Plan | SavedPlan | PlanFile | None = None,
        *,
        approve: Approve = everything,
        trust_owner: str | int | None = None,
        listener: Listener = silent,
    ) -> Outcome:
        """Make both sides agree: by a plan made now and shown to `approve`, or by exactly `plan`.

        What could not be done stands in `not_done`, conflicts that are left in
        `conflicts`; the baseline follows what was done. A plan that was given
        is itself the approval; a saved one that was interrupted is gone on with.
        Raises: Refused, when a guard fails; Locked; StalePlan and PlanUsed, for
        a plan whose world is gone; UsageError, for a plan file of somebody else,
        unless `trust_owner` names them. Nothing was changed then. A listener that
        raises stops the run between two steps, the state saved.
        """
        job = begun(self._job)
        limits = None
        if isinstance(plan, PlanFile):
            plan.check(_user(trust_owner))
            limits = job.limits if plan.distrust else None
            plan = plan.saved
        if plan is not None:
            return self._apply_plan(job, plan, listener, limits)
        return cycle.apply_job(job, listener, approval(approve))

    def applying(
        self,
        plan: Planning | Plan | SavedPlan | PlanFile | None = None,
        *,
        approve: Approve = everything,
        trust_owner: str | int | None = None,
    ) -> Generator[Event | Outcome, None, None]:
        """As `apply`: its events as they happen, then the Outcome.

        The plan comes by as `Planned` before the first write. Leaving the loop,
        or `close()`, stops the run between two steps, the state saved.
        """
        return events(
            lambda listener: self.apply(
                plan, approve=approve, trust_owner=trust_owner, listener=listener
            )
        )

    def verify(self, *, listener: Listener = silent) -> Verification:
        """Read and hash both sides again and compare them; nothing is written anywhere."""
        return inspection.verify(begun(self._job), listener)

    def verifying(self) -> Generator[Event | Verification, None, None]:
        """As `verify`: its events as they happen, then the Verification."""
        return events(lambda listener: self.verify(listener=listener))

    def explain(self, path: PathLike, *, listener: Listener = silent) -> Explanation:
        """Why `path` is, or is not, in the plan that would be made now."""
        return inspection.explain(begun(self._job), tree_path(path), listener)

    def conflicts(self) -> tuple[OpenConflict, ...]:
        """What stands, as the last `plan` or `apply` saw it, by path. Reads only the state."""
        return standing(self._job)

    def texts(self, conflict: Conflict) -> Texts:
        """What is behind a conflict: the texts of both sides and the base, and their merge."""
        return texts(self._job, conflict)

    def resolve(
        self,
        keep: Keep,
        *,
        ids: Sequence[str] = (),
        only: str | Sequence[str] = (),
        approve: Approve = everything,
        listener: Listener = silent,
    ) -> Resolved:
        """Decide conflicts: those with these ids, or all, of them those that `only` matches.

        `keep` is a word for all of them, or asked for each. An answer holds for what
        `conflicts` told: where a side is another by now, the conflict stays and
        the answer says so. All else is as for `apply`.
        """
        decided = chosen(self.conflicts(), keep, ids, only)
        return resolve(begun(self._job), decided, listener, approval(approve))

    def baselines(self) -> tuple[Generation, ...]:
        """What both sides have agreed on, newest first."""
        return tuple(inspection.baselines(self._job))

    def reset_baseline(self) -> int:
        """Forget what was agreed on: the next run is a first run: nothing is taken for deleted."""
        return inspection.reset_baseline(self._job)

    def adopt_baseline(self, *, listener: Listener = silent) -> Planning:
        """Take everything that is equal now as agreed on; neither side changes."""
        return cycle.adopt_baseline(begun(self._job), listener)

    def history(self) -> tuple[RunEntry, ...]:
        """Every run of these two sides, newest first. Reads only the state."""
        return tuple(runs_of(self._job.state_dir, self._id))

    def undo(
        self,
        run: str = "",
        *,
        skip_changed: bool = False,
        approve: Approve = everything,
        listener: Listener = silent,
        **options: Unpack[Options],
    ) -> Outcome:
        """Take back a run of these two sides; left out, the newest that is not undone yet.

        An undo is never taken back unless it is named. See `reconcile.undo`.
        Raises: NotFound, when no run is left or `run` is one of another pair.
        """
        state_dir = self._job.state_dir
        if run:
            pair, found = find_run(state_dir, run)
            if pair.pair != self._id:
                raise NotFound(f"run {found.id} is one of {pair.left} and {pair.right}")
        else:
            pair, found, _ = newest_undoable(state_dir, self._id)
        job = asked_again(job_of_run(state_dir, pair, found), options)
        maker = undo_maker(found.id, skip_changed=skip_changed)
        return cycle.apply_job(begun(job), listener, approval(approve), maker)

    def versions(self, path: PathLike = "") -> tuple[NumberedVersion, ...]:
        """What superseded content is kept, newest first: of one path, or of all."""
        return kept(self._job, tree_path(path))

    def prune(
        self,
        *,
        only: str | Sequence[str] = (),
        even_last: bool = False,
        agree: Agree = agreed,
        listener: Listener = silent,
    ) -> Pruning:
        """Remove kept content for good, beyond what the pair's options say is to be kept.

        `versions_keep=5`, `versions_max_age="90d"`, `versions_max_size="20G"`. `agree` is
        shown what goes, before anything does. What an unfinished run, an open conflict or
        an undo of the last run needs stays, and stands in `spared`; with `even_last` the
        last run's goes too.
        Raises: UsageError, when nothing says how much is to be kept; Locked.
        """
        return pruned(begun(self._job), only, agree, listener, even_last=even_last)

    def save(
        self, plan: Planning | Plan, location: Place, *, expires_s: float = 7 * 86400.0
    ) -> SavedPlan:
        """Write a plan to a file (`.rplan`), to be reviewed and applied within `expires_s`."""
        from reconcile import __version__

        now = time.time_ns()
        return save_plan(
            os.path.expanduser(os.fspath(location)),
            _plan_of(plan),
            job=self._job,
            created_ns=now,
            expires_ns=now + int(expires_s * 1e9),
            host=os.uname().nodename,
            version=__version__,
        )

    def _apply_plan(
        self,
        job: Job,
        plan: Planning | Plan | SavedPlan,
        listener: Listener,
        limits: Limits | None,
    ) -> Outcome:
        now = time.time_ns()
        if not isinstance(plan, SavedPlan):
            bare = _plan_of(plan)
            return cycle.apply_plan(job, bare, plan_id(bare, now), listener)
        if plan.expires_ns < now:
            raise StalePlan(f"plan {plan.id} has expired", hint="make a new plan")
        return cycle.apply_plan(job, plan.plan, plan.id, listener, limits=limits)


def approval(approve: Approve) -> cycle.Approve:
    """As the engine asks."""
    return lambda shown: shown.plan if approve(shown) else None


def tree_path(path: PathLike) -> TreePath:
    """A path below the roots, as people write it. Raises: PathRefused."""
    raw = os.fsencode(path)
    return parse(raw.removeprefix(b"./").rstrip(b"/"))


def _plan_of(plan: Planning | Plan) -> Plan:
    return plan.plan if isinstance(plan, Planning) else plan


def _user(named: str | int | None) -> int | None:
    return user_named(str(named)) if named is not None else None
