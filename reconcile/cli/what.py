"""What: the word on the command line that names a job, and how a pair is named in advice."""

import os
import shlex
from collections.abc import Sequence

from reconcile.cli.asked import flags_of
from reconcile.cli.face import Face
from reconcile.cli.places import state_dir_of
from reconcile.decide.job_file import Book, JobEntry
from reconcile.engine.job_files import Loaded, read_file
from reconcile.engine.jobs import alias, job_named, settled_job, side_of, sides_of
from reconcile.engine.outcome import Named
from reconcile.engine.pairs import pair_id
from reconcile.engine.places import refuse_overlap
from reconcile.model.errors import ReconcileError, UsageError
from reconcile.model.job import Job
from reconcile.trees.open import place_name


def job_of_file(face: Face, words: Sequence[str]) -> Job:
    """The job named by one word, or the only one there is, with this line's options.

    Raises: UsageError, NotFound, ConfigError.
    """
    entry = _named(face, words[0]) if words else _only(face)
    loaded = _loaded(face)
    directory = state_dir_of(face)
    job = settled_job(loaded.book, entry, flags_of(face), face.env, directory, read_file)
    refuse_overlap(job.left, job.right)
    return job


def aliased(face: Face, word: str) -> str:
    """`@nas/sub` as an endpoint. Raises: UsageError, NotFound, ConfigError."""
    loaded = face.jobs
    if loaded is None:
        raise UsageError(
            f"`{word}` is an endpoint of a job file, and there is no job file",
            hint=f"reconcile config path, or write ./{word} for a directory of that name",
        )
    return alias(loaded.book, word)


def note_job(face: Face, sides: tuple[str, str]) -> None:
    """Say that a job has just these sides, when one has: its settings are not used."""
    if face.quiet or face.is_json:
        return
    try:
        loaded = face.jobs
    except ReconcileError:
        if face.value("config"):
            raise
        return
    name = name_of_pair(loaded.book, sides) if loaded is not None else ""
    if loaded is not None and name:
        where = loaded.book.jobs[name].spot.origin
        face.note(
            f"note: these are the sides of job `{name}` ({where}); its settings are not used "
            f"here, as they are by `reconcile {face.verb} {name}`"
        )


def every_job(face: Face, names: Sequence[str]) -> list[Named]:
    """The jobs of the job file, or those of these names.

    Raises: NotFound, ConfigError; UsageError, for a name where there is no job file.
    """
    loaded = face.jobs
    if loaded is None:
        if names:
            raise UsageError(
                f"`{names[0]}` is no job: there is no job file",
                hint=f"reconcile {face.verb} lists every job and pair",
            )
        return []
    found = []
    for entry in [job_named(loaded.book, name) for name in names] or loaded.book.jobs.values():
        left, right = sides_of(loaded.book, entry, face.env)
        found.append(Named(pair_id(left, right), entry.name, _typed(face, entry.name), left, right))
    return found


def again(face: Face, job: Job) -> str:
    """How the job is named on a command line here; empty: the job file does not know it so."""
    try:
        loaded = face.jobs
    except ReconcileError:
        return ""
    if loaded is None or job.name not in loaded.book.jobs:
        return ""
    return _typed(face, job.name)


def _typed(face: Face, name: str) -> str:
    config = face.value("config")
    return f"{name} -c {shlex.quote(config)}" if config else name


def name_of_pair(book: Book, sides: tuple[str, str]) -> str:
    """The job whose sides these are; empty: none."""
    wanted = tuple(place_name(side) for side in sides)
    for name, entry in book.jobs.items():
        try:
            own = side_of(book, entry, "left"), side_of(book, entry, "right")
        except ReconcileError:
            continue
        if wanted == tuple(place_name(side) for side in own):
            return name
    return ""


def _loaded(face: Face) -> Loaded:
    loaded = face.jobs
    if loaded is None:
        raise UsageError(
            "two sides are wanted, or a job, and there is no job file",
            hint=f"reconcile {face.verb} LEFT RIGHT, or write a job file: reconcile init",
        )
    return loaded


def _only(face: Face) -> JobEntry:
    book = _loaded(face).book
    if len(book.jobs) == 1:
        return next(iter(book.jobs.values()))
    if not book.jobs:
        raise UsageError(f"{book.files[-1]} has no job", hint=f"reconcile {face.verb} LEFT RIGHT")
    raise UsageError(
        f"which job? {book.files[-1]} has {len(book.jobs)}",
        where="\n".join(
            f"{name}  {_said(entry, 'left')}  {_said(entry, 'right')}"
            for name, entry in book.jobs.items()
        ),
        hint=f"reconcile {face.verb} {next(iter(book.jobs))}",
    )


def _said(entry: JobEntry, side: str) -> str:
    filed = entry.said(side)
    return str(filed.value) if filed is not None else ""


def _named(face: Face, word: str) -> JobEntry:
    """The job of this name; a directory of the same name is meant only with a `/`."""
    if word.startswith("@") or "/" in word or word in (".", "..", "~") or ":" in word:
        raise UsageError(
            f"`{word}` is one side, and two are wanted",
            hint=f"reconcile {face.verb} {shlex.quote(word)} OTHER",
        )
    if word.endswith(".rplan"):
        named = shlex.quote(word)
        raise UsageError(
            f"`{word}` is a saved plan", hint=f"reconcile show {named}, or reconcile apply {named}"
        )
    loaded = face.jobs
    is_directory = os.path.isdir(word)
    if loaded is None or (is_directory and word not in loaded.book.jobs):
        what = "a directory" if is_directory else "no job: there is no job file"
        raise UsageError(
            f"`{word}` is {what}, and two sides are wanted",
            hint=f"reconcile {face.verb} {shlex.quote(word)} OTHER",
        )
    entry = job_named(loaded.book, word)
    if is_directory and not _is_own_side(loaded.book, entry, word):
        face.note(f"note: `{word}` is read as the job; write ./{word} for the directory")
    return entry


def _is_own_side(book: Book, entry: JobEntry, word: str) -> bool:
    """Job `photos` keeps the directory ./photos: nobody is misled."""
    try:
        return os.path.abspath(word) in (side_of(book, entry, side) for side in ("left", "right"))
    except ReconcileError:
        return False
