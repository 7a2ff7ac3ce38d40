"""A line between reconcile and its agent on which one message becomes another.

It takes the place of `ssh`: `python -m tests.attacks.bending ARGUMENT…`, where BENDING in
the environment is `SEED DIRECTION NUMBER REPORT`. The NUMBERth message that goes `up` (to the
agent) or `down` is bent, framing and page ids kept right; when nothing moves afterwards, the
line is cut. What the agent came to is written to REPORT, and REPORT.lock is locked
until then.
"""

import fcntl
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from reconcile.model.block import page_id
from reconcile.model.codec import decode_entries, encode
from reconcile.model.errors import ReconcileError
from reconcile.wire.frames import HEAD, encode_frame
from reconcile.wire.messages import MESSAGES, NUMBERS, Alive, Hello, Rows

_MAIN = "import sys; from reconcile.cli.main import main; sys.exit(main())"
QUIET_S = 2.0
"""Both ends wait for each other when nothing moved so long, and a message was bent."""
_HELD = 1 << 29
"""Bytes of memory that an agent may take in all."""
HOSTILE: list[Any] = [
    b"..", b"../outside/kept", b"/etc/passwd", b".reconcile/lock", b"a/b", b"", b"a\0b", b"\xff",
    b"x" * 256, b"x" * 70_000, b"d/" * 2000, "..", "\x1b[2J\nx", "x" * 5000, "stream", "delta", -1,
    0, 1, 2**31, 2**62, 2**64 - 1, None, True, [], {}, [[]] * 1000, [None] * 100_000, 1.5,
]  # fmt: skip


def ways(value: Any, way: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    """Where everything stands in a value of lists."""
    below = enumerate(value) if isinstance(value, list) else ()
    return [way, *(found for at, one in below for found in ways(one, (*way, at)))]


def bent(value: Any, way: tuple[int, ...], to: Any) -> Any:
    """The value, with something else in that place."""
    if not way:
        return to
    return [bent(one, way[1:], to) if at == way[0] else one for at, one in enumerate(value)]


def instead(kind: int, body: bytes, dice: random.Random) -> list[bytes]:
    """The frames that come in place of one."""
    plain = encode_frame(kind, body, None)
    way = dice.randrange(8)
    if way == 0:
        return [plain, plain]
    if way == 1:
        return [encode_frame(dice.choice([*MESSAGES, 40, 41, 42, 99]), body, None)]
    if way == 2:
        other = dice.choice([*MESSAGES, 40, 41, 42])
        return [encode_frame(other, dice.choice([b"\x90", b"", encode([])]), None), plain]
    if way == 3 or kind not in MESSAGES:
        at = dice.randrange(len(body) or 1)
        bit = bytes([body[at] ^ 1 << dice.randrange(8)]) if body else b"x"
        return [encode_frame(kind, body[:at] + bit + body[at + 1 :], None)]
    return [encode_frame(kind, _bent(kind, body, dice), None)]


def _bent(kind: int, body: bytes, dice: random.Random) -> bytes:
    raw = msgspec.msgpack.decode(body)
    if MESSAGES[kind] is Rows and raw[0] and dice.random() < 0.7:
        row = dice.choice(raw[0])
        _bend_page(row, dice)
        return encode(raw)
    return encode(bent(raw, dice.choice(ways(raw)), dice.choice(HOSTILE)))


def _bend_page(row: list[Any], dice: random.Random) -> None:
    """Entries of a page become others, and its id is right where there can be one."""
    entries = msgspec.msgpack.decode(row[3])
    block = encode(bent(entries, dice.choice(ways(entries)), dice.choice(HOSTILE)))
    row[3] = block
    try:
        row[1] = page_id(decode_entries(block))
    except (ReconcileError, TypeError, ValueError):
        return  # there is none: it is told as it is


class Line:
    """Both directions between the standard streams and an agent."""

    def __init__(self, nonce: str, spec: str) -> None:
        seed, self._direction, number, self._report = spec.split(" ", 3)
        self._dice = random.Random(int(seed))
        self._left = int(number)
        self._said = ""
        self._moved = time.monotonic()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the report comes first
        self._at_work = os.open(self._report + ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._at_work, fcntl.LOCK_EX)
        self._agent = subprocess.Popen(
            [sys.executable, "-c", _MAIN, "remote", "--nonce", nonce],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        resource.prlimit(self._agent.pid, resource.RLIMIT_AS, (_HELD, _HELD))

    def run(self) -> None:
        """Until either end has hung up, or nothing moves any more."""
        agent = self._agent
        assert agent.stdin
        assert agent.stdout
        assert agent.stderr
        heard = agent.stdout.readline()
        os.write(1, heard)
        ends = [
            threading.Thread(target=self._carry, args=way, daemon=True)
            for way in (
                ("up", sys.stdin.buffer, agent.stdin),
                ("down", agent.stdout, sys.stdout.buffer),
            )
        ]
        for end in ends:
            end.start()
        while all(end.is_alive() for end in ends):
            ends[1].join(0.05)
            if self._said and time.monotonic() - self._moved > QUIET_S:
                break
        if not ends[0].is_alive() or self._said:
            ends[1].join(QUIET_S)
        status = self._ended()
        said = agent.stderr.read().decode("utf-8", "replace")
        report = {"bent": self._said, "status": status, "said": said}
        Path(self._report).write_text(json.dumps(report))
        os._exit(0)

    def _ended(self) -> int:
        """The agent is to end by itself, having lost its near side."""
        os.close(0)
        stdin = self._agent.stdin
        assert stdin
        try:
            os.close(stdin.fileno())
        except OSError:
            pass
        try:
            return self._agent.wait(20)
        except subprocess.TimeoutExpired:
            self._agent.kill()
            return -9

    def _carry(self, way: str, source: BinaryIO, sink: BinaryIO) -> None:
        try:
            while head := source.read(HEAD.size):
                length, kind, _ = HEAD.unpack(head)
                self._pass(way, kind, source.read(length), sink)
        except (OSError, ValueError):
            pass  # an end has hung up
        try:
            os.close(sink.fileno())
        except (OSError, ValueError):
            pass

    def _pass(self, way: str, kind: int, body: bytes, sink: BinaryIO) -> None:
        if MESSAGES.get(kind) is Hello:
            raw = msgspec.msgpack.decode(body)
            raw[2] = ["none"]
            body = encode(raw)
        frames = [encode_frame(kind, body, None)]
        if kind != NUMBERS[Alive]:
            self._moved = time.monotonic()
            if way == self._direction:
                self._left -= 1
                if not self._left:
                    frames = instead(kind, body, self._dice)
                    self._said = f"{MESSAGES.get(kind, kind)}: {frames!r:.2000}"
        sink.writelines(frames)
        sink.flush()


if __name__ == "__main__":
    found = re.search(r"--nonce ([0-9a-f]+)", sys.argv[-1])
    if found is None:
        sys.exit(0)  # asked for its settings
    Line(found[1], os.environ["BENDING"]).run()
