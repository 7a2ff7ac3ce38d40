"""What was asked, as a settled Job: endpoints made absolute, options handed to `settle`."""

import time
from collections.abc import Sequence

from reconcile.cli.face import Face
from reconcile.cli.options import options_of
from reconcile.cli.parse import scan
from reconcile.cli.places import state_dir_of
from reconcile.decide.settle import settle
from reconcile.engine.job_places import find
from reconcile.engine.places import endpoint, refuse_overlap
from reconcile.engine.plan_sides import (
    PlanSides,
    check_sides,
    job_to_apply,
    must_ask,
    programs_in,
    sides_of,
)
from reconcile.engine.planfile import PlanFile, user_named
from reconcile.model.job import Job
from reconcile.model.policy import Rules

Value = str | bool | list[str]
_PATTERNS = ("exclude", "include", "filter_from")


def job_asked(face: Face, words: Sequence[str]) -> Job:
    """The job that WHAT names: a job of the job file, two endpoints, or nothing: the only job.

    Raises: UsageError, NotFound, ConfigError, SecretInUrl.
    """
    if len(words) == 2:
        return job_of(face, *words)
    from reconcile.cli.what import job_of_file  # reads a job file

    face.job = job_of_file(face, words)
    return face.job


def job_of(face: Face, left: str, right: str) -> Job:
    """The job of two endpoints and this command line's options; a job file's are its jobs' own.

    Raises: UsageError …
    """
    sides = endpoint_asked(face, left), endpoint_asked(face, right)
    refuse_overlap(*sides)
    if face.value("config") or find("", face.env) is not None:
        from reconcile.cli.what import note_job

        note_job(face, sides)
    face.typed = left, right
    face.job = job_between(face, *sides)
    return face.job


def endpoint_asked(face: Face, word: str) -> str:
    """An endpoint as given, `@name` of the job file too, absolute or as a URL."""
    if not word.startswith("@"):
        return endpoint(word)
    from reconcile.cli.what import aliased

    return aliased(face, word)


def what_of(face: Face, job: Job) -> str:
    """WHAT, as it is typed again: the job's name, or both sides, quoted for a shell."""
    if job.name:
        from reconcile.cli.what import again

        known = again(face, job)
        if known:
            return known
    from shlex import quote

    sides = face.typed or (job.left, job.right)
    return " ".join(quote(side) for side in sides)


def typed_again(face: Face, job: Job, text: str) -> str:
    """Advice with its `reconcile VERB LEFT RIGHT` about this job, so that it means what was asked.

    Of the options that shaped the job a verb gets those it takes.
    """
    import re

    what = what_of(face, job)
    is_filed = bool(job.name) and what.split()[0] == job.name

    def typed(found: re.Match[str]) -> str:
        verb = found[1].strip()
        return f"reconcile {verb} {what}{'' if is_filed else options_text(job, verb)}"

    return re.sub(r"reconcile ([a-z]+(?: [a-z]+)?) LEFT RIGHT", typed, text).replace(
        "LEFT RIGHT", what
    )


def options_text(job: Job, verb: str) -> str:
    """What shaped the job, as far as the verb takes it, after a blank; empty: nothing did."""
    from reconcile.decide.retyped import options_of as retyped

    known = {option.dest for option in options_of(verb)}
    return "".join(f" {text}" for name, text in retyped(job) if name in known)


def job_between(face: Face, left: str, right: str) -> Job:
    """The same for endpoints that are absolute already."""
    defaults = Job(
        left=left,
        right=right,
        state_dir=state_dir_of(face),
        rules=Rules(now_ns=time.time_ns()),
    )
    return settle(flags_of(face), face.env, defaults, _read_file)


def job_of_plan(face: Face, file: PlanFile, words: Sequence[str]) -> Job:
    """The job with which a saved plan is carried out; `words`: its sides or its job, if given.

    Raises: UsageError (`E_PLAN_FOREIGN`, `E_PLAN_SIDES`), NeedsApproval.
    """
    owner = face.value("trust_owner")
    file.check(user_named(owner) if owner else None)
    given = job_asked(face, words) if words else None
    filed = None if given is not None else _filed(face, file)
    sides = sides_of(file.saved, state_dir_of(face), given=given, filed=filed)
    check_sides(file, sides, agree=must_ask(file, sides) and _agreed(face, sides))
    refuse_overlap(sides.left, sides.right)
    face.job = job_to_apply(file, sides, state_dir_of(face))
    return face.job


def _filed(face: Face, file: PlanFile) -> Job | None:
    """The job of the plan's name; None: the job file has none."""
    name = file.saved.job.name
    if not name or face.jobs is None or name not in face.jobs.book.jobs:
        return None
    from reconcile.cli.what import job_of_file

    return job_of_file(face, [name])


def _agreed(face: Face, sides: PlanSides) -> bool:
    """Shown where the plan would be carried out, somebody at a terminal says yes."""
    if not face.may_ask or programs_in(sides.left) or programs_in(sides.right):
        return False
    face.tell("Only the plan says where its sides are; nothing here knows them:")
    face.tell(f"   left  {face.err.text(sides.left)}")
    face.tell(f"  right  {face.err.text(sides.right)}")
    from reconcile.cli.prompt import ask

    return ask(face, "Apply it there? [y]es / [n]o: ").lower() in ("y", "yes")


def flags_of(face: Face) -> dict[str, Value]:
    """Every option that concerns the job, by its name with underscores, only if given.

    `filters` holds the three options of patterns in the order of the line,
    each as `exclude=GLOB`.
    """
    known = {option.dest for option in options_of(face.verb) if not option.face}
    flags: dict[str, Value] = {
        dest: value
        for dest, value in face.options.items()
        if dest in known and not (isinstance(value, int) and not isinstance(value, bool))
    }
    patterns = [
        f"{option.dest}={value}"
        for option, value in scan(face.argv).given
        if option.dest in _PATTERNS and option.dest in flags
    ]
    return {**flags, "filters": patterns} if patterns else flags


def _read_file(location: str) -> bytes:
    from reconcile.engine.job_files import read_file

    return read_file(location)
