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
from reconcile.cli.pace import Pace, percent
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
        self._pace = Pace()

    def line(self, event: Event) -> Line | None:
        """None: this event is no line of its own."""
        match event:
            case Phase():
                self._pace.start()
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
            resumed_files=tally.resumed_files,
            resumed_bytes=tally.resumed_bytes,
            final=event.final,
        )

    def _moved(self, event: Moved) -> ProgressEvent | None:
        if event.done < event.total and not self._throttle.is_due():
            return None
        known = self._pace.hear(event)
        return ProgressEvent(
            done=event.done,
            total=event.total,
            bytes_done=event.bytes_done,
            bytes_total=event.bytes_total,
            percent=percent(event),
            rate=known.rate,
            eta_s=None if known.left_s is None else int(known.left_s),
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
