"""Pulse: work inside of one file, told while it goes on, to whoever shows how far a run is.

What reads or writes content beats; who waits beats too, with nothing. Nobody need
listen. The listener belongs to the thread that set it, and a worker process has its own.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Hear = Callable[[int], None]
"""Takes how many bytes were gone over since the last beat."""
BEAT_S = 0.2
"""How often is enough."""
_hear: "ContextVar[Hear | None]" = ContextVar("hear", default=None)


def went(count: int) -> None:
    """So many bytes of a file were gone over; of a file that is copied and proved, half of each."""
    hear = _hear.get()
    if hear is not None:
        hear(count)


def listen(hear: "Hear | None") -> None:
    """From now on, in this thread; None: nobody."""
    _hear.set(hear)


def patiently(work: Callable[[int], None], fd: int) -> None:
    """A call of the kernel that may take long: where somebody listens, beats go on meanwhile.

    The thread it takes is over on return. Raises: what `work` does.
    """
    if _hear.get() is None:
        work(fd)
        return
    raised: list[BaseException] = []

    def carry_out() -> None:
        try:
            work(fd)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=carry_out, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(BEAT_S)
        if thread.is_alive():
            went(0)
    if raised:
        raise raised[0]


@contextmanager
def heard(hear: Hear) -> Iterator[None]:
    """A stretch in which `hear` is told."""
    token = _hear.set(hear)
    try:
        yield
    finally:
        _hear.reset(token)
