"""Where reports go: `--report FILE`, the form by its suffix, written whole or not at all.

A file that stands there is replaced only when it begins as a report does.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module

from reconcile.cli.report.columns import Report
from reconcile.model.errors import ReconcileError, UsageError
from reconcile.trees.placing import place, try_to_place

Parts = Callable[[Report], Iterator[str]]
FORMS = {
    ".txt": ("text_file", "text_parts"),
    ".md": ("markdown_file", "markdown_parts"),
    ".csv": ("csv_file", "csv_parts"),
    ".json": ("json_file", "json_parts"),
    ".html": ("html_file", "html_parts"),
}
"""By suffix: the module that writes it, and its function."""


class ReportUnwritten(ReconcileError):
    """A report cannot be written where it was asked for."""

    exit_code = UsageError.exit_code
    code = "E_REPORT"


def parts(report: Report, suffix: str) -> Iterator[bytes]:
    """The report in that form, in pieces. Loads only the module that writes it."""
    module, function = FORMS[suffix]
    make: Parts = getattr(import_module(f"reconcile.cli.report.{module}"), function)
    return (part.encode() for part in make(report))


def check_reports(locations: Iterable[str]) -> tuple[str, ...]:
    """The places, made absolute, once it is sure that reports can be written there.

    To be called before anything is done. Leaves nothing behind.
    Raises: UsageError, ReportUnwritten.
    """
    found = tuple(os.path.abspath(os.path.expanduser(location)) for location in locations)
    for location in found:
        _suffix(location)
        with _told(location):
            try_to_place(location, _is_report)
    if len(set(found)) != len(found):
        raise UsageError("the same report is asked for twice", hint="name different files")
    return found


def write_report(location: str, report: Report) -> None:
    """Write it; whoever reads finds the old report or the new one. Raises: ReportUnwritten …"""
    with _told(location):
        place(location, parts(report, _suffix(location)), _is_report)


def _suffix(location: str) -> str:
    suffix = os.path.splitext(location)[1].lower()
    if suffix not in FORMS:
        raise UsageError(
            f"`{location}` names no kind of report", hint=f"end it with {', '.join(FORMS)}"
        )
    return suffix


def _is_report(head: bytes) -> bool:
    """Or an empty file: nothing is lost with it."""
    marks = (import_module(f"reconcile.cli.report.{name}").MARK for name, _ in FORMS.values())
    return not head or head.startswith(tuple(marks))


@contextmanager
def _told(location: str) -> Iterator[None]:
    """Errors of the system as errors of the run."""
    try:
        yield
    except FileExistsError as error:
        raise ReportUnwritten(
            f"`{location}` exists and is no report; it was left as it is",
            hint="name another file, or remove that one",
        ) from error
    except OSError as error:
        raise ReportUnwritten(
            f"the report `{location}` cannot be written: {error.strerror}",
            hint="name another place for it",
        ) from error
