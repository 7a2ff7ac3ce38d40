"""Pruning: kept content is removed for good, and the directories that this leaves empty.

The one place where a tree destroys content. Only names below
`.reconcile/versions/RUN/` and `.reconcile/quarantine/RUN/` are touched, reached through
directories alone.
"""

import os
from collections.abc import Iterator, Sequence

from reconcile.model.errors import PathRefused
from reconcile.model.plan import Problem
from reconcile.model.treepath import TreePath, parents, split
from reconcile.trees.receipts import error_code
from reconcile.trees.site import Site
from reconcile.trees.temporary import AREA
from reconcile.trees.versions import QUARANTINE, VERSIONS, check_kept


def prune(site: Site, places: Sequence[TreePath]) -> list[Problem]:
    """Remove what is kept there; a problem for each that is there still. Durable on return."""
    site.root.forget()
    problems = [_removed(site, place) for place in places]
    for directory in emptied(places):
        _remove_empty(site, directory)
    site.root.forget()
    try:
        site.flusher.flush_directories()
    except OSError as error:
        return [trouble(place, error) for place in places]
    return [problem for problem in problems if problem is not None]


def emptied(places: Sequence[TreePath]) -> list[TreePath]:
    """The directories that may be empty without these, deepest first: those of runs and below."""
    above = {directory for place in places for directory in parents(place)}
    tops = (VERSIONS + b"/", QUARANTINE + b"/")
    own = [directory for directory in above if directory.startswith(tops)]
    return sorted(own, key=lambda directory: (-directory.count(b"/"), directory))


def trouble(place: TreePath, error: OSError | PathRefused) -> Problem:
    """Why it is there still, or may be."""
    if isinstance(error, PathRefused):
        return Problem(place, None, error.code, error.message)
    words = (error.strerror or str(error)).lower()
    return Problem(place, None, error_code(error), f"it could not be removed: {words}")


def too_long(place: TreePath) -> Problem:
    """Why it cannot even be asked for."""
    return Problem(place, None, "E_NAME_UNREPRESENTABLE", "its path is too long to be sent")


def portions(places: Sequence[TreePath], most: int, room: int) -> Iterator[tuple[bytes, ...]]:
    """The places in order, at most so many and so many bytes at a time."""
    part: list[bytes] = []
    size = 0
    for place in places:
        if part and (len(part) == most or size + len(place) > room):
            yield tuple(part)
            part, size = [], 0
        part.append(place)
        size += len(place)
    if part:
        yield tuple(part)


def _removed(site: Site, place: TreePath) -> Problem | None:
    try:
        check_kept(place)
        parent, name = split(place)
        site.system.unlink(site.root.directory(parent), name)
    except FileNotFoundError:
        # It went before: perhaps in a run that did not come to flush it.
        for above in parents(place):
            site.flusher.touch(above)
        return None
    except (OSError, PathRefused) as error:
        return trouble(place, error)
    site.flusher.touch(parent)
    return None


def _remove_empty(site: Site, directory: TreePath) -> None:
    parent, name = split(directory)
    try:
        if parent == VERSIONS and os.listdir(site.root.directory(directory)) == [os.fsdecode(AREA)]:
            site.system.unlink(site.root.directory(directory), AREA)  # the record of nothing
        site.system.rmdir(site.root.directory(parent), name)
    except (OSError, PathRefused):
        return  # something is in it, or it is gone, or it is none: nothing of ours to remove
    site.flusher.touch(parent)
