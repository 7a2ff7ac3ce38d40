"""`reconcile manifest build|show|verify|diff`: hashed listings as files."""

import os

from reconcile.cli.answer import now_ns
from reconcile.cli.asked import endpoint_asked, job_between
from reconcile.cli.documents_json import (
    CheckedDocument,
    DifferenceItem,
    EntryItem,
    ManifestDiffDocument,
    ManifestDocument,
)
from reconcile.cli.events_json import ManifestEvent
from reconcile.cli.exits import worst
from reconcile.cli.face import LINES, Face
from reconcile.cli.render_manifest import (
    change_of,
    comparison_line,
    difference_lines,
    listing_lines,
)
from reconcile.cli.render_outcome import problem_lines
from reconcile.cli.session import Session
from reconcile.cli.to_json import hash_text, path_fields, problem_event, thing
from reconcile.cli.words import counted, size_text
from reconcile.engine.manifests import (
    Built,
    Compared,
    build_manifest,
    check_manifest,
    compare_directory,
    compare_manifests,
    list_manifest,
)
from reconcile.engine.places import local_endpoint
from reconcile.model.difference import Difference
from reconcile.model.errors import ExitCode, UsageError
from reconcile.model.rman import Counts


def run(face: Face) -> int:
    """The second word chooses."""
    match face.verb.split()[1]:
        case "build":
            return _build(face)
        case "show":
            return show(face)
        case "verify":
            return _verify(face)
        case _:
            return _diff(face)


def _build(face: Face) -> int:
    if not face.value("out"):
        raise UsageError("it needs a name for the manifest", hint="add -o FILE.rman")
    source, target = endpoint_asked(face, face.words[0]), local_endpoint(face.value("out"))
    job = job_between(face, source, source)
    session = Session(face)
    if face.format == LINES:
        face.lines.hello(source)
    try:
        built = build_manifest(job, target, session, created_ns=now_ns())
    finally:
        session.close()
    if face.format == LINES:
        _emit_built(face, built)
    elif not face.quiet:
        look = face.out
        size = size_text(built.counts.size_bytes)
        name = look.path(os.fsencode(face.value("out")))
        face.say(f"Wrote {name}: {counted(built.counts.files, 'file')}, {size}")
        face.say(f"  root {built.root.hex() or 'unknown: something could not be read'}")
    for line in problem_lines(built.problems, face.err) if not face.is_json else ():
        face.tell(line)
    bad = any(problem.severity == "error" for problem in built.problems)
    return ExitCode.PARTIAL if bad else ExitCode.OK


def _emit_built(face: Face, built: Built) -> None:
    for problem in built.problems:
        face.lines.emit(problem_event(problem))
    face.lines.emit(
        ManifestEvent(
            file=built.location,
            root=hash_text(built.root, built.hash_name),
            files=built.counts.files,
            bytes=built.counts.size_bytes,
            problems=len(built.problems),
        )
    )


def show(face: Face) -> int:
    """What a manifest file holds."""
    location = local_endpoint(face.words[0])
    listed = list_manifest(location)
    if not face.is_json:
        limit = 10**9 if face.flag("full") else face.number("limit", 200)
        lines = listing_lines(listed, face.out, limit)
        for line in lines[-2:] if face.flag("summary") else lines:
            face.say(line)
        return ExitCode.OK
    counts = listed.counts
    face.document(
        ManifestDocument(
            file=location,
            hash=listed.hash_name,
            root=hash_text(listed.root, listed.hash_name),
            complete=listed.complete,
            files=counts.files,
            directories=counts.directories,
            links=counts.links,
            others=counts.others,
            ignored=counts.ignored,
            bytes=counts.size_bytes,
            entries=[
                EntryItem(path=text, path_b64=raw, entry=item)
                for path, entry in listed.entries
                if (item := thing(entry, listed.hash_name)) is not None
                for text, raw in (path_fields(path),)
            ],
        )
    )
    return ExitCode.OK


def _verify(face: Face) -> int:
    location = local_endpoint(face.words[0])
    counts = check_manifest(location)
    if len(face.words) == 1:
        if face.is_json:
            face.document(_checked(location, counts, None, None))
        elif not face.quiet:
            size = size_text(counts.size_bytes)
            face.say(f"The manifest holds: {counted(counts.files, 'file')}, {size}.")
        return ExitCode.OK
    directory = endpoint_asked(face, face.words[1])
    session = Session(face)
    try:
        compared = compare_directory(location, job_between(face, directory, directory), session)
    finally:
        session.close()
    if face.is_json:
        face.document(_checked(location, counts, directory, compared))
    else:
        _say_compared(face, compared)
        for line in problem_lines(compared.problems, face.err):
            face.tell(line)
    bad = any(problem.severity == "error" for problem in compared.problems)
    return worst(
        ExitCode.OK if compared.equal else ExitCode.MISMATCH,
        ExitCode.PARTIAL if bad else ExitCode.OK,
    )


def _diff(face: Face) -> int:
    left, right = (local_endpoint(word) for word in face.words)
    base = local_endpoint(face.value("base")) if face.value("base") else ""
    compared = compare_manifests(left, right, base)
    if face.is_json:
        face.document(
            ManifestDiffDocument(
                left=left,
                right=right,
                equal=compared.equal,
                differences=[_item(one, compared.hash_name) for one in compared.differences],
            )
        )
    else:
        _say_compared(face, compared, threefold=bool(base))
    differs = face.flag("exit_code") and not compared.equal
    return ExitCode.CHANGES if differs else ExitCode.OK


def _say_compared(face: Face, compared: Compared, *, threefold: bool = False) -> None:
    if face.quiet and compared.equal:
        return
    if not face.flag("summary"):
        for line in difference_lines(compared.differences, face.out, threefold=threefold):
            face.say(line)
    face.say(comparison_line(compared))


def _checked(
    location: str, counts: Counts, against: str | None, compared: Compared | None
) -> CheckedDocument:
    found = compared.differences if compared is not None else ()
    name = compared.hash_name if compared is not None else "blake3"
    return CheckedDocument(
        file=location,
        root=hash_text(compared.left_root, compared.hash_name) if compared is not None else "",
        files=counts.files,
        bytes=counts.size_bytes,
        against=against,
        equal=compared.equal if compared is not None else True,
        differences=[_item(one, name) for one in found],
    )


def _item(one: Difference, hash_name: str) -> DifferenceItem:
    path, path_b64 = path_fields(one.path)
    return DifferenceItem(
        path=path,
        path_b64=path_b64,
        change=change_of(one),
        left=thing(one.left, hash_name),
        right=thing(one.right, hash_name),
        base=thing(one.base, hash_name),
    )
