"""Changing: the requests that move content or change the root, and that read from it.

Loaded by the first of them: most connections only look.
"""

import contextlib
from collections.abc import Callable
from typing import Any

from reconcile.agent.asked import leftovers_of, options_of, places_of, steps_of
from reconcile.agent.index import IndexHolder
from reconcile.agent.observing import check_hash
from reconcile.agent.outcome import Outcome
from reconcile.agent.transfer import Transfer
from reconcile.model.errors import NotFound, ReconcileError
from reconcile.model.token import is_id
from reconcile.trees.local import LocalTree
from reconcile.trees.locking import beat
from reconcile.trees.session import Session
from reconcile.wire import messages as m
from reconcile.wire.frames import ProtocolError

_IDLE_S = 0.03
"""Nothing asked for so long: the near side is busy, and the index can be seen to."""


class Changing:
    """One root, for one connection."""

    def __init__(
        self, session: Session, location: bytes, index: IndexHolder, hash_names: tuple[str, ...]
    ) -> None:
        self._session = session
        self._index = index
        self._hash_names = hash_names
        self._tree = LocalTree(location, workers=0)
        self._transfer = Transfer(session, self._tree, index.chunks)
        self._outcome: Outcome | None = None
        self._handlers: dict[type, Callable[[Any], None]] = {  # Any: a message each
            m.Begin: self._begin,
            m.Survey: self._transfer.survey,
            m.Stage: self._stage,
            m.CarryOut: self._carry_out,
            m.Read: self._transfer.read,
            m.Prefix: self._transfer.prefix,
            m.Prune: self._prune,
            m.TokenAt: self._token_at,
            m.Finish: self._finish,
        }

    def answer(self, request: Any) -> None:  # Any: a message each
        """One request."""
        self._handlers[type(request)](request)

    def beat(self) -> None:
        """Tell others that the run which holds the root goes on; safe in a signal handler."""
        beat()

    def close(self) -> None:
        """Let go of the root; what was done is put into the index."""
        outcome, self._outcome = self._outcome, None
        if outcome is not None:
            with contextlib.suppress(ReconcileError):
                outcome.note(all_of_it=True)
        self._tree.close()

    def _begin(self, request: m.Begin) -> None:
        check_hash(request.header.hash_name, self._hash_names)
        notes = self._tree.begin(options_of(request), leftovers_of(request))
        self._index.hold()
        self._outcome = Outcome(self._index)
        self._session.send(m.Notes(tuple(notes[: m.MAX_PROBLEMS])))

    def _stage(self, request: m.Stage) -> None:
        failures = self._transfer.stage(request)
        self._under_way().staged(failures)
        self._session.send(m.Receipts(tuple(failures)))

    def _carry_out(self, request: m.CarryOut) -> None:
        outcome = self._under_way()
        receipts = outcome.carried_out(steps_of(request.steps), self._tree.carry_out)
        self._session.send(m.Receipts(tuple(receipts)))
        self._session.flush()
        is_idle = not self._session.duplex.has_input_within(_IDLE_S)
        outcome.note(all_of_it=is_idle)

    def _prune(self, request: m.Prune) -> None:
        self._under_way()
        problems = self._tree.prune(places_of(request))
        self._session.send(m.Notes(tuple(problems)))

    def _token_at(self, request: m.TokenAt) -> None:
        if not is_id(request.id):
            raise ProtocolError("no token has such an id")
        self._session.send(m.TokenIs(self._tree.token(request.id) or b""))

    def _finish(self, request: m.Finish) -> None:
        del request
        outcome, self._outcome = self._outcome, None
        self._tree.end()
        cursor = outcome.note(all_of_it=True) if outcome is not None else b""
        self._index.let_go()
        self._session.send(m.Receipts((), outcome.before if outcome else b"", cursor))

    def _under_way(self) -> Outcome:
        if self._outcome is None:
            raise NotFound("no run was begun")
        return self._outcome
