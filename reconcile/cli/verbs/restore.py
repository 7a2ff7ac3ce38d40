"""`reconcile restore`: bring back what stood at a path, on a side or as a new file."""

import os
import re
import time
from collections.abc import Sequence

from reconcile.cli.answer import shown_of
from reconcile.cli.asked import job_asked, typed_again
from reconcile.cli.face import LINES, TEXT, Face
from reconcile.cli.from_here import named
from reconcile.cli.moment import moment_ns
from reconcile.cli.places import state_dir_of
from reconcile.cli.session import Session
from reconcile.cli.verbs.undo import asked_again, look_or_change
from reconcile.cli.verbs.versions import take_in
from reconcile.cli.words import size_text, time_text
from reconcile.engine.known import KnownPair, find_run, known_pairs
from reconcile.engine.opened import Opened
from reconcile.engine.pairs import pair_id
from reconcile.engine.restoring import Asked, At, is_known, pair_of, restore_maker
from reconcile.engine.writing_out import write_out
from reconcile.model.errors import ExitCode, StateError, UsageError
from reconcile.model.job import Job
from reconcile.model.plan import Side
from reconcile.model.policy import Mode
from reconcile.model.treepath import TreePath

_VERSION = re.compile(r"v([1-9][0-9]{0,8})")
_SIDES = {"": (), "left": (Side.LEFT,), "right": (Side.RIGHT,), "both": (Side.LEFT, Side.RIGHT)}


def run(face: Face) -> int:
    """The code of docs/exit-codes.md."""
    shown_of(face)
    directory = state_dir_of(face)
    _take_in(face, directory)
    paths, pair = _places(face, known_pairs(directory))
    known = pair_of(directory, paths, pair)
    asked = Asked(paths, _at(directory, face.value("at")), _SIDES[face.value("side")])
    job = asked_again(face, _job(known))
    if face.value("to"):
        return _write(face, job, asked)
    words = " ".join(["restore", *face.words])
    code = look_or_change(face, job, restore_maker(asked), words)
    if code == ExitCode.OK and face.wrote and len(asked.sides) < len(Side):
        face.note(face.err.text(_next(face, job, asked)))
    return code


def _next(face: Face, job: Job, asked: Asked) -> str:
    """What becomes of it with the next run. Under a mirror the right side follows the left."""
    if job.rules.mode is Mode.TWO_WAY or asked.sides == (Side.LEFT,):
        again = typed_again(face, job, "reconcile apply LEFT RIGHT")
        return f"one side has it again; now carry it over:  {again}"
    return (
        f"note: in mode {job.rules.mode.value} the right side follows the left: what stands on the "
        "right alone is changed back by the next run; --side left restores it there"
    )


def _take_in(face: Face, directory: str) -> None:
    """What is kept may be of runs that the state does not know: it was lost, or a root moved."""
    what = face.options.get("of")
    if isinstance(what, list):
        jobs = [job_asked(face, what)]
    else:
        jobs = [each.job for each in known_pairs(directory) if each.job is not None]
    take_in(face, jobs)


def _job(known: KnownPair) -> Job:
    if known.job is None:
        raise StateError(
            "the state of this pair was written by an older version, which noted too little",
            hint="run `reconcile diff` once for it",
            code="E_STATE_TOO_OLD",
        )
    return known.job


def _places(face: Face, known: Sequence[KnownPair]) -> tuple[tuple[TreePath, ...], str]:
    """The paths below the roots, and the pair they must be of; empty: any that knows them."""
    what = face.options.get("of")
    pair = ""
    if isinstance(what, list):
        job = job_asked(face, what)
        pair = pair_id(job.left, job.right)
    paths = []
    for word in face.words:
        path, own = named(word, known, lambda path: is_known(known, path))
        if own and pair not in ("", own):
            raise UsageError(f"`{word}` is not below the roots of that pair")
        pair = own or pair
        paths.append(path)
    return tuple(dict.fromkeys(paths)), pair


def _at(directory: str, text: str) -> At:
    """Raises: UsageError, NotFound."""
    version = _VERSION.fullmatch(text)
    if not text or version:
        return At(version=int(version[1]) if version else 0)
    if text.startswith("r-"):
        return At(run=find_run(directory, text)[1].id)
    return At(time_ns=moment_ns("at", text.removesuffix(" ago"), time.time_ns()))


def _write(face: Face, job: Job, asked: Asked) -> int:
    """--to: no plan, nothing to ask."""
    if face.value("side") == "both":
        raise UsageError("--to writes one file: --side left or --side right")
    session = Session(face)
    session.begin(job)
    location = os.fsencode(os.path.expanduser(face.value("to")))
    try:
        with Opened(job, session, exclusive=False, keeps=False) as opened:
            written = write_out(opened, asked, location)
    finally:
        session.close()
    entry, side = written.found.entry, written.found.side
    if face.format == TEXT and not face.quiet:
        name = face.out.path(written.found.path)
        face.say(
            f"Wrote {name} as {side.value} had it ({time_text(entry.mtime_ns)}, "
            f"{size_text(entry.size)}) to {face.out.path(location)}"
        )
    if face.format == LINES:
        from reconcile.cli.to_json import written_event

        face.lines.emit(written_event(written))
    return ExitCode.OK
