"""Jobs: the pairs that a job file names, and new ones."""

import os
from typing import Unpack

from reconcile.api.options import Options, Place, Words, check_names, flags, state_place
from reconcile.api.pair import Pair
from reconcile.engine.example import make_example
from reconcile.engine.job_files import load, read_file
from reconcile.engine.job_places import find, places
from reconcile.engine.job_writing import (
    check_sides,
    checked_name,
    name_after,
    said_of,
    write_job_file,
)
from reconcile.engine.jobs import settled_job
from reconcile.engine.places import endpoint
from reconcile.model.errors import NotFound


def load_jobs(
    config: Place | None = None, *, state_dir: Place | None = None, **options: Unpack[Options]
) -> dict[str, Pair]:
    """The pairs of a job file by name; the one the command line would find, unless named.

    Options given here come before what the file says. Raises: ConfigError, one
    for all that is wrong; NotFound, when there is no job file.
    """
    found = find(os.fspath(config) if config is not None else "", os.environ)
    if found is None:
        raise NotFound("there is no job file", hint="reconcile config path")
    book = load(found).book
    given, place = flags(options), state_place(state_dir)
    pairs = {}
    for name, entry in book.jobs.items():
        job = settled_job(book, entry, given, {}, place, read_file)
        check_names(options, job)
        pairs[name] = Pair.of(job)
    return pairs


def init(
    left: Place,
    right: Place,
    *,
    name: str = "",
    config: Place | None = None,
    mode: str = "",
    on_conflict: Words = (),
    preset: Words = (),
    exclude: Words = (),
) -> Pair:
    """Write a commented job file with this one pair; it never overwrites one.

    `config`: where, else as the command line has it; `name`: after the left side, by
    default. Raises: UsageError, when the file is there, or a side or a value cannot be.
    """
    given = os.fspath(config) if config is not None else ""
    location = places(given, os.environ)[0].location
    sides = endpoint(os.fspath(left)), endpoint(os.fspath(right))
    check_sides(*sides)
    asked = {"mode": mode, "on_conflict": on_conflict, "preset": preset, "exclude": exclude}
    said = said_of(*sides, location, flags({key: value for key, value in asked.items() if value}))
    name = checked_name(name or name_after(sides[0]))
    write_job_file(location, name, said)
    return load_jobs(location)[name]


def demo(directory: Place) -> Pair:
    """Make the example of `reconcile demo` in a directory that is empty or not there.

    Its pair agreed once and was changed on both sides since; its state lies in the
    directory too. Raises: UsageError, Denied.
    """
    return Pair.of(make_example(os.path.abspath(os.path.expanduser(os.fspath(directory)))))
