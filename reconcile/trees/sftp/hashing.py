"""Hashing on the server, where a shell account comes with SFTP: one program for many files.

Paths go in through standard input, separated by NUL, never through a command
line; what comes back is taken only in the exact form the program has, for
paths that were asked for. Names with a newline, a carriage return or a
backslash, which the programs spell in ways of their own, are not asked about.
"""

import os
import re
import select
from collections.abc import Callable, Sequence
from typing import Protocol

from reconcile.model.block import HashName
from reconcile.model.errors import ReconcileError
from reconcile.trees.sftp.channel import Channel

PROGRAMS: dict[HashName, str] = {"blake3": "b3sum", "sha256": "sha256sum"}
_LINE = re.compile(rb"([0-9a-f]{64})(?:  | \*)(/[^\0]*)")
_PIPED = re.compile(rb"([0-9a-f]{64})(?:  | \*)-\n")
_ODD = re.compile(rb"[\n\r\\]")
_PROBE = ("sh", "-c", "command -v xargs; command -v b3sum; command -v sha256sum")
_PROBE_BYTES = 1 << 14
END_BYTES = 64 << 10
_ENDS = '{{ head -c {0} -- "$1"; tail -c {0} -- "$1"; }} | {1}'


class RemoteHasher(Protocol):
    """Content ids made on the server."""

    @property
    def hash_names(self) -> tuple[HashName, ...]:
        """What it can do, best first; empty: nothing."""

    def takes(self, location: bytes) -> bool:
        """It can be asked about a path of this spelling."""

    def digests(self, hash_name: HashName, locations: Sequence[bytes]) -> Sequence[bytes | None]:
        """The content id of each absolute path; None: it does not say.

        Blocks until all are there. Nothing is raised: what goes wrong is None.
        """

    def ends(self, hash_name: HashName, location: bytes) -> bytes | None:
        """The id of a large file's first and last `END_BYTES`, put together; None: it does not
        say. Blocks, raises nothing."""


class ProgramHasher:
    """b3sum or sha256sum, fed by xargs, through a command channel."""

    def __init__(self, open_program: Callable[[Sequence[str]], Channel]) -> None:
        """`open_program` runs a command there, given as separate words."""
        self._open = open_program
        self._names: tuple[HashName, ...] | None = None

    @property
    def hash_names(self) -> tuple[HashName, ...]:
        """See `RemoteHasher.hash_names`. The first time a program is started to find out."""
        if self._names is None:
            self._names = self._probed()
        return self._names

    def takes(self, location: bytes) -> bool:
        """See `RemoteHasher.takes`."""
        return location.startswith(b"/") and not _ODD.search(location)

    def digests(self, hash_name: HashName, locations: Sequence[bytes]) -> Sequence[bytes | None]:
        """See `RemoteHasher.digests`."""
        asked = b"".join(location + b"\0" for location in locations)
        limit = len(asked) + 80 * len(locations)
        told = self._converse(("xargs", "-0", PROGRAMS[hash_name], "--"), asked, limit)
        known = _parsed(told, set(locations))
        return [known.get(location) for location in locations]

    def ends(self, hash_name: HashName, location: bytes) -> bytes | None:
        """See `RemoteHasher.ends`."""
        script = _ENDS.format(END_BYTES, PROGRAMS[hash_name])
        command = ("xargs", "-0", "-n", "1", "sh", "-c", script, "sh")
        told = self._converse(command, location + b"\0", 256)
        match = _PIPED.fullmatch(told)
        return bytes.fromhex(match[1].decode()) if match else None

    def _probed(self) -> tuple[HashName, ...]:
        told = self._converse(_PROBE, b"", _PROBE_BYTES)
        found = {os.path.basename(line) for line in told.split(b"\n")}
        if b"xargs" not in found:
            return ()
        return tuple(name for name, program in PROGRAMS.items() if program.encode() in found)

    def _converse(self, command: Sequence[str], said: bytes, limit: int) -> bytes:
        """What a program answers to `said`; empty when it cannot be run or says too much."""
        try:
            channel = self._open(command)
        except ReconcileError:
            return b""
        try:
            return _converse(channel, said, limit)
        except OSError:
            return b""
        finally:
            channel.close()


def _converse(channel: Channel, said: bytes, limit: int) -> bytes:
    """Write all, read all, both at once: neither side waits for the other."""
    os.set_blocking(channel.write_fd, False)
    rest = memoryview(said)
    told = bytearray()
    while True:
        if not rest and channel.write_fd >= 0:
            os.close(channel.write_fd)  # the program sees the end of its list
            channel.write_fd = -1
        if rest:
            ready = select.select([channel.read_fd], [channel.write_fd], [])
        else:
            ready = select.select([channel.read_fd], [], [])
        if ready[1]:
            rest = rest[_written(channel.write_fd, rest) :]
        if ready[0]:
            data = os.read(channel.read_fd, 1 << 16)
            told += data
            if not data or len(told) > limit:
                return bytes(told) if len(told) <= limit else b""


def _written(fd: int, rest: memoryview) -> int:
    try:
        return os.write(fd, rest[: 1 << 16])
    except BlockingIOError:
        return 0


def _parsed(told: bytes, asked: set[bytes]) -> dict[bytes, bytes]:
    """Path -> id, of lines in the exact form and for paths that were asked for."""
    known: dict[bytes, bytes] = {}
    for line in told.split(b"\n"):
        match = _LINE.fullmatch(line)
        if match and match[2] in asked:
            known[match[2]] = bytes.fromhex(match[1].decode())
    return known
