"""A far side that says what it was told to say, whatever it is asked: a real child process.

It reads and forgets what comes, writes its script, and then either hangs up or
says nothing more until it is hung up on.
"""

import marshal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reconcile.model.errors import Unreachable
from reconcile.model.plan import Problem
from reconcile.model.policy import Abilities
from reconcile.trees.agent_tree import AgentTree
from reconcile.trees.duplex import Duplex
from reconcile.trees.remote import SessionOptions
from reconcile.trees.session import Session
from reconcile.wire import messages as m
from reconcile.wire.frames import encode_frame

_CHILD = """
import marshal, os, sys, threading
def listen():
    while os.read(0, 1 << 20):
        pass
    os._exit(0)
threading.Thread(target=listen, daemon=True).start()
script, stays = marshal.loads(open(sys.argv[1], "rb").read())
try:
    for data, times in script:
        while times:
            times -= 1
            view = memoryview(data)
            while view:
                view = view[os.write(1, view):]
except BrokenPipeError:
    pass
if stays:
    threading.Event().wait()
os._exit(0)
"""
FOREVER = 1 << 60
STALL_S = 30.0
"""Long: a test that meets it fails by its time, except those that ask for less."""

WELCOME = m.Welcome(1, "0", "a liar", "none", ("blake3", "sha256"), ("fixed",), 1, False)
OPENED = m.Opened(b"/far", "1:2", Abilities())


class Raw(NamedTuple):
    """Bytes as they are."""

    data: bytes


class Content(NamedTuple):
    """A frame of content, or of any type."""

    type: int
    body: bytes


class Again(NamedTuple):
    """The same thing over and over."""

    what: Any
    times: int = FOREVER


def frame(what: Any) -> bytes:
    """A message, a frame or bytes, as they travel."""
    if isinstance(what, Raw):
        return what.data
    if isinstance(what, Content):
        return encode_frame(what.type, what.body, None)
    return encode_frame(*m.encode_message(what), None)


class LiarLink:
    """A connection to it."""

    notes: Sequence[Problem] = ()

    def __init__(self, place: Path, says: Sequence[Any], stall_s: float, *, stays: bool) -> None:
        script = [
            (frame(one.what), one.times) if isinstance(one, Again) else (frame(one), 1)
            for one in says
        ]
        location = place / "script"
        location.write_bytes(marshal.dumps((script, stays)))
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _CHILD, str(location)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdin
        assert self.process.stdout
        read_fd, write_fd = self.process.stdout.fileno(), self.process.stdin.fileno()
        self.duplex = Duplex(read_fd, write_fd, self._lost, stall_s=stall_s)
        self.session = Session(self.duplex)

    def _lost(self) -> Exception:
        return Unreachable("the agent went away")

    def close(self) -> None:
        """Hang up and reap it."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def liar(
    place: Path,
    *says: Any,
    welcome: Any = WELCOME,
    opened: Any = OPENED,
    stall_s: float = STALL_S,
    stays: bool = True,
) -> AgentTree:
    """A tree behind a liar that greets as it should, and then says this."""
    script = [one for one in (welcome, opened) if one is not None] + list(says)
    return AgentTree(
        lambda: LiarLink(place, script, stall_s, stays=stays),
        "liar://far",
        b"/far",
        SessionOptions("p"),
    )
