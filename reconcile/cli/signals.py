"""Signals: a first one stops the run between two steps, a second one at once.

While nothing is being written the first stops at once too. Whatever the
moment, the engine's order of writes makes the stop safe; this only chooses the
tidier place. Worker processes inherit the handlers and must not: they die as
any process does.
"""

import os
import signal
from types import FrameType

GRACE_S = 2.0


class Stopped(KeyboardInterrupt):
    """A signal ended the run."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class Signals:
    """Installed once by `run`; `writing` is set while a side may be changed."""

    def __init__(self) -> None:
        self.writing = False
        self.asked_for_line = False
        """SIGUSR1 came: the next event prints one progress line."""
        self._pending = 0
        self._main = os.getpid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._stop)
        signal.signal(signal.SIGALRM, self._too_long)
        signal.signal(signal.SIGUSR1, self._usr1)

    def check(self) -> None:
        """Between two steps. Raises: Stopped, when a signal has come."""
        if self._pending:
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise Stopped(self._pending)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        del frame
        if os.getpid() != self._main:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        again = self._pending
        self._pending = number
        if again or not self.writing:
            raise Stopped(number)
        signal.setitimer(signal.ITIMER_REAL, GRACE_S)

    def _too_long(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._pending and os.getpid() == self._main:
            raise Stopped(self._pending)

    def _usr1(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.asked_for_line = True
