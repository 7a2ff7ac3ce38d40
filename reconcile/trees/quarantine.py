"""What lies in the quarantine of a root: what interrupted runs left and no run could use.

It is listed with when it was put there, which is all that can be judged of it.
Nothing is followed, and only names are read.
"""

import os
from collections.abc import Iterator
from typing import NamedTuple

from reconcile.model.treepath import TreePath, join
from reconcile.trees.rooted import Root
from reconcile.trees.versions import QUARANTINE


class Leftover(NamedTuple):
    """A file or link in quarantine."""

    place: TreePath
    size_bytes: int
    since_ns: int
    """When it was put there, or later."""

    @property
    def run(self) -> str:
        """Whose it is."""
        return self.place.split(b"/")[2].decode("utf-8", "surrogateescape")


def leftovers(root: Root) -> Iterator[Leftover]:
    """Everything in the quarantine of a run. Cost: its names, one lstat each."""
    waiting = [QUARANTINE]
    while waiting:
        directory = waiting.pop()
        for name, status in _statuses(root, directory):
            place = join(directory, name)
            if status is None:
                waiting.append(place)
            elif directory != QUARANTINE:
                yield Leftover(place, status.st_size, status.st_ctime_ns)


def _statuses(root: Root, path: TreePath) -> Iterator[tuple[bytes, "os.stat_result | None"]]:
    """(name, what it is); None: a directory."""
    try:
        with os.scandir(root.directory(path)) as entries:
            found = list(entries)
    except OSError:
        return
    for entry in found:
        try:
            is_directory = entry.is_dir(follow_symlinks=False)
            yield (
                os.fsencode(entry.name),
                None if is_directory else entry.stat(follow_symlinks=False),
            )
        except OSError:
            continue  # it went
