"""The server's clock, as far as SFTP shows it; needed because file times come from it.

Linux stamps a file of /proc when it is first looked at: that is the time. What
was stamped long ago errs to the safe side (a file seems younger than it is).
Where /proc is not shown, a file that a run writes there has the time, and the
next looks remember it.
"""

import time

from reconcile.trees.sftp.client import Sftp
from reconcile.trees.sftp.rows import SECOND_NS

FACE = b"/proc/self/limits"
UNKNOWN_NS = 26 * 3600 * SECOND_NS
"""LIMIT: where the clock cannot be seen it is taken to be less than this behind ours: a wrong
time zone and a bad clock. Files changed later than that are read again each time."""
DRIFT_NS = 600 * SECOND_NS
"""LIMIT: a clock that was seen when a run wrote there is taken to have lost no more since."""


async def lag_ns(sftp: Sftp) -> int | None:
    """What to add to our clock for a time that the server's has surely reached; None: unknown."""
    try:
        found = await sftp.lstat(FACE)
    except OSError:
        return None
    now_ns = time.time_ns()
    if found is None or found.mode & 0o170000 != 0o100000 or not found.mtime_s:
        return None
    return found.mtime_s * SECOND_NS - now_ns


def skew_ns(lag: int | None) -> int:
    """The server's clock minus ours, as people would say it; 0: not known, or no difference."""
    if lag is None:
        return 0
    middle = lag + SECOND_NS // 2
    return middle if abs(middle) > 2 * SECOND_NS else 0
