"""Store: everything one pair remembers, in one SQLite file under `<state dir>/pairs/<pair>/`.

The rooms behind it: `baselines` (what was agreed on), the sides' own pages and
stat rows (what the last scans saw), `runs`, `versions`, `conflicts`. It decides
nothing and touches no side. Writers hold the pair's lock (`lock.py`); whoever
only looks needs none and is never made to wait.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator

import msgspec

from reconcile.decide.advance import Revision, SideEdits, restat, revise, stat_keys
from reconcile.model.codec import decode, encode
from reconcile.model.entry import Entry
from reconcile.model.errors import ManifestError
from reconcile.model.job import Job
from reconcile.model.manifest import DEFAULT_HEADER, Header, Manifest, PageRow
from reconcile.model.plan import Side
from reconcile.store.baselines import Baselines
from reconcile.store.database import BUSY_MS, Database, open_database
from reconcile.store.pages import (
    NUMBERS,
    PageSink,
    StatIndex,
    StoreManifest,
    fetch_page,
    forget_pages,
    stats_of,
    write_pages,
)
from reconcile.store.records import SideIndex, Which, root_of
from reconcile.store.runs import Conflicts, Runs, Versions

PAIRS = "pairs"


def pair_directory(state_dir: str, pair: str) -> str:
    """Where a pair's state lies."""
    return os.path.join(state_dir, PAIRS, pair)


