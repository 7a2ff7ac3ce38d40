"""Jobs: the pairs that a job file names."""

import os
from typing import Unpack

from reconcile.api.options import Options, Place, check_names, flags, state_place
from reconcile.api.pair import Pair
from reconcile.engine.job_files import load, read_file
from reconcile.engine.job_places import find
from reconcile.engine.jobs import settled_job
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
