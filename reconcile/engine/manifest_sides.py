"""Manifest sides: a manifest file in the place of a tree, to be looked at and no more.

What it was made with (hash, tracked metadata) is what the other side is looked
at with. Filters are applied to it as to any tree, but for those that need
content.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from reconcile.decide.filters import Filter
from reconcile.decide.given import DEFAULT
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import UsageError
from reconcile.model.job import Job
from reconcile.model.manifest import Header, Manifest, build, entries
from reconcile.model.plan import Side
from reconcile.model.rman_read import RmanManifest
from reconcile.model.treepath import ROOT, TreePath, join
from reconcile.trees.base import Observation, Tally
from reconcile.trees.open import is_manifest
from reconcile.trees.rman_file import open_rman

READ_ONLY = "E_READ_ONLY"


def manifest_sides(job: Job) -> tuple[Side, ...]:
    """The sides that are manifest files."""
    places = ((Side.LEFT, job.left), (Side.RIGHT, job.right))
    return tuple(side for side, place in places if is_manifest(place))


def open_manifests(
    job: Job, on_exit: Callable[[Callable[[], None]], object]
) -> dict[Side, RmanManifest]:
    """Each such side's manifest, closed at the end. Raises: ManifestError, Denied."""
    found = {}
    for side in manifest_sides(job):
        found[side] = open_rman(job.left if side is Side.LEFT else job.right)
        on_exit(found[side].close)
    return found


def fitted(job: Job, manifests: Mapping[Side, Manifest]) -> Job:
    """The job with the hash and the metadata that the manifests were made with.

    Raises: UsageError, when something else was asked for by hand, or two
    manifests cannot be compared.
    """
    headers = {side: manifest.header for side, manifest in manifests.items()}
    if not headers:
        return job
    if len(set(headers.values())) > 1:
        raise UsageError(
            "the two manifests were made with different hashes or metadata: "
            + ", ".join(f"{side} {header_text(header)}" for side, header in headers.items()),
            hint="build both with the same --hash and --meta",
        )
    side, header = next(iter(headers.items()))
    where = job.left if side is Side.LEFT else job.right
    asked = dict(job.origins)
    for name, differs in (
        ("hash", header.hash_name != job.hash_name),
        ("meta", header.tracked != job.tracked),
    ):
        if differs and asked.get(name, DEFAULT) != DEFAULT:
            raise UsageError(
                f"`{where}` was made with {header_text(header)}, and {asked[name]} asks for "
                "something else",
                hint=f"leave out --{name}, or build the manifest again with it",
            )
    return msgspec.structs.replace(
        job,
        hash_name=header.hash_name,
        tracked=header.tracked,
        origins=(*((n, o) for n, o in job.origins if n not in ("hash", "meta")), ("hash", where)),
    )


def header_text(header: Header) -> str:
    """`blake3, exec`."""
    tracked = header.tracked
    names = [name for name in tracked.__struct_fields__ if getattr(tracked, name) is True]
    return ", ".join([header.hash_name, *names])


def refuse_writing(job: Job) -> None:
    """Raises: UsageError, when a side is a manifest file."""
    for side in manifest_sides(job):
        where = job.left if side is Side.LEFT else job.right
        raise UsageError(
            f"{side} is a manifest file: it can be compared, and not be written to or copied from",
            where=where,
            hint="see what differs with `reconcile diff`; to apply, name the directory itself",
            code=READ_ONLY,
        )


def observed(manifest: RmanManifest, rules: Filter | None, now_ns: int) -> Observation:
    """The manifest as the job's filters see it.

    LIMIT: with filters the whole tree is in memory.
    """
    counts = manifest.counts
    tally = Tally(counts.files, counts.directories + 1, counts.links, counts.size_bytes)
    seen: Manifest = manifest
    if rules is not None:
        seen = _filtered(manifest, rules, now_ns)
        tally = _counted(seen)
    return Observation(seen, (), "manifest", manifest.complete, tally)


def _filtered(manifest: Manifest, rules: Filter, now_ns: int) -> Manifest:
    if rules.text_only:
        raise UsageError(
            "--text-only needs content, which a manifest does not hold",
            hint="name the files: --exclude '*' --include '*.txt'",
        )
    return build(dict(_kept(manifest, rules, now_ns, ROOT)), manifest.header)


def _kept(
    manifest: Manifest, rules: Filter, now_ns: int, top: TreePath
) -> Iterator[tuple[TreePath, Entry]]:
    for entry in entries(manifest, top):
        path = join(top, entry.name)
        is_dir = entry.kind is Kind.DIR
        out = rules.excludes(path, is_dir) or (
            entry.kind is Kind.FILE and rules.excludes_file(entry.size, entry.mtime_ns, now_ns)
        )
        yield path, Entry(entry.name, Kind.IGNORED) if out else entry
        if is_dir and not out:
            yield from _kept(manifest, rules, now_ns, path)


def _counted(manifest: Manifest) -> Tally:
    from reconcile.model.manifest import walk

    found = [entry for _, entry in walk(manifest) if entry.kind is not Kind.IGNORED]
    files = [entry for entry in found if entry.kind is Kind.FILE]
    directories = sum(entry.kind is Kind.DIR for entry in found)
    others = len(found) - len(files) - directories
    return Tally(len(files), directories + 1, others, sum(entry.size for entry in files))
