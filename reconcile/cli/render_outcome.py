"""What an apply did, as text: mock-up 3."""

from collections.abc import Iterable

from reconcile.cli.look import Look
from reconcile.cli.words import counted, duration_text, size_text
from reconcile.engine.outcome import Ended, Outcome
from reconcile.model.plan import Action, Plan, Problem, Side

_DONE = {
    "create": "created", "update": "updated", "move": "moved", "meta": "mode",
    "delete": "deleted", "mkdir": "mkdir", "rmdir": "rmdir",
}  # fmt: skip
_LISTED = 20


AGAIN = "run again to continue"
ANEW = "make a new plan to go on: this one is used"


def outcome_lines(outcome: Outcome, look: Look, pair: str, again: str = AGAIN) -> list[str]:
    """Done, not done, what is left to a person, and the next command. `pair`: `LEFT RIGHT`.

    `again`: how to come to what was not done.
    """
    if not outcome.run:
        lines = []
    else:
        resumed = ", continuing an interrupted run" if outcome.resumed else ""
        lines = [
            f"Applied as run {outcome.run} in {duration_text(outcome.duration_ns)}{resumed}",
            *_side_lines(outcome, look),
            _done_line(outcome),
            *_pruned_lines(outcome),
        ]
        if outcome.done:
            lines.append(f"Undo this run: reconcile undo {outcome.run}")
    lines += not_done_lines(outcome.not_done, look, again)
    lines += problem_lines(outcome.problems, look)
    conflicts = outcome.conflicts
    if conflicts:
        lines.append(
            f"{counted(len(conflicts), 'conflict')} left, both sides untouched there: "
            f"reconcile conflicts resolve {pair}".rstrip()
        )
    return lines


def not_done_lines(ended: Iterable[Ended], look: Look, again: str = AGAIN) -> list[str]:
    """One line a step that was not done, and what leads on."""
    lines = []
    found = list(ended)
    for item in found[:_LISTED]:
        word = look.paint(item.receipt.status.value, "error")
        name = look.path(item.step.path)
        detail = look.text(item.receipt.detail)
        lines.append(f"  {word}  at {item.step.side.value}  {name}  {item.receipt.code} {detail}")
    if len(found) > _LISTED:
        lines.append(f"  {look.signs('…')} {len(found) - _LISTED:,} more")
    if found:
        lines.append(f"{counted(len(found), 'step')} not done: {again}")
    return lines


def problem_lines(problems: Iterable[Problem], look: Look) -> list[str]:
    """One line a path that could not be looked at; nothing was done there."""
    found = [problem for problem in problems if problem.severity == "error"]
    lines = [
        f"  {look.paint(problem.code, 'error')}  {look.path(problem.path)}  "
        f"{look.text(problem.reason)}"
        for problem in found[:_LISTED]
    ]
    if len(found) > _LISTED:
        lines.append(f"  {look.signs('…')} {len(found) - _LISTED:,} more")
    if found:
        lines.append(f"{counted(len(found), 'path')} left alone")
    return lines


def guard_lines(plan: Plan, look: Look) -> list[str]:
    """Each guard that stops the plan: its number, its limit where it has one, and why."""
    lines = []
    for guard in plan.guards:
        if not guard.ok:
            limit = f"{guard.actual:,} where the limit is {guard.limit}; " if guard.limit else ""
            line = f"{guard.name}: {limit}{look.text(guard.detail)}".rstrip(":; ")
            lines.append(f"{look.paint('guard', 'error')} {line}")
    return lines


def _side_lines(outcome: Outcome, look: Look) -> list[str]:
    lines = []
    for side in (Side.RIGHT, Side.LEFT):
        parts = [
            f"{count:,} {_DONE[action.value]}"
            for action in Action
            for where, what, count in outcome.counts
            if where == side.value and what == action.value and count
        ]
        if parts:
            lines.append(f"  at {side.value:<5}  {', '.join(parts)}")
    return [look.signs(line) for line in lines]


def _done_line(outcome: Outcome) -> str:
    done = f"{counted(outcome.done, 'step')} done, {size_text(outcome.done_bytes)} written"
    return f"  {done} and verified by hash{_baseline(outcome)}"


def _pruned_lines(outcome: Outcome) -> list[str]:
    if not outcome.pruned:
        return []
    gone = f"{counted(outcome.pruned, 'version')}, {size_text(outcome.pruned_bytes)}"
    return [f"  removed {gone}, that the job keeps no longer"]


def _baseline(outcome: Outcome) -> str:
    if outcome.baseline_after == outcome.baseline_before:
        return ""
    return f", baseline is now #{outcome.baseline_after}"
