"""Channel: the two pipe ends of a program that speaks SFTP, and the packets in them.

Never blocks in a write while answers wait to be read: both directions are
watched together, so any number of requests may be on its way. No threads.
"""

import os
import select
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Protocol

from reconcile.model.errors import ReconcileError, Unreachable
from reconcile.trees.duplex import PACED_BYTES
from reconcile.trees.sftp.packets import MAX_PACKET
from reconcile.wire.frames import ProtocolError

_WRITE_BYTES = 1 << 18
_WRITE_PARTS = 256
_SHOWN_BYTES = 120
SILENT_S = 600.0
"""A server that is waited for and brings no whole packet for so long is lost: a request of its own
can take long, and by then our lock over there is over as well."""
_LOOK_S = 30.0
"""Waited at once, so that a process that was stopped meanwhile does not count it all."""


class Channel(Protocol):
    """A program at the other end of two pipes."""

    read_fd: int
    """What it says."""
    write_fd: int
    """What it hears. Whoever closes one of the two writes -1 in its place."""
    pace: Callable[[int], float] | None
    """So many bytes travel: seconds to wait for them; None: no limit."""

    def failure(self) -> ReconcileError:
        """Why it ended; asked after the end of its output or a broken pipe."""

    def close(self) -> None:
        """End it."""


class Packets:
    """Packets out and in. `take` is given the type and the rest of each that came in."""

    def __init__(self, channel: Channel, take: Callable[[int, bytes], None]) -> None:
        self._channel = channel
        self._take = take
        self._out: deque[bytes] = deque()
        self._sent = 0
        self._pace = channel.pace
        self._piece_bytes = _WRITE_BYTES if channel.pace is None else PACED_BYTES
        self._in = bytearray()
        self._any = False
        self._silent_s = 0.0
        self.received_bytes = 0
        self.sent_bytes = 0
        os.set_blocking(channel.read_fd, False)
        os.set_blocking(channel.write_fd, False)
        self._poll = select.poll()
        self._poll.register(channel.read_fd, select.POLLIN)
        self._is_watched = False

    def send(self, packet: bytes) -> None:
        """Put a packet in the queue; `turn` sends it."""
        self._out.append(packet)

    def turn(self) -> None:
        """Wait until something can be sent or has come, and handle it.

        Raises: what the channel says of its end; ProtocolError.
        """
        self._watch(bool(self._out))
        for fd, event in self._events():
            if fd == self._channel.read_fd:
                self._receive()
            elif event & (select.POLLERR | select.POLLHUP):
                raise self._channel.failure()
            else:
                self._flush()

    def _events(self) -> list[tuple[int, int]]:
        """Raises: Unreachable, when neither has been possible for too long."""
        while True:
            wait_s = min(_LOOK_S, SILENT_S)
            events = self._poll.poll(wait_s * 1000)
            if events:
                return events
            self._silent_s += wait_s
            if self._silent_s >= SILENT_S:
                raise Unreachable(
                    f"the server has said nothing for {SILENT_S:g} s",
                    hint="what is done is recorded; look at the server, then run the same command",
                )

    def _watch(self, wanted: bool) -> None:
        if wanted and not self._is_watched:
            self._poll.register(self._channel.write_fd, select.POLLOUT)
        elif not wanted and self._is_watched:
            self._poll.unregister(self._channel.write_fd)
        self._is_watched = wanted

    def _flush(self) -> None:
        try:
            while self._out:
                count = os.writev(self._channel.write_fd, self._gathered())
                self.sent_bytes += count
                self._silent_s = 0.0
                self._drop(count)
                self._wait(count)
        except BlockingIOError:
            return
        except BrokenPipeError as error:
            raise self._channel.failure() from error

    def _gathered(self) -> list[memoryview]:
        """Enough of what waits to be worth a system call."""
        parts: list[memoryview] = []
        size = -self._sent
        for part in islice(self._out, _WRITE_PARTS):
            parts.append(memoryview(part))
            size += len(part)
            if size >= self._piece_bytes:
                break
        parts[0] = parts[0][self._sent :]
        return parts if self._pace is None else [parts[0][: self._piece_bytes]]

    def _wait(self, size_bytes: int) -> None:
        if self._pace is not None:
            time.sleep(self._pace(size_bytes))

    def _drop(self, count: int) -> None:
        self._sent += count
        while self._out and self._sent >= len(self._out[0]):
            self._sent -= len(self._out.popleft())

    def _receive(self) -> None:
        try:
            data = os.read(self._channel.read_fd, self._piece_bytes)
        except BlockingIOError:
            return
        if not data:
            raise self._channel.failure()
        self.received_bytes += len(data)
        self._wait(len(data))
        self._in += data
        self._take_apart()

    def _take_apart(self) -> None:
        held, at, end = self._in, 0, len(self._in)
        try:
            while end - at >= 5:
                length = int.from_bytes(held[at : at + 4], "big")
                if not 1 <= length <= MAX_PACKET:
                    raise self._no_packet(bytes(held[at : at + _SHOWN_BYTES]), length)
                if end - at < length + 4:
                    break
                body = bytes(held[at + 5 : at + 4 + length])
                kind = held[at + 4]
                at += length + 4
                self._any = True
                self._silent_s = 0.0
                self._take(kind, body)
        finally:
            del held[:at]

    def _no_packet(self, data: bytes, length: int) -> ReconcileError:
        if self._any:
            return ProtocolError(f"the server announces an answer of {length} bytes")
        shown = data.decode("utf-8", "backslashreplace").encode("unicode_escape").decode()
        return Unreachable(
            f"the server does not begin with SFTP, but with `{shown}`",
            hint="a start-up file of the shell there (.bashrc) prints text; let it be silent "
            "when it is not interactive",
        )
