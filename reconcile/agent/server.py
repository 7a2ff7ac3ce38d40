"""Server: answers one near side's requests about one root, one after the other.

What the near side asks for is checked here; what may happen below the root is
the business of `LocalTree`, which serves a far side exactly as it does a near
one. A request that fails as a whole is answered with `Failed`, and the next one
is waited for.
"""

import errno
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reconcile import __version__
from reconcile.agent.index import IndexHolder
from reconcile.agent.observing import Observing, check_look
from reconcile.model.errors import (
    NoSpace,
    NotFound,
    ReconcileError,
    RootMissing,
    StateError,
    Unreachable,
)
from reconcile.trees.abilities import abilities_of
from reconcile.trees.area import trouble_at
from reconcile.trees.chunking import offered_cuts
from reconcile.trees.root_place import open_root, root_identity
from reconcile.trees.session import Session, failure
from reconcile.trees.way import real_path
from reconcile.wire import messages as m
from reconcile.wire.fields import PRUNE, TOKENS, TRY
from reconcile.wire.frames import ProtocolError, offered

if TYPE_CHECKING:
    from reconcile.agent.changing import Changing

_WORKERS = 2
"""Processes for scanning."""


class Server:
    """One connection."""

    def __init__(self, session: Session, is_carried: bool) -> None:
        self._session = session
        self._is_carried = is_carried
        self._hash_names = _hash_names(is_carried)
        self._is_answering = False
        self._location = b""
        self._identity = ""
        self._index: IndexHolder | None = None
        self._changing: Changing | None = None
        self._handlers: dict[type, Callable[[Any], None]] = {  # Any: a message each
            m.Open: self._open,
            m.Try: self._try,
            m.Observe: self._observe,
            **dict.fromkeys(
                (
                    m.Begin,
                    m.Survey,
                    m.Stage,
                    m.CarryOut,
                    m.Read,
                    m.Prefix,
                    m.Prune,
                    m.TokenAt,
                    m.Finish,
                ),
                self._change,
            ),
            m.Clock: self._clock,
        }

    def run(self) -> None:
        """Until the near side hangs up. Raises: Unreachable, ProtocolError."""
        if self._session.goes_on():
            self._greet(self._session.expect(m.Hello))
        while self._session.goes_on():
            message = self._session.receive()
            if isinstance(message, m.Ack | m.Stop):
                continue  # of a stream that has ended
            handler = self._handlers.get(type(message))
            if handler is None:
                raise ProtocolError(f"{type(message).__name__} is no request")
            self._answer(handler, message)

    def show_life(self) -> None:
        """Tell the near side that its request is being worked on; safe in a signal handler."""
        if self._is_answering:
            self._session.show_life()
        if self._changing is not None:
            self._changing.beat()

    def close(self) -> None:
        """Let go of the root and the index; what was done is put into it."""
        if self._changing is not None:
            self._changing.close()
        if self._index is not None:
            self._index.close()
        self._index = self._changing = None

    def _answer(self, handler: Callable[[Any], None], message: Any) -> None:
        """What the near side breaks the protocol with is answered too, and the last."""
        self._is_answering = True
        try:
            handler(message)
        except ProtocolError as error:
            self._session.send(failure(error))
            self._session.flush()
            raise
        except ReconcileError as error:
            if self._session.is_lost:
                raise
            self._session.send(failure(error))
        except OSError as error:
            self._session.send(failure(_stuck(error)))
        self._session.flush()
        self._is_answering = False

    def _greet(self, hello: m.Hello) -> None:
        if m.PROTOCOL not in hello.protocols:
            others = ", ".join(map(str, hello.protocols)) or "none"
            wrong = ProtocolError(
                f"this agent speaks protocol {m.PROTOCOL}, the other end {others}",
                hint="use versions of reconcile that fit on both ends",
            )
            self._session.send(failure(wrong))
            self._session.flush()
            raise wrong
        known = offered()
        chosen = next((name for name in hello.compressions if name in known), "none")
        version = ".".join(map(str, sys.version_info[:3]))
        system = f"Python {version} on {os.uname().sysname}"
        self._session.send(
            m.Welcome(
                m.PROTOCOL, __version__, system, chosen, self._hash_names, offered_cuts(),
                time.time_ns(), self._is_carried, (PRUNE, TRY, TOKENS),
            )
        )  # fmt: skip
        level = max(1, min(hello.level, 9))
        self._session.compress(chosen, level, content=hello.compress_content)

    def _open(self, request: m.Open) -> None:
        if b"\0" in request.path:
            raise RootMissing("no directory has NUL in its name")
        given = os.path.join(os.path.expanduser(b"~"), request.path)
        self.close()
        fd = open_root(given)  # before its path is resolved: that would follow anybody's links
        try:
            identity = root_identity(fd)
            location = _location(fd, given)
        finally:
            os.close(fd)
        self._location = location
        self._index = IndexHolder(location, request.pair)
        self._identity = identity
        opened = m.Opened(location, identity, abilities_of(location), trouble_at(location))
        self._session.send(opened)

    def _try(self, request: m.Try) -> None:
        del request
        location, _ = self._opened()
        from reconcile.trees.local import LocalTree

        tree = LocalTree(location)
        try:
            able = tree.try_abilities()
            self._session.send(m.Opened(location, self._identity, able, trouble_at(location)))
        finally:
            tree.close()

    def _observe(self, request: m.Observe) -> None:
        location, index = self._opened()
        check_look(request, self._hash_names)
        try:
            Observing(self._session, location, index, _WORKERS).answer(request)
        except StateError as error:
            index.throw_away()
            raise Unreachable(
                f"the far side's index is damaged, and was thrown away: {error.message}",
                hint="run the same command again: it is made anew",
                code="E_FAR_INDEX",
            ) from error

    def _change(self, request: Any) -> None:  # Any: a message each
        location, index = self._opened()
        if self._changing is None:
            from reconcile.agent.changing import Changing

            self._changing = Changing(self._session, location, index, self._hash_names)
        self._changing.answer(request)

    def _clock(self, request: m.Clock) -> None:
        del request
        self._session.send(m.Time(time.time_ns()))

    def _opened(self) -> tuple[bytes, IndexHolder]:
        if self._index is None:
            raise NotFound("no root was opened")
        return self._location, self._index


def _location(fd: int, given: bytes) -> bytes:
    """The real path of the root that is open as `fd`; where `/proc` is not mounted, of its name,
    on which the links were judged as it was opened, and are again at each look."""
    try:
        return os.readlink(b"/proc/self/fd/%d" % fd)
    except FileNotFoundError:
        return real_path(given)


def _stuck(error: OSError) -> ReconcileError:
    words = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(
            f"the far side cannot go on: {words}",
            hint="make room there, where temporary files go (TMPDIR) or in its home directory",
        )
    return Unreachable(f"the far side cannot go on: {words}", code="E_IO")


def _hash_names(is_carried: bool) -> tuple[str, ...]:
    return ("sha256",) if is_carried else ("blake3", "sha256")
