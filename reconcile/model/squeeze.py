"""Compression of single records: zstd at its fastest level, and unpacking that cannot be a bomb.

The only module that names a zstd library. A record is unpacked only when its
declared raw size is small enough (absolutely, and as a multiple of what is
stored); the window a frame may ask for is bounded too. FORMAT.md §6.3, §9.
"""

import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_RATIO = 100
"""Raw bytes per stored byte at most; what packs better is stored plain."""
_LEVEL = 1
_WINDOW_LOG = 23
_WORTH_TRYING = 256


class Unsqueezable(Exception):
    """Bytes that are not one zstd frame of the declared size."""


class Squeezer:
    """Packs one record after the other; its context is made once."""

    def __init__(self) -> None:
        self._compressor = zstd.ZstdCompressor(level=_LEVEL)

    def squeeze(self, raw: bytes) -> bytes | None:
        """One frame; None when storing `raw` plain is better or the only thing allowed."""
        if len(raw) < _WORTH_TRYING:
            return None
        self._compressor.set_pledged_input_size(len(raw))
        packed = self._compressor.compress(raw, zstd.ZstdCompressor.FLUSH_FRAME)
        return packed if len(raw) // MAX_RATIO < len(packed) < len(raw) else None


def unsqueeze(packed: bytes, raw_length: int) -> bytes:
    """The raw bytes, exactly `raw_length` of them. Raises: Unsqueezable.

    Never holds more than `raw_length + 1` bytes of output.
    """
    try:
        unpacker = zstd.ZstdDecompressor(
            options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
        )
        raw = unpacker.decompress(packed, max_length=raw_length + 1)
    except zstd.ZstdError as error:
        raise Unsqueezable(str(error)) from error
    if not unpacker.eof or unpacker.unused_data:
        raise Unsqueezable("not exactly one frame of the declared size")
    if len(raw) != raw_length:
        raise Unsqueezable(f"{len(raw)} bytes, declared were {raw_length}")
    return raw
