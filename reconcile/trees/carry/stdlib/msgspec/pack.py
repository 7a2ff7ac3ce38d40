"""Values to msgpack, each in its shortest form."""

import enum
import struct

from .struct import StructMeta

_DOUBLE = struct.Struct(">d")
_SHORT, _LONG, _WIDE = struct.Struct(">BH"), struct.Struct(">BI"), struct.Struct(">BQ")
_BYTES_HEADS = [b"\xc4%c" % size for size in range(256)]


class _Writers(dict):
    """Type -> function (out, value); a type is looked at once."""

    def __missing__(self, kind):
        writer = self[kind] = _writer_for(kind)
        return writer


def pack(value):
    """The bytes of one value. Raises: TypeError, OverflowError."""
    out = bytearray()
    _WRITERS[type(value)](out, value)
    return bytes(out)


def _none(out, value):
    out.append(0xC0)


def _bool(out, value):
    out.append(0xC3 if value else 0xC2)


def _int(out, value):
    if value >= 0:
        if value < 0x80:
            out.append(value)
        elif value < 1 << 8:
            out += b"\xcc%c" % value
        elif value < 1 << 16:
            out += _SHORT.pack(0xCD, value)
        elif value < 1 << 32:
            out += _LONG.pack(0xCE, value)
        elif value < 1 << 64:
            out += _WIDE.pack(0xCF, value)
        else:
            raise OverflowError("can't serialize ints >= 2**64")
    else:
        _negative(out, value)


def _negative(out, value):
    if value >= -0x20:
        out.append(value & 0xFF)
        return
    for code, size in ((0xD0, 1), (0xD1, 2), (0xD2, 4), (0xD3, 8)):
        if value >= -1 << 8 * size - 1:
            out.append(code)
            out += value.to_bytes(size, "big", signed=True)
            return
    raise OverflowError("can't serialize ints < -(2**63)")


def _float(out, value):
    out.append(0xCB)
    out += _DOUBLE.pack(value)


def _str(out, value):
    data = value.encode()
    size = len(data)
    if size < 32:
        out.append(0xA0 | size)
    elif size < 1 << 8:
        out += b"\xd9%c" % size
    elif size < 1 << 16:
        out += b"\xda" + size.to_bytes(2, "big")
    else:
        out += b"\xdb" + _size(size)
    out += data


def _bytes(out, value):
    size = len(value)
    if size < 1 << 8:
        out += b"\xc4%c" % size
    elif size < 1 << 16:
        out += b"\xc5" + size.to_bytes(2, "big")
    else:
        out += b"\xc6" + _size(size)
    out += value


def _view(out, value):
    _bytes(out, bytes(value))


def _size(size):
    if size >= 1 << 32:
        raise ValueError("can't encode more than 2**32 - 1 bytes or items")
    return size.to_bytes(4, "big")


def _head(out, size, fixed, wide):
    """The head of an array or a map."""
    if size < 16:
        out.append(fixed | size)
    elif size < 1 << 16:
        out.append(wide)
        out += size.to_bytes(2, "big")
    else:
        out.append(wide + 1)
        out += _size(size)


def _array(out, values):
    _head(out, len(values), 0x90, 0xDC)
    # Most of what is written stands in rows of short bytes and small numbers.
    for value in values:
        kind = type(value)
        if kind is bytes and len(value) < 256:
            out += _BYTES_HEADS[len(value)]
            out += value
        elif kind is int and 0 <= value < 0x80:
            out.append(value)
        else:
            _WRITERS[kind](out, value)


def _map(out, values):
    _head(out, len(values), 0x80, 0xDE)
    for key, value in values.items():
        _WRITERS[type(key)](out, key)
        _WRITERS[type(value)](out, value)


def _writer_for(kind):
    """The writer of a type that is not plain. Raises: TypeError."""
    if isinstance(kind, StructMeta):
        return _struct_writer(kind)
    if issubclass(kind, enum.Enum):
        return _enum_writer(kind)
    for plain in (str, bytes, tuple, list, dict, int, float):
        if issubclass(kind, plain):
            return _WRITERS[plain]
    raise TypeError("Encoding objects of type %s is unsupported" % kind.__name__)


def _enum_writer(kind):
    packed = {member._value_: pack(member._value_) for member in kind}

    def write(out, member):
        out += packed[member._value_]

    return write


def _struct_writer(kind):
    values = kind.__values__
    if kind.__options__["array_like"]:
        return lambda out, value: _array(out, values(value))
    keys = [pack(field) for field in kind.__struct_fields__]

    def write(out, value):
        _head(out, len(keys), 0x80, 0xDE)
        for key, each in zip(keys, values(value)):
            out += key
            _WRITERS[type(each)](out, each)

    return write


_WRITERS = _Writers(
    {
        type(None): _none,
        bool: _bool,
        int: _int,
        float: _float,
        str: _str,
        bytes: _bytes,
        bytearray: _bytes,
        memoryview: _view,
        tuple: _array,
        list: _array,
        set: _array,
        frozenset: _array,
        dict: _map,
    }
)
