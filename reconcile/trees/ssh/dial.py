"""Dial: an SSH place becomes a session with an agent that has greeted.

The installed program is asked for first, with a command that needs nothing made
for it: connecting begins at once, and what talking needs is loaded meanwhile.
Only where there is none a second connection carries an agent over.
"""

import os
import secrets
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from reconcile.model.errors import ReconcileError, Unreachable, UsageError
from reconcile.model.plan import Problem
from reconcile.model.treepath import ROOT
from reconcile.trees.duplex import STALL_S, Duplex, Pace
from reconcile.trees.remote import NoAgent, SessionOptions
from reconcile.trees.ssh.failures import by_hand, last_line
from reconcile.trees.ssh.place import AGENTS, SshPlace
from reconcile.trees.ssh.program import Program, may_ask, open_program

if TYPE_CHECKING:
    from reconcile.trees.agent_tree import AgentTree
    from reconcile.trees.session import Session

_INSTALLED = (
    'for r in {program} "$HOME/.local/bin/reconcile"; do '
    'command -v "$r" >/dev/null 2>&1 && exec "$r" remote --nonce {nonce}; done; '
    'printf "reconcile-%s {nonce}\\n" absent'
)
_NOISE_LIMIT = 1 << 16
PATIENCE_S = 60.0
"""A host that has said nothing we know for so long will not; RECONCILE_SSH_PATIENCE changes it."""
_TYPING = 5
"""Times as long, where somebody may be typing a passphrase."""


class AgentLink:
    """A far side behind an SSH client; connecting has begun when it is made."""

    session: "Session"

    def __init__(
        self, place: SshPlace, pace: Pace | None = None, *, traceless: bool = False
    ) -> None:
        """Raises: UsageError, when there is no client to start."""
        self._place = place
        self._traceless = traceless
        self._pace = pace
        self._nonce = secrets.token_hex(16)
        self.notes: Sequence[Problem] = ()
        self._patience_s = patience_s(os.environ)
        self._open(self._carried() if place.agent == "carry" else self._installed())

    def greeted(self) -> "AgentLink":
        """The same, once the agent is there. Raises: Unreachable, Denied; NoAgent."""
        try:
            if self._place.agent == "carry":
                self._greet_carried()
            elif not self._greet_installed():
                self._program.close()
                self._open(self._carried())
                self._greet_carried()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Hang up. Where all has been said nobody waits for the client to end."""
        self._program.close(wait=self.session.is_lost)

    def _open(self, command: Sequence[str]) -> None:
        self._program: Program = open_program(self._place, command)
        self._until = time.monotonic() + self._patience_s
        ends = self._program.read_fd, self._program.write_fd
        self.duplex = Duplex(*ends, self._lost, self._pace)
        from reconcile.trees.session import Session

        self.session = Session(self.duplex, self._place.url)

    def _installed(self) -> Sequence[str]:
        program = "reconcile" if self._place.agent in AGENTS else self._place.agent
        return "sh", "-c", _INSTALLED.format(program=shlex.quote(program), nonce=self._nonce)

    def _carried(self) -> Sequence[str]:
        from reconcile.trees.carry.boot import start_command
        from reconcile.trees.carry.kept import the_bundle

        keep = not self._traceless
        self._bundle = the_bundle(keep=keep)
        return start_command(self._nonce, self._bundle, installed=False, keep=keep)

    def _greet_installed(self) -> bool:
        """False: it is not installed there."""
        marks = {f"reconcile-{word} {self._nonce}\n".encode() for word in ("agent", "absent")}
        heard = bytearray()
        while not any(heard.endswith(mark) for mark in marks):
            if len(heard) >= _NOISE_LIMIT or not self._hears(heard):
                raise self._program.failure(bytes(heard))
            heard += self.duplex.read(1)
        mark = next(mark for mark in marks if heard.endswith(mark))
        self._tell_noise(bytes(heard[: -len(mark)]))
        if b"-agent" in mark:
            return True
        if self._place.agent not in AGENTS:
            raise NoAgent(
                f"there is no program `{self._place.agent}` on the far side",
                where=self._place.url,
                hint="correct `agent=` in the URL",
            )
        return False

    def _greet_carried(self) -> None:
        from reconcile.trees.carry.boot import Unanswered, greet

        heard = bytearray()

        def read(count: int) -> bytes:
            if not self._hears(heard):
                raise self._program.failure(bytes(heard))
            data = self.duplex.read(count)
            heard.extend(data)
            return data

        def write(data: bytes) -> None:
            self.duplex.write(data)
            self._until = time.monotonic() + self._patience_s

        try:
            greeting = greet(read, write, self._nonce, self._bundle)
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
        if not self.notes:
            self._tell_noise(greeting.noise)
        self.notes = (*self.notes, _carried_note())

    def _hears(self, heard: bytearray) -> bool:
        """Wait for a byte of the greeting; False: the stream ended. Raises: Unreachable."""
        if not self.duplex.has_input_within(max(0.0, self._until - time.monotonic())):
            said = f"; it printed `{last_line(heard.decode('utf-8', 'replace'))}`" if heard else ""
            said += f"; `ssh` says: {self._program.last_words()}" if self._program.said() else ""
            raise Unreachable(
                f"{self._place.address} has not started a program for us within "
                f"{self._patience_s:g} s{said}",
                where=self._place.url,
                hint="a start-up file of its login shell waits for something (`exec fish`, `read`),"
                f" or nobody answers: {by_hand(self._place)} true",
            )
        return self.duplex.has_more()

    def _tell_noise(self, noise: bytes) -> None:
        if noise.strip():
            from reconcile.trees.carry.boot import shown

            text = (
                f"its login shell prints `{shown(noise)}` to non-interactive sessions, "
                "which breaks other programs; it was passed over"
            )
            self.notes = (Problem(ROOT, None, "E_NOISY_SHELL", text, "note"),)

    def _lost(self) -> ReconcileError:
        return self._program.failure()


def patience_s(env: Mapping[str, str]) -> float:
    """How long a far side that says nothing is waited for, until it has greeted."""
    given = env.get("RECONCILE_SSH_PATIENCE", "")
    try:
        seconds = float(given) if given else PATIENCE_S * (_TYPING if may_ask(env) else 1)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= STALL_S:
        raise UsageError(
            f"RECONCILE_SSH_PATIENCE={given} is no time to wait",
            hint=f"seconds, more than 0 and at most {STALL_S:g}",
        )
    return seconds


def agent_tree(place: SshPlace, options: SessionOptions) -> "AgentTree":
    """The place's directory; connecting has begun."""
    link = AgentLink(place, options.pace, traceless=options.traceless)
    try:
        from reconcile.trees.agent_tree import AgentTree
    except BaseException:
        link.close()
        raise
    dial: Callable[[], AgentLink] = link.greeted
    ahead = link.session if place.agent != "carry" else None  # its loader reads that stream first
    return AgentTree(dial, place.url, place.from_home, options, ahead)


def _carried_note() -> Problem:
    text = (
        "reconcile is not installed there, so an agent was carried over; it knows no BLAKE3: "
        "this pair's ids are sha256"
    )
    return Problem(ROOT, None, "E_CARRIED_AGENT", text, "note")
