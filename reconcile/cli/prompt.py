"""Questions at a terminal. The default is always no."""

import sys
from collections.abc import Callable

import msgspec

from reconcile.cli.face import Face
from reconcile.cli.render_plan import wrapped
from reconcile.cli.words import counted
from reconcile.model.job import Job
from reconcile.model.plan import Action, GuardCheck, Plan, Side
from reconcile.model.policy import Limits

_ANSWERS = "[y]es / [n]o / [d]etails / [s]ave plan: "


def ask_to_apply(
    face: Face, plan: Plan, details: Callable[[], None], save: Callable[[str], None]
) -> bool:
    """`y` applies; `d` shows every step, `s` saves the plan; anything else is no."""
    text = f"{question(plan)} {_ANSWERS}"
    while True:
        if len(text) < face.err.columns:
            answer = ask(face, text).lower()
        else:
            sys.stderr.write("\n".join(wrapped(question(plan), face.err)) + "\n")
            answer = ask(face, _ANSWERS).lower()
        if answer in ("d", "details"):
            details()
        elif answer in ("s", "save"):
            name = ask(face, "Save as: ")
            if name:
                save(name)
                return False
        else:
            return answer in ("y", "yes")


def question(plan: Plan) -> str:
    """How many changes, how many deletions and where."""
    deletes = [
        f"{sum(s.side is side and s.action is Action.DELETE for s in plan.steps):,} at {side.value}"
        for side in Side
        if any(s.side is side and s.action is Action.DELETE for s in plan.steps)
    ]
    noted = f" (deletes {', '.join(deletes)})" if deletes else ""
    return f"Apply {counted(len(plan.steps), 'change')}{noted}?"


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
    sys.stderr.write(face.err.text(prompt))
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        sys.stderr.write("\n")
    return line.strip()
