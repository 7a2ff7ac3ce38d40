"""A plan as text: mock-up 1. Values in, lines out; nothing is asked of the world."""

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import assert_never

from reconcile.cli.columns import block, shortened
from reconcile.cli.look import Look
from reconcile.cli.rows import Row, Shown, rows_of
from reconcile.cli.words import counted, duration_text, size_text, time_text
from reconcile.decide.reasons import RETURNED, kind_word
from reconcile.engine.outcome import Planning
from reconcile.model.entry import Entry, Kind
from reconcile.model.job import Job
from reconcile.model.plan import Action, Conflict, GuardCheck, Plan, PlanKind, Problem, Side, Step
from reconcile.model.treepath import ROOT

_INDENT = "  "
_DATE = len("2026-11-21 ")
_DIRECTION = 12
_NAME_CUT = 20
"""What a terminal leaves of a name, however narrow it is."""
_NARROW = 60
"""A terminal of fewer columns has a block for each row, and no name is cut."""
_SIDE_WORDS = ("Comparing  left ", "     with  right")
_UNDER_SINCE = len("    since  ")
_OVERLONG = 60
"""A name longer than this moves no other row, where none is cut."""
_ORDER = (
    (Action.CREATE, "create"), (Action.UPDATE, "update"), (Action.MOVE, "move"),
    (Action.META, "meta"), (Action.DELETE, "delete"), (Action.MKDIR, "mkdir"),
    (Action.RMDIR, "rmdir"),
)  # fmt: skip
_DECIDE = (
    "conflicts stay as they are until you decide: reconcile conflicts resolve, or "
    "--on-conflict POLICY"
)
_CARRIES = (Action.CREATE, Action.UPDATE)


def in_sync_line(planning: Planning) -> str:
    """Nothing to do: what is equal, and since when."""
    size = size_text(planning.left.size_bytes)
    line = f"In sync: {counted(planning.left.files, 'file')}, {size}"
    if not planning.generation:
        return f"{line}; no baseline yet, `reconcile apply` records it."
    return f"{line}, baseline #{planning.generation} ({time_text(planning.baseline_time_ns)})."


def nothing_line(plan: Plan, look: Look) -> str:
    """Nothing is to be brought back; empty for a plan that only compares."""
    match plan.kind:
        case PlanKind.UNDO if plan.reverts:
            count = counted(len(plan.reverts), "path")
            return f"Both sides are as before run {plan.of}; the baseline goes back at {count}."
        case PlanKind.UNDO:
            return f"Nothing to undo: run {plan.of} changed nothing, or is taken back already."
        case PlanKind.RESTORE:
            return f"Nothing to restore: {look.text(plan.of)} stands there already."
        case PlanKind.SYNC | PlanKind.RESOLVE:
            return ""
        case _:
            assert_never(plan.kind)


def about_lines(plan: Plan, look: Look) -> list[str]:
    """What a plan is made for, where that is not to make both sides agree."""
    match plan.kind:
        case PlanKind.UNDO:
            return [f"To undo run {plan.of}:"]
        case PlanKind.RESTORE:
            return wrapped(f"To restore {look.text(plan.of)}:", look)
        case PlanKind.SYNC | PlanKind.RESOLVE:
            return []
        case _:
            assert_never(plan.kind)


