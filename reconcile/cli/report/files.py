"""Where reports go: `--report FILE`, the form by its suffix, written whole or not at all.

A file that stands there is replaced only when it begins as a report does.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from secrets import token_hex
from stat import S_ISFIFO

from reconcile.cli.report.columns import Report
from reconcile.model.errors import ReconcileError, UsageError

Parts = Callable[[Report], Iterator[str]]
FORMS = {
    ".txt": ("text_file", "text_parts"),
    ".md": ("markdown_file", "markdown_parts"),
    ".csv": ("csv_file", "csv_parts"),
    ".json": ("json_file", "json_parts"),
    ".html": ("html_file", "html_parts"),
}
"""By suffix: the module that writes it, and its function."""
_LONGEST_MARK = 4096
_BUFFER = 1 << 20


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
        _refuse_to_overwrite(location)
        os.unlink(_new(location, ()))
    if len(set(found)) != len(found):
        raise UsageError("the same report is asked for twice", hint="name different files")
    return found


def write_report(location: str, report: Report) -> None:
    """Write it; whoever reads finds the old report or the new one. Raises: ReportUnwritten …"""
    _refuse_to_overwrite(location)
    temporary = _new(location, parts(report, _suffix(location)))
    try:
        os.replace(temporary, location)
    except OSError as error:
        os.unlink(temporary)
        raise _unwritten(location, error) from error


def _suffix(location: str) -> str:
    suffix = os.path.splitext(location)[1].lower()
    if suffix not in FORMS:
        raise UsageError(
            f"`{location}` names no kind of report", hint=f"end it with {', '.join(FORMS)}"
        )
    return suffix


def _refuse_to_overwrite(location: str) -> None:
    try:
        if S_ISFIFO(os.stat(location).st_mode):  # to read it would wait for ever
            raise ReportUnwritten(
                f"`{location}` is no file that a report could replace",
                hint="name another place for it",
            )
        with open(location, "rb") as file:
            start = file.read(_LONGEST_MARK)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unwritten(location, error) from error
    marks = (import_module(f"reconcile.cli.report.{name}").MARK for name, _ in FORMS.values())
    if start and not start.startswith(tuple(marks)):
        raise ReportUnwritten(
            f"`{location}` exists and is no report; it was left as it is",
            hint="name another file, or remove that one",
        )


def _new(location: str, content: Iterable[bytes]) -> str:
    """A file beside `location`, flushed, that holds `content`. After an error it is gone."""
    temporary = os.path.join(os.path.dirname(location), f".rcn-{token_hex(8)}")
    try:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(temporary, flags, 0o666)
    except OSError as error:
        raise _unwritten(location, error) from error
    try:
        with open(handle, "wb", buffering=_BUFFER) as file:
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        os.unlink(temporary)
        if isinstance(error, OSError):
            raise _unwritten(location, error) from error
        raise
    return temporary


def _unwritten(location: str, error: OSError) -> ReconcileError:
    return ReportUnwritten(
        f"the report `{location}` cannot be written: {error.strerror}",
        hint="name another place for it",
    )
