"""A real shell on a pseudo terminal, to which keys are sent."""

import os
import pty
import re
import select
import signal
import time
from pathlib import Path

PATIENCE_S = 30.0
PROMPT = "rcn> "
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78]|[\r\a]")


class ShellTerminal:
    """An interactive shell; use as a context manager."""

    def __init__(self, command: list[str], where: Path, environment: dict[str, str]) -> None:
        self.seen = ""
        self._pid, self._fd = pty.fork()
        if not self._pid:
            os.chdir(where)
            os.execvpe(command[0], command, {**environment, "TERM": "xterm", "COLUMNS": "200"})

    def __enter__(self) -> "ShellTerminal":
        return self

    def __exit__(self, *raised: object) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._fd)

    def type(self, keys: str) -> None:
        """Keys; what was seen before is forgotten."""
        self.seen = ""
        os.write(self._fd, keys.encode())

    def wait_for(self, text: str) -> str:
        """What has come once `text` is in it. Fails when the shell falls silent."""
        until = time.monotonic() + PATIENCE_S
        while text not in _shown(self.seen):
            if not select.select([self._fd], [], [], max(0.0, until - time.monotonic()))[0]:
                raise AssertionError(f"no {text!r} in:\n{_shown(self.seen)!r}")
            self.seen += _CONTROL.sub("", os.read(self._fd, 65536).decode("utf-8", "replace"))
        return self.seen

    def run(self, line: str) -> None:
        """A command, to its end."""
        self.type(f"{line}; echo do''ne\n")
        self.wait_for("done\n")

    def clear(self) -> None:
        """Away with the line that was typed."""
        self.type("\x15")


def _shown(text: str) -> str:
    """The text after its backspaces."""
    shown: list[str] = []
    for letter in text:
        if letter != "\b":
            shown.append(letter)
        elif shown:
            shown.pop()
    return "".join(shown)
