"""Looks: both sides observed at the same time, each into its own part of the state.

The remote sides are asked first and look while the local ones are scanned here.
Whoever may not write to the state keeps what is seen in a temporary file.
"""

import contextlib
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from reconcile.engine.events import Noted, Scanned
from reconcile.engine.far_copy import FarCopy, contradiction
from reconcile.engine.pairs import now_ns, settings_of
from reconcile.model.errors import ManifestError, StateError
from reconcile.model.manifest import Manifest
from reconcile.model.plan import Side
from reconcile.store.hash_log import HashLog
from reconcile.store.pages import StatIndex
from reconcile.store.records import SideIndex
from reconcile.trees.base import Observation, Tally
from reconcile.trees.lazy_sink import LazySink
from reconcile.trees.looking import Looking
from reconcile.trees.observe import Seen, Sink, observe
from reconcile.trees.pulse import BEAT_S, heard
from reconcile.trees.spool import Spool

if TYPE_CHECKING:
    from reconcile.engine.opened import Opened
    from reconcile.trees.remote import RemoteTree


def observe_both(opened: "Opened") -> tuple[Observation, Observation] | None:
    """Left and right as they are now. Remote sides are asked before they have answered at all,
    where the state allows a guess; None: the guess was wrong, and the next look makes none.

    Raises: RootMissing, Denied, Unreachable; OSError when a local root cannot be listed.
    """
    looks = {side: _Look(opened, side) for side in Side}
    for look in looks.values():
        look.start()
    found: dict[Side, Observation] = {}
    for side in Side:
        if opened.remote(side) is None:
            found[side] = looks[side].observe()
    if not opened.connect():
        return None
    for side in Side:
        if opened.remote(side) is not None:
            found[side] = looks[side].observe()
    left, right = (_told(opened, side, found[side]) for side in Side)
    return left, right


def _told(opened: "Opened", side: Side, seen: Observation) -> Observation:
    opened.listener(Scanned(side, seen.tally, final=True))
    for problem in seen.problems:
        opened.listener(Noted(problem))
    return seen


class _Stored(NamedTuple):
    """What the state has of a side, and what that is worth now."""

    known: SideIndex | None
    usable: bool
    """It was made under the present header."""
    trusted: bool
    """And under the very same rules."""
    pages: StatIndex | None
    """What a look goes by; None: nothing of it is to be believed."""


