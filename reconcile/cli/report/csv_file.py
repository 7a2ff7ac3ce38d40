"""A report as CSV (RFC 4180): UTF-8, CRLF, every cell of text in quotes, one row a step.

Safe to open in a spreadsheet, and reversible: `names.cell`, `names.path_of`.
"""

import csv
import io
from collections.abc import Iterator

from reconcile.cli.display import display_path
from reconcile.cli.report.columns import COLUMNS, Report, ReportRow
from reconcile.cli.report.names import cell

MARK = ",".join(f'"{name}"' for name in COLUMNS).encode()
"""How every report of this form begins."""
_BATCH = 1000


def csv_parts(report: Report) -> Iterator[str]:
    """The file in pieces."""
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for start in range(0, max(len(report.rows), 1), _BATCH):
        writer.writerows(map(_cells, report.rows[start : start + _BATCH]))
        yield sink.getvalue()
        sink.seek(0)
        sink.truncate()


def _cells(row: ReportRow) -> tuple[str | int, ...]:
    return (
        row.plan,
        row.run,
        row.action,
        row.direction,
        cell(display_path(row.path)),
        "" if row.old_path is None else cell(display_path(row.old_path)),
        "" if row.size is None else row.size,
        "" if row.old_size is None else row.old_size,
        cell(row.hash),
        cell(row.old_hash),
        cell(row.reason),
        cell(row.policy),
        row.status,
        cell(row.error),
    )
