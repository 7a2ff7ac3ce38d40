"""`reconcile undo`: take a run back, by a plan that is shown, guarded and confirmed."""

from typing import NamedTuple

from reconcile.cli.answer import shown_of
from reconcile.cli.asked import flags_of, job_asked
from reconcile.cli.face import Face
from reconcile.cli.places import state_dir_of
from reconcile.cli.verbs.apply import change
from reconcile.cli.verbs.diff import look
from reconcile.cli.words import time_text
from reconcile.decide.settle import settle
from reconcile.engine.known import LAST, KnownPair, find_run
from reconcile.engine.pairs import pair_id
from reconcile.engine.planning import PlanMaker
from reconcile.engine.undoable import changed_anything, idle_note, newest_undoable
from reconcile.engine.undoing import job_of_run, undo_maker
from reconcile.model.errors import ConfigError, ExitCode
from reconcile.model.job import Job
from reconcile.store.records import Run


def run(face: Face) -> int:
    """The code of docs/exit-codes.md."""
    shown_of(face)
    directory = state_dir_of(face)
    chosen = _chosen(face, directory)
    found = chosen.run
    if chosen.is_named and not changed_anything(chosen.pair, found):
        more = idle_note(chosen.pair)
        face.tell(f"Run {found.id} changed nothing: there is nothing to undo; {more}")
        return ExitCode.OK
    job = job_of_run(directory, chosen.pair, found)
    make = undo_maker(found.id, skip_changed=face.flag("skip_changed"))
    return look_or_change(face, asked_again(face, job), make, f"undo {found.id}")


class _Chosen(NamedTuple):
    pair: KnownPair
    run: Run
    is_named: bool
    """By its id."""


def _chosen(face: Face, directory: str) -> _Chosen:
    """The run that is meant. Raises: UsageError, NotFound, StateError."""
    words = [word for word in face.words if word != LAST]
    if len(words) == 1 and _is_run(face, words[0]):
        return _Chosen(*find_run(directory, words[0]), is_named=True)
    pair = ""
    if words:
        job = job_asked(face, words)
        pair = pair_id(job.left, job.right)
    found = newest_undoable(directory, pair)
    if found.idle:
        when = time_text(found.run.started_ns)
        face.note(
            f"note: run {found.idle} changed nothing; the last that did is {found.run.id} ({when})"
        )
    return _Chosen(found.pair, found.run, is_named=False)


def _is_run(face: Face, word: str) -> bool:
    """It looks like a run's id, and no job has that name; a broken job file has no say in it."""
    if not word.startswith("r-") or "/" in word:
        return False
    try:
        loaded = face.jobs
    except ConfigError:
        return True
    return loaded is None or word not in loaded.book.jobs


def asked_again(face: Face, job: Job) -> Job:
    """What was asked then, with this line's options."""
    return settle(flags_of(face), {}, job)


def look_or_change(face: Face, job: Job, make: PlanMaker, words: str) -> int:
    """With -n or -o the plan is only shown or saved; `words`: verb and argument, for hints."""
    if face.flag("only_show") or face.value("out"):
        return look(face, job, make)
    hint = f"add --yes, or save the plan first: reconcile {words} -o FILE.rplan"
    return change(face, job, make, hint=hint)
