"""A TCP proxy between a client and a server on 127.0.0.1: it counts, delays, cuts and holds.

    with Proxy(server.port) as proxy:
        proxy.cut_after("up", 100_000)
        ...  # a client that connects to proxy.port loses its connection in the middle
        assert proxy.counts().cuts == 1

"up" is from the client to the server. The proxy is a process of its own, so that
the tests' process, which forks, owns no thread; the two talk in lines of JSON.
Bandwidth is not limited. The delay is on the bytes, not on TCP's own handshake.
"""

import argparse
import json
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Literal, NamedTuple, Self

Direction = Literal["up", "down"]

READ_BYTES = 1 << 18
LINE_BYTES = 64 << 20
"""What may be under way in one direction; a real line holds bandwidth times delay."""


class Counts(NamedTuple):
    """What went through since the proxy started: bytes that were handed on, not read."""

    connections: int
    up_bytes: int
    down_bytes: int
    cuts: int


class Proxy:
    """The handle of a running proxy."""

    def __init__(self, target_port: int, *, delay_s: float = 0.0) -> None:
        """`delay_s` is the delay of one direction: half a round trip."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", __file__, str(target_port), str(delay_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        (self.port,) = self._ask("port")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The proxy's process."""
        return self._process.pid

    def counts(self) -> Counts:
        """The counts of now."""
        return Counts(*self._ask("counts"))

    def cut_after(self, direction: Direction, size_bytes: int) -> None:
        """End every connection once `size_bytes` more, to the byte, were handed on that way.

        Both ends see an ordinary end of stream; what else is under way never arrives.
        Then the line works again. A second call replaces the first; below 0: no cut.
        """
        self._ask("cut", direction, size_bytes)

    def hold_after(self, direction: Direction, size_bytes: int) -> None:
        """The same, but the line stands still there and stays whole, until `go_on`."""
        self._ask("hold", direction, size_bytes)

    def wait_held(self) -> bool:
        """Return once the line stands still. False: all connections ended before that."""
        (held,) = self._ask("wait")
        return bool(held)

    def go_on(self) -> None:
        """Let a held line move again."""
        self._ask("go on")

    def close(self) -> None:
        """End the proxy and its connections."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _ask(self, *words: str | int) -> list[int]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(words).encode() + b"\n")
        self._process.stdin.flush()
        answer: list[int] = json.loads(self._process.stdout.readline())
        return answer


class Flow:
    """One direction of one connection."""

    def __init__(self, source: socket.socket, sink: socket.socket, direction: Direction) -> None:
        self.source = source
        self.sink = sink
        self.direction = direction
        self.line: deque[tuple[float, memoryview]] = deque()
        """(when it is due, bytes); no bytes: the end of the stream."""
        self.size_bytes = 0
        self.ended = False
        """The source has said all it had to say."""
        self.finished = False
        """And the sink has been told."""

    def take(self, due: float) -> None:
        """Read what the source has; an end counts as something to hand on."""
        try:
            data = self.source.recv(READ_BYTES)
        except OSError:
            data = b""
        self.ended = not data
        self.line.append((due, memoryview(data)))
        self.size_bytes += len(data)


class Line:
    """All connections, with what is under way in them."""

    def __init__(self, target_port: int, delay_s: float) -> None:
        self.target_port = target_port
        self.delay_s = delay_s
        self.flows: list[Flow] = []
        self.connections = self.cuts = 0
        self.counted = {"up": 0, "down": 0}
        self.allowed = {"up": -1, "down": -1}
        """How much may still be handed on before the cut; below 0: everything."""
        self.held = self.to_hold = False
        self._seen = 0

    def connect(self, client: socket.socket) -> None:
        """A client has come."""
        self.connections += 1
        try:
            server = socket.create_connection(("127.0.0.1", self.target_port))
        except OSError:
            client.close()
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.setblocking(False)
        self.flows += [Flow(client, server, "up"), Flow(server, client, "down")]

    @property
    def is_over(self) -> bool:
        """There was a connection since the last order, and none is left."""
        return self.connections > self._seen and not self.flows

    def readable(self) -> list[socket.socket]:
        """The ends that may speak."""
        if self.held:
            return []
        return [f.source for f in self.flows if not f.ended and f.size_bytes < LINE_BYTES]

    def due(self, now: float) -> list[socket.socket]:
        """The ends for which something has arrived."""
        if self.held:
            return []
        return [f.sink for f in self.flows if f.line and f.line[0][0] <= now]

    def wait_s(self, now: float) -> float | None:
        """Until the next bytes arrive at an end. None: nothing is under way."""
        if self.held:
            return None
        times = [f.line[0][0] for f in self.flows if f.line and f.line[0][0] > now]
        return min(times) - now if times else None

    def move(self, spoken: Sequence[object], free: Sequence[object]) -> None:
        """Take in from who has spoken, hand on to who is free."""
        now = time.monotonic()
        for flow in self.flows:
            if flow.source in spoken:
                flow.take(now + self.delay_s)
        for flow in self.flows:
            if flow.sink in free and not self.held:
                self._hand_on(flow, now)
            if self.allowed[flow.direction] == 0:
                self._reached()
        self._forget()

    def order(self, direction: str, size_bytes: int, *, hold: bool) -> None:
        """Cut or hold after so many bytes more."""
        self.allowed = {"up": -1, "down": -1, direction: size_bytes}
        self.to_hold = hold
        self._seen = self.connections - bool(self.flows)

    def _reached(self) -> None:
        if self.to_hold:
            self.allowed = {"up": -1, "down": -1}
            self.held = True
        else:
            self._cut()

    def _hand_on(self, flow: Flow, now: float) -> None:
        while flow.line and flow.line[0][0] <= now and not flow.finished:
            due, data = flow.line.popleft()
            allowed = self.allowed[flow.direction]
            part = data if allowed < 0 else data[:allowed]
            try:
                sent = flow.sink.send(part) if data else self._end(flow)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._abandon(flow)
                return
            flow.size_bytes -= sent
            self.counted[flow.direction] += sent
            if allowed >= 0:
                self.allowed[flow.direction] -= sent
            if sent < len(data):
                flow.line.appendleft((due, data[sent:]))
                return

    def _end(self, flow: Flow) -> int:
        flow.sink.shutdown(socket.SHUT_WR)
        flow.finished = True
        return 0

    def _abandon(self, broken: Flow) -> None:
        """One end is gone: the other learns it at once."""
        for flow in self.flows:
            if {flow.source, flow.sink} == {broken.source, broken.sink}:
                flow.line.clear()
                flow.ended = flow.finished = True

    def _cut(self) -> None:
        """Both ends see the end; what they still say is read and thrown away."""
        self.allowed = {"up": -1, "down": -1}
        self.cuts += 1
        for flow in self.flows:
            flow.line.clear()
            flow.size_bytes = 0
            if not flow.finished:
                flow.finished = True
                try:
                    flow.sink.shutdown(socket.SHUT_WR)
                except OSError:
                    flow.ended = True

    def _forget(self) -> None:
        """Close the connections that are over in both directions."""
        for flow in self.flows:
            if flow.finished:
                flow.line.clear()
                flow.size_bytes = 0
        open_ends = {f.source for f in self.flows if not (f.ended and f.finished)}
        for flow in self.flows:
            if flow.source not in open_ends and flow.sink not in open_ends:
                flow.source.close()
        self.flows = [f for f in self.flows if f.source in open_ends or f.sink in open_ends]


def answer(line: Line, port: int, words: list[str]) -> list[int] | None:
    """What the handle is told. None: nothing yet."""
    match words:
        case ["port"]:
            return [port]
        case ["counts"]:
            return [line.connections, line.counted["up"], line.counted["down"], line.cuts]
        case ["cut" | "hold" as kind, direction, size_bytes]:
            line.order(direction, int(size_bytes), hold=kind == "hold")
            return []
        case ["wait"]:
            return [line.held] if line.held or line.is_over else None
        case ["go on"]:
            line.held = False
            return []
        case _:
            raise ValueError(words)


def serve(target_port: int, delay_s: float) -> None:
    """Until the handle closes its end."""
    line = Line(target_port, delay_s)
    orders = sys.stdin.buffer  # the handle waits for each answer: never two lines in it
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0), backlog=128) as door:
        port = door.getsockname()[1]
        while True:
            now = time.monotonic()
            readable, free, _ = select.select(
                [door, orders, *line.readable()], line.due(now), [], line.wait_s(now)
            )
            if door in readable:
                line.connect(door.accept()[0])
            line.move(readable, free)
            if orders in readable:
                said = orders.readline()
                if not said:
                    return
                asked = json.loads(said)
            if asked and (told := answer(line, port, asked)) is not None:
                asked = []
                print(json.dumps(told), flush=True)


def main() -> None:
    """The proxy's process."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("target_port", type=int)
    parser.add_argument("delay_s", type=float)
    options = parser.parse_args()
    serve(options.target_port, options.delay_s)


if __name__ == "__main__":
    main()
