"""A program between a client and sftp-server that changes what the server says.

    python -m tests.sftp.liar LIE SERVER [ARGUMENT…]

`cut:N` ends both after N bytes from the client, `deaf:N` after N from the server.
"""

import os
import select
import struct
import subprocess
import sys
from collections.abc import Callable

NAME, STATUS, DATA, ATTRS = 104, 101, 103, 105
Lie = Callable[[int, bytes], list[bytes]]
"""(type, body) of an answer to the packets that are sent instead."""


def packet(kind: int, body: bytes) -> bytes:
    return struct.pack(">IB", len(body) + 1, kind) + body


def renamed(name: bytes) -> Lie:
    """The first name of a listing becomes another."""

    def lie(kind: int, body: bytes) -> list[bytes]:
        if kind != NAME or struct.unpack(">I", body[4:8])[0] < 2:
            return [packet(kind, body)]
        length = struct.unpack(">I", body[8:12])[0]
        return [packet(kind, body[:8] + struct.pack(">I", len(name)) + name + body[12 + length :])]

    return lie


class Endless:
    """A listing that never ends, of names that never repeat."""

    def __init__(self, *, repeats: bool) -> None:
        self._repeats = repeats
        self._count = 0

    def __call__(self, kind: int, body: bytes) -> list[bytes]:
        if kind != STATUS or body[4:8] != b"\0\0\0\1":
            return [packet(kind, body)]
        self._count += 1
        names = b""
        for number in range(2000):
            name = b"n%d" % (number if self._repeats else self._count * 2000 + number)
            attributes = struct.pack(">IQIII", 1 | 4 | 8, 0, 0o100644, 1, 1)
            names += struct.pack(">I", len(name)) + name + b"\0\0\0\0" + attributes
        return [packet(NAME, body[:4] + struct.pack(">I", 2000) + names)]


def wrong_id(kind: int, body: bytes) -> list[bytes]:
    return [packet(kind, struct.pack(">I", 77_777) + body[4:] if kind == NAME else body)]


def huge(kind: int, body: bytes) -> list[bytes]:
    return [struct.pack(">IB", 0x7FFFFFFF, kind) + body if kind == NAME else packet(kind, body)]


def many(kind: int, body: bytes) -> list[bytes]:
    """A count that its packet cannot hold."""
    return [packet(kind, body[:4] + b"\x7f\xff\xff\xff" + body[8:] if kind == NAME else body)]


def short(kind: int, body: bytes) -> list[bytes]:
    return [packet(kind, body[:-3] if kind == NAME else body)]


def other_type(kind: int, body: bytes) -> list[bytes]:
    return [packet(DATA if kind == NAME else kind, body)]


def flipped(kind: int, body: bytes) -> list[bytes]:
    """Content that is not what the disk holds."""
    if kind == DATA:
        body = body[:-1] + bytes([body[-1] ^ 1])
    return [packet(kind, body)]


def ownerless(kind: int, body: bytes) -> list[bytes]:
    """Whose things are is left out."""
    flags = int.from_bytes(body[4:8], "big")
    if kind == ATTRS and flags & 2:
        at = 16 if flags & 1 else 8
        body = body[:4] + struct.pack(">I", flags & ~2) + body[8:at] + body[at + 8 :]
    return [packet(kind, body)]


def truthful(kind: int, body: bytes) -> list[bytes]:
    return [packet(kind, body)]


LIES: dict[str, Lie] = {
    "slash": renamed(b"../../escaped"),
    "absolute": renamed(b"/etc/passwd"),
    "nul": renamed(b"a\0b"),
    "empty": renamed(b""),
    "long": renamed(b"x" * 300),
    "endless": Endless(repeats=False),
    "repeating": Endless(repeats=True),
    "wrong-id": wrong_id,
    "huge": huge,
    "many": many,
    "short": short,
    "other-type": other_type,
    "flipped": flipped,
    "ownerless": ownerless,
    "truthful": truthful,
}


class Between:
    """Bytes both ways; neither direction ever waits for the other."""

    def __init__(self, lie: str, server: "subprocess.Popen[bytes]") -> None:
        assert server.stdin is not None
        assert server.stdout is not None
        word, _, number = lie.partition(":")
        self.said, self.heard = server.stdout.fileno(), server.stdin.fileno()
        self._limits = {
            0: int(number) if word == "cut" else sys.maxsize,
            self.said: int(number) if word == "deaf" else sys.maxsize,
        }
        self._tell = LIES.get(word, truthful)
        self._out = {self.heard: bytearray(), 1: bytearray()}
        self._held = b""
        self._is_closed = False
        for fd in self._out:
            os.set_blocking(fd, False)

    def turn(self) -> bool:
        """Move what can be moved; False: it is over."""
        waiting = [fd for fd, data in self._out.items() if data]
        readable = [0, self.said] if sum(map(len, self._out.values())) < 1 << 24 else []
        if not self._limits[0]:
            readable = [self.said]  # what came before the cut is still done
            if not self._out[self.heard] and not self._is_closed:
                os.close(self.heard)
                self._is_closed = True
        ready = select.select(readable, waiting, [])
        for fd in ready[1]:
            count = os.write(fd, self._out[fd])
            del self._out[fd][:count]
        return all(self._take(fd) for fd in ready[0])

    def _take(self, fd: int) -> bool:
        data = os.read(fd, 1 << 16)[: self._limits[fd]]
        self._limits[fd] -= len(data)
        if fd == 0:
            self._out[self.heard] += data
            return bool(data)
        if not self._limits[fd]:
            return False
        self._held += data
        while len(self._held) >= 4 and len(self._held) >= 4 + self._length():
            end = 4 + self._length()
            for answer in self._tell(self._held[4], self._held[5:end]):
                self._out[1] += answer
            self._held = self._held[end:]
        return bool(data)

    def _length(self) -> int:
        return int.from_bytes(self._held[:4], "big")


def main(lie: str, argv: list[str]) -> None:
    server = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        between = Between(lie, server)
        while between.turn():
            pass
    except BrokenPipeError:
        pass
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
