"""Care of what the state knows of a pair: forgetting one, and following a root that was moved.

Only the state changes; no side is touched, and what versions are kept there stays there.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import msgspec

from reconcile.engine.known import KnownPair, known_pairs
from reconcile.engine.pairs import pair_id
from reconcile.engine.places import endpoint
from reconcile.model.errors import Denied, NotFound, UsageError
from reconcile.model.job import Job
from reconcile.store.database import DATABASE_NAME
from reconcile.store.lock import LOCK_NAME, PairLock
from reconcile.store.pairs import pairs
from reconcile.store.records import PairRecord
from reconcile.store.state import Store, pair_directory
from reconcile.trees.open import place_name


def listed(state_dir: str) -> Sequence[PairRecord]:
    """Every pair with a state, by left; those of which nothing is known come last."""
    return sorted(pairs(state_dir), key=lambda record: not record.left)


def forget(state_dir: str, pair: str) -> None:
    """The state of the pair of this id is gone: baseline, history, answers. Raises: Locked."""
    directory = pair_directory(state_dir, pair)
    with _locked(directory):
        for name in _files(directory, last=DATABASE_NAME):
            location = os.path.join(directory, name)
            if os.path.isdir(location) and not os.path.islink(location):
                shutil.rmtree(location)
            else:
                os.unlink(location)


def move(state_dir: str, old: str, new: str) -> Sequence[KnownPair]:
    """Every pair with the root `old` has `new` in its place, and goes on from where it was.

    Answers them as they were. Raises: NotFound, when no pair has that root; UsageError, when
    one with the new root is known already; Locked; nothing was changed then.
    """
    old, new = endpoint(old), endpoint(new)
    named = place_name(old)
    found = [pair for pair in known_pairs(state_dir) if named in _names(pair)]
    if not found:
        raise NotFound(f"no pair has the root {old}", hint="see: reconcile pair list")
    taken = {record.pair for record in pairs(state_dir)}
    moved = [(pair, _with(pair, named, new)) for pair in found]
    for _, job in moved:
        if pair_id(job.left, job.right) in taken:
            raise UsageError(
                f"{job.left} and {job.right} have a state of their own already",
                hint="forget that first: reconcile pair forget LEFT RIGHT",
            )
    for pair, job in moved:
        _move(state_dir, pair, job)
    return tuple(found)


def _names(pair: KnownPair) -> tuple[bytes, ...]:
    return tuple(place_name(side) for side in _sides(pair) if side)


def _sides(pair: KnownPair) -> tuple[str, str]:
    return (pair.job.left, pair.job.right) if pair.job is not None else (pair.left, pair.right)


def _with(pair: KnownPair, named: bytes, new: str) -> Job:
    left, right = (new if place_name(side) == named else side for side in _sides(pair))
    if pair.job is None:
        return Job(left, right, "")
    return msgspec.structs.replace(pair.job, left=left, right=right, state_dir="")


def _move(state_dir: str, pair: KnownPair, job: Job) -> None:
    directory = pair_directory(state_dir, pair_id(job.left, job.right))
    with _locked(pair.directory), _locked(directory):
        with closing(Store.open(pair.directory)) as store, store.transaction():
            store.note(left=job.left, right=job.right)
            if pair.job is not None:
                store.note_job(job)
        for name in _files(pair.directory, last=DATABASE_NAME):
            os.rename(os.path.join(pair.directory, name), os.path.join(directory, name))


def _files(directory: str, last: str) -> Iterator[str]:
    """All but the lock, which nobody ever removes."""
    names = [name for name in os.listdir(directory) if name != LOCK_NAME]
    yield from sorted(names, key=lambda name: (name == last, name))


@contextmanager
def _locked(directory: str) -> Iterator[None]:
    lock = PairLock(directory, "")
    try:
        yield
    except OSError as error:
        raise Denied(f"the state cannot be changed: {error.strerror}", where=directory) from error
    finally:
        lock.release()
