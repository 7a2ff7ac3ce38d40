"""Observing: the tree looked at where it is; what changed since the cursor travels."""

import contextlib
import os
import time
from collections.abc import Container, Iterable, Iterator, Sequence

import msgspec

from reconcile.agent.index import IndexHolder
from reconcile.decide.filters import Filter, compile_filter
from reconcile.model.block import HASHERS
from reconcile.model.codec import encode
from reconcile.model.manifest import PageRow
from reconcile.model.plan import Problem
from reconcile.model.treepath import ROOT, parse
from reconcile.store.database import NOT_DAMAGE
from reconcile.store.far_index import FarIndex, Known
from reconcile.store.pages import StatIndex
from reconcile.trees.base import Tally
from reconcile.trees.lazy_sink import LazySink
from reconcile.trees.looking import Settings
from reconcile.trees.observe import Seen, Sink, observe
from reconcile.trees.own_places import cache_directory
from reconcile.trees.session import Session
from reconcile.trees.spool import Spool
from reconcile.wire import messages as m
from reconcile.wire.frames import ProtocolError

MAX_RULES = 1 << 16
_ROWS_BYTES = 1 << 19
_PROGRESS_NS = 200_000_000
_PROBLEMS = 256
_LEFTOVERS = 1024
"""The next run finds the others."""


class Observing:
    """One root, for one connection."""

    def __init__(
        self, session: Session, location: bytes, holder: IndexHolder, workers: int
    ) -> None:
        self._session = session
        self._location = location
        self._holder = holder
        self._workers = workers
        self._told_ns = 0

    def answer(self, request: m.Observe) -> None:
        """Progress …, Notes …, Seen, Rows …, Done."""
        rules = compile_filter(request.spec)
        settings = _settings(request, rules)
        digest = HASHERS[settings.header.hash_name](
            encode((settings.header, rules.meaning if rules else b"", settings.links))
        )
        index = self._holder.hold() if request.keep else self._holder.look_only()
        notes = self._holder.hash_log(traceless=not request.keep)
        settings = msgspec.structs.replace(settings, notes=notes)
        kept = request.keep and index is not None and self._kept(index, request, settings, digest)
        if not kept:
            self._spooled(index, request, settings, digest)
        self._holder.let_go()
        self._session.send(m.Done())

    def _kept(self, index: FarIndex, request: m.Observe, settings: Settings, digest: bytes) -> bool:
        """False: the index takes nothing now, is as it was, and nothing was told yet."""
        try:
            seen = self._taken_in(index, settings, digest)
        except NOT_DAMAGE as error:
            self._holder.why_not = error.message
            return False
        newer = index.newer(request.cursor)
        self._tell(seen, index.cursor(), is_fresh=newer is None)
        self._send_rows(index.every() if newer is None else newer)
        return True

    def _taken_in(self, index: FarIndex, settings: Settings, digest: bytes) -> Seen:
        """The tree as it is, and the index with it."""
        known = index.known
        usable = known is not None and known.header == settings.header
        trusted = known is not None and known.digest == digest
        with contextlib.ExitStack() as transaction:

            def begin() -> Sink:
                transaction.enter_context(index.transaction())
                if not usable:
                    index.clear()
                return index.sink()

            sink = LazySink(begin)
            stats = index.stats() if usable and not settings.paranoid else None
            memory = stats or (index.stats() if known is not None else None)
            seen = self._observe(_knowing(settings, known), stats, sink, trusted, memory)
            same = known is not None and (
                known.digest, known.identity, known.root, known.boundaries,
            ) == (digest, seen.identity, seen.root, seen.boundaries)  # fmt: skip
            if sink.was_used or not same:
                sink.begin()
                index.settle(digest, settings.header, seen.identity, seen.root, seen.boundaries)
        if settings.notes is not None:
            settings.notes.remove()
        return seen

    def _spooled(
        self, index: FarIndex | None, request: m.Observe, settings: Settings, digest: bytes
    ) -> None:
        """Nothing is to be kept here, or nothing can be."""
        known = index.known if index is not None else None
        usable = known is not None and known.header == settings.header and not settings.paranoid
        stats = index.stats() if index is not None and usable else None
        trusted = known is not None and known.digest == digest
        newer = index.newer(request.cursor) if index is not None and usable else None
        spool = Spool(None)
        try:
            memory = stats or (index.stats() if index is not None and known is not None else None)
            seen = self._observe(_knowing(settings, known), stats, spool, trusted, memory)
            if request.keep:
                seen = seen._replace(problems=(*seen.problems, self._why_not()))
            self._tell(seen, b"", is_fresh=newer is None)
            if index is not None and usable:
                rows = index.every() if newer is None else newer
                self._send_rows(row for row in rows if not spool.replaces(row.key))
            self._send_rows(spool.rows())
        finally:
            spool.close()

    def _observe(
        self,
        settings: Settings,
        stats: StatIndex | None,
        sink: Sink,
        trusted: bool,
        memory: StatIndex | None,
    ) -> Seen:
        try:
            return observe(
                self._location, settings, stats, sink, self._progress,
                trusted=trusted, workers=self._workers, memory=memory,
            )  # fmt: skip
        finally:
            for index in (stats, memory if memory is not stats else None):
                if index is not None:
                    index.close()

    def _progress(self, tally: Tally) -> None:
        now = time.monotonic_ns()
        if now - self._told_ns >= _PROGRESS_NS:
            self._told_ns = now
            self._session.send(m.Progress(msgspec.structs.astuple(tally)))
            self._session.flush()

    def _tell(self, seen: Seen, cursor: bytes, *, is_fresh: bool) -> None:
        for start in range(0, len(seen.problems), _PROBLEMS):
            self._session.send(m.Notes(seen.problems[start : start + _PROBLEMS]))
        self._session.send(
            m.Seen(
                seen.root,
                tuple(seen.leftovers[:_LEFTOVERS]),
                seen.identity,
                msgspec.structs.astuple(seen.tally),
                cursor,
                is_fresh,
            )
        )

    def _send_rows(self, rows: Iterable[PageRow]) -> None:
        for batch in _batches(rows):
            self._session.send(m.Rows(tuple(batch)))

    def _why_not(self) -> Problem:
        return Problem(
            ROOT, None, "E_FAR_INDEX",
            f"no index can be kept on the far side, so every run reads every file: "
            f"{self._holder.why_not}", "note",
        )  # fmt: skip


