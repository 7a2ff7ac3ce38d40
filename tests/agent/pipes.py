"""An agent as a child process at the end of two pipes: what an SSH connection comes down to."""

import os
import subprocess
import sys
from collections.abc import Sequence

from reconcile.model.errors import Unreachable
from reconcile.model.plan import Problem
from reconcile.trees.agent_tree import AgentTree
from reconcile.trees.duplex import Duplex
from reconcile.trees.remote import SessionOptions
from reconcile.trees.session import Session

_MAIN = "import sys; from reconcile.cli.main import main; sys.exit(main())"
COMMAND = (sys.executable, "-c", _MAIN, "remote", "--nonce", "00ff")


class PipeLink:
    """A running agent, greeted."""

    notes: Sequence[Problem] = ()

    def __init__(self, env: dict[str, str], command: Sequence[str] = COMMAND) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **env}
        )
        assert self.process.stdin
        assert self.process.stdout
        self.duplex = Duplex(self.process.stdout.fileno(), self.process.stdin.fileno(), self._lost)
        self.session = Session(self.duplex)
        line = b""
        while not line.endswith(b"\n"):
            line += self.duplex.read(1)
        assert line == b"reconcile-agent 00ff\n"

    def _lost(self) -> Exception:
        return Unreachable("the agent went away")

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def agent_tree(
    root: bytes, cache: str, pair: str = "p", options: SessionOptions | None = None
) -> AgentTree:
    """A tree whose agent keeps its index in `cache`."""
    return AgentTree(
        lambda: PipeLink({"XDG_CACHE_HOME": cache}),
        "pipe://" + os.fsdecode(root),
        root,
        options or SessionOptions(pair),
    )
