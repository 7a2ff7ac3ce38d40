"""Manifests as artefacts: built from a directory, checked, compared without either side.

Reads sides, writes only the manifest file. What differs is `decide/diff`'s
answer.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing

import msgspec

from reconcile.decide.diff import differences
from reconcile.engine.events import Listener, Noted, Phase, Scanned
from reconcile.engine.pairs import filter_of, settings_of
from reconcile.model.difference import Difference
from reconcile.model.entry import Entry
from reconcile.model.errors import UsageError
from reconcile.model.job import Job
from reconcile.model.manifest import ABSENT, Manifest, PageRow, walk
from reconcile.model.plan import Problem, Side
from reconcile.model.policy import Rules
from reconcile.model.rman import Counts
from reconcile.model.rman_write import RmanWriter
from reconcile.model.treepath import TreePath
from reconcile.trees.base import Tally
from reconcile.trees.observe import Seen, observe
from reconcile.trees.rman_file import new_file, open_rman, verify_rman


class Built(msgspec.Struct, frozen=True):
    """A manifest file that was written."""

    location: str
    root: bytes
    """Tree id; empty: something could not be looked at, and it equals nothing."""
    counts: Counts
    tally: Tally
    problems: tuple[Problem, ...]


class Listed(msgspec.Struct, frozen=True):
    """What a manifest file says of itself, and what it holds."""

    root: bytes
    hash_name: str
    complete: bool
    counts: Counts
    entries: tuple[tuple[TreePath, Entry], ...]


class Compared(msgspec.Struct, frozen=True):
    """Two manifests held against each other."""

    equal: bool
    """Both root ids are the same, and known."""
    differences: tuple[Difference, ...]
    left_root: bytes
    right_root: bytes
    files: int
    """In the left one."""
    size_bytes: int
    problems: tuple[Problem, ...] = ()


def build_manifest(job: Job, location: str, listener: Listener, *, created_ns: int) -> Built:
    """Scan and hash `job.left` and write its manifest to `location`, which must not exist.

    LIMIT: the pages, encoded, are in memory until the scan ends (about 100
    bytes a file).
    Raises: RootMissing, Denied; UsageError, when the name is taken.
    """
    if os.path.lexists(location):
        raise UsageError(f"`{location}` exists and was left as it is", hint="name another file")
    seen, pages = _scan(job, listener)
    counts = _write(job, location, seen, pages, created_ns)
    return Built(location, seen.root.id, counts, seen.tally, seen.problems)


def list_manifest(location: str) -> Listed:
    """Every entry of a manifest file, in tree order. Raises: ManifestError, NotFound."""
    with closing(open_rman(location)) as manifest:
        assert manifest.root is not None
        return Listed(
            root=manifest.root.id,
            hash_name=manifest.header.hash_name,
            complete=manifest.complete,
            counts=manifest.counts,
            entries=tuple(walk(manifest)),
        )


def check_manifest(location: str) -> Counts:
    """The counts of a file every byte of which holds. Raises: ManifestError, saying where."""
    return verify_rman(location)


def compare_manifests(left: str, right: str, base: str = "") -> Compared:
    """Where two manifest files differ; with `base`, three ways. Raises: ManifestError."""
    with closing(open_rman(left)) as one, closing(open_rman(right)) as other:
        if not base:
            return _compared(ABSENT, one, other, one.counts)
        with closing(open_rman(base)) as common:
            return _compared(common, one, other, one.counts)


def compare_directory(location: str, job: Job, listener: Listener) -> Compared:
    """Where the directory `job.left` differs from a manifest file (left: the manifest).

    The directory is hashed as the manifest was. Raises: RootMissing, ManifestError.
    """
    with closing(open_rman(location)) as manifest, tempfile.TemporaryDirectory() as room:
        header = manifest.header
        same = msgspec.structs.replace(job, hash_name=header.hash_name, tracked=header.tracked)
        seen, pages = _scan(same, listener)
        found = os.path.join(room, "found.rman")
        _write(same, found, seen, pages, 0)
        with closing(open_rman(found)) as other:
            compared = _compared(ABSENT, manifest, other, manifest.counts)
    return msgspec.structs.replace(compared, problems=seen.problems)


class _Pages:
    """Where the pages of a scan without a memory go."""

    def __init__(self) -> None:
        self.rows: list[PageRow] = []

    def write(self, rows: Sequence[PageRow]) -> None:
        self.rows.extend(rows)

    def forget(self, keys: Sequence[bytes], subtrees: Sequence[bytes]) -> None:
        del keys, subtrees

    def children_first(self) -> Iterator[PageRow]:
        yield from sorted(self.rows, key=lambda row: row.key, reverse=True)


def _scan(job: Job, listener: Listener) -> tuple[Seen, _Pages]:
    pages = _Pages()
    listener(Phase("scan"))
    seen = observe(
        os.fsencode(job.left),
        settings_of(job, filter_of(job), job.rules.now_ns),
        None,
        pages,
        lambda tally: listener(Scanned(Side.LEFT, tally)),
        trusted=False,
    )
    listener(Scanned(Side.LEFT, seen.tally, final=True))
    for problem in seen.problems:
        listener(Noted(problem))
    return seen, pages


def _write(job: Job, location: str, seen: Seen, pages: _Pages, created_ns: int) -> Counts:
    with new_file(location) as sink:
        header = settings_of(job, None, 0).header
        writer = RmanWriter(sink.write, header, creator="reconcile", created_ns=created_ns)
        for row in pages.children_first():
            writer.add_row(row)
        return writer.finish(seen.root)


def _compared(base: Manifest, left: Manifest, right: Manifest, counts: Counts) -> Compared:
    if left.header != right.header:
        raise UsageError(
            "the two manifests were made with different hashes or metadata",
            hint="build both with the same --hash and --meta",
        )
    assert left.root is not None
    assert right.root is not None
    equal = bool(left.root.id) and left.root.id == right.root.id
    return Compared(
        equal=equal,
        differences=tuple(differences(base, left, right, Rules(tracked=left.header.tracked))),
        left_root=left.root.id,
        right_root=right.root.id,
        files=counts.files,
        size_bytes=counts.size_bytes,
    )
