"""Session: the listener of one run. Facts come in, JSON lines or progress go out."""

from reconcile.cli.events_json import (
    Event as Line,
)
from reconcile.cli.events_json import (
    PhaseEvent,
    ProgressEvent,
    ScanEvent,
    StepDoneEvent,
    StepFailedEvent,
    StepStartEvent,
)
from reconcile.cli.face import LINES, Face
from reconcile.cli.progress import Progress, interval_of, progress_for
from reconcile.cli.signals import Signals
from reconcile.cli.to_json import path_fields, receipt_detail
from reconcile.cli.words import Throttle
from reconcile.engine.events import (
    Conflicted,
    Event,
    Moved,
    Noted,
    Phase,
    Planned,
    Scanned,
    StepEnded,
    StepStarted,
)
from reconcile.model.job import Job
from reconcile.model.receipt import Status

_WRITING = ("recover", "transfer", "delete", "commit")


class Session:
    """Hears every event of the engine."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self._signals = Signals()
        self._json = face.format == LINES
        self._progress: Progress = progress_for(face)
        self._throttle = Throttle(interval_of(face, 1.0))

    def begin(self, job: Job) -> None:
        """Say what is about to happen."""
        if self._json:
            self._face.lines.hello(job.left, job.right, job.rules.mode.value)

    def __call__(self, event: Event) -> None:
        """Take note."""
        if isinstance(event, Phase) and event.name in _WRITING:
            self._face.wrote = True
        if self._json:
            line = self._line(event)
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

    def _line(self, event: Event) -> Line | None:
        match event:
            case Phase():
                return PhaseEvent(name=event.name)
            case Scanned():
                return self._scan(event)
            case Moved():
                return self._moved(event)
            case StepStarted():
                return StepStartEvent(step=event.step.id)
            case StepEnded():
                return _ended(event)
            case Noted() | Conflicted() | Planned():
                return None

    def _scan(self, event: Scanned) -> ScanEvent | None:
        if not event.final and not self._throttle.is_due():
            return None
        tally = event.tally
        return ScanEvent(
            side=event.side.value,
            files=tally.files,
            bytes=tally.size_bytes,
            hashed_files=tally.hashed_files,
            hashed_bytes=tally.hashed_bytes,
            final=event.final,
        )

    def _moved(self, event: Moved) -> ProgressEvent | None:
        if event.done < event.total and not self._throttle.is_due():
            return None
        return ProgressEvent(
            done=event.done,
            total=event.total,
            bytes_done=event.bytes_done,
            bytes_total=event.bytes_total,
            percent=percent(event),
        )


def percent(event: Moved) -> float:
    """By bytes when there are any, else by steps; 100 only when all steps are done."""
    if event.done >= event.total:
        return 100.0
    if event.bytes_total:
        return min(99.9, round(100 * event.bytes_done / event.bytes_total, 1))
    return min(99.9, round(100 * event.done / max(event.total, 1), 1))


def _ended(event: StepEnded) -> Line:
    receipt = event.receipt
    if receipt.status is Status.DONE:
        return StepDoneEvent(step=event.step.id, bytes=receipt.size_bytes)
    path, path_b64 = path_fields(event.step.path)
    return StepFailedEvent(
        step=event.step.id,
        status=receipt.status.value,
        error=receipt.code,
        detail=receipt_detail(receipt),
        path=path,
        path_b64=path_b64,
    )