def header_lines(planning: Planning, look: Look, job: Job | None = None) -> list[str]:
    """Which job, which sides, since which baseline, and what the looking cost."""
    made = planning.plan.made_from
    sides = _labelled([look.text(made.left), look.text(made.right)], look, job)
    width = max(len(side) for side in sides)
    tallies = [
        (counted(tally.files, "file"), size_text(tally.size_bytes))
        for tally in (planning.left, planning.right)
    ]
    files = max(len(tally[0]) for tally in tallies)
    sizes = max(len(tally[1]) for tally in tallies)
    lines = [look.text(_job_text(job))] if job and job.name else []
    for word, side, tally in zip(_SIDE_WORDS, sides, tallies, strict=True):
        line = f"{word}  {side:<{width}}  {tally[0]:>{files}}  {tally[1]:>{sizes}}"
        lines += _fitted(line, [f"{word}  {side}", *tally], look, _UNDER_SINCE)
    hashed = planning.left.hashed_files + planning.right.hashed_files
    resumed = planning.left.resumed_files + planning.right.resumed_files
    cached = planning.left.files + planning.right.files - hashed - resumed
    cost = [f"hashed {counted(hashed, 'file')}", f"{cached:,} from cache"]
    cost.append(duration_text(planning.duration_ns))
    since = f"    since  {_since(planning)}"
    cells = [since, ", ".join(cost)]
    if max(map(len, cells)) + _UNDER_SINCE > look.columns:
        cells = [*since.replace(" (", "\n(").split("\n"), *cost]
    lines += resumed_lines(planning)
    return lines + _fitted(f"{since}   {', '.join(cost)}", cells, look, _UNDER_SINCE)


def resumed_lines(planning: Planning) -> list[str]:
    """What a look that was interrupted had read already; none where there was none."""
    sides = (planning.left, planning.right)
    files = sum(side.resumed_files for side in sides)
    if not files:
        return []
    size = size_text(sum(side.resumed_bytes for side in sides))
    return [f"  goes on  {counted(files, 'file')}, {size} hashed by a look that was interrupted"]


def _fitted(line: str, cells: Sequence[str], look: Look, indent: int) -> list[str]:
    """The line; on a terminal too narrow for it, its cells on as many as they need."""
    fits = not look.is_terminal or len(line) <= look.columns
    return [line] if fits else block(cells, look.columns, indent)


def _labelled(sides: list[str], look: Look, job: Job | None) -> list[str]:
    """Each side behind what the job calls it, if it does."""
    labels = [look.text(job.label_left), look.text(job.label_right)] if job else ["", ""]
    width = max(map(len, labels))
    if not width:
        return sides
    return [f"{label:<{width}}  {side}" for label, side in zip(labels, sides, strict=True)]


def _job_text(job: Job) -> str:
    """`Job photos  (reconcile.toml:12)`; one that the state remembers stands nowhere."""
    told_in = dict(job.origins).get("job", "")
    return f"Job {job.name}  ({told_in})" if told_in else f"Job {job.name}"


def first_run_lines(planning: Planning, look: Look) -> list[str]:
    """What a first run means, by what this plan does; none when there is a baseline."""
    plan = planning.plan
    if not plan.first_run:
        return []
    deleted = Counter(step.side for step in plan.steps if step.action is Action.DELETE)
    told = [f"{counted(count, 'file')} at {side}" for side, count in deleted.items()]
    what = f"this plan deletes {' and '.join(told) or 'nothing'}"
    return wrapped(
        f"No baseline yet: equal files are adopted, nothing is taken for deleted; {what}.", look
    )


def row_lines(plan: Plan, shown: Shown, look: Look) -> list[str]:
    """The plan's rows, laid out in columns, cut at the limit with a line that says so."""
    cut, gone = rows_of(plan, shown)
    steps = [row for row in cut if row.conflict is None and row.problem is None]
    others = [row for row in cut if row.conflict is not None or row.problem is not None]
    lines = _step_lines(steps, look)
    if steps and others:
        lines.append("")
    lines += _conflict_lines([row for row in others if row.conflict is not None], look)
    for row in others:
        if row.problem is not None:
            lines += _note_lines(row.problem, look) or [_problem_line(row, look)]
    if gone:
        count = sum(gone.values())
        left_out = f"{counted(count, 'more line')}: {gone_text(gone)}"
        line = f"{look.signs('…')} {left_out} (--limit {len(cut) + count}, or --full)"
        lines.append(f"{_INDENT}{line}")
    return lines


def gone_text(gone: Mapping[str, int]) -> str:
    """`117 create, 3 conflict`: the classes of the lines that were cut."""
    return ", ".join(f"{count:,} {cls}" for cls, count in gone.items())


