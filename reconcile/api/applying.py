"""Events as they happen: a run and its reader take turns.

The engine calls a listener; a reader wants to iterate. So the run has a thread
of its own that stands still whenever the reader has an event to look at, and
the reader stands still while the run goes on. One of the two moves at a time:
worker processes are forked by the run while the reader holds no lock but the one
it waits at, which no forked process ever touches.
"""

import atexit
import threading
from collections.abc import Callable, Generator
from typing import Generic, TypeVar

from reconcile.engine.events import Event, Listener, Moved, Phase, StepEnded
from reconcile.model.errors import Interrupted

T = TypeVar("T")


def events(run: Callable[[Listener], T]) -> Generator[Event | T, None, None]:
    """Every event of `run`, each when it happens, then its result; its errors are raised here.

    Closed early (`close()`, or a loop that is left), the run stops between two
    steps with the state saved, before `close` returns.
    """
    turns = _Turns(run)
    try:
        while (event := turns.next()) is not None:
            yield event
        yield turns.result()
    finally:
        turns.stop()


class _Stop(Interrupted):
    """The reader has gone."""


class _Turns(Generic[T]):
    """The run's thread, and whose turn it is."""

    def __init__(self, run: Callable[[Listener], T]) -> None:
        self._run = run
        self._event: Event | None = None
        self._answer: list[T] = []
        self._error: BaseException | None = None
        self._ran = threading.Semaphore(0)
        self._read = threading.Semaphore(0)
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="reconcile-run", daemon=True)
        self._thread.start()
        atexit.register(self.stop)

    def next(self) -> Event | None:
        """The next event; None: the run is over."""
        self._read.release()
        self._ran.acquire()
        event, self._event = self._event, None
        return event

    def result(self) -> T:
        """What the run answered, or its error."""
        if self._error is not None:
            raise self._error
        return self._answer[0]

    def stop(self) -> None:
        """End the run at the next place where it can be left, and wait for that."""
        atexit.unregister(self.stop)
        self._stopping = True
        self._read.release()
        self._thread.join()

    def _work(self) -> None:
        self._read.acquire()
        try:
            if not self._stopping:
                self._answer.append(self._run(self._listen))
        except BaseException as error:
            self._error = error
        finally:
            self._ran.release()

    def _listen(self, event: Event) -> None:
        if not self._is_left():
            self._event = event
            self._ran.release()
            self._read.acquire()
        if self._is_left() and _may_stop(event):
            raise _Stop("the reader of the events has gone")

    def _is_left(self) -> bool:
        return self._stopping


def _may_stop(event: Event) -> bool:
    """Not while steps that are over are being recorded and told."""
    if isinstance(event, Phase):
        return event.name != "commit"
    return not isinstance(event, StepEnded | Moved)
