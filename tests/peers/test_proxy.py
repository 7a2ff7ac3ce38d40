"""The proxy of the tests: exact counts, exact cuts, a delay on every byte."""

import socket
import time
from collections.abc import Iterator

import pytest

from tests.peers.proxy import Direction, Proxy


@pytest.fixture
def door() -> Iterator[socket.socket]:
    """Where the server listens."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(10)
        yield door


def joined(proxy: Proxy, door: socket.socket) -> tuple[socket.socket, socket.socket]:
    """(client, server) of a new connection through the proxy."""
    client = socket.create_connection(("127.0.0.1", proxy.port), timeout=10)
    server, _ = door.accept()
    server.settimeout(10)
    return client, server


def received(end: socket.socket, size_bytes: int = -1) -> bytes:
    """This many bytes, or everything up to the end of the stream."""
    data = b""
    while len(data) != size_bytes and (more := end.recv(65536)):
        data += more
    return data


def test_bytes_and_the_end_travel_both_ways_and_are_counted(door: socket.socket) -> None:
    with Proxy(door.getsockname()[1]) as proxy:
        client, server = joined(proxy, door)
        with client, server:
            client.sendall(b"question")
            client.shutdown(socket.SHUT_WR)
            assert received(server) == b"question"
            server.sendall(b"a longer answer")
            server.close()
            assert received(client) == b"a longer answer"
        assert proxy.counts() == (1, 8, 15, 0)


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("size_bytes", [1, 1000, 65_537])
def test_a_cut_is_exact_and_both_ends_see_it(
    door: socket.socket, direction: Direction, size_bytes: int
) -> None:
    data = bytes(range(256)) * 300
    with Proxy(door.getsockname()[1]) as proxy:
        client, server = joined(proxy, door)
        speaker, listener = (client, server) if direction == "up" else (server, client)
        with client, server:
            proxy.cut_after(direction, size_bytes)
            speaker.sendall(data)
            assert received(listener) == data[:size_bytes]
            assert received(speaker) == b""
        counts = proxy.counts()
        assert (counts.up_bytes + counts.down_bytes, counts.cuts) == (size_bytes, 1)


def test_after_a_cut_the_line_works_again(door: socket.socket) -> None:
    with Proxy(door.getsockname()[1]) as proxy:
        proxy.cut_after("up", 1)
        for wanted in (b"d", b"data"):
            client, server = joined(proxy, door)
            with client, server:
                client.sendall(b"data")
                assert received(server, len(wanted)) == wanted
        assert proxy.counts().cuts == 1


def test_a_cut_counts_from_the_order_and_can_be_withdrawn(door: socket.socket) -> None:
    with Proxy(door.getsockname()[1]) as proxy:
        client, server = joined(proxy, door)
        with client, server:
            client.sendall(b"abcd")
            assert received(server, 4) == b"abcd"
            proxy.cut_after("up", 3)
            client.sendall(b"ef")
            assert received(server, 2) == b"ef"
            proxy.cut_after("up", -1)
            client.sendall(b"ghij")
            assert received(server, 4) == b"ghij"


def test_a_held_line_stands_still_until_it_goes_on(door: socket.socket) -> None:
    with Proxy(door.getsockname()[1]) as proxy:
        proxy.hold_after("up", 3)
        client, server = joined(proxy, door)
        with client, server:
            client.sendall(b"abcdef")
            assert proxy.wait_held()
            assert received(server, 3) == b"abc"
            server.sendall(b"answer")
            server.setblocking(False)
            with pytest.raises(BlockingIOError):
                server.recv(1)
            assert proxy.counts() == (1, 3, 0, 0)
            server.settimeout(10)
            proxy.go_on()
            assert received(server, 3) == b"def"
            assert received(client, 6) == b"answer"


def test_waiting_for_a_hold_ends_with_the_connections(door: socket.socket) -> None:
    with Proxy(door.getsockname()[1]) as proxy:
        proxy.hold_after("up", 3)
        client, server = joined(proxy, door)
        with client, server:
            client.sendall(b"ab")
            assert received(server, 2) == b"ab"
        assert not proxy.wait_held()


def test_every_byte_is_late_and_many_are_under_way_together(door: socket.socket) -> None:
    delay_s, messages = 0.05, 400
    with Proxy(door.getsockname()[1], delay_s=delay_s) as proxy:
        client, server = joined(proxy, door)
        with client, server:
            begun = time.monotonic()
            for number in range(messages):
                client.sendall(b"%04d" % number)
            assert received(server, 4 * messages)[-4:] == b"0399"
            server.sendall(b"x")
            assert received(client, 1) == b"x"
            assert 2 * delay_s <= time.monotonic() - begun < messages * delay_s


def test_a_client_that_vanishes_is_told_to_the_server(door: socket.socket) -> None:
    with Proxy(door.getsockname()[1]) as proxy:
        client, server = joined(proxy, door)
        with server:
            client.close()
            assert received(server) == b""