def counts_text(plan: Plan) -> str:
    """`3 create, 1 update, 2 conflicts`; `no changes`."""
    counts = Counter(step.action for step in plan.steps)
    parts = [f"{counts[action]:,} {word}" for action, word in _ORDER if counts[action]]
    if plan.conflicts:
        parts.append(counted(len(plan.conflicts), "conflict"))
    errors = sum(problem.severity == "error" for problem in plan.problems)
    if errors:
        parts.append(counted(errors, "problem"))
    return ", ".join(parts) or "no changes"


def carried_bytes(plan: Plan) -> tuple[int, int]:
    """Content bytes that travel (left to right, right to left)."""
    totals = {Side.LEFT: 0, Side.RIGHT: 0}
    for step in plan.steps:
        own = step.source is not None and step.source.side is step.side
        if step.action in _CARRIES and step.want is not None and not own:
            totals[step.side] += step.want.size
    return totals[Side.RIGHT], totals[Side.LEFT]


def summary_lines(plan: Plan, plan_id: str, look: Look, *, versions: bool = True) -> list[str]:
    """Counts, bytes each way, what is kept, and every guard with its number."""
    lines = [f"Plan {plan_id}: {counts_text(plan)}"]
    there, back = carried_bytes(plan)
    ways = [f"{size_text(there)} left → right"] if there else []
    ways += [f"{size_text(back)} left ← right"] if back else []
    if ways:
        lines.append(f"{_INDENT}{', '.join(ways)}")
    if any(step.action in (Action.UPDATE, Action.DELETE) for step in plan.steps):
        kept = "stays in the version store" if versions else "is NOT kept (--no-versions)"
        lines.append(f"{_INDENT}what is overwritten or deleted {kept}")
    guards = [_guard_text(guard) for guard in plan.guards if guard.actual or not guard.ok]
    if guards:
        lines.append(f"{_INDENT}guards: {', '.join(guards)}")
    if plan.conflicts:
        lines.append(f"{_INDENT}{_DECIDE}")
    return [part for line in lines for part in wrapped(line, look)]


