"""Signals before and between the engine's own care for them (`engine/interrupts.py`).

While a run writes, the engine decides where it may stop. Everywhere else the
first signal stops at once. Worker processes inherit the handlers and must not:
they die as any process does.
"""

import os
import signal
from types import FrameType


class Stopped(KeyboardInterrupt):
    """A signal ended the run."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class Signals:
    """Installed once a run."""

    def __init__(self) -> None:
        self.asked_for_line = False
        """SIGUSR1 came: the next event prints one progress line."""
        self._main = os.getpid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._stop)
        signal.signal(signal.SIGUSR1, self._usr1)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        del frame
        if os.getpid() != self._main:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        raise Stopped(number)

    def _usr1(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.asked_for_line = True
