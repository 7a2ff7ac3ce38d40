"""The standard streams as they may be found: closed, on a full disk, or without a reader."""

import os
import sys
from contextlib import suppress


class PipeClosed(Exception):
    """Our output can be written no longer (`| head`); the `OSError` is its cause."""


def fill_streams() -> None:
    """A stream that was closed leads nowhere, so that no file we open gets its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            os.set_inheritable(number, True)
            stream = open(number, "w" if number else "r", closefd=False)  # noqa: SIM115  # it stays
            setattr(sys, name, stream)


def lost(error: PipeClosed | OSError, changed: str = "nothing") -> int:
    """The process code; why is told, unless it is a reader that went away."""
    cause = error if isinstance(error, OSError) else error.__cause__
    if isinstance(cause, OSError) and not isinstance(cause, BrokenPipeError):
        with suppress(OSError):
            text = f"error: the output cannot be written: {cause.strerror}; changed: {changed}"
            print(text, file=sys.stderr, flush=True)
    return 141  # docs/exit-codes.md; the errors are not loaded for `--version`


def close_streams() -> None:
    """Leave without a word when the reader has gone: nothing more can be written."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(null, stream.fileno())