def _batches(rows: Iterable[PageRow]) -> Iterator[Sequence[m.Row]]:
    batch: list[m.Row] = []
    size = 0
    for row in rows:
        batch.append(m.Row(row.key, row.id, row.length, row.block, row.refs))
        size += len(row.block) + len(row.refs) + len(row.key) + 48
        if size >= _ROWS_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _knowing(settings: Settings, known: "Known | None") -> Settings:
    """With what was mounted below the root at the last look."""
    if known is None:
        return settings
    return msgspec.structs.replace(settings, boundaries=known.boundaries)


def _settings(request: m.Observe, rules: Filter | None) -> Settings:
    return Settings(
        request.header,
        rules,
        request.links,  # type: ignore[arg-type]
        request.paranoid,
        time.time_ns(),
        own=(os.fsencode(cache_directory()),),
        accept_mounts=request.accept_mounts,
    )


def check_look(request: m.Observe, hash_names: Container[str]) -> None:
    """The rules are ones to look by. Raises: ProtocolError, PathRefused."""
    check_hash(request.header.hash_name, hash_names)
    if request.links not in ("preserve", "portable", "skip"):
        raise ProtocolError(f"`{request.links:.80}` is no way to treat links")
    if len(request.spec.rules) > MAX_RULES or len(request.spec.select) > MAX_RULES:
        raise ProtocolError("more rules than a look can have")
    for path in request.spec.select:
        parse(path)


def check_hash(name: str, known: Container[str]) -> None:
    """It is one that this program offered. Raises: ProtocolError."""
    if name not in known:
        raise ProtocolError(f"`{name}` was not offered")
