"""Marks: which of the paths that `--require` names are not there.

A filter may hide a mark, or the directory it lies in: what takes no part is still
there. So what the observation does not show is looked for on the disk.
LIMIT: on another machine, and in a manifest file, what filters hide cannot be
looked for; that is said, and counts as not there.
"""

import os
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from reconcile.decide.names import unicode_key
from reconcile.model.entry import Kind
from reconcile.model.manifest import Manifest, entries
from reconcile.model.plan import Side
from reconcile.model.treepath import ROOT, TreePath, join, parse
from reconcile.trees.rooted import Root

if TYPE_CHECKING:
    from reconcile.engine.opened import Opened


class Marks(NamedTuple):
    """Of the required paths of one side."""

    missing: tuple[TreePath, ...] = ()
    """Those that are not there."""
    hidden: tuple[TreePath, ...] = ()
    """Those that filters hide, where nobody can look past them."""


def look_for_marks(opened: "Opened", side: Side, seen: Manifest) -> Marks:
    """The required paths that `seen` does not show, looked for. Raises: OSError of the root."""
    missing: list[TreePath] = []
    hidden: list[TreePath] = []
    for raw in opened.job.limits.require:
        path = parse(raw.strip(b"/"))
        sight = _sight(seen, path)
        if sight is _Sight.HIDDEN and _is_elsewhere(opened, side):
            hidden.append(path)
        elif sight is _Sight.HIDDEN and _stands(opened.location(side), path):
            continue
        elif sight is not _Sight.THERE:
            missing.append(path)
    return Marks(tuple(missing), tuple(hidden))


class _Sight(Enum):
    THERE = "there"
    HIDDEN = "hidden"
    """It lies below what filters hide, or nobody could look into."""
    ABSENT = "absent"


def _sight(seen: Manifest, path: TreePath) -> _Sight:
    """What the observation says. A name may be in another Unicode form, as names pair."""
    at, names = ROOT, path.split(b"/")
    for number, name in enumerate(names, 1):
        below = list(entries(seen, at))
        key = unicode_key(name)
        alike = [entry for entry in below if unicode_key(entry.name) == key]
        found = next((entry for entry in alike if entry.name == name), alike[0] if alike else None)
        if found is None:
            return _Sight.ABSENT
        if number < len(names) and found.kind is not Kind.DIR:
            is_closed = found.kind in (Kind.IGNORED, Kind.UNKNOWN)
            return _Sight.HIDDEN if is_closed else _Sight.ABSENT
        at = join(at, found.name)
    return _Sight.THERE


def _is_elsewhere(opened: "Opened", side: Side) -> bool:
    return side in opened.manifests or opened.remote(side) is not None


def _stands(location: bytes, path: TreePath) -> bool:
    """Something is there, reached through no link."""
    root = Root(location)
    try:
        above, _, name = path.rpartition(b"/")
        os.stat(name, dir_fd=root.directory(TreePath(above)), follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # there, and nobody may look closer: the observation says so
    finally:
        root.close()
    return True