class Store:
    """One pair's state. Belongs to the process and thread that opened it."""

    def __init__(self, directory: str, database: Database) -> None:
        self.directory = directory
        self.baselines = Baselines(database)
        self.runs = Runs(database)
        self.versions = Versions(database)
        self.conflicts = Conflicts(database)
        self._database = database

    @classmethod
    def open(
        cls,
        directory: str,
        *,
        create: bool = True,
        busy_ms: int = BUSY_MS,
        traceless: bool = False,
    ) -> "Store":
        """The state in `directory`. Without `create`, a missing one is empty and kept nowhere.

        `traceless`: it is only read, and nothing shows that it was; `check_still`
        says at the end whether it could be.

        Raises: StateError, when it is damaged (see `set_aside`), unsafe, or of
        a later version; Denied.
        """
        return cls(
            directory,
            open_database(directory, create=create, busy_ms=busy_ms, traceless=traceless),
        )

    def check_still(self) -> None:
        """Raises: Locked, when somebody wrote to a state that was read without a trace."""
        if self._database.frozen is not None:
            self._database.frozen.check()

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """All or nothing, durable on return. Raises: Locked, when somebody else is writing."""
        return self._database.transaction()

    def reading(self) -> contextlib.AbstractContextManager[None]:
        """One unchanging view while a manifest is read and others may write."""
        return self._database.reading()

    def manifest(
        self, tree: Which | Side, *, generation: int | None = None, header: Header | None = None
    ) -> Manifest:
        """The baseline (or an older `generation` of it), or what the last scan of a side saw.

        Good until that tree is written to. `header`: see `Baselines.manifest`;
        for a side, what one has of which nothing is stored.
        Raises: StateError, NotFound.
        """
        if tree == "base":
            return self.baselines.manifest(generation, header)
        number = NUMBERS[tree]
        index = self.side(tree)
        return StoreManifest(
            self._database,
            number,
            lambda key: fetch_page(self._database, number, key),
            (header or DEFAULT_HEADER) if index is None else index.header,
            None if index is None else index.root,
        )

    def root(self, tree: Which | Side) -> Entry | None:
        """The root's entry; None: nothing is stored of this tree."""
        if tree == "base":
            newest = self.baselines.newest()
            return None if newest is None else newest.root
        index = self.side(tree)
        return None if index is None else index.root

    def side(self, tree: Which | Side) -> SideIndex | None:
        """What the stored pages of a side are worth; None: there are none to be believed."""
        row = self._database.one("SELECT body FROM sides WHERE tree = ?", NUMBERS[tree])
        try:
            return None if row is None else decode(row[0], SideIndex)
        except (ManifestError, TypeError):
            return None

    def set_side(self, side: Side, index: SideIndex) -> SideIndex:
        """Note what the pages just written are worth, the serial counted up; in a transaction."""
        old = self.side(side)
        made = msgspec.structs.replace(index, serial=1 if old is None else old.serial + 1)
        self._database.run(
            "INSERT OR REPLACE INTO sides (tree, body) VALUES (?, ?)", NUMBERS[side], encode(made)
        )
        return made

    def index(self, side: Side) -> StatIndex:
        """The side's stat index for a scan; forked workers may use it too."""
        return StatIndex(self.directory, side, self._database.frozen)

    def sink(self, side: Side) -> PageSink:
        """Where a scan of the side writes; inside a transaction, `set_side` at its end."""
        return PageSink(self._database, NUMBERS[side])

    def write_rows(
        self,
        tree: Which | Side,
        rows: Iterable[PageRow],
        gone: Iterable[bytes] = (),
        gone_subtrees: Iterable[bytes] = (),
    ) -> None:
        """Drop what is gone, then put `rows`; in a transaction. Baselines: `baselines.commit`."""
        assert tree != "base", "a baseline is committed, with its history"
        forget_pages(self._database, NUMBERS[tree], gone, gone_subtrees)
        write_pages(self._database, NUMBERS[tree], rows)

    def clear(self, side: Side) -> None:
        """Forget all that was seen of a side (another root, other rules); in a transaction."""
        forget_pages(self._database, NUMBERS[side], (), (b"",))
        self._database.run("DELETE FROM sides WHERE tree = ?", NUMBERS[side])

    def note_writes(self, side: Side, written: SideEdits, cursor: bytes = b"") -> Revision | None:
        """Take our own writes into the side's index, so that the next scan reads none of them.

        `cursor` is a remote side's state after them: it takes the old one's
        place when the tree it tells of is the one that is stored now. Else the
        old one stays, and the far side tells these pages again.
        In a transaction. None: nothing was noted, because there is no index or
        it does not fit; the next scan then looks for itself.
        """
        index = self.side(side)
        if index is None or not written.edits:
            return None
        try:
            revision = revise(self.manifest(side), written.edits)
        except ManifestError:
            return None
        old = stats_of(self._database, NUMBERS[side], stat_keys(revision))
        revision = restat(revision, old, written.stamps)
        self.write_rows(side, revision.rows, revision.gone, revision.gone_subtrees)
        fits = bool(revision.root.id) and root_of(cursor) == revision.root.id
        kept = cursor if fits and index.cursor else index.cursor
        self.set_side(side, msgspec.structs.replace(index, root=revision.root, cursor=kept))
        return revision

    def page(self, side: Side, key: bytes) -> tuple[bytes, bytes] | None:
        """(id, refs) of a side's stored page; None: there is none. Raises: StateError."""
        found = fetch_page(self._database, NUMBERS[side], key)
        return None if found is None else (found.id, found.refs)

    def take_cursor(self, side: Side, cursor: bytes) -> None:
        """A remote side stands at `cursor` now: it counts when the copy of its pages is the same.

        In a transaction.
        """
        index = self.side(side)
        if index is None or not index.cursor or index.cursor == cursor:
            return
        if index.root.id and root_of(cursor) == index.root.id:
            self.set_side(side, msgspec.structs.replace(index, cursor=cursor))

    def stat_rows(
        self, tree: Which | Side, low: bytes = b"", high: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes, bytes]]:
        """(key, page id, packed stat rows) with low <= key < high, ascending."""
        bound = "" if high is None else " AND key < ?"
        values = (low,) if high is None else (low, high)
        yield from self._database.rows(
            f"SELECT key, id, stat FROM stats WHERE tree = ? AND key >= ?{bound} ORDER BY key",
            NUMBERS[tree],
            *values,
        )

    def note(self, **facts: str) -> None:
        """Remember facts about the pair (`left`, `right`: redacted URLs); in a transaction."""
        self._database.many(
            "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
            [(name, value.encode()) for name, value in facts.items()],
        )

    def noted(self, name: str) -> str:
        """A fact about the pair; empty when never noted."""
        row = self._database.one("SELECT value FROM meta WHERE key = ?", name)
        return bytes(row[0]).decode("utf-8", "replace") if row else ""

    def note_job(self, job: Job) -> None:
        """Remember what was asked of the pair last; in a transaction."""
        self._database.run(
            "INSERT OR REPLACE INTO meta (key, value) VALUES ('job', ?)", encode(job)
        )

    def noted_job(self) -> Job | None:
        """What was asked of the pair last, without the state directory; None: not known."""
        row = self._database.one("SELECT value FROM meta WHERE key = 'job'")
        try:
            return None if row is None else decode(row[0], Job)
        except (ManifestError, TypeError):
            return None

    def close(self) -> None:
        """Let go of the file; the lock is not ours to release."""
        self._database.close()
