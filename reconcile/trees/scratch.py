"""Scratch: an unnamed file for what is too much for memory and of no use afterwards."""

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import IO

_PLACES = ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108  # no name is given there


def scratch(places: Iterable[str] = (), *, buffering: int = -1) -> IO[bytes]:
    """An empty file that has no name, for reading and writing; `buffering` as of `open`.

    In the first of `places` (without them: where temporary files go here) that
    can be written; where none can, in memory: a machine that is read-only
    through and through can be looked at too. Never in the working directory,
    which may be a side.
    """
    import tempfile  # 4 ms at start-up, and most scans go to the state

    for place in tuple(places) or _usual():
        with suppress(OSError):
            return tempfile.TemporaryFile(prefix="reconcile-", dir=place, buffering=buffering)
    return os.fdopen(os.memfd_create("reconcile"), "w+b", buffering=buffering)


def _usual() -> tuple[str, ...]:
    given = (os.environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP"))
    return (*filter(None, given), *_PLACES)
