"""Tasks: coroutines that wait for answers, interleaved by hand. No threads, no asyncio.

A step's procedure is written as it would be for one file, with an `await` for
each answer; a hundred of them run side by side, so a batch costs the round
trips of its longest procedure and not of all of them.
"""

from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from reconcile.trees.base import ContentChanged
from reconcile.trees.hashing import Volatile

T = TypeVar("T")
Work = Coroutine["Event[Any]", None, T]
"""Any: a task may wait for events of any kind."""
VALUES = (OSError, ContentChanged, Volatile)
"""Trouble with one path: whoever waits for the task gets it. Anything else ends the run."""


class Event(Generic[T]):
    """Something that will have a value or an error once."""

    __slots__ = ("error", "is_over", "value", "waiter")

    def __init__(self) -> None:
        self.is_over = False
        self.value: T | None = None
        self.error: BaseException | None = None
        self.waiter: Callable[[], None] | None = None

    def settle(self, value: T) -> None:
        """It is over, and this is its value."""
        self.value, self.is_over = value, True
        if self.waiter is not None:
            self.waiter()

    def fail(self, error: BaseException) -> None:
        """It is over, and this went wrong."""
        self.error, self.is_over = error, True
        if self.waiter is not None:
            self.waiter()

    def then(self, wake: Callable[[], None]) -> None:
        """Call `wake` when it is over, beside whoever waits already."""
        before = self.waiter
        if before is None:
            self.waiter = wake
            return

        def both() -> None:
            before()
            wake()

        self.waiter = both

    def __await__(self) -> Generator["Event[T]", None, T]:
        if not self.is_over:
            yield self
        return self.result()

    def result(self) -> T:
        """The value of an event that is over. Raises: its error."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]  # settled: T itself may be None


class Tasks:
    """Tasks that run side by side. `turn` waits for the next answer from outside.

    A task may run others of its own to their end in between; answers to those
    outside wait until then.
    """

    current: ClassVar["Tasks"]
    """Those of the task that runs now."""

    def __init__(self, turn: Callable[[], None]) -> None:
        self._turn = turn
        self._ready: deque[_Task] = deque()
        self._alive: set[_Task] = set()

    def start(self, work: Work[T]) -> Event[T]:
        """Run a coroutine; the event is its end."""
        task = _Task(work, self._ready)
        self._alive.add(task)
        self._ready.append(task)
        return task.end

    def step(self) -> bool:
        """Run every task that can run; False: there was none."""
        if not self._ready:
            return False
        before = getattr(Tasks, "current", self)
        Tasks.current = self
        try:
            while self._ready:
                task = self._ready.popleft()
                if task.step():
                    self._alive.discard(task)
        finally:
            Tasks.current = before
        return True

    def until(self, end: Event[T]) -> T:
        """Run until `end` is over. Raises: its error; what `turn` raises."""
        while not end.is_over:
            if not self.step():
                self._turn()
        return end.result()

    def abandon(self) -> None:
        """Stop every task where it stands."""
        for task in self._alive:
            task.work.close()
        self._alive.clear()
        self._ready.clear()


class _Task:
    """One coroutine on its way."""

    __slots__ = ("end", "ready", "work")

    def __init__(self, work: Work[Any], ready: "deque[_Task]") -> None:
        self.work = work
        self.ready = ready
        self.end: Event[Any] = Event()

    def step(self) -> bool:
        """Go on to the next wait; True: it has ended."""
        try:
            event = self.work.send(None)
        except StopIteration as stop:
            self.end.settle(stop.value)
            return True
        except VALUES as error:
            self.end.fail(error)
            return True
        if event.is_over:
            self.ready.append(self)
        else:
            event.then(self._wake)
        return False

    def _wake(self) -> None:
        self.ready.append(self)


class Budget:
    """So many bytes may be on their way at once; who comes when there are none waits in line."""

    def __init__(self, size_bytes: int) -> None:
        self._size = self._left = size_bytes
        self._line: deque[tuple[int, Event[None]]] = deque()

    async def take(self, count: int) -> int:
        """Wait for `count` bytes, or for all there are; how many were taken, for `give`."""
        count = min(count, self._size)
        if self._line or count > self._left:
            turn: Event[None] = Event()
            self._line.append((count, turn))
            await turn
        else:
            self._left -= count
        return count

    def give(self, count: int) -> None:
        """Return what was taken."""
        self._left += count
        while self._line and self._line[0][0] <= self._left:
            taken, turn = self._line.popleft()
            self._left -= taken
            turn.settle(None)


async def together(works: Iterable[Work[T]], most: int) -> Sequence[T]:
    """The results of all, in order, at most so many at once; the first error, after all ended."""
    tasks = Tasks.current
    source = iter(works)
    running: deque[Event[T]] = deque()
    results: list[T] = []
    error: BaseException | None = None
    while True:
        while len(running) < most and (work := next(source, None)) is not None:
            running.append(tasks.start(work))
        if not running:
            break
        try:
            results.append(await running.popleft())
        except VALUES as failure:
            error = error or failure
    if error is not None:
        raise error
    return results
