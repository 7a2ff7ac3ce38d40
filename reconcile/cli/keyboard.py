"""Keyboard: single keys from the terminal, without Enter.

The terminal is as we found it whenever somebody else has it (an editor, a
pager), and when we are done, however that comes. Ctrl-C stays a signal.
"""

import contextlib
import os
import select
import sys
import termios
from collections.abc import Iterator
from types import TracebackType

_ESCAPE_S = 0.05
"""What a key sends after ESC follows at once."""
_REST = 64


class Keyboard:
    """A context in which keys are read one by one."""

    def __init__(self) -> None:
        self._fd = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._fd)

    def __enter__(self) -> "Keyboard":
        self._single_keys()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._as_found()

    def key(self) -> str:
        """One key; empty at the end (Ctrl-D, a terminal that is gone).

        An arrow or a function key comes as `\\x1b`, whatever else it sends.
        """
        self._single_keys()  # a shell that stopped and continued us has set it back
        data = self._byte()
        if data in (b"", b"\x04"):
            return ""
        if data == b"\x1b":
            while select.select([self._fd], [], [], _ESCAPE_S)[0] and os.read(self._fd, _REST):
                pass
            return "\x1b"
        while len(data) < 4:
            try:
                return data.decode()
            except UnicodeDecodeError:
                data += self._byte() or b"\xff\xff\xff"
        return "?"

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """A stretch in which the terminal is as we found it."""
        self._as_found()
        try:
            yield
        finally:
            self._single_keys()

    def _byte(self) -> bytes:
        try:
            return os.read(self._fd, 1)
        except OSError:
            return b""

    def _single_keys(self) -> None:
        now = termios.tcgetattr(self._fd)
        if now[3] & (termios.ICANON | termios.ECHO):
            now[3] &= ~(termios.ICANON | termios.ECHO)
            now[6][termios.VMIN], now[6][termios.VTIME] = 1, 0
            termios.tcsetattr(self._fd, termios.TCSADRAIN, now)

    def _as_found(self) -> None:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)
