"""`--bwlimit` reaches every byte of a connection."""

import os

from reconcile.engine.throttle import throttle
from reconcile.trees.duplex import PACED_BYTES, Duplex
from reconcile.trees.sftp.channel import Packets
from tests.sftp.servers import Served

CONTENT = bytes(range(256)) * 1024


def test_without_a_limit_nobody_is_asked() -> None:
    assert throttle("") is None


def test_a_limit_makes_the_second_piece_wait_for_the_first() -> None:
    ask = throttle("64k")
    assert ask is not None
    assert ask(PACED_BYTES) == 0
    assert 0.9 < ask(PACED_BYTES) <= 1


def test_off_is_no_limit() -> None:
    ask = throttle("off")
    assert ask is not None
    assert [ask(1 << 30), ask(1 << 30)] == [0, 0]


def test_a_stream_asks_for_each_piece_of_both_directions() -> None:
    asked: list[int] = []

    def pace(size_bytes: int) -> float:
        asked.append(size_bytes)
        return 0.0

    there, back = os.pipe(), os.pipe()
    here = Duplex(back[0], there[1], pace=pace)
    far = Duplex(there[0], back[1])
    for start in range(0, len(CONTENT), 1 << 15):  # less than a pipe holds: one process, two ends
        here.write(CONTENT[start : start + (1 << 15)])
        far.write(far.read(1 << 15))
        assert here.read(1 << 15) == CONTENT[start : start + (1 << 15)]
    assert sum(asked) == 2 * len(CONTENT)
    assert max(asked) <= PACED_BYTES
    for fd in (*there, *back):
        os.close(fd)


def test_sftp_asks_for_each_piece_too() -> None:
    asked: list[int] = []
    heard: list[bytes] = []
    served = Served(["cat"])

    def pace(size_bytes: int) -> float:
        asked.append(size_bytes)
        return 0.0

    served.pace = pace
    packets = Packets(served, lambda kind, body: heard.append(body))
    body = b"\x01" + CONTENT[:200_000]
    packets.send(len(body).to_bytes(4, "big") + body)
    while not heard:
        packets.turn()
    assert heard == [body[1:]]
    assert sum(asked) == 2 * (len(body) + 4)
    assert max(asked) <= PACED_BYTES
    served.close()
