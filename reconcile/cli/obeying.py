"""Obeying: what of a command line can still be obeyed when a saved plan is applied.

Its steps are settled: what would make other steps is refused, not passed over. A
lower limit of a guard is obeyed, beside those the plan was made under; so is how
the steps are carried out.
"""

from shlex import quote

from msgspec.structs import replace

from reconcile.cli.asked import flags_of
from reconcile.cli.face import Face
from reconcile.cli.options import options_of
from reconcile.cli.table import SWITCH, Option
from reconcile.decide.settle import settle
from reconcile.model.errors import UsageError
from reconcile.model.job import Job
from reconcile.model.policy import Limits

_CARRYING = {"durability", "versions", "keep_versions", "lock_wait", "compress", "bwlimit"}
_LIMITS = {"max_delete", "max_delete_size", "max_change"}
_SHOWING = {"only", "summary", "full", "depth", "limit", "sort", "null", "only_show"}
_ABOUT_THE_ANSWER = {"state_dir", "conflicts_ok", "report", "trust_owner", "yes", "no_input"}


def refuse_unobeyed(face: Face, location: str) -> None:
    """Raises: UsageError, naming every option that a saved plan cannot obey."""
    known = {option.dest: option for option in options_of(face.verb)}
    given = [option for dest, option in known.items() if dest in face.options]
    shown = [_typed(face, option) for option in given if option.dest in _SHOWING]
    if shown:
        raise UsageError(
            f"`{'`, `'.join(shown)}` is about what is shown, and `apply` of a saved plan shows "
            "none of it",
            hint=f"reconcile show {quote(location)} {' '.join(shown)}",
        )
    obeyed = _CARRYING | _LIMITS | _ABOUT_THE_ANSWER
    wrong = [
        _typed(face, option)
        for option in given
        if option.dest not in obeyed and option.dest not in _CONVERSATION
    ]
    if wrong:
        raise UsageError(
            f"`{'`, `'.join(wrong)}` cannot be obeyed: the plan's steps are settled",
            where=location,
            hint="make a plan with it: reconcile diff LEFT RIGHT -o FILE.rplan",
        )


_CONVERSATION = {
    "config", "directory", "json", "format", "quiet", "verbose", "color", "ascii",
    "progress", "progress_interval",
}  # fmt: skip


def _typed(face: Face, option: Option) -> str:
    is_off = option.kind == SWITCH and face.options[option.dest] is False
    return f"--no-{option.name[2:]}" if is_off else option.name


def obeyed(face: Face, job: Job, *, is_foreign: bool) -> tuple[Job, Limits | None]:
    """The plan's job carried out as the line says, and the limits beside its own; None: none.

    Of somebody else's plan our own limits count in any case.
    """
    flags = flags_of(face)
    carrying = {name: value for name, value in flags.items() if name in _CARRYING}
    if carrying:
        said = settle(carrying, {}, job)
        job = replace(
            job, durability=said.durability, versions=said.versions, retention=said.retention,
            lock_wait_s=said.lock_wait_s, compress=said.compress, bwlimit=said.bwlimit,
        )  # fmt: skip
    limiting = {name: value for name, value in flags.items() if name in _LIMITS}
    ours = job.limits if is_foreign else Limits(max_delete_share=None)
    if not limiting:
        return job, ours if is_foreign else None
    return job, settle(limiting, {}, Job("", "", "", limits=ours)).limits
