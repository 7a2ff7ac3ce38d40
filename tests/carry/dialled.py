"""Start commands run on this machine, as a login shell would run them over there."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from reconcile.model.errors import Unreachable
from reconcile.model.plan import Problem
from reconcile.trees.carry.boot import Greeting, greet, start_command
from reconcile.trees.carry.package import Bundle
from reconcile.trees.duplex import Duplex
from reconcile.trees.session import Session
from reconcile.wire.frames import encode_frame, read_frame
from reconcile.wire.messages import PROTOCOL, Hello, Welcome, decode_message, encode_message
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
        hello = Hello((PROTOCOL,), "0", ("zlib",), 1, True)
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


class CarriedLink:
    """The carried agent of a warm cache, greeted."""

    notes: Sequence[Problem] = ()

    def __init__(self, bundle: Bundle, home: Path) -> None:
        command = start_command(NONCE, bundle, installed=False)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.fspath(home / "bin"), "HOME": os.fspath(home)},
        )
        assert self.process.stdin
        assert self.process.stdout
        self.duplex = Duplex(self.process.stdout.fileno(), self.process.stdin.fileno(), self._lost)
        greeting = greet(self.duplex.read, self.duplex.write, NONCE, bundle)
        assert greeting == ("carried", b"", False)
        self.session = Session(self.duplex)

    def _lost(self) -> Exception:
        return Unreachable("the agent went away")

    def close(self) -> None:
        with self.process:
            pass


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\"'\"'") + "'"
