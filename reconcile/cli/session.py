"""Session: the listener of one run. Facts come in, JSON lines or progress go out."""

from typing import TYPE_CHECKING

from reconcile.cli.face import LINES, Face
from reconcile.cli.progress import Progress, interval_of, progress_for
from reconcile.cli.signals import Signals
from reconcile.engine.events import Event, Phase, Scanned
from reconcile.model.job import Job

if TYPE_CHECKING:
    from reconcile.cli.session_json import LineMaker

_WRITING = ("recover", "transfer", "delete", "commit", "prune")


class Session:
    """Hears every event of the engine."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self._signals = Signals()
        self._json = _line_maker(face) if face.format == LINES else None
        self._progress: Progress = progress_for(face)

    def begin(self, job: Job) -> None:
        """Say what is about to happen."""
        if self._json:
            self._face.lines.hello(job.left, job.right, job.rules.mode.value, job.name)

    def __call__(self, event: Event) -> None:
        """Take note."""
        if isinstance(event, Phase) and event.name in _WRITING:
            self._face.wrote = True
        if isinstance(event, Scanned) and event.is_kept and event.tally.hashed_bytes:
            self._face.keeps_hashes = True
        if self._json:
            line = self._json.line(event)
            if line is not None:
                self._face.lines.emit(line)
        else:
            if self._signals.asked_for_line:
                self._signals.asked_for_line = False
                self._progress.line_now()
            self._progress.hear(event)

    def pause(self) -> None:
        """Clear the live region: somebody is asked, or the answer is printed."""
        self._progress.stop()

    def close(self) -> None:
        """The run is over, one way or the other."""
        self._progress.stop()


def _line_maker(face: Face) -> "LineMaker":
    from reconcile.cli.session_json import LineMaker  # 10 ms that text does not need

    return LineMaker(interval_of(face, 1.0))
