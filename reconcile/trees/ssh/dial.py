"""Dial: an SSH place becomes a session with an agent that has greeted."""

import secrets
from collections.abc import Sequence

from reconcile.model.errors import ReconcileError, Unreachable
from reconcile.model.plan import Problem
from reconcile.model.treepath import ROOT
from reconcile.trees.agent_tree import AgentTree
from reconcile.trees.carry.boot import Greeting, Unanswered, greet, shown, start_command
from reconcile.trees.carry.kept import the_bundle
from reconcile.trees.duplex import Duplex, Pace
from reconcile.trees.remote import NoAgent, SessionOptions
from reconcile.trees.session import Session
from reconcile.trees.ssh.place import AGENTS, SshPlace
from reconcile.trees.ssh.program import Program, open_program


class AgentLink:
    """A running far side behind an SSH client."""

    def __init__(self, place: SshPlace, pace: Pace | None = None) -> None:
        """Connect and greet. Raises: Unreachable, Denied; NoAgent."""
        self._place = place
        self._nonce = secrets.token_hex(16)
        bundle = the_bundle()
        program = place.agent if place.agent not in AGENTS else "reconcile"
        installed = place.agent != "carry"
        command = start_command(self._nonce, bundle, installed=installed, program=program)
        self._program: Program = open_program(place, command)
        try:
            self.duplex = Duplex(self._program.read_fd, self._program.write_fd, self._lost, pace)
            greeting = self._greeted(bundle)
        except BaseException:
            self._program.close()
            raise
        self.session = Session(self.duplex, place.url)
        self.notes: Sequence[Problem] = _notes(greeting)

    def close(self) -> None:
        """Hang up and wait for the client to end."""
        self._program.close()

    def _greeted(self, bundle: object) -> Greeting:
        heard = bytearray()

        def read(count: int) -> bytes:
            if not self.duplex.has_more():
                raise self._program.failure(bytes(heard))
            data = self.duplex.read(count)
            heard.extend(data)
            return data

        try:
            greeting = greet(read, self.duplex.write, self._nonce, bundle)  # type: ignore[arg-type]
        except Unanswered as error:
            raise Unreachable(
                error.message, where=self._place.url, hint=error.hint, code=error.code
            ) from error
        if greeting.runs == "none":
            raise NoAgent(
                "the far side has neither reconcile nor a Python from 3.8 on",
                where=self._place.url,
                hint="install one of them there, or use sftp://",
            )
        return greeting

    def _lost(self) -> ReconcileError:
        return self._program.failure()


def agent_tree(place: SshPlace, options: SessionOptions) -> AgentTree:
    """The place's directory, not yet connected."""
    path = place.path
    if path == b"~" or path.startswith(b"~/"):
        path = path[2:]
    return AgentTree(lambda: AgentLink(place, options.pace), place.url, path or b".", options)


def _notes(greeting: Greeting) -> list[Problem]:
    notes = []
    if greeting.runs == "carried":
        text = (
            "reconcile is not installed there, so an agent was carried over; it knows no BLAKE3: "
            "this pair's ids are sha256"
        )
        notes.append(Problem(ROOT, None, "E_CARRIED_AGENT", text, "note"))
    if greeting.noise.strip():
        text = (
            f"its login shell prints `{shown(greeting.noise)}` to non-interactive sessions, "
            "which breaks other programs; it was passed over"
        )
        notes.append(Problem(ROOT, None, "E_NOISY_SHELL", text, "note"))
    return notes
