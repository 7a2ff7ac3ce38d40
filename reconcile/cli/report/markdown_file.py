"""A report as Markdown (GitHub's tables): for merge requests and chat.

Names are code spans, sentences have their marks escaped: nothing in a report is
markup but what stands here. More rows than fit at a glance are folded.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from reconcile.cli.report.columns import Report, ReportRow
from reconcile.cli.report.names import in_markdown, sentence_in_markdown
from reconcile.cli.report.words import (
    amount_text,
    conflict_states,
    counts_line,
    facts,
    guard_line,
    reason_text,
    told_guards,
    verdict,
)
from reconcile.cli.words import counted
from reconcile.model.plan import Conflict

T = TypeVar("T")
MARK = b"<!-- reconcile report -->"
"""How every report of this form begins."""
FOLDED = 50
"""More rows than this are folded."""
_BATCH = 1000
_APART = ("conflict", "error", "note")
_WAYS = {"left->right": "left → right", "left<-right": "left ← right"}


def markdown_parts(report: Report) -> Iterator[str]:
    """The file in pieces."""
    yield "\n".join(_head(report)) + "\n"
    steps = [row for row in report.rows if row.action not in _APART]
    problems = [row for row in report.rows if row.action in ("error", "note")]
    if report.conflicts:
        yield f"\n### {counted(len(report.conflicts), 'conflict')}\n\n"
        heads = ("id", "path", "base", "left", "right")
        yield from _folded(report.conflicts, heads, _conflict_cells)
    if problems:
        yield f"\n### {counted(len(problems), 'problem')}\n\n"
        yield from _folded(problems, ("", "where", "path", "code", "what"), _problem_cells)
    if steps:
        yield f"\n### {counted(len(steps), 'change')}\n\n"
        heads = ("action", "way", "path", "size", "why")
        if report.is_run:
            yield from _folded(steps, (*heads, "status"), _run_cells)
        else:
            yield from _folded(steps, heads, _step_cells)


def _head(report: Report) -> Iterator[str]:
    yield f"{MARK.decode()}\n"
    yield f"## {sentence_in_markdown(verdict(report))}\n"
    for name, value in facts(report):
        shown = in_markdown(value.encode()) if name in ("left", "right") else None
        yield f"- {name}: {shown or sentence_in_markdown(value)}"
    yield f"- changes: {counts_line(report)}"
    for guard in told_guards(report):
        mark = "" if guard.ok else "**"
        yield f"- guard: {mark}{sentence_in_markdown(guard_line(guard))}{mark}"


def _folded(
    rows: Sequence[T], heads: Sequence[str], line: Callable[[T], Sequence[str]]
) -> Iterator[str]:
    """A table with a row for each; under a fold when it is long."""
    is_long = len(rows) > FOLDED
    if is_long:
        yield f"<details><summary>{len(rows):,} rows</summary>\n\n"
    yield f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|\n"
    for start in range(0, len(rows), _BATCH):
        yield "".join(f"| {' | '.join(line(row))} |\n" for row in rows[start : start + _BATCH])
    if is_long:
        yield "\n</details>\n"


def _conflict_cells(conflict: Conflict) -> Sequence[str]:
    states = (sentence_in_markdown(state) for _, state in conflict_states(conflict))
    return conflict.id, in_markdown(conflict.path), *states


def _problem_cells(row: ReportRow) -> Sequence[str]:
    return (
        row.action,
        row.direction,
        in_markdown(row.path),
        row.reason,
        sentence_in_markdown(row.error),
    )


def _step_cells(row: ReportRow) -> Sequence[str]:
    name = in_markdown(row.path)
    if row.old_path is not None:
        name = f"{in_markdown(row.old_path)} → {name}"
    why = sentence_in_markdown(reason_text(row))
    return row.action, _WAYS.get(row.direction, row.direction), name, amount_text(row), why


def _run_cells(row: ReportRow) -> Sequence[str]:
    error = f" {sentence_in_markdown(row.error)}" if row.error else ""
    return *_step_cells(row), f"{row.status}{error}"
