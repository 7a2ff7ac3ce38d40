"""Frames: the units of the agent protocol's byte stream. docs/agent-protocol.md §2.

    length (4 bytes, big-endian) ‖ type (1) ‖ flags (1) ‖ body

`length` counts the body as sent. Flag 1: the body went through the direction's
one compressed stream, which ends a block with every frame. A body unpacks to at
most `BODY_LIMIT` bytes, and its length is checked before anything is read: a
hostile peer costs that much memory and no more.
"""

import struct
import sys
import zlib
from collections.abc import Callable
from typing import NamedTuple, Protocol

from reconcile.model.errors import Unreachable

HEAD = struct.Struct(">IBB")
BODY_LIMIT = 8 << 20
"""A directory page at its largest fits, and a thousand steps with the longest paths."""
_SENT_LIMIT = BODY_LIMIT - (1 << 13)
"""What cannot be compressed grows a little."""
SQUEEZED = 1
_WORTH_SQUEEZING = 64
_WINDOW_LOG = 23
COMPRESSIONS = ("zstd", "zlib", "none")
"""In order of preference; a program without zstd offers the last two."""


class ProtocolError(Unreachable):
    """The other end does not keep to the protocol; nothing it said is believed further."""

    code = "E_PROTOCOL"


class Frame(NamedTuple):
    """One frame, unpacked."""

    type: int
    body: bytes


class Packer(Protocol):
    """One direction's compressed stream, on the sending side."""

    def pack(self, data: bytes) -> bytes:
        """`data` as a block of the stream, complete."""


class Unpacker(Protocol):
    """The same on the receiving side."""

    def unpack(self, data: bytes) -> bytes:
        """The data of one block; at most BODY_LIMIT bytes. Raises: ProtocolError."""


def packer(compression: str, level: int) -> Packer | None:
    """None for `none`."""
    if compression == "none":
        return None
    return _ZlibPacker(level) if compression == "zlib" else _ZstdPacker(level)


def unpacker(compression: str) -> Unpacker | None:
    """None for `none`."""
    if compression == "none":
        return None
    return _ZlibUnpacker() if compression == "zlib" else _ZstdUnpacker()


def offered() -> tuple[str, ...]:
    """The compressions this program can do, best first."""
    try:
        _zstd()  # type: ignore[no-untyped-call]
    except ImportError:
        return COMPRESSIONS[1:]
    return COMPRESSIONS


def encode_frame(kind: int, body: bytes, pack: Packer | None) -> bytes:
    """The frame's bytes; packed when `pack` is given and there is enough of it.

    Raises: ProtocolError, for a body that no other end would take.
    """
    if len(body) > _SENT_LIMIT:
        raise ProtocolError(f"a message of {len(body)} bytes is too large to be sent")
    if pack is not None and len(body) >= _WORTH_SQUEEZING:
        body = pack.pack(body)
        return HEAD.pack(len(body), kind, SQUEEZED) + body
    return HEAD.pack(len(body), kind, 0) + body


def read_frame(read: Callable[[int], bytes], unpack: Unpacker | None) -> Frame:
    """The next frame; `read` answers exactly as many bytes as asked. Raises: ProtocolError."""
    length, kind, flags = HEAD.unpack(read(HEAD.size))
    if length > BODY_LIMIT or flags > SQUEEZED:
        raise ProtocolError(f"a frame of {length} bytes with flags {flags:#x} is refused")
    body = read(length)
    if not flags:
        return Frame(kind, body)
    if unpack is None:
        raise ProtocolError("a compressed frame, where none was agreed on")
    return Frame(kind, unpack.unpack(body))


class _ZlibPacker:
    def __init__(self, level: int) -> None:
        self._stream = zlib.compressobj(level, zlib.DEFLATED, -15)

    def pack(self, data: bytes) -> bytes:
        return self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH)


class _ZlibUnpacker:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-15)

    def unpack(self, data: bytes) -> bytes:
        try:
            raw = self._stream.decompress(data, BODY_LIMIT + 1)
        except zlib.error as error:
            raise ProtocolError(f"a compressed frame is damaged: {error}") from error
        if self._stream.unconsumed_tail or self._stream.eof or len(raw) > BODY_LIMIT:
            raise ProtocolError("a compressed frame unpacks to more than is allowed")
        return raw


# Any: two modules of the same interface, one of which older Pythons do not know.
def _zstd():  # type: ignore[no-untyped-def]
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


class _ZstdPacker:
    def __init__(self, level: int) -> None:
        self._zstd = _zstd()  # type: ignore[no-untyped-call]
        self._stream = self._zstd.ZstdCompressor(level=level)

    def pack(self, data: bytes) -> bytes:
        packed: bytes = self._stream.compress(data, self._stream.FLUSH_BLOCK)
        return packed


class _ZstdUnpacker:
    def __init__(self) -> None:
        zstd = _zstd()  # type: ignore[no-untyped-call]
        self._error = zstd.ZstdError
        window = zstd.DecompressionParameter.window_log_max
        self._stream = zstd.ZstdDecompressor(options={window: _WINDOW_LOG})

    def unpack(self, data: bytes) -> bytes:
        try:
            raw: bytes = self._stream.decompress(data, max_length=BODY_LIMIT + 1)
        except (self._error, EOFError) as error:
            raise ProtocolError(f"a compressed frame is damaged: {error}") from error
        if self._stream.eof or len(raw) > BODY_LIMIT:
            raise ProtocolError("a compressed frame unpacks to more than is allowed")
        return raw
