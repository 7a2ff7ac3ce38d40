"""What an apply did, as text: mock-up 3."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence

from reconcile.cli.look import Look
from reconcile.cli.render_plan import block_of, wrapped
from reconcile.cli.words import counted, duration_text, size_text
from reconcile.engine.outcome import Ended, Outcome
from reconcile.model.plan import Action, Plan, Problem, Side
from reconcile.model.receipt import Status

_DONE = {
    "create": "created", "update": "updated", "move": "moved", "meta": "mode",
    "delete": "deleted", "mkdir": "mkdir", "rmdir": "rmdir",
}  # fmt: skip
_LISTED = 20
_SUPERSEDING = (Action.UPDATE.value, Action.DELETE.value)

AGAIN = "run again to continue"
_IN_THE_WAY = frozenset(
    {"E_DENIED", "E_NAME_UNREPRESENTABLE", "E_TOO_LARGE", "E_UNSUPPORTED", "E_LINK_UNREPRESENTABLE"}
)
"""What no second run gets past by itself."""
ANEW = "make a new plan to go on: this one is used"


def outcome_lines(
    outcome: Outcome, look: Look, pair: str, again: str = AGAIN, *, kept: bool = True
) -> list[str]:
    """Done, not done, what is left to a person, and the next command. `pair`: `LEFT RIGHT`.

    `again`: how to come to what was not done. `kept`: what it superseded is in versions.
    """
    lines = []
    if outcome.run:
        resumed = ", continuing an interrupted run" if outcome.resumed else ""
        took = duration_text(outcome.duration_ns)
        for line in (
            f"Applied as run {outcome.run} in {took}{resumed}",
            *_side_lines(outcome),
            _done_line(outcome),
            *_pruned_lines(outcome),
        ):
            lines += _sentence(line, look)
        if outcome.done:
            lines += undo_lines(outcome.run, outcome.counts, look, kept=kept)
    lines += not_done_lines(outcome.not_done, look, again)
    lines += not_kept_lines(_new(outcome), look)
    lines += problem_lines(outcome.problems, look)
    conflicts = outcome.conflicts
    if conflicts:
        left = f"{counted(len(conflicts), 'conflict')} left, both sides untouched there:"
        lines += _and_type(left, f"reconcile conflicts resolve {pair}".rstrip(), look)
    return lines


def _new(outcome: Outcome) -> list[Problem]:
    """What the plan did not tell yet."""
    told = set(outcome.planning.plan.problems)
    return [problem for problem in outcome.problems if problem not in told]


def not_done_lines(ended: Iterable[Ended], look: Look, again: str = AGAIN) -> list[str]:
    """One line a step that was not done, and what leads on."""
    lines = []
    found = list(ended)
    for item in found[:_LISTED]:
        where = [f"at {item.step.side.value}", look.path(item.step.path)]
        why = (item.receipt.code, look.text(item.receipt.detail))
        lines += _row(item.receipt.status.value, where, why, look)
    if len(found) > _LISTED:
        lines.append(f"  {look.signs('…')} {len(found) - _LISTED:,} more")
    if found:
        lines += _sentence(f"{counted(len(found), 'step')} not done: {_way_on(found, again)}", look)
    return lines


def _way_on(found: Sequence[Ended], again: str) -> str:
    """What can help: running again does not, where the place itself is in the way."""
    codes = {item.receipt.code for item in found if item.receipt.status is Status.FAILED}
    waiting = all(item.receipt.status in (Status.FAILED, Status.SKIPPED) for item in found)
    if not codes or not waiting or not codes <= _IN_THE_WAY:
        return again
    return f"running again helps once that is mended; reconcile help {min(codes)}"


def not_kept_lines(problems: Iterable[Problem], look: Look) -> list[str]:
    """One line a path whose metadata are not as they were wanted."""
    found = [problem for problem in problems if problem.code == "E_NOT_KEPT"]
    lines = []
    for problem in found:
        where = [f"at {problem.side.value}" if problem.side else "", look.path(problem.path)]
        lines += _row("note", where, (problem.code, look.text(problem.reason)), look)
    return lines


def problem_lines(problems: Iterable[Problem], look: Look) -> list[str]:
    """One line a path that could not be looked at; nothing was done there."""
    found = [problem for problem in problems if problem.severity == "error"]
    lines = []
    for problem in found[:_LISTED]:
        why = ("", look.text(problem.reason))
        lines += _row(problem.code, [look.path(problem.path)], why, look)
    if len(found) > _LISTED:
        lines.append(f"  {look.signs('…')} {len(found) - _LISTED:,} more")
    if found:
        lines.append(f"{counted(len(found), 'path')} left alone")
    return lines


def _row(head: str, cells: Sequence[str], why: tuple[str, str], look: Look) -> list[str]:
    """One line; on a terminal too narrow for it, as many as it needs. `why`: code and detail."""
    line = "  ".join([head, *cells, " ".join(why).lstrip()])
    if not look.is_terminal or len(line) + 2 <= look.columns:
        return [f"  {look.paint(head, 'error')}{line[len(head) :]}"]
    told = textwrap.wrap(why[1], look.columns - 4, break_long_words=False)
    return block_of(head, "error", [*cells, *filter(None, why[:1]), *told], look)


def _sentence(line: str, look: Look) -> list[str]:
    return wrapped(line, look) if look.is_terminal else [look.signs(line)]


def _and_type(sentence: str, command: str, look: Look) -> list[str]:
    """A sentence that ends in a command, which is never broken: it is copied."""
    line = f"{sentence} {command}"
    if not look.is_terminal or len(line) <= look.columns:
        return [line]
    return [*wrapped(sentence, look), f"    {command}"]


def undo_lines(
    run: str, counts: Iterable[tuple[str, str, int]], look: Look, *, kept: bool
) -> list[str]:
    """How a run is taken back, as far as it can be. `counts`: as `Outcome.counts`."""
    by_action = Counter[str]()
    for _, action, count in counts:
        by_action[action] += count
    superseded = 0 if kept else sum(by_action[action] for action in _SUPERSEDING)
    if not superseded:
        return _and_type("Undo this run:", f"reconcile undo {run}", look)
    if superseded == by_action.total():
        return _sentence("It cannot be undone: what it replaced is not kept.", look)
    rest = f"reconcile undo {run} --skip-changed"
    return _and_type("What it replaced is not kept. Undo the rest:", rest, look)


def guard_lines(plan: Plan, look: Look) -> list[str]:
    """Each guard that stops the plan: its number, its limit where it has one, and why."""
    lines = []
    for guard in plan.guards:
        if not guard.ok:
            limit = f"{guard.actual:,} where the limit is {guard.limit}; " if guard.limit else ""
            line = f"{guard.name}: {limit}{look.text(guard.detail)}".rstrip(":; ")
            lines.append(f"{look.paint('guard', 'error')} {line}")
    return lines


def _side_lines(outcome: Outcome) -> list[str]:
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
    return lines


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
