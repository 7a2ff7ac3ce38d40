"""msgpack to plain values. Every length is checked against what is there before it is believed."""

import struct

from .errors import DecodeError, ValidationError

DEPTH_LIMIT = 100
"""Arrays and maps within each other; what this agent reads needs a tenth of it."""
_DOUBLE = struct.Struct(">d")
_SINGLE = struct.Struct(">f")


class Reader:
    """Bytes and the place reached in them."""

    __slots__ = ("at", "data", "depth")

    def __init__(self, data):
        self.data = data if type(data) is bytes else bytes(data)
        self.at = 0
        self.depth = 0


class Ext:
    """An extension value: nothing here reads one."""

    __slots__ = ("code", "data")

    def __init__(self, code, data):
        self.code, self.data = code, data


def finish(reader):
    """Nothing is left. Raises: DecodeError."""
    if reader.at != len(reader.data):
        raise DecodeError("MessagePack data is malformed: trailing bytes at %d" % reader.at)


def peek(reader):
    """The byte that comes next."""
    if reader.at >= len(reader.data):
        raise DecodeError("Input data was truncated")
    return reader.data[reader.at]


def take(reader, count):
    """That many bytes."""
    at = reader.at
    end = at + count
    if end > len(reader.data):
        raise DecodeError("Input data was truncated")
    reader.at = end
    return reader.data[at:end]


def number(reader, size):
    """An unsigned number of `size` bytes."""
    return int.from_bytes(take(reader, size), "big")


_FIXED = ((0x80, "int"), (0x90, "map"), (0xA0, "array"), (0xC0, "str"))
_NAMED = {
    **dict.fromkeys(range(0xC4, 0xC7), "bytes"),
    **dict.fromkeys([0xC7, 0xC8, 0xC9, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8], "ext"),
    **dict.fromkeys(range(0xCC, 0xD4), "int"),
    **dict.fromkeys(range(0xD9, 0xDC), "str"),
    0xC0: "null",
    0xC2: "bool",
    0xC3: "bool",
    0xCA: "float",
    0xCB: "float",
    0xDC: "array",
    0xDD: "array",
    0xDE: "map",
    0xDF: "map",
}


def _kind(code):
    if code >= 0xE0:
        return "int"
    return next((kind for end, kind in _FIXED if code < end), None) or _NAMED.get(code, "")


KINDS = tuple(_kind(code) for code in range(256))
"""What a value is, by its first byte; empty for the byte that begins none."""


def expect(reader, kind):
    """The first byte of a value of this kind. Raises: ValidationError."""
    code = peek(reader)
    found = KINDS[code]
    if found != kind:
        if not found:
            raise DecodeError("MessagePack data is malformed: invalid opcode %#x" % code)
        raise ValidationError("Expected `%s`, got `%s`" % (kind, found))
    reader.at += 1
    return code


def read_int(reader):
    """A whole number of at most 64 bits."""
    data, at = reader.data, reader.at
    if at < len(data) and data[at] < 0x80:
        reader.at = at + 1
        return data[at]
    code = expect(reader, "int")
    if code < 0x80:
        return code
    if code >= 0xE0:
        return code - 0x100
    size = 1 << (code & 3)
    value = number(reader, size)
    if code >= 0xD0 and value >> 8 * size - 1:
        value -= 1 << 8 * size
    return value


def read_float(reader):
    """A float; a whole number is none."""
    single = expect(reader, "float") == 0xCA
    return (_SINGLE.unpack(take(reader, 4)) if single else _DOUBLE.unpack(take(reader, 8)))[0]


def read_bool(reader):
    """True or false."""
    return expect(reader, "bool") == 0xC3


def read_none(reader):
    """None."""
    expect(reader, "null")


def read_bytes(reader):
    """Bytes."""
    data, at = reader.data, reader.at
    if at + 1 < len(data) and data[at] == 0xC4:
        end = at + 2 + data[at + 1]
        if end <= len(data):
            reader.at = end
            return data[at + 2 : end]
    return take(reader, number(reader, 1 << expect(reader, "bytes") - 0xC4))


def read_str(reader):
    """Text. Raises: UnicodeDecodeError, as msgspec does."""
    return read_raw_str(reader).decode()


def read_raw_str(reader):
    """Text as the bytes it came in, which need not be UTF-8."""
    code = expect(reader, "str")
    return take(reader, code & 0x1F if code < 0xC0 else number(reader, 1 << code - 0xD9))


def read_array_head(reader):
    """The number of items, at most as many as bytes follow."""
    data, at = reader.data, reader.at
    if at < len(data) and data[at] & 0xF0 == 0x90:
        reader.at = at + 1
        return _possible(reader, data[at] & 0x0F)
    code = expect(reader, "array")
    return _possible(reader, number(reader, 2 << code - 0xDC))


def read_map_head(reader):
    """The number of pairs."""
    code = expect(reader, "map")
    size = code & 0x0F if code < 0xC0 else number(reader, 2 << code - 0xDE)
    return _possible(reader, 2 * size) // 2


def _possible(reader, size):
    if size > len(reader.data) - reader.at:
        raise DecodeError("Input data was truncated")
    return size


def deeper(reader):
    """One level down. Raises: ValidationError."""
    reader.depth += 1
    if reader.depth > DEPTH_LIMIT:
        raise ValidationError("nested deeper than %d" % DEPTH_LIMIT)


def _read_list(reader):
    count = read_array_head(reader)
    deeper(reader)
    values = [read_any(reader) for _ in range(count)]
    reader.depth -= 1
    return values


def _read_dict(reader):
    count = read_map_head(reader)
    deeper(reader)
    values = {}
    for _ in range(count):
        key = read_any(reader)
        try:
            values[key] = read_any(reader)
        except TypeError:
            raise ValidationError("a key that cannot be one") from None
    reader.depth -= 1
    return values


def _read_ext(reader):
    code = expect(reader, "ext")
    size = 1 << code - 0xD4 if code >= 0xD4 else number(reader, 1 << code - 0xC7)
    return Ext(number(reader, 1), take(reader, size))


def _refuse(reader):
    raise DecodeError("MessagePack data is malformed: invalid opcode %#x" % peek(reader))


_BY_KIND = {
    "int": read_int,
    "float": read_float,
    "bool": read_bool,
    "null": read_none,
    "bytes": read_bytes,
    "str": read_str,
    "array": _read_list,
    "map": _read_dict,
    "ext": _read_ext,
    "": _refuse,
}


def skip(reader):
    """Pass over the next value without making it."""
    kind = KINDS[peek(reader)]
    if kind in ("array", "map"):
        count = read_array_head(reader) if kind == "array" else 2 * read_map_head(reader)
        deeper(reader)
        for _ in range(count):
            skip(reader)
        reader.depth -= 1
    elif kind == "str":
        read_raw_str(reader)
    else:
        _BY_KIND[kind](reader)


def read_any(reader):
    """The next value, whatever it is."""
    return _BY_KIND[KINDS[peek(reader)]](reader)