def wrapped(line: str, look: Look) -> list[str]:
    """A sentence of ours, broken at the stream's width, what follows indented."""
    return textwrap.wrap(
        look.signs(line), look.columns, subsequent_indent=_INDENT * 2, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def direction_text(step: Step) -> str:
    """`left → right`, `at right`: left always stands on the left."""
    crosses = step.source is not None and step.source.side is not step.side
    if step.action is Action.META or (step.action is Action.MKDIR):
        crosses = step.reason not in RETURNED
    if not crosses:
        return f"at {step.side.value}"
    return "left → right" if step.side is Side.RIGHT else "left ← right"


def _since(planning: Planning) -> str:
    if planning.plan.made_from.against:
        return planning.plan.made_from.against
    if not planning.generation:
        return "no baseline"
    return f"baseline #{planning.generation} ({time_text(planning.baseline_time_ns)})"


def _step_lines(rows: Sequence[Row], look: Look) -> list[str]:
    names = [_name(row, look) for row in rows]
    amounts = [look.signs(_amount(row)) for row in rows]
    reasons = [row.reason.replace("-", " ") for row in rows]
    width = _width(names, amounts, reasons, look)
    lines = []
    for row, name, amount, reason in zip(rows, names, amounts, reasons, strict=True):
        free = width - len(amount)
        shown = shortened(name, free, look) if look.is_terminal else name
        direction = _aligned(direction_text(row.step) if row.step else _side_text(row), look)
        if look.is_terminal and look.columns < _NARROW:
            told = [cell for cell in (amount, reason) if cell]
            lines += block_of(f"{row.sign} {direction.rstrip()}", row.cls, [name, *told], look)
            continue
        line = f"{row.sign} {direction}  {shown:<{max(free, 0)}}  {amount}"
        line = look.paint(line, row.cls)
        lines.append(f"{_INDENT}{line}  {reason}".rstrip())
    return lines


def block_of(head: str, cls: str, cells: Sequence[str], look: Look) -> list[str]:
    """A row for a narrow terminal: its head in colour, its cells on as many lines as need be."""
    first, *more = block([f"{_INDENT}{head}", *cells], look.columns, 2 * len(_INDENT))
    return [_INDENT + look.paint(head, cls) + first[len(_INDENT) + len(head) :], *more]


def _width(names: Sequence[str], amounts: Sequence[str], reasons: Sequence[str], look: Look) -> int:
    """Columns for a name and its amount, which share them: as many as the rows need.

    On a terminal no more than fit, names are cut then; elsewhere an overlong
    name counts for nothing: it pushes its own row only.
    """
    pairs = list(zip(names, amounts, strict=True))
    if not look.is_terminal:
        fitting = [len(n) + len(a) for n, a in pairs if len(n) <= _OVERLONG]
        return max(fitting, default=0)
    taken = len(_INDENT) + 2 + _DIRECTION + 2 + 2 + 2 + max(map(len, reasons), default=0)
    least = _NAME_CUT + max(map(len, amounts), default=0)
    return min(
        max((len(n) + len(a) for n, a in pairs), default=0), max(look.columns - taken, least)
    )


def _aligned(direction: str, look: Look) -> str:
    return f"{look.signs(direction):<{_DIRECTION + look.ascii_only}}"


def _side_text(row: Row) -> str:
    return f"at {row.side.value}" if row.side is not None else "both"


def _name(row: Row, look: Look) -> str:
    slash = "/" if row.is_directory else ""
    name = look.path(row.path) + slash
    if row.old_path is not None:
        name = f"{look.path(row.old_path)}{slash} {look.signs('→')} {name}"
    return f"{name} ({counted(row.files, 'file')})" if row.files else name


def _amount(row: Row) -> str:
    if row.detail:
        return row.detail
    if row.is_directory and not row.files:
        return ""
    return size_text(row.size_bytes)


def _conflict_lines(rows: Sequence[Row], look: Look) -> list[str]:
    width = max((len(look.path(row.path)) for row in rows), default=0)
    lines = []
    for row in rows:
        assert row.conflict is not None
        conflict = row.conflict
        left, right = _state(conflict, conflict.left), _state(conflict, conflict.right)
        if left[:_DATE] == right[:_DATE] and left[:_DATE].startswith("2"):
            right = right[_DATE:]
        name = look.path(conflict.path)
        head = f"! {_aligned('both', look)}  {name:<{min(width, 40)}}"
        cells = [f"left {left}", f"right {right}", conflict.id]
        cells += [look.text(conflict.note)] if conflict.note else []
        rest = "  " + "  ".join(cells)
        if look.is_terminal and len(_INDENT) + len(head) + len(rest) > look.columns:
            lines += block_of(f"! {conflict.id}", "conflict", [name, *cells[:2], *cells[3:]], look)
        else:
            lines.append(_INDENT + look.paint(head, "conflict") + rest)
    return lines


def _state(conflict: Conflict, entry: Entry | None) -> str:
    if entry is None:
        return "deleted" if conflict.base is not None else "absent"
    if entry.kind is not Kind.FILE:
        return kind_word(entry)
    return f"{time_text(entry.mtime_ns)}, {size_text(entry.size)}"


def _note_lines(problem: Problem, look: Look) -> list[str]:
    """A note on the whole run is a sentence; none for anything else."""
    if problem.path != ROOT or problem.severity != "note":
        return []
    where = f" (at {problem.side.value})" if problem.side is not None else ""
    text = f"{_INDENT}note{where}: {look.text(problem.reason)}  [{problem.code}]"
    return wrapped(text, look) if look.is_terminal else [look.signs(text)]


def _problem_line(row: Row, look: Look) -> str:
    assert row.problem is not None
    problem = row.problem
    side = f"at {problem.side.value}" if problem.side is not None else "both"
    head = look.paint(f"? {_aligned(side, look)}  {look.path(problem.path)}", "error")
    return f"{_INDENT}{head}  {problem.code}: {look.text(problem.reason)}"


def _guard_text(guard: GuardCheck) -> str:
    verdict = "ok" if guard.ok else "STOP"
    limit = f" (limit {guard.limit})" if guard.limit else ""
    return f"{guard.name} {guard.actual:,}{limit} {verdict}"
