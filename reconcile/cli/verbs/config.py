"""`reconcile config check|show|path|schema`: the job file, looked at."""

import json
import os
from collections.abc import Sequence

from reconcile.cli.columns import columns
from reconcile.cli.config_json import (
    ConfigCheckDocument,
    ConfigDocument,
    ConfigPathDocument,
    ConfigSchemaDocument,
    EndpointItem,
    FaultItem,
    JobItem,
    PlaceItem,
    ReachItem,
    SettingItem,
)
from reconcile.cli.exits import worst
from reconcile.cli.face import Face
from reconcile.cli.schemas import job_file_schema
from reconcile.cli.words import counted
from reconcile.decide.given import DEFAULT, Spot
from reconcile.decide.job_file import Book, Fault, JobEntry
from reconcile.decide.job_shown import Shown, shown, toml
from reconcile.engine.job_files import Checked, read
from reconcile.engine.job_places import Found, find, places
from reconcile.engine.jobs import check_variables, job_named, sides_of, url_of
from reconcile.engine.places import refuse_overlap
from reconcile.engine.reach import reach
from reconcile.model.errors import ExitCode, ReconcileError, UsageError


def run(face: Face) -> int:
    """The second word chooses."""
    match face.verb.split()[1]:
        case "check":
            return _check(face)
        case "show":
            return _show(face)
        case "path":
            return _path(face)
        case _:
            return _schema(face)


def _schema(face: Face) -> int:
    """As it is committed; with --json in an envelope, as every document."""
    text = job_file_schema()
    if face.is_json:
        face.document(ConfigSchemaDocument(schema=json.loads(text)))
    else:
        face.say(text.rstrip())
    return ExitCode.OK


def _check(face: Face) -> int:
    checked = read(_found(face))
    faults = checked.faults or _further(checked.book, face)
    reached = _reached(checked.book, face) if face.flag("connect") and not faults else []
    if face.is_json:
        face.document(_check_document(checked, faults, reached))
    else:
        _say_checked(face, checked, faults, reached)
    if faults:
        return ExitCode.CONFIG
    return worst(*(code for _, code in reached))


def _say_checked(
    face: Face,
    checked: Checked,
    faults: Sequence[Fault],
    reached: Sequence[tuple[ReachItem, ExitCode]],
) -> None:
    look, book = face.out, checked.book
    for fault in faults:
        face.say(look.text(str(fault)))
    for warning in checked.warnings:
        face.note(f"warning: {warning}")
    for item, code in reached:
        verdict = look.paint("ok  ", "good") if code is ExitCode.OK else look.paint("fail", "error")
        detail = f"  {item.code}: {look.text(item.message)}" if item.code else ""
        where = f"{look.text(item.job)} {item.side:<5}  {look.text(item.endpoint)}"
        if not face.quiet or item.code:
            face.say(f"{verdict}  {where}{detail}")
    files = look.text(", ".join(book.files))
    if faults:
        face.say(f"{files}: {counted(len(faults), 'error')}")
    elif not face.quiet:
        endpoints = counted(len(book.endpoints), "endpoint")
        face.say(f"{files}: ok, {counted(len(book.jobs), 'job')}, {endpoints}")


def _further(book: Book, face: Face) -> tuple[Fault, ...]:
    """What only shows when the values are put together: roots that overlap, and the environment."""
    faults = []
    try:
        check_variables(book, face.env)
    except ReconcileError as error:
        told = error.where.split("\n") if error.where else [error.message]
        faults += [Fault(Spot("environment", 0, 0), each) for each in told]
    for entry in book.jobs.values():
        try:
            refuse_overlap(*sides_of(book, entry, face.env))
        except ReconcileError as error:
            faults.append(Fault(entry.spot, error.message))
    return tuple(faults)


def _reached(book: Book, face: Face) -> list[tuple[ReachItem, ExitCode]]:
    found = []
    for entry in book.jobs.values():
        sides = sides_of(book, entry, face.env)
        for name, here, there in (("left", *sides), ("right", *reversed(sides))):
            code, message, exit_code = "", "", ExitCode.OK
            try:
                reach(here, there)
            except ReconcileError as error:
                code, message, exit_code = error.code, error.message, error.exit_code
            item = ReachItem(job=entry.name, side=name, endpoint=here, code=code, message=message)
            found.append((item, exit_code))
    return found


