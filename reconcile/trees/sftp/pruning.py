"""Kept content is removed for good over SFTP, and the directories that this leaves empty.

Names and promises are those of `trees/pruning.py`. RACE: as in `site.py`, a
directory of the version area that becomes a link between look and removal is
followed; only who may write there can do that.
"""

from collections.abc import Sequence
from itertools import groupby

from reconcile.model.errors import PathRefused
from reconcile.model.plan import Problem
from reconcile.model.treepath import TreePath, parents, split
from reconcile.trees.pruning import emptied, trouble
from reconcile.trees.sftp.carrying import flush
from reconcile.trees.sftp.rows import BadListing, list_directory
from reconcile.trees.sftp.site import Site
from reconcile.trees.temporary import AREA
from reconcile.trees.versions import VERSIONS, check_kept


def prune(site: Site, places: Sequence[TreePath]) -> list[Problem]:
    """Remove what is kept there; a problem for each that is there still."""
    site.forget()
    problems = site.sftp.run_all(_removed(site, place) for place in places)
    site.forget()
    for _, level in groupby(emptied(places), key=lambda directory: directory.count(b"/")):
        site.sftp.run_all(_remove_empty(site, directory) for directory in level)
    site.forget()
    try:
        site.sftp.run(flush(site))
    except OSError as error:
        return [trouble(place, error) for place in places]
    return [problem for problem in problems if problem is not None]


async def _removed(site: Site, place: TreePath) -> Problem | None:
    try:
        check_kept(place)
        parent, name = split(place)
        await site.remove(await site.directory(parent) + b"/" + name)
    except FileNotFoundError:
        site.touched.update(parents(place))
        return None
    except OSError as error:
        return trouble(place, await site.explained(error))
    except PathRefused as error:
        return trouble(place, error)
    site.touched.add(parent)
    return None


async def _remove_empty(site: Site, directory: TreePath) -> None:
    """A server removes no directory with something in it (SFTP draft, 6.6)."""
    parent = split(directory)[0]
    try:
        await site.directory(directory)
        if parent == VERSIONS:
            await _remove_record(site, directory)
        await site.remove_directory(site.location(directory))
    except OSError:
        return
    site.touched.add(parent)


async def _remove_record(site: Site, run: TreePath) -> None:
    """Of a run that keeps nothing else. Raises: OSError."""
    location = site.location(run)
    try:
        names = [row[0] for row in await list_directory(site.sftp, location)]
    except BadListing:
        return
    if names == [AREA]:
        await site.remove(location + b"/" + AREA)
