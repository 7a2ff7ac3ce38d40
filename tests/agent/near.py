"""A near side by hand: a real agent at the other end, and any message or bytes to say to it."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reconcile.model.errors import ReconcileError, Unreachable
from reconcile.trees.duplex import Duplex
from reconcile.trees.session import Session
from reconcile.wire import messages as m
from tests.agent.liar import Content, Raw
from tests.agent.pipes import COMMAND

HELLO = m.Hello((1,), "0", ("none",), 1, False)
TRACEBACK = "Traceback"


class Near:
    """One connection to an agent; a context manager."""

    def __init__(self, place: Path, command: Sequence[str] = COMMAND) -> None:
        environment = {**os.environ, "XDG_CACHE_HOME": str(place / "cache"), "HOME": str(place)}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        assert self.process.stdin
        assert self.process.stdout
        read_fd, write_fd = self.process.stdout.fileno(), self.process.stdin.fileno()
        self.session = Session(Duplex(read_fd, write_fd, stall_s=60.0))
        greeting = b""
        while not greeting.endswith(b"\n"):
            greeting += self.session.duplex.read(1)

    def __enter__(self) -> "Near":
        return self

    def __exit__(self, *error: object) -> None:
        assert self.process.stderr
        if not self.process.stderr.closed:
            self.end()

    def say(self, *what: Any) -> None:
        """Messages, frames of content, or bytes. Nothing is heard of an agent that hung up."""
        for one in what:
            if isinstance(one, Raw):
                self.session.flush()
                self.session.duplex.write(one.data)
            elif isinstance(one, Content):
                self.session.send_content(one.type, one.body)
            else:
                self.session.send(one)
        self.session.flush()

    def hear(self) -> Any:
        """The next message; a Failed as the error it carries, raised."""
        return self.session.receive()

    def ask(self, *what: Any) -> Any:
        """Both."""
        self.say(*what)
        return self.hear()

    def answer(self, *what: Any) -> Any:
        """The same; a Failed as the error itself."""
        try:
            return self.ask(*what)
        except ReconcileError as error:
            return error

    def greet(self, root: Path, compressions: tuple[str, ...] = ("none",)) -> "Near":
        """Hello and Open."""
        welcome = self.ask(m.Hello((1,), "0", compressions, 1, True))
        assert isinstance(welcome, m.Welcome)
        self.session.compress(welcome.compression, 1, content=True)
        assert isinstance(self.ask(m.Open(os.fsencode(root), "p")), m.Opened)
        return self

    def begin(self, *leftovers: bytes) -> "Near":
        """The run r-1."""
        notes = self.ask(m.Begin("r-1", "batch", True, m.Header(), leftovers))
        assert isinstance(notes, m.Notes)
        return self

    def hung_up(self) -> bool:
        """It has ended the connection: what it says until then is passed over."""
        try:
            while True:
                self.session.receive_frame()
        except Unreachable as error:
            if error.code == "E_UNREACHABLE" and "said nothing" in error.message:
                return False
            return error.message == "the connection ended" or self.hung_up()
        except Exception:
            return self.hung_up()

    def end(self) -> tuple[int, str]:
        """Hang up: (exit code, what it said on stderr)."""
        assert self.process.stdin
        assert self.process.stdout
        assert self.process.stderr
        self.process.stdin.close()
        self.process.stdout.close()
        said = self.process.stderr.read().decode()
        self.process.stderr.close()
        return self.process.wait(), said
