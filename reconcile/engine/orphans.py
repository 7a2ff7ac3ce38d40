"""Orphans: kept content that no row of the state leads to, given one.

A run that is killed between a step and the transaction that notes it leaves its
superseded content where it belongs, and unknown. So does every run whose state
is lost, or whose pair has another name since a root moved: `decide/claims.py`
says whose it is, the record beside it (`model/kept_by.py`) who it says it is.
Only directories that are ours, or root's, are looked into. LIMIT: only on this
machine's sides; what a far side keeps unnoted stays there, untouched.
"""

import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress

from reconcile.decide.claims import Claimant, claims
from reconcile.engine.events import Listener
from reconcile.engine.known import in_state, known_pairs
from reconcile.engine.opened import Opened
from reconcile.model.block import HashName
from reconcile.model.entry import carried_ns
from reconcile.model.errors import ReconcileError
from reconcile.model.job import Job
from reconcile.model.kept_by import MOST_BYTES, KeptBy, decode_kept_by
from reconcile.model.plan import Side
from reconcile.model.treepath import TreePath, join, parse
from reconcile.store.records import UNNOTED, Version
from reconcile.store.state import Store
from reconcile.trees.copying import hash_fd
from reconcile.trees.open import is_remote
from reconcile.trees.rooted import READ, Root
from reconcile.trees.temporary import AREA
from reconcile.trees.versions import VERSIONS, text_of

_RUN = re.compile(rb"r-[0-9a-z]{1,32}")


def note_orphans(opened: Opened) -> int:
    """Note what runs of this pair keep on this machine and the state does not know; how many.

    Only under the pair's lock. Cost: the names in the version area, and the
    content of what was not known.
    """
    known = {(version.side, version.place) for version in opened.store.versions.find()}
    runs = _runs_of(opened.store)
    newest = opened.store.baselines.newest()
    hash_name = newest.header.hash_name if newest is not None else opened.job.hash_name
    found: list[Version] = []
    for side in Side:
        if is_remote(opened.endpoint(side)):
            continue
        try:
            root = Root(opened.location(side))
        except OSError:
            continue  # whoever changes that side says so
        try:
            mine = runs | set(_claimed(opened, root, side, runs))
            found += _unknown(root, side, mine, known, hash_name)
        finally:
            root.close()
    if found:
        with opened.store.transaction():
            opened.note_pair(asked=False)
            opened.store.versions.add(found)
    return len(found)


def has_strangers(known: Collection[str], locations: Iterable[bytes]) -> bool:
    """Runs that are not among these keep something in one of these roots. Cost: their names."""
    for location in locations:
        try:
            names = os.listdir(os.path.join(location, VERSIONS))
        except OSError:
            continue
        if any(_RUN.fullmatch(name) and name.decode() not in known for name in names):
            return True
    return False


def adopt(job: Job, listener: Listener) -> int:
    """Note what the sides of this machine keep and the pair's state does not know; how many.

    Takes the pair's lock only where there is something. Without a state one is made.
    Raises: Locked …
    """
    places = [job.left, job.right]
    here = [os.fsencode(os.path.expanduser(each)) for each in places if not is_remote(each)]
    if not has_strangers(_known_runs(job.state_dir), here):
        return 0
    with Opened(job, listener, exclusive=True) as opened:
        return note_orphans(opened)


def _known_runs(state_dir: str) -> Collection[str]:
    """Of every pair that this state directory knows."""
    found: set[str] = set()
    for known in known_pairs(state_dir):
        with suppress(ReconcileError):
            found |= in_state(known, _runs_of)
    return found


def _runs_of(store: Store) -> set[str]:
    return {run.id for run in store.runs.every()} | {v.run for v in store.versions.find()}


def _claimed(opened: Opened, root: Root, side: Side, own: Collection[str]) -> Iterator[str]:
    """Runs that no state knows and that were this pair's, as far as is known."""
    try:
        names = os.listdir(root.directory(VERSIONS))
    except OSError:
        return
    strange = sorted(each for each in names if _RUN.fullmatch(each.encode()) and each not in own)
    if not strange:
        return
    others = [each for each in known_pairs(opened.job.state_dir) if each.pair != opened.pair]
    elsewhere = _known_runs(opened.job.state_dir)
    url = opened.url(side)
    claimant = Claimant(
        opened.pair,
        side,
        opened.url(Side.LEFT),
        opened.url(Side.RIGHT),
        frozenset(each.pair for each in others),
        any(url in (each.left, each.right) for each in others),
    )
    for run in strange:
        if run not in elsewhere and claims(claimant, run, _record(root, run)):
            yield run


def _record(root: Root, run: str) -> KeptBy | None:
    """What lies beside a run's versions; None: nothing that can be read."""
    try:
        directory = root.directory(join(VERSIONS, run.encode()))
        fd = os.open(AREA, READ, dir_fd=directory)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        return decode_kept_by(os.read(fd, MOST_BYTES + 1))
    except OSError:
        return None
    finally:
        os.close(fd)


def _unknown(
    root: Root,
    side: Side,
    runs: Collection[str],
    known: Collection[tuple[Side, str]],
    hash_name: HashName,
) -> Iterator[Version]:
    for run in sorted(runs):
        top = TreePath(VERSIONS + b"/" + run.encode())
        if not _is_trusted(root, top):
            continue
        for place in _names(root, top):
            if (side, text_of(place)) in known or place == join(top, AREA):
                continue
            version = _version(root, side, run, place, hash_name)
            if version is not None:
                yield version


def _is_trusted(root: Root, top: TreePath) -> bool:
    """The run's directory is ours, root's or the root directory's owner's: no stranger's."""
    try:
        owner = os.fstat(root.directory(top)).st_uid
    except OSError:
        return False
    return owner in (0, os.geteuid(), os.fstat(root.fd).st_uid)


def _names(root: Root, top: TreePath) -> Iterator[TreePath]:
    """Everything below `top` that is no directory; nothing is followed."""
    try:
        with os.scandir(root.directory(top)) as entries:
            found = sorted((os.fsencode(e.name), e.is_dir(follow_symlinks=False)) for e in entries)
    except OSError:
        return
    for name, is_directory in found:
        if is_directory:
            yield from _names(root, join(top, name))
        else:
            yield join(top, name)


def _version(
    root: Root, side: Side, run: str, place: TreePath, hash_name: HashName
) -> Version | None:
    """None: it cannot be read, or is nothing that a run keeps."""
    path = TreePath(place[len(VERSIONS) + len(run) + 2 :])
    parent, _, name = place.rpartition(b"/")
    try:
        directory = root.directory(parse(parent))
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            content, size = os.readlink(name, dir_fd=directory), 0
        else:
            fd = root.open_file(place)
            try:
                content, size = hash_fd(fd, hash_name), status.st_size
            finally:
                os.close(fd)
    except OSError:
        return None
    return Version(
        run, side, path, text_of(place), content, size, carried_ns(status.st_mtime_ns),
        status.st_ctime_ns,
        UNNOTED,
    )  # fmt: skip
