"""What was asked, as a settled Job: endpoints made absolute, options handed to `settle`."""

import time

import msgspec

from reconcile.cli.face import Face
from reconcile.cli.options import options_of
from reconcile.cli.places import endpoint, refuse_overlap, state_dir
from reconcile.engine.planfile import SavedPlan
from reconcile.model.job import FilterRule, FilterSpec, Job
from reconcile.model.policy import Mode, Policy, Rules

Flags = dict[str, str | bool | list[str]]


def job_of(face: Face, left: str, right: str) -> Job:
    """The job of two endpoints and this command line's options. Raises: UsageError …"""
    sides = endpoint(left), endpoint(right)
    refuse_overlap(*sides)
    return job_between(face, *sides)


def job_between(face: Face, left: str, right: str) -> Job:
    """The same for endpoints that are absolute already."""
    flags = flags_of(face)
    policies = tuple(Policy(word) for word in str(flags.get("on_conflict", "report")).split(","))
    excludes = flags.get("exclude", [])
    assert isinstance(excludes, list)
    return Job(
        left=left,
        right=right,
        state_dir=state_dir(face.value("state_dir"), face.env),
        rules=Rules(
            mode=Mode(str(flags.get("mode", "two-way"))), policies=policies, now_ns=time.time_ns()
        ),
        filters=FilterSpec(tuple(FilterRule(p, origin="--exclude") for p in excludes)),
    )


def job_of_plan(face: Face, saved: SavedPlan) -> Job:
    """The job a saved plan was made for, with this machine's state and this line's options."""
    job = saved.job
    sides = endpoint(job.left), endpoint(job.right)
    refuse_overlap(*sides)
    return msgspec.structs.replace(
        job,
        left=sides[0],
        right=sides[1],
        state_dir=state_dir(face.value("state_dir"), face.env),
    )


def flags_of(face: Face) -> Flags:
    """Every option that concerns the job, by its name with underscores, only if given."""
    known = {option.dest for option in options_of(face.verb) if not option.face}
    return {
        dest: value
        for dest, value in face.options.items()
        if dest in known and not (isinstance(value, int) and not isinstance(value, bool))
    }
