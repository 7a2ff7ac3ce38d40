"""Orphans: kept content that no row of the state leads to, given one.

A run that is killed between a step and the transaction that notes it leaves its
superseded content where it belongs, and unknown. LIMIT: only on this machine's
sides; what a far side keeps unnoted stays there, untouched.
"""

import os
import stat
from collections.abc import Collection, Iterator

from reconcile.engine.opened import Opened
from reconcile.model.block import HashName
from reconcile.model.entry import carried_ns
from reconcile.model.plan import Side
from reconcile.model.treepath import TreePath, join, parse
from reconcile.store.records import UNNOTED, Version
from reconcile.trees.copying import hash_fd
from reconcile.trees.open import is_remote
from reconcile.trees.rooted import Root
from reconcile.trees.versions import VERSIONS, text_of


def note_orphans(opened: Opened) -> int:
    """Note what runs of this pair keep on this machine and the state does not know; how many.

    Only under the pair's lock. Cost: the names in the version area, and the
    content of what was not known.
    """
    known = {(version.side, version.place) for version in opened.store.versions.find()}
    runs = {run.id for run in opened.store.runs.every()}
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
            found += _unknown(root, side, runs, known, hash_name)
        finally:
            root.close()
    if found:
        with opened.store.transaction():
            opened.store.versions.add(found)
    return len(found)


def _unknown(
    root: Root,
    side: Side,
    runs: Collection[str],
    known: Collection[tuple[Side, str]],
    hash_name: HashName,
) -> Iterator[Version]:
    for run in sorted(runs):
        top = TreePath(VERSIONS + b"/" + run.encode())
        for place in _names(root, top):
            if (side, text_of(place)) in known:
                continue
            version = _version(root, side, run, place, hash_name)
            if version is not None:
                yield version


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
