"""What a saved plan may say of where it is carried out, and whose word counts instead.

A plan brings data along: its steps. Where the two sides are, and with which
program, configuration or key they are reached, is said here, the first that
says it: by the command line, by the job of that name in the job file, by the
state, which knows the pair from when the plan was made. Only then the plan's own
text may stand in, and never for what names a program or a file of this machine.
How a plan of somebody else is carried out (limits, versions, durability) is ours
to say as well; of our own plan we said it when it was made.
"""

import os
from collections.abc import Mapping
from shlex import quote
from typing import Literal, NamedTuple

import msgspec

from reconcile.engine.pairs import pair_id
from reconcile.engine.places import endpoint, is_remote
from reconcile.engine.planfile import PlanFile, SavedPlan
from reconcile.model.errors import NeedsApproval, ReconcileError, UsageError
from reconcile.model.job import Job
from reconcile.store.database import DATABASE_NAME
from reconcile.store.state import Store, pair_directory

Said = Literal["given", "job", "state", "plan"]
"""Who says where the sides are."""


class PlanSides(NamedTuple):
    """Where a saved plan is to be carried out, and on whose word."""

    left: str
    right: str
    said: Said
    job: Job | None
    """The settings that go with it: the job file's, else those of the state; None: neither."""


def sides_of(
    saved: SavedPlan, state_dir: str, *, given: Job | None = None, filed: Job | None = None
) -> PlanSides:
    """The sides of a plan, by the first that knows them: `given`, `filed`, the state, the plan.

    `filed`: the job of the plan's name, in the job file. It counts when it is still of this pair.
    Raises: UsageError, when only the plan says it and what it says cannot be an endpoint.
    """
    known = _known(saved, state_dir)
    if given is not None:
        ours = given if given.name else known or given
        return PlanSides(given.left, given.right, "given", ours)
    pair = saved.plan.made_from.pair
    if filed is not None and pair_id(filed.left, filed.right) == pair:
        return PlanSides(filed.left, filed.right, "job", filed)
    if known is not None and pair_id(known.left, known.right) == pair:
        return PlanSides(known.left, known.right, "state", known)
    left, right = endpoint(saved.job.left), endpoint(saved.job.right)
    return PlanSides(left, right, "plan", None)


def check_sides(file: PlanFile, sides: PlanSides, agree: bool = False) -> None:
    """Whether the plan's own word is enough; `agree`: somebody has looked at it and said yes.

    Raises: UsageError (`E_PLAN_SIDES`), for an endpoint that names a program or a
    file; NeedsApproval (`E_PLAN_SIDES`), for sides that nobody here knows: both when the
    plan is somebody else's, and those on another machine in any case.
    """
    if sides.said != "plan":
        return
    for side, url in (("left", sides.left), ("right", sides.right)):
        brought = programs_in(url)
        if brought:
            raise UsageError(
                f"the plan's {side} side names a program or a file (`{brought[0]}=`), and a plan "
                "brings none along",
                where=url, hint=_NAME_THEM.format(quote(file.location)), code="E_PLAN_SIDES",
            )  # fmt: skip
    if agree or not must_ask(file, sides):
        return
    raise NeedsApproval(
        "only the plan itself says where its sides are, and they are not known here",
        where=f"left {sides.left}, right {sides.right}",
        hint=_NAME_THEM.format(quote(file.location)),
        code="E_PLAN_SIDES",
    )


_NAME_THEM = "name them yourself: reconcile apply {} LEFT RIGHT, or a job of the job file"


def must_ask(file: PlanFile, sides: PlanSides) -> bool:
    """Nobody here has said where these sides are, and it matters."""
    if sides.said != "plan":
        return False
    return bool(file.distrust) or is_remote(sides.left) or is_remote(sides.right)


def programs_in(url: str) -> tuple[str, ...]:
    """The options of an endpoint that name a program or a file of this machine."""
    if not is_remote(url):
        return ()
    from reconcile.trees.ssh.place import parse_place  # two local sides need none of it

    place = parse_place(url)
    if place is None:
        return ()
    found: Mapping[str, object] = {
        "config": place.config,
        "identity": place.identity,
        "agent": place.agent.startswith("/"),
    }
    return tuple(name for name, said in found.items() if said)


def job_to_apply(file: PlanFile, sides: PlanSides, state_dir: str) -> Job:
    """The job with which the plan is carried out, at `sides`, with this machine's state.

    Of somebody else's plan only what its ids mean is taken; all other settings are
    those of `sides.job`, else the defaults.
    """
    said = file.saved.job
    place = {"left": sides.left, "right": sides.right, "state_dir": state_dir}
    if not file.distrust:
        return msgspec.structs.replace(said, **place)
    header = file.plan.made_from.header
    ours = sides.job or Job(sides.left, sides.right, state_dir, said.name)
    return msgspec.structs.replace(
        ours, **place, hash_name=header.hash_name, tracked=header.tracked
    )


def _known(saved: SavedPlan, state_dir: str) -> Job | None:
    """What the state was asked of this pair last. A state that cannot be read knows nothing."""
    directory = pair_directory(state_dir, saved.plan.made_from.pair)
    if not os.path.lexists(os.path.join(directory, DATABASE_NAME)):
        return None
    try:
        store = Store.open(directory, create=False)
    except ReconcileError:
        return None
    try:
        return store.noted_job()
    except ReconcileError:
        return None
    finally:
        store.close()