class _Look:
    """One look at one side."""

    def __init__(self, opened: "Opened", side: Side) -> None:
        self._opened = opened
        self._side = side
        self._started = now_ns()
        self._tally = Tally()
        self._read_bytes = 0
        self._told_s = time.monotonic()
        self._remote: RemoteTree | None = opened.remote(side)
        self._stored = self._find_stored()
        job = opened.job
        own = [os.fsdecode(opened.location(side)) for side in opened.manifests]
        self._settings = settings_of(job, opened.filter, self._started, opened.header, *own)
        known = self._stored.known
        self._settings = msgspec.structs.replace(
            self._settings,
            boundaries=known.boundaries if known is not None else (),
            accept_mounts=job.accept_new_root,
            notes=self._hash_log() if self._side not in opened.manifests else None,
        )
        self._want = Looking(
            self._settings, job.filters, self._cursor(), self._stored.trusted, opened.keeps
        )

    def start(self) -> None:
        """A remote side begins to look; a local one waits for `observe`."""
        if self._remote is not None:
            with self._opened.at(self._side):
                self._remote.start_look(self._want)

    def observe(self) -> Observation:
        """The side as it is now."""
        if self._side in self._opened.manifests:
            from reconcile.engine.manifest_sides import observed

            manifest = self._opened.manifests[self._side]
            return observed(manifest, self._opened.filter, self._started)
        if not self._opened.is_writable:
            return self._into_spool()
        return self._into_state()

    def _into_spool(self) -> Observation:
        spool = Spool(self._stored.pages)
        self._opened.on_exit(spool.close)

        def find(key: bytes) -> tuple[bytes, bytes] | None:
            page = spool.page(key)
            return None if page is None else (page[0], page[3])

        seen = self._seen(spool, find)
        return _observation(self._side, seen, spool.manifest(self._opened.header, seen.root))

    def _into_state(self) -> Observation:
        store, side, known = self._opened.store, self._side, self._stored.known
        with contextlib.ExitStack() as transaction:
            sink = LazySink(self._beginner(transaction))
            seen = self._seen(sink, lambda key: store.page(side, key))
            worth = SideIndex(
                self._opened.rules_digest,
                seen.identity,
                seen.root,
                self._opened.header,
                self._started,
                cursor=seen.cursor if seen.complete else b"",
                boundaries=seen.boundaries,
            )
            if sink.was_used or known is None or not _same_worth(known, worth):
                sink.begin()
                store.set_side(side, worth)
        if self._settings.notes is not None:
            self._settings.notes.remove()
        return _observation(side, seen, store.manifest(side))

    def _hash_log(self) -> HashLog:
        """Beside the index; an agent has its own."""
        location = os.path.join(self._opened.directory, f"hashed-{self._side}")
        log = HashLog(location, writes=self._opened.is_writable)
        self._opened.on_exit(log.close)
        return log

    def _seen(self, sink: Sink, find: Callable[[bytes], tuple[bytes, bytes] | None]) -> Seen:
        """The side looked at, its pages in `sink`; `find` reads there."""
        remote, stored = self._remote, self._stored
        if remote is None:
            location, trusted = self._opened.location(self._side), stored.trusted
            with heard(self._beat):
                return observe(
                    location, self._settings, stored.pages, sink, self._progress, trusted=trusted,
                    memory=self._memory(),
                )  # fmt: skip
        with self._opened.at(self._side):
            seen = self._copied(remote, self._want, stored.pages, sink, find)
            if seen is None:
                again = self._want._replace(cursor=b"")
                remote.start_look(again)
                sink.forget((), (b"",))
                seen = self._copied(remote, again, None, sink, find)
            if seen is None:
                raise contradiction(self._opened.url(self._side))
        return seen

    def _copied(
        self,
        remote: "RemoteTree",
        want: Looking,
        index: StatIndex | None,
        sink: Sink,
        find: Callable[[bytes], tuple[bytes, bytes] | None],
    ) -> Seen | None:
        """None: what was told does not fit what is known."""
        hash_name = self._opened.header.hash_name
        copy = FarCopy(sink, index.block if index is not None else None, hash_name)
        try:
            seen = remote.look(want, index, copy, self._progress)
            copy.finish()
            return seen if copy.fits(seen.root.id, find) else None
        except ManifestError as error:
            raise contradiction(self._opened.url(self._side)) from error

    def _find_stored(self) -> _Stored:
        opened = self._opened
        known = opened.store.side(self._side)
        usable = known is not None and known.header == opened.header
        if usable and self._remote is not None:
            usable = self._is_intact()
        trusted = usable and known is not None and known.digest == opened.rules_digest
        index = opened.store.index(self._side) if usable and not opened.job.paranoid else None
        if index is not None:
            opened.on_exit(index.close)
        return _Stored(known, usable, trusted, index)

    def _memory(self) -> StatIndex | None:
        """What the side held when it was last looked at, whether or not its pages may be used."""
        if self._stored.pages is not None or self._stored.known is None:
            return self._stored.pages
        index = self._opened.store.index(self._side)
        self._opened.on_exit(index.close)
        return index

    def _is_intact(self) -> bool:
        """The copy's root page is there. A damaged copy is no loss: its original is asked anew."""
        try:
            self._opened.store.manifest(self._side)
        except StateError:
            return False
        return True

    def _cursor(self) -> bytes:
        stored = self._stored
        if stored.known is None or stored.pages is None or not stored.trusted:
            return b""
        return stored.known.cursor

    def _beginner(self, transaction: contextlib.ExitStack) -> Callable[[], Sink]:
        def begin() -> Sink:
            store = self._opened.store
            transaction.enter_context(store.transaction())
            if not self._stored.usable:
                store.clear(self._side)
            return store.sink(self._side)

        return begin

    def _progress(self, tally: Tally) -> None:
        self._tally = tally
        read = max(tally.hashed_bytes, self._read_bytes)
        told = msgspec.structs.replace(tally, hashed_bytes=read)
        notes = self._settings.notes
        is_kept = notes is not None and notes.keeps
        self._opened.listener(Scanned(self._side, told, is_kept=is_kept))

    def _beat(self, count: int) -> None:
        """A large file is being read."""
        self._read_bytes += count
        now_s = time.monotonic()
        if now_s - self._told_s >= BEAT_S:
            self._told_s = now_s
            self._progress(self._tally)


def _same_worth(known: SideIndex, worth: SideIndex) -> bool:
    return msgspec.structs.replace(known, time_ns=0, serial=0) == msgspec.structs.replace(
        worth, time_ns=0, serial=0
    )


def _observation(side: Side, seen: Seen, manifest: Manifest) -> Observation:
    problems = tuple(msgspec.structs.replace(problem, side=side) for problem in seen.problems)
    mounts = tuple(each.path for each in seen.boundaries if each.identity)
    return Observation(
        manifest, problems, seen.identity, seen.complete, seen.tally, seen.leftovers, mounts
    )
