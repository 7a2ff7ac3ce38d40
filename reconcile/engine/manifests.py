"""Manifests as artefacts: built from an endpoint, checked, compared without either side.

Reads sides, writes only the manifest file. What differs is `decide/diff`'s
answer.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

import msgspec

from reconcile.decide.diff import differences
from reconcile.engine.events import Listener, Noted, Phase, Scanned
from reconcile.engine.far_copy import FarCopy, contradiction
from reconcile.engine.headers import common_header
from reconcile.engine.pairs import filter_of, header_of, pair_id, settings_of
from reconcile.model.block import HashName
from reconcile.model.difference import Difference
from reconcile.model.entry import Entry
from reconcile.model.errors import UsageError
from reconcile.model.job import Job
from reconcile.model.manifest import ABSENT, Header, Manifest, PageRow, walk
from reconcile.model.plan import Problem, Side
from reconcile.model.policy import Rules
from reconcile.model.rman import Counts
from reconcile.model.rman_write import RmanWriter
from reconcile.model.treepath import TreePath
from reconcile.trees.base import Tally
from reconcile.trees.looking import Looking
from reconcile.trees.observe import Seen, observe
from reconcile.trees.open import connected, is_remote, remote_tree
from reconcile.trees.remote import SessionOptions
from reconcile.trees.rman_file import is_manifest_file, new_file, open_rman, verify_rman


class Built(msgspec.Struct, frozen=True):
    """A manifest file that was written."""

    location: str
    root: bytes
    """Tree id; empty: something could not be looked at, and it equals nothing."""
    counts: Counts
    tally: Tally
    problems: tuple[Problem, ...]
    hash_name: HashName = "blake3"


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
    hash_name: HashName = "blake3"


def build_manifest(job: Job, location: str, listener: Listener, *, created_ns: int) -> Built:
    """Scan and hash `job.left` and write its manifest to `location`, in the place of a manifest
    that is there or under a free name. A manifest inside its own tree does not list itself.

    LIMIT: the pages, encoded, are in memory until the scan ends (about 100
    bytes a file).
    Raises: RootMissing, Denied; UsageError, when something else has the name.
    """
    replaces = os.path.lexists(location)
    if replaces and not is_manifest_file(location):
        raise UsageError(
            f"`{location}` exists, is no manifest, and was left as it is", hint="name another file"
        )
    scan = _scan(job, listener, location)
    counts = _write(location, scan, created_ns, overwrite=replaces)
    seen = scan.seen
    name = scan.header.hash_name
    return Built(location, seen.root.id, counts, seen.tally, scan.problems, name)


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
        same = msgspec.structs.replace(
            job,
            hash_name=header.hash_name,
            tracked=header.tracked,
            origins=(*job.origins, ("hash", location)),
        )
        scan = _scan(same, listener)
        found = os.path.join(room, "found.rman")
        _write(found, scan, 0)
        with closing(open_rman(found)) as other:
            compared = _compared(ABSENT, manifest, other, manifest.counts)
    return msgspec.structs.replace(compared, problems=scan.problems)


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


class _Scan(NamedTuple):
    """An endpoint as it is now."""

    seen: Seen
    pages: _Pages
    header: Header
    problems: tuple[Problem, ...]


def _scan(job: Job, listener: Listener, *own: str) -> _Scan:
    """`own`: files of this machine that take no part."""
    listener(Phase("scan"))
    scan = _scan_remote(job, listener) if is_remote(job.left) else _scan_here(job, listener, *own)
    listener(Scanned(Side.LEFT, scan.seen.tally, final=True))
    for problem in scan.problems:
        listener(Noted(problem))
    return scan


def _scan_here(job: Job, listener: Listener, *own: str) -> _Scan:
    pages = _Pages()
    header = header_of(job)
    seen = observe(
        os.fsencode(job.left),
        settings_of(job, filter_of(job), job.rules.now_ns, header, *own),
        None,
        pages,
        lambda tally: listener(Scanned(Side.LEFT, tally)),
        trusted=False,
    )
    return _Scan(seen, pages, header, seen.problems)


def _scan_remote(job: Job, listener: Listener) -> _Scan:
    """Read anew over there, as a scan without a memory is here."""
    options = SessionOptions(pair_id(job.left, job.left), job.compress)
    with closing(connected(remote_tree(job.left, options), job.left, options)) as tree:
        pages = _Pages()
        header = common_header(job, None, [tree.hash_names])
        settings = settings_of(job, filter_of(job), job.rules.now_ns, header)
        want = Looking(settings, job.filters, trusted=False, keep=False)
        copy = FarCopy(pages, None, header.hash_name)
        seen = tree.look(want, None, copy, lambda tally: listener(Scanned(Side.LEFT, tally)))
        if not copy.fits(seen.root.id):
            raise contradiction(job.left)
        return _Scan(seen, pages, header, (*tree.notes, *seen.problems))


def _write(location: str, scan: _Scan, created_ns: int, *, overwrite: bool = False) -> Counts:
    with new_file(location, overwrite=overwrite) as sink:
        writer = RmanWriter(sink.write, scan.header, creator="reconcile", created_ns=created_ns)
        for row in scan.pages.children_first():
            writer.add_row(row)
        return writer.finish(scan.seen.root)


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
        hash_name=left.header.hash_name,
    )
