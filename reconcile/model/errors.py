"""Errors that end a run, each with its exit code. One path's trouble is a `Problem` instead.

    ReconcileError              1 E_INTERNAL
      UsageError               64 E_USAGE
        NeedsApproval          64 E_NEEDS_APPROVAL
        SecretInUrl            64 E_SECRET_IN_URL
      ConfigError              78 E_CONFIG
      Refused                   5 a guard: `code` names which; nothing was changed
      StalePlan                 6 E_PLAN_STALE
        PlanUsed                6 E_PLAN_USED
      PlanCorrupt              64 E_PLAN_CORRUPT
      Locked                    7 E_LOCKED
      Unreachable               8 E_UNREACHABLE
      Denied                    9 E_DENIED
      StateError               10 E_STATE_CORRUPT, E_BASELINE_MISSING
      StateUnavailable         10 E_STATE_UNAVAILABLE
      Mismatch                 11 E_MISMATCH
      NotFound                 12 E_NOT_FOUND
        RootMissing            12 E_ROOT_MISSING
      ManifestError            64 E_MANIFEST
        PathRefused            64 E_PATH
        ManifestBroken         64 E_MANIFEST
      NoSpace                   4 E_NO_SPACE
      Interrupted             130 E_INTERRUPTED

Every one says what happened (`message`), where, what was changed, and what to
try; the face prints those four. Fields hold the values.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """The process codes of docs/exit-codes.md; an unknown code is a failure."""

    OK = 0
    INTERNAL = 1
    CHANGES = 2
    CONFLICTS = 3
    PARTIAL = 4
    GUARD = 5
    STALE = 6
    LOCKED = 7
    UNREACHABLE = 8
    DENIED = 9
    STATE = 10
    MISMATCH = 11
    NOT_FOUND = 12
    DECLINED = 13
    USAGE = 64
    CONFIG = 78
    INT = 130
    PIPE = 141
    TERM = 143


class ReconcileError(Exception):
    """The run cannot go on. `changed` says what it had done by then."""

    exit_code = ExitCode.INTERNAL
    code = "E_INTERNAL"

    def __init__(
        self,
        message: str,
        *,
        where: str = "",
        changed: str = "nothing",
        hint: str = "",
        code: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.changed = changed
        self.hint = hint
        self.code = code or type(self).code


class UsageError(ReconcileError):
    """The command line asks for something that cannot be."""

    exit_code = ExitCode.USAGE
    code = "E_USAGE"


class NeedsApproval(UsageError):
    """It would have to ask, and may not."""

    code = "E_NEEDS_APPROVAL"


class SecretInUrl(UsageError):
    """A password stands in an endpoint's URL."""

    code = "E_SECRET_IN_URL"


class ConfigError(ReconcileError):
    """A job file or filter file is invalid."""

    exit_code = ExitCode.CONFIG
    code = "E_CONFIG"


class Refused(ReconcileError):
    """A guard stopped the whole plan before the first write; `code` names the guard."""

    exit_code = ExitCode.GUARD
    code = "E_GUARD"


class StalePlan(ReconcileError):
    """The world the plan was made from is gone."""

    exit_code = ExitCode.STALE
    code = "E_PLAN_STALE"


class PlanUsed(StalePlan):
    """This plan was applied before."""

    code = "E_PLAN_USED"


class PlanCorrupt(ReconcileError):
    """A plan file whose bytes are not what was saved, or that is no plan."""

    exit_code = ExitCode.USAGE
    code = "E_PLAN_CORRUPT"


class Locked(ReconcileError):
    """Another run holds this pair or one of its roots."""

    exit_code = ExitCode.LOCKED
    code = "E_LOCKED"


class Unreachable(ReconcileError):
    """A side cannot be reached now; trying again may help."""

    exit_code = ExitCode.UNREACHABLE
    code = "E_UNREACHABLE"


class Denied(ReconcileError):
    """A side refuses us: permission, authentication, host key."""

    exit_code = ExitCode.DENIED
    code = "E_DENIED"


class StateError(ReconcileError):
    """The state is damaged, or a baseline is missing where one is required."""

    exit_code = ExitCode.STATE
    code = "E_STATE_CORRUPT"


class StateUnavailable(ReconcileError):
    """The state cannot be read or written now; nothing says that it is damaged."""

    exit_code = ExitCode.STATE
    code = "E_STATE_UNAVAILABLE"


class Mismatch(ReconcileError):
    """`verify` found that content is not what it should be."""

    exit_code = ExitCode.MISMATCH
    code = "E_MISMATCH"


class NotFound(ReconcileError):
    """A named thing does not exist."""

    exit_code = ExitCode.NOT_FOUND
    code = "E_NOT_FOUND"


class RootMissing(NotFound):
    """A side's root directory is not there; never read as "everything was deleted"."""

    code = "E_ROOT_MISSING"


class ManifestError(ReconcileError):
    """Bytes that are not a manifest by FORMAT.md; says which rule and where."""

    exit_code = ExitCode.USAGE
    code = "E_MANIFEST"


class PathRefused(ManifestError):
    """A path that no tree may hold."""

    code = "E_PATH"

    def __init__(self, path: bytes, rule: str) -> None:
        super().__init__(f"path {path[:80]!r} is refused: {rule}")
        self.path = path
        self.rule = rule


class ManifestBroken(ManifestError):
    """A manifest file that breaks a rule of FORMAT.md §10: `rule` names it, `offset` says where."""

    def __init__(self, rule: str, offset: int, detail: str) -> None:
        super().__init__(
            f"the manifest breaks rule `{rule}` at byte {offset}: {detail}",
            hint="fetch or build the manifest again; its rules are in manifests/FORMAT.md",
        )
        self.rule = rule
        self.offset = offset


class NoSpace(ReconcileError):
    """A side is full."""

    exit_code = ExitCode.PARTIAL
    code = "E_NO_SPACE"


class Interrupted(ReconcileError):
    """Stopped by the user; state is saved and the next run goes on."""

    exit_code = ExitCode.INT
    code = "E_INTERRUPTED"
