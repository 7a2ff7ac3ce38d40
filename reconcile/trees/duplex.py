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
AHEAD_LIMIT = 16 << 20
"""Bytes read while writing; an end that sends more than this unasked is broken."""
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
    ) -> None:
        """`lost` makes the error for a stream that ended; Unreachable without one."""
        self._read_fd = read_fd
        self._write_fd = write_fd
        self._lost = lost or _ended
        self._pace = pace
        self._ahead = bytearray()
        self._taken = 0
        self.sent_bytes = 0
        self.received_bytes = 0
        os.set_blocking(read_fd, False)
        os.set_blocking(write_fd, False)
        self._read_poll = select.poll()
        self._read_poll.register(read_fd, select.POLLIN)

    def write(self, data: bytes) -> None:
        """All of it. Raises: what `lost` makes."""
        view = memoryview(data)
        if self._pace is None:
            self._write(view)
            return
        while view:
            piece, view = view[: 1 << 16], view[1 << 16 :]
            self._wait(self._pace(len(piece)))
            self._write(piece)

    def read(self, count: int) -> bytes:
        """Exactly `count` bytes. Raises: what `lost` makes."""
        while len(self._ahead) - self._taken < count:
            self._read_poll.poll()
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

    @property
    def has_input(self) -> bool:
        """At least a byte can be read without waiting."""
        return len(self._ahead) > self._taken or bool(self._read_poll.poll(0))

    def has_more(self) -> bool:
        """Wait for a byte; False: the stream ended."""
        while len(self._ahead) == self._taken:
            self._read_poll.poll()
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
        for fd, _ in poll.poll():
            if fd == self._read_fd:
                if len(self._ahead) - self._taken > AHEAD_LIMIT:
                    raise Unreachable("the other end sends without being asked")
                if not self._fill(0):
                    raise self._lost()

    def _fill(self, wanted: int) -> bool:
        """Read what there is; False at the end of the stream."""
        missing = wanted - (len(self._ahead) - self._taken)
        try:
            data = os.read(self._read_fd, max(READ_BYTES, min(missing, AHEAD_LIMIT)))
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


def _ended() -> Exception:
    return Unreachable("the connection ended")
