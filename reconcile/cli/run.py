"""Run one understood command: the frame around every verb.

It turns what may end a run (an error, a signal, a closed pipe, a bug) into one
message and one process code. No verb catches these itself.
"""

import os
import sys
from importlib import import_module

from reconcile.cli.face import LINES, Face, face_of_refused
from reconcile.cli.streams import PipeClosed, close_streams, lost
from reconcile.cli.table import Parsed
from reconcile.cli.verb_table import verb_named
from reconcile.model.errors import ExitCode, ReconcileError, UsageError

_SIGNALLED = {2: ExitCode.INT, 15: ExitCode.TERM}
"""SIGINT, SIGTERM."""


def run(parsed: Parsed, argv: list[str]) -> int:
    """The process code of the command; messages are out when it returns."""
    face: Face | None = None
    try:
        face = Face(parsed, argv, os.environ)
        code = _verb(face)
        if face.format == LINES:
            face.lines.exit(code)
    except PipeClosed as error:
        code = lost(error, _changed(face))
    except ReconcileError as error:
        code = _failed(face or face_of_refused(parsed.verb, argv, os.environ), error)
    except KeyboardInterrupt as stop:
        code = _stopped(face, getattr(stop, "number", 2))
    except Exception as error:
        code = _crashed(face, error, argv)
    close_streams()
    return int(code)


def _verb(face: Face) -> int:
    directory = face.value("directory")
    if directory:
        try:
            os.chdir(os.path.expanduser(directory))
        except OSError as error:
            raise UsageError(f"cannot work in `{directory}`: {error.strerror}") from error
    if face.options.get("no_input") or face.is_json:
        os.environ["RECONCILE_NO_INPUT"] = "1"  # for `ssh`, which would ask by itself
    verb = verb_named(face.verb)
    assert verb is not None
    code: int = import_module(verb.module).run(face)
    return code


def _failed(face: Face | None, error: ReconcileError) -> int:
    try:
        if face is not None and face.job is not None and "LEFT RIGHT" in error.hint:
            from reconcile.cli.asked import typed_again

            error.hint = typed_again(face, face.job, error.hint)
        report(face, error)
        if face is not None and face.shows_traceback:
            _print_traceback(error)
    except PipeClosed as closed:
        return lost(closed, _changed(face))
    return error.exit_code


def report(face: Face | None, error: ReconcileError) -> None:
    """An error where it belongs: stderr, or stdout as JSON."""
    if face is not None and face.is_json:
        from reconcile.cli.json_error import report_json

        report_json(face, error)
        return
    from reconcile.cli.look import look_of
    from reconcile.cli.render_error import error_lines

    look = face.err if face is not None else look_of(sys.stderr, "auto", False, os.environ)
    text = "\n".join(error_lines(error, look))
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError as closed:
        raise PipeClosed from closed


def _stopped(face: Face | None, number: int) -> int:
    from reconcile.model.errors import Interrupted

    code = _SIGNALLED.get(number, 128 + number)
    changed = _changed(face)
    error = Interrupted(
        "stopped by " + ("Ctrl-C" if number == 2 else f"signal {number}"),
        changed=changed,
        hint="the same command goes on" if changed != "nothing" else _kept(face),
    )
    error.exit_code = code  # type: ignore[assignment]  # a signal's own code
    return _failed(face, error)


def _changed(face: Face | None) -> str:
    if face is not None and face.wrote:
        return "the steps that were done stand; the state is saved"
    return "nothing"


def _kept(face: Face | None) -> str:
    if face is None or not face.keeps_hashes:
        return ""
    return "the same command goes on: files that were hashed are not read again"


def _crashed(face: Face | None, error: Exception, argv: list[str]) -> int:
    from reconcile.cli.crash import write_crash_file

    location = write_crash_file(face, error, argv)
    wrapped = ReconcileError(
        f"unexpected {type(error).__name__}: {error}",
        where=location,
        changed="unknown; what was done is in the journal" if face and face.wrote else "nothing",
        hint="report it with the file named above",
    )
    wrapped.__cause__ = error
    return _failed(face, wrapped)


def _print_traceback(error: BaseException) -> None:
    import traceback

    traceback.print_exception(error)
