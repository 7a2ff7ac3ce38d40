"""Baselines: what both sides agreed on, and what they had agreed on before.

All batches of one run are one generation. Rows that a generation replaces are
kept for the generations before it, so each of the last `KEPT` can be read.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from reconcile.decide.advance import Graft, Revision, graft_rows, revise
from reconcile.model.codec import decode, decode_entries, encode
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestError, NotFound
from reconcile.model.manifest import (
    DEFAULT_HEADER,
    Header,
    Manifest,
    PageRow,
    TreeManifest,
    build,
    walk,
)
from reconcile.model.treepath import ROOT
from reconcile.store.database import Database, damaged
from reconcile.store.pages import (
    StoredPage,
    StoreManifest,
    checked,
    fetch_page,
    forget_pages,
    key_range,
    write_pages,
)
from reconcile.store.records import Baseline

KEPT = 100
"""Generations that stay readable."""
_BASE = 0


class Baselines:
    """The base tree of one pair and its generations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self) -> Baseline | None:
        """The newest generation; None: there never was one. `root` None: it was reset."""
        row = self._database.one("SELECT body FROM baselines ORDER BY number DESC LIMIT 1")
        return None if row is None else self._decoded(row[0])

    def every(self) -> Sequence[Baseline]:
        """The generations that can be read, newest first."""
        rows = self._database.rows("SELECT body FROM baselines ORDER BY number DESC")
        return tuple(self._decoded(row[0]) for row in rows)

    def manifest(self, generation: int | None = None, header: Header | None = None) -> Manifest:
        """The newest baseline, or that of `generation`.

        With `header` the newest one is read under it, to be revised and
        committed under it: other tracked metadata gives other ids (cost: the
        whole tree), of another hash algorithm nothing is known.
        Raises: NotFound, StateError.
        """
        newest = self.newest()
        if generation is None or (newest is not None and generation == newest.number):
            root = None if newest is None else newest.root
            if root is None and self._database.one("SELECT 1 FROM blocks WHERE tree = 0"):
                raise damaged(self._database.location, "the record of the baseline is missing")
            if newest is None or root is None:
                return TreeManifest(None, header or DEFAULT_HEADER)
            if header is not None and header != newest.header:
                return self._under(header, newest)
            return StoreManifest(self._database, _BASE, self._fetch, newest.header, root)
        row = self._database.one("SELECT body FROM baselines WHERE number = ?", generation)
        if row is None:
            raise NotFound(f"there is no baseline {generation} any more, or there never was")
        old = self._decoded(row[0])
        return StoreManifest(
            self._database,
            _BASE,
            lambda key: self._fetch_at(generation, key),
            old.header,
            old.root,
        )

    def commit(self, revision: Revision, info: Baseline) -> Baseline:
        """Apply `revision` and record it; inside a transaction.

        Of `info` the number, root, files and sizes are filled in here. A run's
        later batches go on with its own generation.
        """
        assert self._database.in_transaction
        newest = self.newest()
        if revision.header != info.header:
            raise ManifestError("a revision of a baseline has its header")
        if newest is not None and newest.root is not None and newest.header != info.header:
            self._rehead(info, newest)
            newest = self.newest()
        return self._apply(revision, info, newest)

    def _apply(self, revision: Revision, info: Baseline, newest: Baseline | None) -> Baseline:
        last = 0 if newest is None else newest.number
        goes_on = newest is not None and newest.run == info.run and newest.root is not None
        number = last if goes_on else last + 1
        counted = (0, 0) if newest is None else (newest.files, newest.size_bytes)
        writer = _Writer(self._database, number - 1)
        for prefix in revision.gone_subtrees:
            writer.forget_subtree(prefix)
        writer.forget(revision.gone)
        for graft in revision.grafts:
            writer.write(graft_rows(graft, info.header))
        writer.write(revision.rows)
        made = msgspec.structs.replace(
            info,
            number=number,
            root=revision.root,
            files=counted[0] + writer.files,
            size_bytes=counted[1] + writer.size_bytes,
        )
        self._record(made)
        return made

    def _rehead(self, info: Baseline, newest: Baseline) -> None:
        """Store the baseline anew with the ids of `info.header`."""
        again = self._under(info.header, newest)
        if again.root is None:
            self.reset(info.run, info.time_ns)
        else:
            self.replace(again, info)

    def replace(self, manifest: TreeManifest, info: Baseline) -> Baseline:
        """Record a whole tree, which has a root, as a generation; in a transaction."""
        newest = self.newest()
        root = newest.root if newest is not None else None
        graft = Graft(ROOT, manifest, ROOT, root or _root(manifest))
        return self._apply(revise(build({}, info.header), {}, [graft]), info, newest)

    def _under(self, header: Header, newest: Baseline) -> TreeManifest:
        """The newest baseline with the ids that `header` asks for; absent when its hash is another.

        Cost: the whole tree, in memory; once, when what is tracked changes.
        """
        if newest.header.hash_name != header.hash_name:
            return TreeManifest(None, header)
        return build(dict(walk(self.manifest())), header)

    def reset(self, run: str, time_ns: int) -> int:
        """Forget what was agreed on; the number forgotten, 0 when there was nothing. In a
        transaction. Earlier generations stay readable."""
        newest = self.newest()
        if newest is None or newest.root is None:
            return 0
        writer = _Writer(self._database, newest.number)
        writer.forget_subtree(b"")
        self._record(Baseline(newest.number + 1, time_ns, run, None, newest.header))
        return newest.number

    def _record(self, made: Baseline) -> None:
        self._database.run(
            "INSERT OR REPLACE INTO baselines (number, run, body) VALUES (?, ?, ?)",
            made.number,
            made.run,
            encode(made),
        )
        oldest = made.number - KEPT
        self._database.run("DELETE FROM baselines WHERE number <= ?", oldest)
        self._database.run("DELETE FROM base_history WHERE generation <= ?", oldest)

    def _fetch(self, key: bytes) -> StoredPage | None:
        return fetch_page(self._database, _BASE, key)

    def _fetch_at(self, generation: int, key: bytes) -> StoredPage | None:
        """The page as the first change since `generation` found it; else as it is."""
        row = self._database.one(
            "SELECT id, length, refs, block, crc FROM base_history"
            " WHERE key = ? AND generation >= ? ORDER BY generation LIMIT 1",
            key,
            generation,
        )
        if row is None:
            return self._fetch(key)
        return None if row[0] is None else checked(row, self._database.location)

    def _decoded(self, body: object) -> Baseline:
        try:
            return decode(body, Baseline) if isinstance(body, bytes) else _not_bytes()
        except ManifestError as error:
            raise damaged(self._database.location, error.message) from error


