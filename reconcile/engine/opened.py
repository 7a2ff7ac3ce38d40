"""Opened: one pair, open for one command: its lock, its state, its two trees.

Who holds the pair's lock may write to the state. A command that only looks and
finds the lock taken (or the state not writable) keeps what it scans in a
temporary file instead and waits for nobody.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING

import msgspec

from reconcile.decide.filters import Filter
from reconcile.engine.abilities import PairAbilities
from reconcile.engine.events import Listener
from reconcile.engine.former import state_of
from reconcile.engine.headers import changed_hash, common_header
from reconcile.engine.pairs import filter_of, lasting_job, pair_id, rules_digest
from reconcile.model.errors import Denied, Locked, ReconcileError, StateError, UsageError
from reconcile.model.job import Job
from reconcile.model.manifest import ABSENT, Header, Manifest
from reconcile.model.plan import Problem, Side
from reconcile.model.policy import Abilities
from reconcile.model.treepath import ROOT
from reconcile.store.database import set_aside
from reconcile.store.lock import PairLock
from reconcile.store.records import Baseline
from reconcile.store.state import Store
from reconcile.trees.open import connected, is_manifest, is_remote, local_tree, remote_tree
from reconcile.trees.remote import SessionOptions

if TYPE_CHECKING:
    from reconcile.engine.against import Reference
    from reconcile.model.rman_read import RmanManifest
    from reconcile.trees.chunking import ChunkCache
    from reconcile.trees.local import LocalTree
    from reconcile.trees.manifest_tree import ManifestTree
    from reconcile.trees.remote import RemoteTree


class Opened:
    """A context manager; everything taken is let go at its end."""

    def __init__(
        self,
        job: Job,
        listener: Listener,
        *,
        run: str = "",
        exclusive: bool,
        keeps: bool = True,
        against: str = "",
    ) -> None:
        """`exclusive`: take the pair's lock or raise Locked; else take it when it is free.

        Without `keeps` nothing is written in the state, and no lock is taken.
        `against`: another baseline than the newest (`engine/against.py`), for looking.
        """
        self._exit = contextlib.ExitStack()
        self.until_s = time.monotonic() + job.lock_wait_s
        self.manifests: Mapping[Side, RmanManifest] = {}  # the sides that are manifest files
        self.job = self._with_manifests(job, exclusive)
        self.listener = listener
        self.run = run
        self.pair = pair_id(job.left, job.right)
        self.directory = state_of(job, self.pair, keeps=keeps)
        self.keeps = keeps = keeps and len(self.manifests) < len(Side)
        self.filter: Filter | None = filter_of(job)
        self.is_writable = False
        self.notes: list[Problem] = []
        """What was found out here that the plan has to say; `plan_notes` adds the far sides'."""
        self.against = against
        self._reference: Reference | None = None
        self.rebased: Manifest | None = None
        """The baseline under this header, when the state has it under another hash."""
        self._header: Header | None = None
        self._is_dialled = self._is_connected = False
        self._session_options = SessionOptions(self.pair)
        self.writes = exclusive
        """A run that may change the sides, and not a look."""
        self.able = PairAbilities(self)
        self._local: dict[Side, LocalTree] = {}
        self._remote: dict[Side, RemoteTree] = {}
        try:
            self.store = self._open(exclusive, keeps)
        except BaseException:
            self._exit.close()
            raise

    def __enter__(self) -> "Opened":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Raises: Locked, when a state that was read without a trace was written to meanwhile:
        neither what was found nor the damage that was seen in it counts."""
        try:
            if error is None or isinstance(error, StateError):
                self.store.check_still()
        finally:
            self._exit.close()

    def _with_manifests(self, job: Job, exclusive: bool) -> Job:
        """The job, fitted to its sides that are manifest files. Raises: UsageError …"""
        if not any(is_manifest(place) for place in (job.left, job.right)):
            return job
        from reconcile.engine import manifest_sides

        if exclusive:
            manifest_sides.refuse_writing(job)
        try:
            self.manifests = manifest_sides.open_manifests(job, self._exit.callback)
            return manifest_sides.fitted(job, self.manifests)
        except BaseException:
            self._exit.close()
            raise

    def dial(self) -> None:
        """Begin to reach every remote side, and guess the header; once is enough.

        Raises: UsageError.
        """
        if self._is_dialled:
            return
        self._is_dialled = True
        for side in Side:
            if is_remote(self.endpoint(side)):
                self._reach(side)
        stored = self._stored_header() if self._remote else None
        if stored is not None:
            guess = common_header(self.job, stored, [(stored.hash_name,)])
            self._header = stored if guess.hash_name == stored.hash_name else None

    def connect(self) -> bool:
        """Have reached every remote side, and settle the header; once is enough.

        False: it is not the one that was guessed, or a side is another tree:
        what was done by the guess is void.
        Raises: Unreachable, Denied, RootMissing; UsageError, when no hash will do.
        """
        if self._is_connected:
            return True
        self.dial()
        is_as_guessed = True
        for side, tree in tuple(self._remote.items()):
            with self.at(side):
                self._remote[side] = connected(tree, self.endpoint(side), self._session_options)
            if self._remote[side] is not tree:
                self._exit.callback(self._remote[side].close)
                is_as_guessed = False
        self._is_connected = True
        guess, self._header = self._header, self._settled_header()
        return is_as_guessed and guess in (None, self._header)

    def _settled_header(self) -> Header:
        stored = self._stored_header()
        able = [tree.hash_names for tree in self._remote.values()]
        header = common_header(self.job, stored, able)
        header = self.able.holding(header)
        if self.manifests and header.hash_name != self.job.hash_name:
            raise UsageError(
                f"the manifest was made with {self.job.hash_name}, which the other side cannot do",
                hint=f"build the manifest again with --hash {header.hash_name}",
            )
        newest = self.baseline()
        if newest is not None and newest.header.hash_name != header.hash_name:
            self.notes.append(changed_hash(newest.header, header))
        return header

    def _stored_header(self) -> Header | None:
        """What the state knows the pair by."""
        newest = self.baseline()
        if newest is not None:
            return newest.header
        known = [self.store.side(side) for side in self._remote]
        return next((index.header for index in known if index is not None), None)

    def _reach(self, side: Side) -> None:
        from reconcile.engine.throttle import throttle

        self._session_options = SessionOptions(
            self.pair, self.job.compress, throttle(self.job.bwlimit), self._chunk_cache(),
            traceless=not self.keeps, clock_lag_ns=self._noted_clock(side),
        )  # fmt: skip
        with self.at(side):
            tree = remote_tree(self.endpoint(side), self._session_options)
        self._exit.callback(tree.close)
        self._remote[side] = tree

    def _noted_clock(self, side: Side) -> int | None:
        noted = self.store.noted(f"clock-{side}")
        return int(noted) if noted.lstrip("-").isdecimal() else None

    def note_clock(self, side: Side) -> None:
        """Remember what writing on a remote side has shown of its clock; in no transaction."""
        lag_ns = self._remote[side].clock_lag_ns if side in self._remote else None
        if lag_ns is not None:
            with self.store.transaction():
                self.store.note(**{f"clock-{side}": str(lag_ns)})

    def _chunk_cache(self) -> "ChunkCache | None":
        if not self.is_writable:
            return None
        from reconcile.store.chunk_cache import SqliteChunkCache

        cache = SqliteChunkCache(self.directory)
        self._exit.callback(cache.close)
        return cache

    @property
    def header(self) -> Header:
        """What this pair's ids mean: what the job asks, as far as both sides can do it.

        A guess until the sides are reached, where the state allows one.
        """
        self.dial()
        if self._header is None:
            self.connect()
        assert self._header is not None
        return self._header

    @property
    def rules_digest(self) -> bytes:
        """Of everything that decides what a scan sees."""
        return rules_digest(self.job, self.filter, self.header)

    def remote(self, side: Side) -> "RemoteTree | None":
        """The side's tree, perhaps not yet connected; None: a directory of this machine."""
        self.dial()
        return self._remote.get(side)

    @property
    def only_looks(self) -> bool:
        """What is found here is no word about the pair: nothing of it could be carried out."""
        return not self.keeps or bool(self.manifests) or bool(self.against)

    def abilities(self, side: Side) -> Abilities:
        """What the side can hold. Who only looks is told all that differs, also at a side that
        cannot be written to."""
        found = self.able.of(side)
        if self.keeps and not self.manifests:
            return found
        return msgspec.structs.replace(found, writable=True)

    def tree(self, side: Side) -> "LocalTree | ManifestTree | RemoteTree":
        """The side as a tree, connected; made when first asked for."""
        self.connect()
        remote = self.remote(side)
        if remote is not None:
            return remote
        if side in self.manifests:
            from reconcile.trees.manifest_tree import ManifestTree

            return ManifestTree(self.url(side), self.manifests[side].header.hash_name)
        if side not in self._local:
            self._local[side] = local_tree(self.endpoint(side))
            self._exit.callback(self._local[side].close)
        return self._local[side]

    @property
    def left(self) -> "LocalTree | ManifestTree | RemoteTree":
        """The left tree."""
        return self.tree(Side.LEFT)

    @property
    def right(self) -> "LocalTree | ManifestTree | RemoteTree":
        """The right tree."""
        return self.tree(Side.RIGHT)

    @property
    def plan_notes(self) -> tuple[Problem, ...]:
        """What the plan says of the way it was made; whole when both sides have been looked at."""
        far = (
            msgspec.structs.replace(note, side=side)
            for side, tree in self._remote.items()
            for note in tree.notes
        )
        return (*self.notes, *far)

    @property
    def skew_ns(self) -> int:
        """The right side's clock minus the left one's, as far as it is known."""
        left, right = (self._remote[s].skew_ns if s in self._remote else 0 for s in Side)
        return right - left

    def cursor(self, side: Side) -> bytes:
        """A remote side's state after what was last done there; else empty."""
        return self._remote[side].cursor if side in self._remote else b""

    def endpoint(self, side: Side) -> str:
        """Where a side is, as the job has it."""
        return self.job.left if side is Side.LEFT else self.job.right

    def location(self, side: Side) -> bytes:
        """Where a local side is."""
        return os.fsencode(self.endpoint(side))

    def url(self, side: Side) -> str:
        """Where a side is, as text for people."""
        return self.location(side).decode("utf-8", "backslashreplace")

    @contextlib.contextmanager
    def at(self, side: Side) -> Iterator[None]:
        """A stretch whose errors happen at this side, and say so."""
        try:
            yield
        except ReconcileError as error:
            error.where = error.where or self.url(side)
            raise

    def on_exit(self, callback: Callable[[], None]) -> None:
        """Call this when everything is let go."""
        self._exit.callback(callback)

    @property
    def reference(self) -> "Reference | None":
        """What was asked for in place of the newest baseline; None: nothing was."""
        if self.against and self._reference is None:
            from reconcile.engine.against import resolve_reference

            self._reference = resolve_reference(self, self.against)
        return self._reference

    def baseline(self) -> Baseline | None:
        """The newest generation that is agreed on, or the one asked for; None: a first run."""
        if self.against and self._header is not None:
            assert self.reference is not None
            return self.reference.baseline
        newest = self.store.baselines.newest()
        return newest if newest is not None and newest.root is not None else None

    def base(self) -> Manifest:
        """What was agreed on, under this job's header; ABSENT on a first run.

        A baseline of another hash algorithm cannot be compared with anything:
        unless it was carried over (`rehash.py`) it reads as a first run, in
        which nothing is taken for deleted.
        """
        if self.reference is not None:
            return self.reference.manifest
        if self.rebased is not None:
            return self.rebased
        if self.baseline() is None:
            return ABSENT
        return self.store.manifest("base", header=self.header)

    @property
    def noted_pair(self) -> bool:
        """The state knows where its two roots are, and what was asked of them last."""
        return bool(self.store.noted("left")) and self.store.noted_job() == self.plain_job

    def note_pair(self, *, asked: bool = True) -> None:
        """Tell the state where its two roots are and what was asked; in a transaction.

        Without `asked` a job that is known stays: this one is of long ago.
        """
        self.store.note(left=self.url(Side.LEFT), right=self.url(Side.RIGHT))
        if asked or self.store.noted_job() is None:
            self.store.note_job(self.plain_job)

    @property
    def plain_job(self) -> Job:
        """The job without what is said for one run only."""
        return lasting_job(self.job)

    def _open(self, exclusive: bool, keeps: bool) -> Store:
        try:
            if keeps:
                wait_s = self.job.lock_wait_s if exclusive else 0.0
                self._exit.enter_context(PairLock(self.directory, self.run, wait_s=wait_s))
                self.is_writable = True
        except (Locked, Denied):
            if exclusive:
                raise
        store = self._open_store()
        self._exit.callback(store.close)
        return store

    def _open_store(self) -> Store:
        try:
            return Store.open(self.directory, create=self.is_writable, traceless=not self.keeps)
        except StateError:
            if not (self.job.first_run and self.is_writable):
                raise
            kept = set_aside(self.directory)
            reason = f"the damaged state was put aside as {kept}; this is a first run"
            self.notes.append(Problem(ROOT, None, "E_STATE_CORRUPT", reason, "note"))
            return Store.open(self.directory, create=True)
