"""A report as plain text: a head, then a line a row, its path last and so without doubt.

What belongs to a row and is no column of it (an old path, an error, the sides
of a conflict) follows on indented lines.
"""

from collections.abc import Iterator, Sequence

from reconcile.cli.display import display_path
from reconcile.cli.report.columns import SIGNS, Report, ReportRow
from reconcile.cli.report.words import (
    amount_text,
    conflict_states,
    counts_line,
    facts,
    guard_line,
    told_guards,
    verdict,
)
from reconcile.cli.words import counted

MARK = b"reconcile report: "
"""How every report of this form begins."""
_BATCH = 1000


def text_parts(report: Report) -> Iterator[str]:
    """The file in pieces."""
    yield "".join(f"{line}\n" for line in _head(report))
    rows = report.rows
    widths = _widths(rows)
    states = {each.path: conflict_states(each) for each in report.conflicts}
    for start in range(0, len(rows), _BATCH):
        lines: list[str] = []
        for row in rows[start : start + _BATCH]:
            lines.append(_line(row, widths))
            if row.old_path is not None:
                lines.append(f"      from  {display_path(row.old_path)}")
            if row.action == "conflict":
                lines += [f"      {side:<5} {state}" for side, state in states.get(row.path, ())]
            if row.error:
                lines.append(f"      {row.error}")
        yield "\n".join(lines) + "\n"


def _head(report: Report) -> Iterator[str]:
    yield f"{MARK.decode()}{verdict(report)}"
    yield ""
    for name, value in facts(report):
        yield f"  {name:<9} {value}"
    yield f"  {'changes':<9} {counts_line(report)}"
    for guard in told_guards(report):
        yield f"  {'guard':<9} {guard_line(guard)}"
    if report.rows:
        yield ""
        yield f"{counted(len(report.rows), 'row')}, by path:"


def _widths(rows: Sequence[ReportRow]) -> tuple[int, int, int, int]:
    return (
        max((len(row.direction) for row in rows), default=0),
        max((len(amount_text(row)) for row in rows), default=0),
        max((len(row.reason) for row in rows), default=0),
        max((len(row.status) for row in rows), default=0),
    )


def _line(row: ReportRow, widths: tuple[int, int, int, int]) -> str:
    way, amount, reason, status = widths
    return (
        f"{SIGNS[row.action]} {row.direction:<{way}}  {amount_text(row):>{amount}}  "
        f"{row.reason:<{reason}}  {row.status:<{status}}  {display_path(row.path)}"
    )
