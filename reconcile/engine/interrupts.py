"""Interrupts: SIGINT and SIGTERM end a run at a place where it can be left.

The first signal raises Interrupted at once, except in a `held` stretch, whose
end it waits for. A second signal of the same kind does what it did before we
came. In a thread that is not the main one signals are left alone.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from reconcile.model.errors import ExitCode, Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """A context in which the two signals raise Interrupted."""

    def __init__(self) -> None:
        self._pending: int | None = None
        self._held = 0
        self._before: dict[int, Any] = {}  # Any: what signal.signal answers

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                self._before[number] = signal.signal(number, self._arrived)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore(*self._before)
        if error is None:
            self.check()

    @contextmanager
    def held(self) -> Iterator[None]:
        """A stretch that is finished before a signal counts."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        self.check()

    def check(self) -> None:
        """Raises: Interrupted, when a signal has arrived."""
        if self._pending is not None and not self._held:
            number, self._pending = self._pending, None
            raise stopped_by(number)

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._pending = number
        self._restore(number)
        self.check()

    def _restore(self, *numbers: int) -> None:
        for number in numbers:
            before = self._before.pop(number, None)
            if before is not None:
                signal.signal(number, before)


def stopped_by(number: int) -> Interrupted:
    """The error for a signal, with the exit code of that signal."""
    error = Interrupted(
        "stopped by the user",
        changed="what was done is recorded; the rest is as it was",
        hint="run the same command again to go on",
    )
    if number == signal.SIGTERM:
        error.exit_code = ExitCode.TERM
    return error
