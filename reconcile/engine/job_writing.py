"""Job writing: a new job file, as `init` makes it. What it says is made by `decide/job_text.py`."""

import os
import re
from collections.abc import Mapping

from reconcile.decide.given import Flag
from reconcile.decide.job_file import NAME
from reconcile.decide.job_shown import Said
from reconcile.decide.job_text import job_file_text, job_table
from reconcile.decide.settle import settle
from reconcile.engine.places import is_remote, refuse_overlap
from reconcile.engine.reach import reach
from reconcile.model.errors import UsageError
from reconcile.model.job import Job
from reconcile.trees.placing import place

KEYS = ("mode", "on_conflict", "preset", "exclude")
"""The options that `init` takes."""


class AlreadyThere(UsageError):
    """A job file is not overwritten. `table`: the lines that would have been in it."""

    table: str = ""


def check_sides(left: str, right: str) -> None:
    """Both can be reached, and neither holds the other. Raises: ReconcileError."""
    refuse_overlap(left, right)
    for here, there in ((left, right), (right, left)):
        reach(here, there)


def said_of(left: str, right: str, location: str, flags: Mapping[str, Flag]) -> dict[str, Said]:
    """The job's keys as the file at `location` says them. Raises: UsageError."""
    settle(flags, {}, Job("", "", ""))
    directory = os.path.dirname(os.path.abspath(location))
    said: dict[str, Said] = {"left": _written(left, directory), "right": _written(right, directory)}
    for key in KEYS:
        value = flags.get(key)
        if value is not None:
            said[key] = value if isinstance(value, str | bool) else tuple(value)
    return said


def _written(side: str, directory: str) -> str:
    """A side as the file says it: relative when it lies beside the file."""
    if is_remote(side):
        return side
    try:
        side.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"`{side}` is not UTF-8, and a job file is",
            hint="make a symbolic link with a plain name, and give that",
        ) from error
    below = os.path.relpath(side, directory)
    if below == "." or below.startswith("../"):
        return side
    return f"./{below}" if below[0] in "@~" or ":" in below else below


def name_after(side: str) -> str:
    """A name for a job, after its left side's last directory."""
    last = side.partition("?")[0].rstrip("/").rpartition("/")[2]
    plain = re.sub(r"[^A-Za-z0-9_.-]", "-", last).strip("-.").lower()
    return plain if NAME.fullmatch(plain) else "main"


def checked_name(text: str) -> str:
    """Raises: UsageError."""
    if NAME.fullmatch(text):
        return text
    raise UsageError(
        f"`{text}` is no name for a job", hint="letters, digits, `_`, and inside also `-` and `.`"
    )


def write_job_file(location: str, name: str, said: Mapping[str, Said]) -> None:
    """Whole, new, and for nobody else to write. Raises: AlreadyThere, UsageError."""
    if os.path.lexists(location):
        error = AlreadyThere(
            f"`{location}` is there already, and is not overwritten",
            hint="add its lines to that file, or name another one: --config FILE",
        )
        error.table = job_table(name, said)
        raise error
    try:
        place(location, [job_file_text(name, said).encode()], mode=0o644)
    except OSError as error:
        raise UsageError(f"`{location}` cannot be written: {error.strerror}") from error
