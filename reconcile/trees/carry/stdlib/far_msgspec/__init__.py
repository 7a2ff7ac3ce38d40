"""msgspec, as far as the carried agent needs it, in plain Python.

The bytes are those of msgspec, and so is the strictness: types, lengths and
ranges are checked while decoding, what is left over is refused. Structs,
msgpack, no JSON. Source: https://jcristharif.com/msgspec/ (API) and
https://github.com/msgpack/msgpack/blob/master/spec.md (bytes).
"""

from . import msgpack, structs
from .errors import DecodeError, EncodeError, MsgspecError, ValidationError
from .struct import Meta, Struct

__all__ = [
    "DecodeError",
    "EncodeError",
    "Meta",
    "MsgspecError",
    "Struct",
    "ValidationError",
    "msgpack",
    "structs",
]