class _Writer:
    """Writes base rows, keeping what they replace and counting what they hold."""

    def __init__(self, database: Database, before: int) -> None:
        self._database = database
        self._before = before
        """The generation that ends with what is replaced; 0: there was none."""
        self.files = 0
        self.size_bytes = 0

    def write(self, rows: Iterable[PageRow]) -> None:
        """Put rows in place of those with their keys."""
        write_pages(self._database, _BASE, self._noted(rows))

    def forget(self, keys: Iterable[bytes]) -> None:
        """Drop pages."""
        for key in keys:
            self._keep(key)
            forget_pages(self._database, _BASE, [key], ())

    def forget_subtree(self, prefix: bytes) -> None:
        """Drop every page whose key begins with `prefix`."""
        where, values = key_range(prefix)
        for (block,) in self._database.rows(
            f"SELECT block FROM blocks WHERE tree = 0 AND {where}",
            *values,
        ):
            self._count(block, -1)
        if self._before:
            self._database.run(
                "INSERT OR IGNORE INTO base_history (key, generation, id, length, refs, crc, block)"
                " SELECT key, ?, id, length, refs, crc, block FROM blocks"
                f" WHERE tree = 0 AND {where}",
                self._before,
                *values,
            )
        forget_pages(self._database, _BASE, (), [prefix])

    def _noted(self, rows: Iterable[PageRow]) -> Iterator[PageRow]:
        for row in rows:
            self._keep(row.key)
            self._count(row.block, 1)
            yield row

    def _keep(self, key: bytes) -> None:
        """Note the page at `key` as it is, or that there is none, for the generation before."""
        old = self._database.one("SELECT block FROM blocks WHERE tree = 0 AND key = ?", key)
        if old is not None:
            self._count(old[0], -1)
        if not self._before:
            return
        source = (
            "SELECT key, ?, id, length, refs, crc, block FROM blocks WHERE tree = 0 AND key = ?"
        )
        if old is None:
            source = "SELECT ?2, ?1, NULL, NULL, NULL, NULL, NULL"
        self._database.run(
            "INSERT OR IGNORE INTO base_history (key, generation, id, length, refs, crc, block) "
            + source,
            self._before,
            key,
        )

    def _count(self, block: bytes, sign: int) -> None:
        try:
            files = [entry for entry in decode_entries(block) if entry.kind == Kind.FILE]
        except (ManifestError, TypeError) as error:
            raise damaged(self._database.location, "a page cannot be read") from error
        self.files += sign * len(files)
        self.size_bytes += sign * sum(entry.size for entry in files)


def _root(manifest: Manifest) -> Entry:
    assert manifest.root is not None
    return manifest.root


def _not_bytes() -> Baseline:
    raise ManifestError("a record is not stored as bytes")
