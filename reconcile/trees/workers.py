"""Worker processes: the same program, forked, taking tasks from a pipe.

Threads do not help where Python itself is the cost (measured: two are slower
than one); forked processes do. Tasks and answers are builtins, carried by
marshal between processes of one program. A worker that dies is an error, never
a hang; workers end when the pool or its owner does.
"""

import gc
import marshal
import os
import select
import signal
import struct
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from reconcile.model.errors import ReconcileError
from reconcile.trees.pulse import BEAT_S, listen, went

Emit = Callable[[Any], None]
Handle = Callable[[Any, Emit], Any]
"""Does one task. `emit` sends intermediate answers; the return value is the last one."""

_LENGTH = struct.Struct("<I")
_AHEAD = 2
"""Tasks a worker may have waiting: it never idles while its answer travels."""
_DIED, _AGAIN = "a worker process died", "run again to continue"


class WorkerFailed(ReconcileError):
    """A worker process raised or died; its task was not finished."""


class Pool:
    """`count` forked workers, each running `handle` on one task after another.

    Fork before any thread is started. Any: tasks and answers are whatever
    marshal carries (numbers, bytes, tuples, lists of those).
    """

    def __init__(self, count: int, handle: Handle) -> None:
        self._workers = [_Worker(handle) for _ in range(count)]

    def run(self, tasks: Iterable[Any]) -> Iterator[tuple[bool, Any]]:
        """(True, result) for each task and (False, answer) for what it emitted before.

        Answers of one task keep their order; tasks finish in any order.
        Raises: WorkerFailed.
        """
        waiting = iter(tasks)
        by_fd = {worker.answers: worker for worker in self._workers}
        for worker in self._workers * _AHEAD:
            worker.take(waiting)
        while busy := [fd for fd, worker in by_fd.items() if worker.pending]:
            ready = select.select(busy, [], [], BEAT_S)[0]
            if not ready:
                went(0)
            for fd in ready:
                worker = by_fd[fd]
                kind, answer = worker.receive()
                if kind == "beat":
                    went(answer)
                    continue
                if kind == "failed":
                    raise WorkerFailed("a worker process failed", where=answer)
                if kind == "done":
                    worker.pending -= 1
                    worker.take(waiting)
                yield kind == "done", answer

    def close(self) -> None:
        """End the workers, whatever they are doing."""
        for worker in self._workers:
            worker.end()
        self._workers = []


class _Worker:
    """One forked process and the two pipes to it."""

    def __init__(self, handle: Handle) -> None:
        tasks_read, self._tasks = os.pipe()
        self.answers, answers_write = os.pipe()
        self.pending = 0
        self._pid = os.fork()
        if not self._pid:
            os.close(self._tasks)
            os.close(self.answers)
            _serve(handle, tasks_read, answers_write)
        os.close(tasks_read)
        os.close(answers_write)

    def take(self, waiting: Iterator[Any]) -> None:
        """Hand over the next task, when there is one. Raises: WorkerFailed, as `receive` does."""
        for task in waiting:
            try:
                _send(self._tasks, task)
            except BrokenPipeError as error:
                raise WorkerFailed(_DIED, hint=_AGAIN) from error
            self.pending += 1
            return

    def receive(self) -> tuple[str, Any]:
        """The next answer. Raises: WorkerFailed, when the process is gone."""
        message = _receive(self.answers)
        if message is None:
            raise WorkerFailed(_DIED, hint=_AGAIN)
        kind, answer = message
        return kind, answer

    def end(self) -> None:
        """Close the pipes, kill the process and reap it."""
        os.close(self._tasks)
        os.close(self.answers)
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


def _serve(handle: Handle, tasks: int, answers: int) -> None:
    """The worker's life; never returns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.disable()
    listen(_Beats(answers).hear)
    try:
        while (task := _receive(tasks)) is not None:
            result = handle(task, lambda answer: _send(answers, ("emit", answer)))
            _send(answers, ("done", result))
    except BrokenPipeError:
        pass  # nobody listens any more
    except BaseException:  # the last line of a process: tell the owner, then end
        _send(answers, ("failed", traceback.format_exc()))
    os._exit(0)


class _Beats:
    """A worker's pulse on its way to the owner, now and then."""

    def __init__(self, answers: int) -> None:
        self._answers = answers
        self._count = 0
        self._last_s = time.monotonic()

    def hear(self, count: int) -> None:
        """See `pulse.Hear`."""
        self._count += count
        now_s = time.monotonic()
        if now_s - self._last_s >= BEAT_S:
            _send(self._answers, ("beat", self._count))
            self._count, self._last_s = 0, now_s


def _send(fd: int, message: Any) -> None:
    data = marshal.dumps(message)
    view = memoryview(_LENGTH.pack(len(data)) + data)
    while view:
        view = view[os.write(fd, view) :]


def _receive(fd: int) -> Any:
    head = _exactly(fd, _LENGTH.size)
    if not head:
        return None
    return marshal.loads(_exactly(fd, _LENGTH.unpack(head)[0]))  # our own child


def _exactly(fd: int, count: int) -> bytes:
    """`count` bytes, or none at all when the other end is closed."""
    parts: list[bytes] = []
    while count:
        part = os.read(fd, min(count, 1 << 20))
        if not part:
            return b""
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
