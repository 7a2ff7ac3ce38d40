"""Scratch: an unnamed file for what is too much for memory and of no use afterwards."""

import os
from contextlib import suppress
from typing import IO

_PLACES = ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108  # no name is given there


def scratch(*, buffering: int = -1) -> IO[bytes]:
    """An empty file that has no name, for reading and writing; `buffering` as of `open`.

    Where temporary files go here; where no such directory can be written, in
    memory: a machine that is read-only through and through can be looked at
    too. Never in the working directory, which may be a side.
    """
    import tempfile  # 4 ms at start-up, and most scans go to the state

    given = (os.environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP"))
    for place in (*filter(None, given), *_PLACES):
        with suppress(OSError):
            return tempfile.TemporaryFile(prefix="reconcile-", dir=place, buffering=buffering)
    return os.fdopen(os.memfd_create("reconcile"), "w+b", buffering=buffering)
