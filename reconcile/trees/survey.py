"""Survey: what a later `stage` will ask for, so that content is not sent in vain.

Nothing is changed, and nothing is promised: `stage` looks again.
"""

import os
from collections.abc import Iterator, Sequence

from reconcile.model.errors import PathRefused
from reconcile.model.plan import Step
from reconcile.model.treepath import TreePath, split
from reconcile.trees.copying import hash_fd
from reconcile.trees.growing import STREAM_RESUMED_FROM
from reconcile.trees.rooted import READ
from reconcile.trees.site import Site, Spot, as_expected, is_there, look, spot_of
from reconcile.trees.task import is_own
from reconcile.trees.temporary import PART, step_temp

Need = tuple[int, str, int]
"""Step id, a word, and where content goes on: `have` (it is here, verified), `stale`
(`stage` will refuse), `part` (so many bytes of it are here, unverified), `whole`."""

_WORTH_LISTING = 8
"""Steps in one directory from which on its names are read at once."""


def survey(site: Site, steps: Sequence[Step], most_part_bytes: int) -> list[Need]:
    """What each of these steps, which all bring content, needs; in their order.

    A part longer than `most_part_bytes` is not told of: the whole is needed.
    """
    needs: list[Need] = []
    for parent, together in _by_parent(steps):
        names = _names(site, parent, len(together))
        for step in together:
            if step.expect is None and names is not None and _is_free(step, names):
                needs.append((step.id, "whole", 0))
            else:
                needs.append((step.id, *_need(site, step, most_part_bytes)))
    return needs


def part_digest(site: Site, step: Step, size_bytes: int) -> bytes:
    """The content id of the step's part; empty: it is not of exactly this length any more."""
    try:
        spot = spot_of(site.root, step)
        fd = os.open(spot.temp + PART, READ, dir_fd=spot.dir_fd)
    except (OSError, PathRefused):
        return b""
    try:
        if os.fstat(fd).st_size != size_bytes:
            return b""
        return hash_fd(fd, site.options.header.hash_name)
    except OSError:
        return b""
    finally:
        os.close(fd)


def _by_parent(steps: Sequence[Step]) -> Iterator[tuple[TreePath, list[Step]]]:
    """Steps that follow each other in one directory, together."""
    together: list[Step] = []
    last = None
    for step in steps:
        parent = split(step.at)[0]
        if parent != last and together and last is not None:
            yield last, together
            together = []
        together.append(step)
        last = parent
    if last is not None:
        yield last, together


def _names(site: Site, parent: TreePath, count: int) -> set[bytes] | None:
    """Every name in a directory where many steps go; None: looking at each is cheaper."""
    if count < _WORTH_LISTING:
        return None
    try:
        # Our own descriptor keeps its place: listing must not move the one that is held.
        fd = os.open(b".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=site.root.directory(parent))
    except (OSError, PathRefused):
        return None
    names = set()
    try:
        with os.scandir(fd) as found:
            for entry in found:
                names.add(os.fsencode(entry.name))
                if len(names) > 16 * count:
                    return None
    except OSError:
        return None
    finally:
        os.close(fd)
    return names


def _is_free(step: Step, names: set[bytes]) -> bool:
    """Neither its final nor a temporary name is there."""
    temp = step_temp(step)
    return not (split(step.at)[1] in names or temp in names or temp + PART in names)


def _need(site: Site, step: Step, most_part_bytes: int) -> tuple[str, int]:
    want = step.want
    assert want is not None
    try:
        spot = spot_of(site.root, step)
    except FileNotFoundError:
        return "whole", 0  # its directory may be made before the step is staged
    except (OSError, PathRefused):
        return "stale", 0
    try:
        if not as_expected(site, look(spot.dir_fd, spot.leaf), step.expect):
            return ("have" if is_there(site, spot, want) else "stale"), 0
        if _holds(site, step, spot, spot.temp):
            return "have", 0
        if want.size > STREAM_RESUMED_FROM:
            return _of_part(site, step, spot, most_part_bytes)
    except OSError:
        pass  # `stage` meets it again, or not
    return "whole", 0


def _of_part(site: Site, step: Step, spot: Spot, most_part_bytes: int) -> tuple[str, int]:
    want = step.want
    assert want is not None
    name = spot.temp + PART
    status = look(spot.dir_fd, name)
    if status is None or not is_own(site, spot, want, look(spot.dir_fd, spot.leaf), status):
        return "whole", 0
    if status.st_size == want.size and _holds(site, step, spot, name):
        return "have", 0
    if 0 < status.st_size < want.size and status.st_size <= most_part_bytes:
        return "part", status.st_size
    return "whole", 0


def _holds(site: Site, step: Step, spot: Spot, name: bytes) -> bool:
    """A leftover of this name would be adopted."""
    want = step.want
    status = look(spot.dir_fd, name)
    if status is None or want is None or status.st_size != want.size:
        return False
    if not is_own(site, spot, want, look(spot.dir_fd, spot.leaf), status):
        return False
    fd = os.open(name, READ, dir_fd=spot.dir_fd)
    try:
        return hash_fd(fd, site.options.header.hash_name) == want.id
    finally:
        os.close(fd)
