"""Closing: what comes after the last step of a run, and may fail without undoing it.

Every step is over and recorded by then: whatever goes wrong afterwards is told
beside what was done, and never in its place.
"""

from types import TracebackType

from reconcile.engine.events import Listener, Noted
from reconcile.model.errors import Interrupted, ReconcileError
from reconcile.model.plan import Problem, Side
from reconcile.model.treepath import ROOT


class Closing:
    """A run's last errands, each inside a `with` of its own."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.problems: list[Problem] = []
        """Of those that failed, in order."""

    def errand(self, what: str, severity: str, side: Side | None = None) -> "_Errand":
        """`with closing.errand("noting what stands", "error"):`; its failure becomes a problem."""
        return _Errand(self, what, severity, side)

    def failed(self, what: str, error: Exception, severity: str, side: Side | None) -> None:
        """Tell it."""
        code = error.code if isinstance(error, ReconcileError) else "E_IO"
        said = error.message if isinstance(error, ReconcileError) else str(error)
        reason = f"every step is over and recorded; only {what} failed: {said}"
        problem = Problem(ROOT, side, code, reason, severity)
        self.problems.append(problem)
        self._listener(Noted(problem))


class _Errand:
    def __init__(self, closing: Closing, what: str, severity: str, side: Side | None) -> None:
        self._closing = closing
        self._what, self._severity, self._side = what, severity, side

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, Interrupted) or not isinstance(error, ReconcileError | OSError):
            return False
        self._closing.failed(self._what, error, self._severity, self._side)
        return True
