"""The events of a run as JSON lines. Imported only where they are asked for."""

from reconcile.cli.events_json import Event as Line
from reconcile.cli.events_json import (
    PhaseEvent,
    ProgressEvent,
    ScanEvent,
    StepDoneEvent,
    StepFailedEvent,
    StepStartEvent,
)
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
from reconcile.model.receipt import Status


class LineMaker:
    """Makes the line of an event; progress no more often than asked."""

    def __init__(self, interval_s: float) -> None:
        self._throttle = Throttle(interval_s)

    def line(self, event: Event) -> Line | None:
        """None: this event is no line of its own."""
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


def percent(event: Moved) -> float:
    """By bytes when there are any, else by steps; 100 only when all steps are done."""
    if event.done >= event.total:
        return 100.0
    if event.bytes_total:
        return min(99.9, round(100 * event.bytes_done / event.bytes_total, 1))
    return min(99.9, round(100 * event.done / max(event.total, 1), 1))
