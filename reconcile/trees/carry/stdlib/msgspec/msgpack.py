"""Encoding and decoding, as msgspec names it."""

from .pack import pack
from .shapes import shape_of
from .unpack import Reader, finish

_SHAPES = {}


def _reader(kind):
    found = _SHAPES.get(kind)
    if found is None:
        found = _SHAPES[kind] = shape_of(kind).read
    return found


class Encoder:
    """Values to bytes."""

    def encode(self, value):
        """The bytes of one value."""
        return pack(value)


class Decoder:
    """Bytes to values of one type."""

    def __init__(self, type=object):
        self._read = _reader(type)

    def decode(self, data):
        """The value. Raises: DecodeError, and ValidationError when it is of another type."""
        reader = Reader(data)
        value = self._read(reader)
        finish(reader)
        return value


def encode(value):
    """The bytes of one value."""
    return pack(value)


def decode(data, *, type=object):
    """One value of that type. Raises: DecodeError, ValidationError."""
    reader = Reader(data)
    value = _reader(type)(reader)
    finish(reader)
    return value
