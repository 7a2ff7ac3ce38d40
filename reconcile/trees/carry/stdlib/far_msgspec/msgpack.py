"""Encoding and decoding, as msgspec names it: the bytes by msgpack, the types by `shapes`."""

import enum

from msgpack import Packer, UnpackException, unpackb

from .errors import DecodeError, ValidationError
from .shapes import shape_of
from .struct import StructMeta

_SHAPES = {}


def encode(value):
    """The bytes of one value, each in its shortest form. Raises: TypeError, OverflowError."""
    return Packer(default=_plain).pack(value)


def decode(data, *, type=object):
    """One value of that type. Raises: DecodeError, ValidationError."""
    found = _SHAPES.get(type)
    if found is None:
        found = _SHAPES[type] = shape_of(type).make
    try:
        return found(_unpacked(data))
    except RecursionError:
        raise ValidationError("nested too deep") from None


class Encoder:
    """Values to bytes."""

    def encode(self, value):
        """The bytes of one value."""
        return encode(value)


class Decoder:
    """Bytes to values of one type."""

    def __init__(self, type=object):
        self._type = type

    def decode(self, data):
        """The value. Raises: as `decode`, the function."""
        return decode(data, type=self._type)


def _plain(value):
    """What msgpack knows in place of a struct, a set or a member of an enumeration."""
    kind = type(value)
    if isinstance(kind, StructMeta):
        values = kind.__values__(value)
        if kind.__options__["array_like"]:
            return values
        return dict(zip(kind.__struct_fields__, values))
    if isinstance(value, enum.Enum):
        return value._value_
    if isinstance(value, (set, frozenset)):
        return list(value)
    raise TypeError("Encoding objects of type %s is unsupported" % kind.__name__)


def _unpacked(data):
    """Plain values. Every length is checked against what is there before it is believed."""
    try:
        return unpackb(data, strict_map_key=False, unicode_errors="surrogateescape")
    except (UnpackException, ValueError) as error:
        raise DecodeError("MessagePack data is malformed: %s" % error) from None
    except TypeError:
        raise ValidationError("a key that cannot be one") from None
