"""Former names: where the state of a pair lies that an earlier version called otherwise.

`sftp://host/p` and `ssh://host/p` are one place, and so one pair. They were two:
a state that was made for the pair as `sftp://` is taken over under its name of today.
"""

import os
from contextlib import suppress
from itertools import product

from blake3 import blake3

from reconcile.model.job import Job
from reconcile.store.own_files import check_above
from reconcile.store.state import pair_directory
from reconcile.trees.open import is_remote, place_name

_WAYS = (b"ssh://", b"sftp://")


def state_of(job: Job, pair: str, *, keeps: bool) -> str:
    """The directory of the pair's state. One of a former name is renamed, where `keeps` allows
    that something is written."""
    here = pair_directory(job.state_dir, pair)
    if not (is_remote(job.left) or is_remote(job.right)) or os.path.lexists(here):
        return here
    for name in _former_ids(job):
        before = pair_directory(job.state_dir, name)
        if not os.path.isdir(before):
            continue
        if not keeps:
            return before
        check_above(before)
        with suppress(OSError):
            os.rename(before, here)
            return here
        return before
    return here


def _former_ids(job: Job) -> list[str]:
    sides = product(*(_spellings(place_name(side)) for side in (job.left, job.right)))
    return [blake3(b"\0".join(each)).hexdigest()[:16] for each in list(sides)[1:]]


def _spellings(name: bytes) -> list[bytes]:
    """Today's first."""
    here, there = _WAYS
    return [name, there + name[len(here) :]] if name.startswith(here) else [name]
