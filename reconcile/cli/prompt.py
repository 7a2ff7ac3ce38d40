"""Questions at a terminal (cli.md §11). The default is always no."""

import sys
from collections.abc import Callable

from reconcile.cli.face import Face
from reconcile.cli.words import counted
from reconcile.model.plan import Action, Plan, Side


def ask_to_apply(
    face: Face, plan: Plan, details: Callable[[], None], save: Callable[[str], None]
) -> bool:
    """`y` applies; `d` shows every step, `s` saves the plan; anything else is no."""
    while True:
        answer = ask(face, question(plan)).lower()
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
    return (
        f"Apply {counted(len(plan.steps), 'change')}{noted}? "
        "[y]es / [n]o / [d]etails / [s]ave plan: "
    )


def ask_number(face: Face, what: str, number: int) -> bool:
    """A guard is passed only by typing its number."""
    return ask(face, f"{what} Type {number} to go on: ") == str(number)


def ask(face: Face, prompt: str) -> str:
    """One line from the terminal; empty at its end. The question goes to stderr."""
    sys.stderr.write(face.err.text(prompt))
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        sys.stderr.write("\n")
    return line.strip()
