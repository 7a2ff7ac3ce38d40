"""Start commands run on this machine, as a login shell would run them over there."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from reconcile.trees.carry.boot import Greeting, greet
from reconcile.trees.carry.package import Bundle
from reconcile.wire.frames import encode_frame, read_frame
from reconcile.wire.messages import Hello, Welcome, decode_message, encode_message
from tests.carry.pythons import SHELL

NONCE = "5a" * 16


class Dialled:
    """A far side at the end of two pipes. `before`: what its shell does first."""

    def __init__(
        self, command: Sequence[str], path: str, home: Path, before: str = "", **env: str
    ) -> None:
        script = f"{before}\n{' '.join(map(_quoted, command))}"
        self.process = subprocess.Popen(
            [SHELL, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={"PATH": path, "HOME": os.fspath(home), **env},
        )
        assert self.process.stdin
        assert self.process.stdout
        self._to, self._from = self.process.stdin, self.process.stdout

    def greeted(self, bundle: Bundle) -> Greeting:
        """The near side's part of the talk."""
        return greet(self._from.read, self._to.write, NONCE, bundle)

    def welcomed(self) -> Welcome:
        """What the agent says of itself: the frames begin where the greeting ended."""
        hello = Hello((1,), "0", ("zlib",), 1, True)
        self._to.write(encode_frame(*encode_message(hello), None))
        frame = read_frame(self._exactly, None)
        welcome = decode_message(frame.type, frame.body)
        assert isinstance(welcome, Welcome)
        return welcome

    def ended(self) -> tuple[int, str]:
        """Hang up: its exit code and what it wrote to stderr."""
        _, said = self.process.communicate()
        return self.process.returncode, said.decode()

    def close(self) -> None:
        """Hang up and wait."""
        with self.process:
            pass

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self._from.read(count - len(data))
            assert part, "the far side ended"
            data += part
        return data


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\"'\"'") + "'"
