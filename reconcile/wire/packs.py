"""Packs: many small files' contents in one frame.

count (2 bytes) ‖ count times [step (4) ‖ size (4)] ‖ contents one after the other
"""

import struct
from collections.abc import Iterator, Sequence

from reconcile.wire.frames import ProtocolError
from reconcile.wire.messages import SMALL_BYTES

_COUNT = struct.Struct(">H")
_ITEM = struct.Struct(">II")
MAX_FILES = 4096
"""In one pack."""


def encode_pack(items: Sequence[tuple[int, bytes]]) -> bytes:
    """(step, content) of files of at most SMALL_BYTES each."""
    heads = [_ITEM.pack(step, len(content)) for step, content in items]
    return b"".join((_COUNT.pack(len(items)), *heads, *(content for _, content in items)))


def decode_pack(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The same back. Raises: ProtocolError."""
    if len(body) < _COUNT.size:
        raise ProtocolError("a pack without its count")
    (count,) = _COUNT.unpack_from(body)
    place = _COUNT.size + count * _ITEM.size
    if not 0 < count <= MAX_FILES or place > len(body):
        raise ProtocolError(f"a pack of {count} files in {len(body)} bytes")
    items = [_ITEM.unpack_from(body, _COUNT.size + n * _ITEM.size) for n in range(count)]
    if place + sum(size for _, size in items) != len(body):
        raise ProtocolError("a pack whose sizes do not fit its length")
    for step, size in items:
        if size > SMALL_BYTES:
            raise ProtocolError("a file too large for a pack")
        yield step, body[place : place + size]
        place += size
