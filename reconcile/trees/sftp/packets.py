"""Packets: the words of SFTP version 3, to bytes and back.

Every length, count and type a server sends is checked before it is used; what
does not fit is `BadPacket`, never filled up or passed over. No paramiko here:
its messages pad what is short with zeros, and its client can neither have many
requests on their way nor read while it writes. It stays what opens the channel
where there is no OpenSSH client. Source: draft-ietf-secsh-filexfer-02, and the
PROTOCOL file of OpenSSH for the extensions.
"""

from enum import IntEnum
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import NamedTuple

MAX_PACKET = 1 << 20
"""OpenSSH sends at most 256 KiB; a length above this is no SFTP."""


class Ask(IntEnum):
    """Requests."""

    INIT = 1
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    FSTAT = 8
    SETSTAT = 9
    FSETSTAT = 10
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    MKDIR = 14
    RMDIR = 15
    REALPATH = 16
    STAT = 17
    RENAME = 18
    READLINK = 19
    SYMLINK = 20
    EXTENDED = 200


class Told(IntEnum):
    """Answers."""

    VERSION = 2
    STATUS = 101
    HANDLE = 102
    DATA = 103
    NAME = 104
    ATTRS = 105
    EXTENDED_REPLY = 201


class Code(IntEnum):
    """What a STATUS says; other numbers are failures."""

    OK = 0
    EOF = 1
    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    FAILURE = 4
    BAD_MESSAGE = 5
    OP_UNSUPPORTED = 8


READ, WRITE, CREATE, TRUNCATE, EXCLUSIVE = 0x1, 0x2, 0x8, 0x10, 0x20
"""How a file is opened."""

_SIZE, _OWNER, _MODE, _TIMES, _EXTENDED = 0x1, 0x2, 0x4, 0x8, 0x80000000
_NUMBER = Struct(">I")
_LONG = Struct(">Q")
_HEAD = Struct(">IBI")
_TWO = Struct(">II")
_MAX_TIME_S = 2**32 - 1


class BadPacket(Exception):
    """Bytes that are no packet of the protocol."""


class Attributes(NamedTuple):
    """What a server says of a name; what it left out is 0, as `has_all` tells."""

    mode: int = 0
    """Type bits included."""
    size: int = 0
    mtime_s: int = 0
    uid: int = 0
    gid: int = 0
    has_all: bool = True
    """Type, size and time are the server's own words."""
    has_owner: bool = True
    """Owner and group are."""


class Named(NamedTuple):
    """One name of a directory."""

    name: bytes
    attributes: Attributes


def packet(ask: Ask, number: int, body: bytes) -> bytes:
    """A request as it travels."""
    return _HEAD.pack(len(body) + 5, ask, number) + body


def text(value: bytes) -> bytes:
    """A string: its length and itself."""
    return _NUMBER.pack(len(value)) + value


def number(value: int) -> bytes:
    """32 bits."""
    return _NUMBER.pack(value)


def long(value: int) -> bytes:
    """64 bits."""
    return _LONG.pack(value)


def attributes(
    *,
    mode: int | None = None,
    mtime_ns: int | None = None,
    owner: tuple[int, int] | None = None,
) -> bytes:
    """What is to be set; times are whole seconds from 1970 to 2106, the nearest is taken."""
    flags, body = 0, b""
    if owner is not None:
        flags |= _OWNER
        body += _TWO.pack(*owner)
    if mode is not None:
        flags |= _MODE
        body += _NUMBER.pack(mode)
    if mtime_ns is not None:
        seconds = whole_seconds(mtime_ns)
        flags |= _TIMES
        body += _TWO.pack(seconds, seconds)
    return _NUMBER.pack(flags) + body


def whole_seconds(time_ns: int) -> int:
    """A time as the protocol can carry it."""
    return min(max(time_ns // 1_000_000_000, 0), _MAX_TIME_S)


class Fields:
    """The body of an answer, taken apart from the front. Everything raises BadPacket."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def number(self) -> int:
        """32 bits."""
        return int(self._take(_NUMBER)[0])

    def long(self) -> int:
        """64 bits."""
        return int(self._take(_LONG)[0])

    def text(self) -> bytes:
        """A string."""
        length = self.number()
        end = self._at + length
        if end > len(self._body):
            raise BadPacket(f"a string of {length} bytes ends after its packet")
        value = self._body[self._at : end]
        self._at = end
        return value

    def attributes(self) -> Attributes:
        """What is said of a file."""
        flags = self.number()
        size = self.long() if flags & _SIZE else 0
        uid, gid = self._take(_TWO) if flags & _OWNER else (0, 0)
        mode = self.number() if flags & _MODE else 0
        _, mtime_s = self._take(_TWO) if flags & _TIMES else (0, 0)
        if flags & _EXTENDED:
            for _ in range(self.count(8)):
                self.text()
                self.text()
        needed = _SIZE | _MODE | _TIMES
        has_owner = bool(flags & _OWNER)
        return Attributes(mode, size, mtime_s, uid, gid, flags & needed == needed, has_owner)

    def count(self, least_bytes: int) -> int:
        """How many things follow, each of at least so many bytes."""
        count = self.number()
        if count * least_bytes > len(self._body) - self._at:
            raise BadPacket(f"{count} things cannot stand in {len(self._body)} bytes")
        return count

    @property
    def is_over(self) -> bool:
        """Nothing is left."""
        return self._at == len(self._body)

    def _take(self, shape: Struct) -> tuple[int, ...]:
        try:
            values = shape.unpack_from(self._body, self._at)
        except StructError as error:
            raise BadPacket("an answer is too short") from error
        self._at += shape.size
        return values


def names(body: bytes) -> list[Named]:
    """The names of a NAME answer, unchecked as names. Raises: BadPacket."""
    fields = Fields(body)
    found = []
    for _ in range(fields.count(12)):
        name = fields.text()
        fields.text()  # the long form is for people
        found.append(Named(name, fields.attributes()))
    return found
