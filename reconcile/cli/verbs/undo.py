"""`reconcile undo`: take a run back, by a plan that is shown, guarded and confirmed."""

from reconcile.cli.answer import shown_of
from reconcile.cli.asked import flags_of
from reconcile.cli.face import Face
from reconcile.cli.places import state_dir_of
from reconcile.cli.verbs.apply import change
from reconcile.cli.verbs.diff import look
from reconcile.decide.settle import settle
from reconcile.engine.planning import PlanMaker
from reconcile.engine.undoing import run_to_undo, undo_maker
from reconcile.model.job import Job


def run(face: Face) -> int:
    """The code of docs/exit-codes.md."""
    shown_of(face)
    directory = state_dir_of(face)
    _, found, job = run_to_undo(directory, face.words[0] if face.words else "")
    make = undo_maker(found.id, skip_changed=face.flag("skip_changed"))
    return look_or_change(face, asked_again(face, job), make, f"undo {found.id}")


def asked_again(face: Face, job: Job) -> Job:
    """What was asked then, with this line's options."""
    return settle(flags_of(face), {}, job)


def look_or_change(face: Face, job: Job, make: PlanMaker, words: str) -> int:
    """With -n or -o the plan is only shown or saved; `words`: verb and argument, for hints."""
    if face.flag("only_show") or face.value("out"):
        return look(face, job, make)
    hint = f"add --yes, or save the plan first: reconcile {words} -o FILE.rplan"
    return change(face, job, make, hint=hint)