def _check_document(
    checked: Checked, faults: Sequence[Fault], reached: Sequence[tuple[ReachItem, ExitCode]]
) -> ConfigCheckDocument:
    return ConfigCheckDocument(
        files=list(checked.book.files),
        jobs=list(checked.book.jobs),
        faults=[
            FaultItem(
                file=fault.spot.file,
                line=fault.spot.line,
                column=fault.spot.column,
                message=fault.message,
            )
            for fault in faults
        ],
        warnings=list(checked.warnings),
        reached=[item for item, _ in reached],
    )


def _show(face: Face) -> int:
    loaded = face.jobs
    if loaded is None:
        raise _none()
    book = loaded.book
    wanted = [job_named(book, name) for name in face.words] or list(book.jobs.values())
    if face.is_json:
        face.document(_document(face, book, wanted))
        return ExitCode.OK
    lines: list[str] = [] if face.words else _endpoint_lines(face, book)
    for entry in wanted:
        lines += _job_lines(face, entry)
    if not lines:
        lines = [f"{', '.join(book.files)} has no job"]
    for line in lines:
        face.say(face.out.text(line).rstrip())
    return ExitCode.OK


def _endpoint_lines(face: Face, book: Book) -> list[str]:
    lines = []
    for name, each in book.endpoints.items():
        rows = [
            Shown(option, toml(filed.value), filed.spot.origin)
            for option, filed in each.given.items()
        ]
        lines += [f"[endpoint.{name}]", *_aligned(face, rows), ""]
    return lines


def _job_lines(face: Face, entry: JobEntry) -> list[str]:
    every = shown(entry.layers, face.env, entry.name)
    wanted = [one for one in every if one.origin != DEFAULT or face.verbose]
    return [f"[job.{entry.name}]", *_aligned(face, wanted), ""]


def _aligned(face: Face, rows: Sequence[Shown]) -> list[str]:
    """`key = value`, with --origin each behind it where it stands."""
    width = max((len(row.key) for row in rows), default=0)
    lines = [f"{row.key:<{width}} = {row.value}" for row in rows]
    if not face.flag("origin"):
        return lines
    width = min(max(map(len, lines), default=0), 60)
    return [f"{line:<{width}}  # {row.origin}" for line, row in zip(lines, rows, strict=True)]


def _document(face: Face, book: Book, wanted: Sequence[JobEntry]) -> ConfigDocument:
    jobs = []
    for entry in wanted:
        left, right = sides_of(book, entry, face.env)
        settings = [
            SettingItem(key=one.key, value=one.value, origin=one.origin)
            for one in shown(entry.layers, face.env, entry.name)
        ]
        jobs.append(
            JobItem(
                name=entry.name,
                origin=entry.spot.origin,
                left=left,
                right=right,
                settings=settings,
            )
        )
    endpoints = [
        EndpointItem(name=name, origin=each.spot.origin, url=url_of(each))
        for name, each in book.endpoints.items()
    ]
    return ConfigDocument(files=list(book.files), jobs=jobs, endpoints=endpoints)


def _path(face: Face) -> int:
    every = places(face.value("config"), face.env)
    used = find(face.value("config"), face.env)
    items = [
        PlaceItem(file=each.location, because=each.because, state=_state(each, used))
        for each in every
    ]
    included = read(used).book.files if used is not None else ()
    items += [
        PlaceItem(file=name, because="included", state="included")
        for name in included
        if used is not None and name != used.location
    ]
    if face.is_json:
        face.document(ConfigPathDocument(used=used.location if used else None, places=items))
        return ExitCode.OK
    rows = [(face.out.text(item.file), item.state, item.because) for item in items]
    for line in columns(("FILE", "STATE", "PLACE"), rows):
        face.say(line)
    return ExitCode.OK


def _state(place: Found, used: Found | None) -> str:
    if used is not None and place.location == used.location:
        return "used"
    return "passed over" if os.path.lexists(place.location) else "not there"


def _found(face: Face) -> Found:
    found = find(face.value("config"), face.env)
    if found is None:
        raise _none()
    return found


def _none() -> UsageError:
    return UsageError(
        "there is no job file", hint="reconcile init writes one; reconcile config path says where"
    )
