"""Process codes: which one wins, and what each is called."""

from reconcile.model.errors import ExitCode

_SEVERITY = (
    ExitCode.INTERNAL, ExitCode.CONFIG, ExitCode.STATE, ExitCode.DENIED, ExitCode.NOT_FOUND,
    ExitCode.GUARD, ExitCode.STALE, ExitCode.MISMATCH, ExitCode.UNREACHABLE, ExitCode.PARTIAL,
    ExitCode.CONFLICTS, ExitCode.LOCKED, ExitCode.DECLINED, ExitCode.CHANGES, ExitCode.OK,
)  # fmt: skip


def worst(*codes: ExitCode) -> ExitCode:
    """The most severe of several; OK of none. Usage and signals end the process at once."""
    for code in _SEVERITY:
        if code in codes:
            return code
    return ExitCode.OK


def name_of(code: int) -> str:
    """`CONFLICTS`; an unknown code is `FAILURE`."""
    try:
        return ExitCode(code).name
    except ValueError:
        return "FAILURE"
