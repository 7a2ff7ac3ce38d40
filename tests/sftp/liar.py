"""A program between a client and sftp-server that changes what the server says.

    python -m tests.sftp.liar LIE SERVER [ARGUMENT…]

`cut:N` ends both after N bytes from the client, `deaf:N` after N from the server; `bent:N`
makes one answer another, the same one in the same way for the same N.
"""

import os
import random
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


HOSTILE_NAMES = (
    b"..", b"../outside/kept", b"/etc/passwd", b".", b"", b"a/b", b"a\0b", b"\xff\xfe", b"x" * 256,
    b"x" * 70_000, b"\x1b[2J\x07", b".reconcile", b".rcn-0", "\u202etxt.exe".encode(), b"d/" * 3000,
)  # fmt: skip
HOSTILE_NUMBERS = (
    0,
    1,
    2,
    0o040000,
    0o120777,
    0o010644,
    1 << 20,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
)
ANSWERS = 60
"""About so many come in a small run."""


class Bent:
    """One answer of many is another: a string in it, a number, its type, or how often it comes."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._left = self._dice.randint(1, ANSWERS)

    def __call__(self, kind: int, body: bytes) -> list[bytes]:
        self._left -= 1
        return [packet(kind, body)] if self._left else self._bent(kind, body)

    def _bent(self, kind: int, body: bytes) -> list[bytes]:
        dice = self._dice
        way = dice.randrange(8)
        if way == 0:
            return [packet(kind, body)] * 2
        if way == 1:
            return [packet(dice.choice((NAME, STATUS, DATA, ATTRS, 102, 201, 7)), body)]
        if way == 2:
            return [packet(kind, body[: dice.randrange(len(body))])]
        if way == 3:
            code = struct.pack(">I", dice.randrange(12))
            said = struct.pack(">I", 9) + b"\x1b[2Jlies!" + struct.pack(">I", 0)
            return [packet(STATUS, body[:4] + code + said)]
        places = [at for at in range(4, len(body) - 3) if self._holds_text(body, at)]
        if way < 6 and places:
            at = dice.choice(places)
            end = at + 4 + int.from_bytes(body[at : at + 4], "big")
            name = dice.choice(HOSTILE_NAMES)
            return [packet(kind, body[:at] + struct.pack(">I", len(name)) + name + body[end:])]
        at = dice.randrange(4, max(5, len(body) - 3))
        number = struct.pack(">I", dice.choice(HOSTILE_NUMBERS))
        return [packet(kind, body[:at] + number + body[at + 4 :])]

    @staticmethod
    def _holds_text(body: bytes, at: int) -> bool:
        length = int.from_bytes(body[at : at + 4], "big")
        return 0 < length <= len(body) - at - 4


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
        self._tell = Bent(int(number)) if word == "bent" else LIES.get(word, truthful)
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
