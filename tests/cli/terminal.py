"""A child process on a pseudo terminal: what it writes is read until a text appears."""

import os
import pty
import select
import signal
import sys
from pathlib import Path
from types import TracebackType

PATIENCE_S = 30.0


class Terminal:
    """Runs reconcile with a terminal as its three streams."""

    def __init__(self, words: list[str], where: Path, environment: dict[str, str]) -> None:
        command = str(Path(sys.executable).with_name("reconcile"))
        self._start([command, *words], where, environment)

    @classmethod
    def of(cls, command: list[str], where: Path, environment: dict[str, str]) -> "Terminal":
        """Another program at such a terminal."""
        terminal = cls.__new__(cls)
        terminal._start(command, where, environment)
        return terminal

    def _start(self, command: list[str], where: Path, environment: dict[str, str]) -> None:
        self.seen = ""
        self._is_over = False
        self._pid, self._fd = pty.fork()
        if not self._pid:
            os.chdir(where)
            os.execve(command[0], command, {"TERM": "xterm", **environment})

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._fd)
        if error is not None and not self._is_over:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    def wait_for(self, text: str) -> None:
        """Read until `text` was written. Fails when the child falls silent or ends."""
        while text not in self.seen:
            if not self._read():
                raise AssertionError(f"no `{text}` in:\n{self.seen}")

    def wait_for_more(self) -> None:
        """Read until anything more was written. Fails when the child falls silent or ends."""
        if not self._read():
            raise AssertionError(f"nothing more after:\n{self.seen}")

    def type(self, text: str) -> None:
        """Keys."""
        os.write(self._fd, text.encode())

    def signal(self, number: int) -> None:
        """A signal, to the program alone."""
        os.kill(self._pid, number)

    def ends(self) -> int:
        """The code with which the child ends."""
        while self._read():
            pass
        self._is_over = True
        if not self._is_gone():
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            raise AssertionError(f"silent for {PATIENCE_S} s, after:\n{self.seen}")
        _, status = os.waitpid(self._pid, 0)
        return os.waitstatus_to_exitcode(status)

    def _is_gone(self) -> bool:
        """The child has ended, or does so now that its terminal is read to the end."""
        watch = os.pidfd_open(self._pid)
        try:
            return bool(select.select([watch], [], [], PATIENCE_S)[0])
        finally:
            os.close(watch)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._fd], [], [], PATIENCE_S)
        try:
            data = os.read(self._fd, 65536) if ready else b""
        except OSError:
            return False
        self.seen += data.decode("utf-8", "backslashreplace")
        return bool(data)
