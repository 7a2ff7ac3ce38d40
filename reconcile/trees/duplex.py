"""Duplex: one byte stream each way over two descriptors, without threads and without deadlock.

A write that would block reads meanwhile, so two ends that both write never wait
for each other; what is read ahead is bounded.
"""

import os
import select
import time
from collections.abc import Callable

from reconcile.model.errors import Unreachable

READ_BYTES = 1 << 18
PACED_BYTES = 1 << 16
"""At once, where there is a limit."""
AHEAD_LIMIT = 16 << 20
"""Bytes read while writing; an end that sends more than this unasked is broken."""
STALL_S = 300.0
"""An end that is waited for and says nothing so long is lost. One at work says so more often."""
_CRUMB = 4096
"""Fewer bytes than this are no progress on something larger."""
Pace = Callable[[int], float]
"""So many bytes are about to go or have come: seconds to wait before going on."""


class Duplex:
    """Both directions; the descriptors stay the caller's to close."""

    def __init__(
        self,
        read_fd: int,
        write_fd: int,
        lost: Callable[[], Exception] | None = None,
        pace: Pace | None = None,
        stall_s: float | None = STALL_S,
    ) -> None:
        """`lost` makes the error for a stream that ended; Unreachable without one.
        `stall_s`: see STALL_S; None waits for ever."""
        self._read_fd = read_fd
        self._write_fd = write_fd
        self._lost = lost or _ended
        self._pace = pace
        self._stall_s = stall_s
        self._ahead = bytearray()
        self._is_writing = False
        self._owed = b""
        """The rest of what was slipped in, when the pipe took only its beginning."""
        self._taken = 0
        self.sent_bytes = 0
        self.received_bytes = 0
        os.set_blocking(read_fd, False)
        os.set_blocking(write_fd, False)
        self._read_poll = select.poll()
        self._read_poll.register(read_fd, select.POLLIN)

    def write(self, data: bytes) -> None:
        """All of it. Raises: what `lost` makes; Unreachable."""
        self._is_writing = True
        owed, self._owed = self._owed, b""
        view = memoryview(owed + data if owed else data)
        pace = self._pace
        step = len(view) if pace is None else PACED_BYTES
        while view:
            piece, view = view[:step], view[step:]
            if pace is not None:
                self._wait(pace(len(piece)))
            self._write(piece)
        self._is_writing = False

    def slip_in(self, data: bytes) -> None:
        """A few bytes between two writes, from a signal handler; none while a write is under
        way, or when the pipe is full."""
        if self._is_writing or self._owed:
            return
        try:
            done = os.write(self._write_fd, data)
        except OSError:
            return  # the next write meets it
        self.sent_bytes += done
        self._owed = data[done:]

    def read(self, count: int) -> bytes:
        """Exactly `count` bytes. Raises: what `lost` makes; Unreachable."""
        waiting = _Waiting(self._stall_s)
        while (here := len(self._ahead) - self._taken) < count:
            waiting.poll(self._read_poll, here)
            if not self._fill(count):
                raise self._lost()
        start = self._taken
        self._taken = end = start + count
        data = bytes(memoryview(self._ahead)[start:end])
        if end == len(self._ahead):
            self._ahead.clear()
            self._taken = 0
        elif end > READ_BYTES:
            del self._ahead[:end]
            self._taken = 0
        return data

    def has_input_within(self, seconds: float) -> bool:
        """A byte can be read by then."""
        return len(self._ahead) > self._taken or bool(self._read_poll.poll(seconds * 1000))

    @property
    def has_input(self) -> bool:
        """At least a byte can be read without waiting."""
        return len(self._ahead) > self._taken or bool(self._read_poll.poll(0))

    def has_more(self) -> bool:
        """Wait for a byte; False: the stream ended."""
        waiting = _Waiting(self._stall_s)
        while len(self._ahead) == self._taken:
            waiting.poll(self._read_poll, 0)
            if not self._fill(0):
                return False
        return True

    def _write(self, view: memoryview) -> None:
        while view:
            try:
                done = os.write(self._write_fd, view)
            except BlockingIOError:
                self._make_room()
                continue
            except OSError as error:
                raise self._lost() from error
            self.sent_bytes += done
            view = view[done:]

    def _make_room(self) -> None:
        poll = select.poll()
        poll.register(self._write_fd, select.POLLOUT)
        poll.register(self._read_fd, select.POLLIN)
        for fd, _ in _Waiting(self._stall_s).poll(poll, 0):
            if fd == self._read_fd:
                if len(self._ahead) - self._taken > AHEAD_LIMIT:
                    raise Unreachable("the other end sends without being asked")
                if not self._fill(0):
                    raise self._lost()

    def _fill(self, wanted: int) -> bool:
        """Read what there is; False at the end of the stream."""
        missing = wanted - (len(self._ahead) - self._taken)
        try:
            most = max(READ_BYTES, min(missing, AHEAD_LIMIT))
            data = os.read(self._read_fd, most if self._pace is None else PACED_BYTES)
        except BlockingIOError:
            return True
        except OSError as error:
            raise self._lost() from error
        if self._pace is not None:
            self._wait(self._pace(len(data)))
        self._ahead += data
        self.received_bytes += len(data)
        return bool(data)

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)


class _Waiting:
    """Waiting for one thing, as long as it goes on."""

    def __init__(self, stall_s: float | None) -> None:
        self._stall_s = stall_s
        self._waited_s = 0.0
        self._seen = 0

    def poll(self, poll: "select.poll", seen: int) -> list[tuple[int, int]]:
        """What is ready; `seen` is how far it has come. Raises: Unreachable."""
        if self._stall_s is None:
            return poll.poll()
        if seen - self._seen >= _CRUMB:
            self._seen, self._waited_s = seen, 0.0
        started = time.monotonic()
        found = poll.poll(max(0.0, self._stall_s - self._waited_s) * 1000)
        self._waited_s += time.monotonic() - started
        if not found or self._waited_s > self._stall_s:
            raise Unreachable(f"the other end has said nothing for {self._stall_s:g} s")
        return found


def _ended() -> Exception:
    return Unreachable("the connection ended")
