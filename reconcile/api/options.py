"""Options: what may be asked of a pair, by the names and in the grammar of the command line.

Names have underscores for dashes; docs/commands.md says what each does. What
they mean is settled by `decide/settle.py`, as it is for the command line.
"""

import os
import time
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TypedDict

import msgspec

from reconcile.decide.given import Flag
from reconcile.decide.settle import settle
from reconcile.engine.places import endpoint, refuse_overlap
from reconcile.engine.places import state_dir as settled_state_dir
from reconcile.model.errors import UsageError
from reconcile.model.job import Job
from reconcile.model.policy import Rules

Place = str | os.PathLike[str]
"""A directory, or a URL of one: what the command line takes as LEFT and RIGHT."""
Words = str | Sequence[str]
"""One value, or several: as an option that is given several times."""


class Options(TypedDict, total=False):
    """The options of `diff`, `apply` and their like; what is left out is as by default."""

    mode: str
    delete: bool
    on_conflict: Words
    tie: str
    window: str
    keep_name: str
    delete_vs_edit: str
    rights_left: str
    rights_right: str
    unicode: str
    fix_case: bool
    moves: bool
    exclude: Words
    include: Words
    filter_from: Words
    preset: Words
    select: Words
    text_only: bool
    hidden: bool
    max_size: str | int
    min_age: str
    hash: str
    meta: str
    links: str
    paranoid: bool
    compress: bool
    bwlimit: str
    require: Words
    max_delete: str | int
    max_delete_size: str | int
    max_change: str
    allow: Words
    durability: str
    versions: bool
    lock_wait: str
    keep_versions: str | int
    versions_keep: int
    versions_max_age: str
    versions_max_size: str | int


def settled(
    left: Place, right: Place, state_dir: Place | None, options: Mapping[str, object]
) -> Job:
    """The job of two endpoints: absolute, its options settled.

    `exclude` and `include` count in this order, and files of patterns before
    both; `RECONCILE_…` variables other than the state directory's are not read.
    Raises: UsageError, SecretInUrl.
    """
    sides = endpoint(os.fspath(left)), endpoint(os.fspath(right))
    job = Job(left=sides[0], right=sides[1], state_dir=state_place(state_dir))
    job = settle(flags(options), {}, job, _content)
    check_names(options, job)
    return job


def asked_again(job: Job, options: Mapping[str, object]) -> Job:
    """What was asked once, with options that come before it. Raises: UsageError."""
    made = settle(flags(options), {}, job, _content)
    check_names(options, made)
    return made


def flags(options: Mapping[str, object]) -> dict[str, Flag]:
    """The options as `settle` takes them. Raises: UsageError."""
    return {name: _flag(name, value) for name, value in options.items()}


def check_names(options: Mapping[str, object], job: Job) -> None:
    """Raises: UsageError, for an option that a settled job knows nothing of."""
    known = {name for name, _ in job.origins}
    for name in options:
        if name not in known:
            near = get_close_matches(name, sorted(known - {"filters"}), 1)
            hint = f"did you mean `{near[0]}`?" if near else ""
            raise UsageError(f"there is no option `{name}`", hint=hint)


def state_place(given: Place | None) -> str:
    """Where the state is kept, as the command line has it."""
    return settled_state_dir(os.fspath(given) if given is not None else "", os.environ)


def begun(job: Job) -> Job:
    """The job of a run that begins now. Raises: UsageError, when one root holds the other."""
    refuse_overlap(job.left, job.right)
    return stamped(job)


def stamped(job: Job) -> Job:
    """The job as of now: times after this do not decide."""
    rules: Rules = msgspec.structs.replace(job.rules, now_ns=time.time_ns())
    return msgspec.structs.replace(job, rules=rules)


def _flag(name: str, value: object) -> Flag:
    """A value as the grammar takes it. Raises: UsageError."""
    if isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Sequence) and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise UsageError(f"`{name}` takes text, a number, a truth value or several texts")


def _content(location: str) -> bytes:
    from reconcile.engine.job_files import read_file

    return read_file(location)
