"""A loopback of our own: its interface counters are then this run's bytes and nothing else's.

Source: unshare(2), setns(2), netdevice(7). Needs root (CAP_SYS_ADMIN).
"""

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x40000000
PR_SET_CHILD_SUBREAPER = 36
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def private_loopback() -> Iterator[bool]:
    """This process and what it starts inside get an empty network. False: not allowed."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.unshare(CLONE_NEWNET):
            yield False
            return
        try:
            _lift()
            yield True
        finally:
            _libc.setns(before, CLONE_NEWNET)
    finally:
        os.close(before)


def sent_bytes() -> int:
    """What left the loopback interface so far, headers included.

    On a loopback each packet is sent once and received once by the same
    interface: the sent side alone is the sum of both directions of the wire.
    """
    for line in Path("/proc/thread-self/net/dev").read_text(encoding="ascii").splitlines():
        name, _, counters = line.partition(":")
        if name.strip() == "lo":
            return int(counters.split()[8])
    raise FileNotFoundError("there is no loopback interface `lo`")


def adopt_orphans() -> None:
    """From now on processes whose parent died become ours: none escapes our counting."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _lift() -> None:
    """`ip link set lo up`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        answer = fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sh22x", b"lo", 0))
        (flags,) = struct.unpack_from("h", answer, 16)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))
