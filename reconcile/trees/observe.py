"""Observing a local root: the top of the tree here, its subtrees in worker processes.

The top is listed breadth first until there are enough subtrees to share out;
workers scan those; then the top's own pages are settled, children before
parents. A small tree never forks.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import msgspec

from reconcile.model.block import PAGE_ENTRIES, page_key
from reconcile.model.boundary import Boundary
from reconcile.model.codec import decode_entries
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestError
from reconcile.model.manifest import PageRow
from reconcile.model.plan import Problem
from reconcile.model.statrow import Row, is_directory
from reconcile.model.treepath import ROOT, TreePath, join, order_key, split
from reconcile.trees.base import Tally
from reconcile.trees.boundaries import Boundaries, mounted_below
from reconcile.trees.listing import Listed
from reconcile.trees.looking import Found, Look, Settings, cannot
from reconcile.trees.own_places import lost_and_found, paths_inside
from reconcile.trees.root_place import open_root, root_identity
from reconcile.trees.scan import (
    DIRECTORY_FLAGS,
    Index,
    Page,
    Scanner,
    Stored,
    too_deep,
)
from reconcile.trees.temporary import AREA
from reconcile.trees.workers import Pool

SHARE_FROM_DIRECTORIES = 16
SHARE_FROM_ENTRIES = 512
CHUNK_BYTES = 1 << 18


class Sink(Protocol):
    """Where changed pages go while a scan runs."""

    def write(self, rows: Sequence[PageRow]) -> None:
        """Keep these pages in place of those with the same keys."""

    def forget(self, keys: Sequence[bytes], subtrees: Sequence[bytes]) -> None:
        """Drop single pages, and all pages whose key begins with one of `subtrees`."""


class Seen(NamedTuple):
    """A root after its scan; the pages themselves went to the sink."""

    root: Entry
    problems: tuple[Problem, ...]
    leftovers: tuple[TreePath, ...]
    identity: str
    tally: Tally
    cursor: bytes = b""
    """Of a remote side: where its next look may go on (`Looking.cursor`); empty: nowhere."""
    complete: bool = True
    """False: the listing ended early."""
    boundaries: tuple[Boundary, ...] = ()
    """What is mounted below the root, and what was and is missed; for the next look."""


def observe(
    location: bytes,
    settings: Settings,
    index: Index | None,
    sink: Sink,
    progress: Callable[[Tally], None],
    *,
    trusted: bool = True,
    workers: int = 2,
    memory: Index | None = None,
) -> Seen:
    """Scan the root at `location`.

    `index` is what an earlier scan knew (None: nothing); `trusted` says that it
    was made under the same rules, so that its pages may be taken over whole. `memory`
    tells what directories held, also where `index` may not be used.
    Raises: RootMissing, Denied; OSError when the root itself cannot be listed.
    """
    fd = open_root(location)
    try:
        with noting(settings, identity := root_identity(fd)):
            return _Observation(
                fd, settings, index, sink, progress, trusted, workers, memory or index
            ).run(identity)
    finally:
        os.close(fd)


@contextmanager
def noting(settings: Settings, identity: str) -> Iterator[None]:
    """A look at the root of this identity: what it has hashed is kept when it is cut short."""
    notes = settings.notes
    if notes is not None:
        notes.begin(identity, settings.notes_kind)
    try:
        yield
    except BaseException:
        if notes is not None:
            notes.write()
        raise


class _Top(NamedTuple):
    """A directory of the top, listed."""

    path: TreePath
    rows: list[Row]


class _Observation:
    """One scan of one root."""

    def __init__(
        self,
        fd: int,
        settings: Settings,
        index: Index | None,
        sink: Sink,
        progress: Callable[[Tally], None],
        trusted: bool,
        workers: int,
        memory: Index | None,
    ) -> None:
        self._memory = memory
        self._devices: dict[TreePath, int] = {}
        self._boundaries = Boundaries(
            settings.boundaries,
            self._held,
            accept=settings.accept_mounts,
            mounted=mounted_below(fd),
        )
        self._fd = fd
        self._settings = settings
        self._index = index
        self._sink = sink
        self._progress = progress
        self._trusted = trusted
        self._workers = workers
        self._rows: list[PageRow] = []
        self._size = 0
        self._tally = Tally()
        self._problems: list[Problem] = []
        self._leftovers: list[TreePath] = []
        self._own_paths = lost_and_found(fd) | paths_inside(os.fstat(fd), settings.own)
        self._scanner = self._new_scanner(self._emit)

    def run(self, identity: str) -> Seen:
        top, shared = self._list_top()
        found: dict[TreePath, Found | Problem] = {}
        if len(shared) > 1 and self._workers > 1:
            self._share_out(shared, found)
        else:
            for path in shared:
                found[path] = self._here(path)
        for directory in reversed(top):
            found[directory.path] = self._settle(directory, found)
        self._flush()
        if self._scanner.look.listing.is_area_misused:
            misused_area(self._scanner.look)
        self._take_over(self._scanner)
        root = found[ROOT]
        assert isinstance(root, Found)
        status = os.fstat(self._fd)
        entry = Entry(b"", Kind.DIR, 0, 0, status.st_mode & 0o7777, root.id)
        return Seen(
            entry,
            tuple(sorted(self._problems, key=lambda problem: order_key(problem.path))),
            tuple(sorted(self._leftovers, key=order_key)),
            identity,
            self._tally,
            boundaries=self._boundaries.known_now(self._problems),
        )

    def _held(self, path: TreePath) -> list[bytes]:
        """The names that an earlier scan saw in a directory, or the first of very many."""
        found = self._memory.block(page_key(path)) if self._memory is not None else None
        try:
            return [entry.name for entry in decode_entries(found[0])] if found else []
        except ManifestError:
            return []

    def _list_top(self) -> tuple[list[_Top], list[TreePath]]:
        """(directories listed here, parents first; subtrees left to share out)."""
        top: list[_Top] = []
        queue: list[TreePath] = [ROOT]
        seen = 0
        at = 0
        large: list[TreePath] = []
        while at < len(queue):
            if len(queue) - at >= SHARE_FROM_DIRECTORIES and seen >= SHARE_FROM_ENTRIES:
                break
            path = queue[at]
            at += 1
            rows = self._list(path)
            if rows is None:
                large.append(path)
                continue
            seen += len(rows)
            top.append(_Top(path, rows))
            queue.extend(join(path, row[0]) for row in rows if is_directory(row))
        return top, large + queue[at:]

    def _list(self, path: TreePath) -> list[Row] | None:
        """The directory's rows; None when it is for a scanner: large, deep or unreadable."""
        if too_deep(path):
            return None
        try:
            fd = self._open(path)
        except OSError:
            if path:
                return None
            raise
        try:
            if self._is_refused(path, fd):
                return None
            kept = len(self._scanner.look.listing.leftovers)
            listed = self._scanner.look.listing.rows(path, fd)
            if isinstance(listed, Listed) and len(listed.rows) <= PAGE_ENTRIES:
                return listed.rows
            del self._scanner.look.listing.leftovers[kept:]
            return None
        except OSError:
            if path:
                return None
            raise
        finally:
            os.close(fd)

    def _is_refused(self, path: TreePath, fd: int) -> bool:
        """A scanner will say why."""
        self._devices[path] = os.fstat(fd).st_dev
        if not path:
            return False
        return bool(self._boundaries.refusal(path, fd, self._devices[split(path)[0]]))

    def _share_out(
        self, shared: Sequence[TreePath], found: dict[TreePath, "Found | Problem"]
    ) -> None:
        self._flush()
        pool = Pool(self._workers, self._work)
        try:
            for last, answer in pool.run(shared):
                if not last:
                    self._sink.write([PageRow(*row) for row in answer])
                    continue
                path, outcome, tally, problems, leftovers, gone, subtrees, boundaries = answer
                self._boundaries.add(Boundary(*each) for each in boundaries)
                found[path] = Problem(*outcome) if len(outcome) > 2 else Found(*outcome)
                self._sink.forget(gone, subtrees)
                self._tally += Tally(*tally)
                self._problems.extend(Problem(*problem) for problem in problems)
                self._leftovers.extend(leftovers)
                self._progress(self._tally)
        finally:
            pool.close()

    def _work(self, path: TreePath, emit: Callable[[Any], None]) -> object:
        """In a worker: one subtree, its pages in chunks, then what `_share_out` takes apart."""
        rows: list[tuple[object, ...]] = []
        size = 0

        def keep(row: PageRow) -> None:
            nonlocal size
            rows.append(tuple(row))
            size += len(row.block) + len(row.stat)
            if size >= CHUNK_BYTES:
                emit(rows)
                rows.clear()
                size = 0

        scanner = self._new_scanner(keep)
        outcome = self._subtree(scanner, path)
        if rows:
            emit(rows)
        return (
            path,
            _plain(outcome),
            msgspec.structs.astuple(scanner.look.tally),
            [_plain(problem) for problem in scanner.look.problems],
            list(scanner.look.listing.leftovers),
            scanner.gone,
            scanner.gone_subtrees,
            [msgspec.structs.astuple(each) for each in self._boundaries.found.values()],
        )

    def _here(self, path: TreePath) -> "Found | Problem":
        scanner = self._new_scanner(self._emit)
        outcome = self._subtree(scanner, path)
        self._take_over(scanner)
        return outcome

    def _new_scanner(self, emit: Callable[[PageRow], None]) -> Scanner:
        return Scanner(
            self._settings,
            self._index,
            emit,
            trusted=self._trusted,
            own_paths=self._own_paths,
            boundaries=self._boundaries,
        )

    def _subtree(self, scanner: Scanner, path: TreePath) -> "Found | Problem":
        refusal = too_deep(path)
        if refusal:
            return scanner.look.problem(path, "E_PATH", refusal)
        try:
            fd = self._open(path)
        except OSError as error:
            return scanner.look.problem(path, "E_DENIED", cannot("open the directory", error))
        try:
            problem = path and scanner.mount_problem(path, fd, self._devices[split(path)[0]])
            return problem or scanner.subtree(path, fd)
        except OSError as error:
            if not path:
                raise
            return scanner.look.problem(path, "E_UNREADABLE", cannot("list the directory", error))
        finally:
            os.close(fd)

    def _settle(
        self, directory: _Top, found: dict[TreePath, "Found | Problem"]
    ) -> "Found | Problem":
        path = directory.path
        children = {
            row[0]: found[join(path, row[0])] for row in directory.rows if is_directory(row)
        }
        try:
            fd = self._open(path)
        except OSError as error:
            return self._scanner.look.problem(
                path, "E_VANISHED", f"it went while being scanned: {error.strerror}"
            )
        try:
            self._scanner.look.directories += 1
            key = page_key(path)
            page = Page(path, key, directory.rows, self._stored(key), children or None)
            return self._scanner.page(fd, page)
        finally:
            os.close(fd)

    def _stored(self, key: bytes) -> Stored | None:
        if self._index is None:
            return None
        for _, identifier, packed in self._index.rows(key, key + b"\0"):
            return Stored(identifier, packed)
        return None

    def _open(self, path: TreePath) -> int:
        fd = os.dup(self._fd)
        for name in path.split(b"/") if path else ():
            try:
                below = os.open(name, DIRECTORY_FLAGS, dir_fd=fd)
            finally:
                os.close(fd)
            fd = below
        return fd

    def _emit(self, row: PageRow) -> None:
        self._rows.append(row)
        self._size += len(row.block) + len(row.stat)
        if self._size >= CHUNK_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._sink.write(self._rows)
            self._rows, self._size = [], 0

    def _take_over(self, scanner: Scanner) -> None:
        self._flush()
        self._sink.forget(scanner.gone, scanner.gone_subtrees)
        self._tally += scanner.look.tally
        self._problems.extend(scanner.look.problems)
        self._leftovers.extend(scanner.look.listing.leftovers)
        self._progress(self._tally)


def misused_area(look: Look) -> None:
    """Note that a root has something of the user's under the name of our area."""
    reason = (
        "the name belongs to reconcile, which keeps superseded content in a directory of that "
        "name; what is there is no directory and was left untouched: give it another name"
    )
    look.problem(AREA, "E_PATH", reason)


def _plain(value: "Found | Problem") -> tuple[object, ...]:
    """The fields as marshal takes them (a Side is a str to it only by value)."""
    return tuple(value) if isinstance(value, Found) else msgspec.structs.astuple(value)
