"""An error that ends the run, as JSON on stdout: the end of the lines, or one document."""

import msgspec

from reconcile.cli.display import display_text
from reconcile.cli.documents_json import ErrorDocument
from reconcile.cli.events_json import ErrorEvent
from reconcile.cli.exits import name_of
from reconcile.cli.face import LINES, Face
from reconcile.model.errors import ExitCode, ReconcileError

_TEMPORARY = (
    ExitCode.UNREACHABLE, ExitCode.LOCKED, ExitCode.PARTIAL, ExitCode.INT, ExitCode.TERM,
)  # fmt: skip


def report_json(face: Face, error: ReconcileError) -> None:
    """The `error` and `exit` lines of a streaming verb, or the error document of a query."""
    retryable = error.exit_code in _TEMPORARY
    code = int(error.exit_code)
    if face.format == LINES:
        face.lines.emit(
            ErrorEvent(
                code=error.code,
                message=display_text(error.message),
                hint=display_text(error.hint) or msgspec.UNSET,
                where=display_text(error.where) or msgspec.UNSET,
                changed=error.changed,
                retryable=retryable,
            )
        )
        face.lines.exit(code)
        return
    face.document(error_document(error))


def error_document(error: ReconcileError) -> ErrorDocument:
    """An error as a document, or inside one."""
    return ErrorDocument(
        code=error.code,
        message=display_text(error.message),
        where=display_text(error.where),
        changed=error.changed,
        hint=display_text(error.hint),
        retryable=error.exit_code in _TEMPORARY,
        exit_code=int(error.exit_code),
        exit_name=name_of(int(error.exit_code)),
    )
