"""Questions at a terminal. The default is always no, and is shown as such."""

import sys
from collections.abc import Callable, Mapping
from enum import Enum

import msgspec

from reconcile.cli.answer import shown_of
from reconcile.cli.face import Face
from reconcile.cli.render_plan import gone_text, wrapped
from reconcile.cli.rows import rows_of
from reconcile.cli.words import counted
from reconcile.model.job import Job
from reconcile.model.plan import Action, GuardCheck, Plan, PlanKind, Side
from reconcile.model.policy import Limits

_YES = ("y", "yes")
_NO = ("n", "no")
_ANSWERS = "[y]es / [N]o / [d]etails / [s]ave plan: "
_KEEPING = "[y]es / [d]etails / [s]ave plan / [l]ater / [n]o, drop them: "


class Said(Enum):
    """What became of the last question."""

    APPLY = "apply"
    NO = "no"
    SAVED = "saved"
    LATER = "later"
    """Nobody said yes and nobody said no."""


def ask_to_apply(
    face: Face,
    plan: Plan,
    details: Callable[[], None],
    save: Callable[[str], None],
    *,
    keeps: bool = False,
) -> Said:
    """`y` applies, `d` shows every step, `s` saves the plan; any other word is asked about again.

    Enter is no. Where a no would drop answers that somebody typed (`keeps`) Enter
    asks again too: only the word drops them.
    """
    answers = _KEEPING if keeps else _ANSWERS
    gone = {} if face.flag("summary") else rows_of(plan, shown_of(face))[1]
    while True:
        answer = _put(face, question(plan, gone), answers)
        if answer is None:
            return Said.LATER
        if answer in _YES:
            return Said.APPLY
        if answer in _NO or not (answer or keeps):
            return Said.NO
        if keeps and answer in ("l", "later"):
            return Said.LATER
        if answer in ("d", "details"):
            details()
        elif answer in ("s", "save"):
            name = ask(face, "Save as: ")
            if name:
                save(name)
                return Said.SAVED
        else:
            _again(face, answers)


def confirmed(face: Face, asked: str) -> bool:
    """A question with yes and no; Enter is no, and any other word asks again."""
    while True:
        answer = _put(face, asked, "[y]es / [N]o: ")
        if answer in _YES:
            return True
        if not answer or answer in _NO:
            return False
        _again(face, "[y]es / [N]o: ")


def _put(face: Face, asked: str, answers: str) -> str | None:
    """What was typed, in small letters; None: nobody is there any more."""
    text = f"{asked} {answers}"
    if len(text) < face.err.columns:
        found = _line(face, text)
    else:
        sys.stderr.write("\n".join(wrapped(asked, face.err)) + "\n")
        found = _line(face, answers)
    return None if found is None else found.lower()


def _again(face: Face, answers: str) -> None:
    face.tell(f"that is none of: {answers.removesuffix(': ')}")


def question(plan: Plan, gone: Mapping[str, int]) -> str:
    """How many changes, how many deletions and where; and which lines above were cut."""
    deletes = [
        f"{sum(s.side is side and s.action is Action.DELETE for s in plan.steps):,} at {side.value}"
        for side in Side
        if any(s.side is side and s.action is Action.DELETE for s in plan.steps)
    ]
    noted = f" (deletes {', '.join(deletes)})" if deletes else ""
    changes = f"{counted(len(plan.steps), 'change')}{noted}"
    if gone:
        changes += f"; not shown above: {gone_text(gone)}"
    if plan.kind is PlanKind.UNDO:
        made = plan.made_from
        return f"Undo run {plan.of} of {made.left} and {made.right}: apply {changes}?"
    return f"Apply {changes}?"


def ask_past_guards(face: Face, job: Job, plan: Plan) -> Job | None:
    """The job with its limits at the numbers typed; None when one was not, or has no number.

    A guard is passed by typing the count it shows, never by `y`.
    """
    limits = job.limits
    for guard in plan.guards:
        if guard.ok:
            continue
        changed = _lifted(limits, guard, plan)
        if changed is None:
            return None
        number, limits = changed
        face.tell(face.err.text(f"{guard.detail}, and the limit is {guard.limit}"))
        if ask(face, f"Type {number} to allow it: ") != str(number):
            return None
    return msgspec.structs.replace(job, limits=limits)


def _lifted(limits: Limits, guard: GuardCheck, plan: Plan) -> tuple[int, Limits] | None:
    """(the number to type, the limits once it is typed); None: no number passes this guard."""
    replace = msgspec.structs.replace
    match guard.name:
        case "max_delete":
            count = max(
                sum(s.side is side and s.action is Action.DELETE for s in plan.steps)
                for side in Side
            )
            return count, replace(limits, max_delete_count=count, origin="typed")
        case "max_delete_size":
            return guard.actual, replace(limits, max_delete_bytes=guard.actual, origin="typed")
        case "max_change":
            share = guard.actual / 100
            return guard.actual, replace(limits, max_change_share=share, origin="typed")
        case _:
            return None


def ask(face: Face, prompt: str) -> str:
    """One line from the terminal; empty at its end. The question goes to stderr."""
    return _line(face, prompt) or ""


def _line(face: Face, prompt: str) -> str | None:
    """The same; None at the terminal's end."""
    sys.stderr.write(face.err.text(prompt))
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        sys.stderr.write("\n")
        return None
    return line.strip()
