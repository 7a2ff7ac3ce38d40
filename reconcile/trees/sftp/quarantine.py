"""What lies in the quarantine of a root on a server. See `trees/quarantine.py`.

SFTP tells no time of renaming: a thing was put there when its directory last
changed, or before. That is later, so nothing is taken for older than it is.
"""

import stat
from collections.abc import Iterator

from reconcile.model.treepath import TreePath, join
from reconcile.trees.quarantine import Leftover
from reconcile.trees.sftp.client import Sftp
from reconcile.trees.sftp.rows import SECOND_NS, BadListing, list_directory
from reconcile.trees.versions import QUARANTINE


def leftovers(sftp: Sftp, root: bytes, lag_ns: int) -> Iterator[Leftover]:
    """Everything in it. Cost: two round trips for each directory. `lag_ns`: what to take from
    the server's times to have ours."""
    waiting = [QUARANTINE]
    while waiting:
        directory = waiting.pop()
        location = root + b"/" + directory
        try:
            found = sftp.run(sftp.lstat(location))
            if found is None or not stat.S_ISDIR(found.mode):
                continue
            rows = sftp.run(list_directory(sftp, location))
        except (OSError, BadListing):
            continue
        for row in rows:
            place = join(directory, row[0])
            if stat.S_ISDIR(row[1]):
                waiting.append(TreePath(place))
            elif directory != QUARANTINE:
                yield Leftover(TreePath(place), row[2], found.mtime_s * SECOND_NS - lag_ns)
