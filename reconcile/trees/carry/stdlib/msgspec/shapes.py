"""Types to reading functions: annotations are read as text, so that 3.8 understands 3.11's.

A shape is what may come (by kind of first byte) and a function that reads it.
"""

import ast
import builtins
import collections.abc
import enum
import math
import typing

from later import Annotated, Typed

from . import unpack
from .errors import ValidationError
from .struct import Meta, StructMeta, namespace_of
from .unpack import KINDS, deeper, peek, read_array_head, read_map_head, read_raw_str, skip

_EVERY = frozenset(KINDS) - {""}


class Shape:
    """One type."""

    __slots__ = ("kinds", "read")

    def __init__(self, kinds, read):
        self.kinds = kinds
        self.read = read


_PLAIN = {
    int: Shape({"int"}, unpack.read_int),
    bool: Shape({"bool"}, unpack.read_bool),
    str: Shape({"str"}, unpack.read_str),
    bytes: Shape({"bytes"}, unpack.read_bytes),
    None: Shape({"null"}, unpack.read_none),
    type(None): Shape({"null"}, unpack.read_none),
    object: Shape(_EVERY, unpack.read_any),
    typing.Any: Shape(_EVERY, unpack.read_any),
}
_TUPLES = (tuple, typing.Tuple)
_LISTS = (
    list,
    typing.List,
    collections.abc.Sequence,
    collections.abc.Collection,
    typing.Sequence,
)
_SETS = {set: set, frozenset: frozenset}
_DICTS = (dict, typing.Dict, collections.abc.Mapping, typing.Mapping)


def shape_of(kind):
    """The shape of a class, an alias or a `Typed` expression. Raises: TypeError."""
    if isinstance(kind, Typed):
        return _of_node(ast.parse(kind.text, mode="eval").body, kind.namespace)
    if isinstance(kind, str):
        raise TypeError("a type as text needs a namespace: %r" % kind)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind is float:
        return Shape({"float", "int"}, _read_number)
    if isinstance(kind, StructMeta):
        return _struct(kind)
    if hasattr(kind, "__supertype__"):
        return shape_of(kind.__supertype__)
    origin = getattr(kind, "__origin__", None)
    if origin is not None:
        return _of_parts(origin, [_part(each) for each in kind.__args__])
    if isinstance(kind, type):
        return _of_class(kind)
    raise TypeError("Type %r is not supported" % (kind,))


def _part(argument):
    """An argument of a generic type that Python itself evaluated."""
    if argument is Ellipsis or isinstance(argument, (str, int, bytes)):
        return argument
    return shape_of(argument)


def _of_class(kind):
    if issubclass(kind, enum.Enum):
        return _choice(kind._value2member_map_)
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _named_tuple(kind)
    if kind in _TUPLES or kind in _LISTS or kind in _SETS or kind in _DICTS:
        count = 2 if kind in _DICTS else 1
        parts = [_PLAIN[object]] * count + ([Ellipsis] if kind in _TUPLES else [])
        return _of_parts(kind, parts)
    raise TypeError("Type %r is not supported" % (kind,))


def _of_node(node, space):
    """The shape of a type expression, names looked up in `space`."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            return _of_node(ast.parse(node.value, mode="eval").body, space)
        return shape_of(node.value)
    if isinstance(node, ast.BinOp):
        return _union([_of_node(node.left, space), _of_node(node.right, space)])
    if not isinstance(node, ast.Subscript):
        return shape_of(_value(node, space))
    base = _value(node.value, space)
    inside = node.slice
    inside = getattr(inside, "value", inside) if type(inside).__name__ == "Index" else inside
    nodes = inside.elts if isinstance(inside, ast.Tuple) else [inside]
    if base is Annotated:
        return _limited(_of_node(nodes[0], space), [_value(each, space) for each in nodes[1:]])
    if base is typing.Literal:
        return _of_parts(base, [_value(each, space) for each in nodes])
    return _of_parts(base, [_node_part(each, space) for each in nodes])


def _node_part(node, space):
    is_dots = isinstance(node, ast.Constant) and node.value is Ellipsis
    return Ellipsis if is_dots else _of_node(node, space)


def _value(node, space):
    """What an expression without types in it is."""
    if isinstance(node, ast.Name):
        return space[node.id] if node.id in space else getattr(builtins, node.id)
    return eval(compile(ast.Expression(node), "<type>", "eval"), space)  # our own sources


def _of_parts(base, parts):
    """A generic type with its arguments: shapes, `...` or the values of a Literal."""
    if base is typing.Literal:
        return _choice({value: value for value in parts})
    if base is typing.Union:
        return _union(parts)
    if base is typing.Optional:
        return _union([parts[0], _PLAIN[None]])
    if base in _TUPLES:
        if len(parts) == 2 and parts[1] is Ellipsis:
            return _array(parts[0], tuple)
        return _row(tuple, [part.read for part in parts], len(parts))
    if base in _LISTS:
        return _array(parts[0], list)
    if base in _SETS:
        return _array(parts[0], _SETS[base])
    if base in _DICTS:
        return _dict(*parts)
    raise TypeError("Type %r is not supported" % (base,))


def _read_number(reader):
    if KINDS[peek(reader)] == "int":
        return float(unpack.read_int(reader))
    return unpack.read_float(reader)


def _choice(members):
    """Enum members by value, or a Literal's values: text and numbers only."""
    kinds = {"null" if v is None else "int" if isinstance(v, int) else "str" for v in members}
    plain = {"null": type(None), "int": int, "str": str}
    inner = _union([_PLAIN[plain[kind]] for kind in kinds]).read

    def read(reader):
        value = inner(reader)
        try:
            return members[value]
        except KeyError:
            raise ValidationError("Invalid enum value %r" % (value,)) from None

    return Shape(kinds, read)


def _union(shapes):
    """The member that can begin as the bytes do."""
    if len(shapes) == 1:
        return shapes[0]
    by_kind = {}
    for shape in shapes:
        for kind in shape.kinds:
            by_kind.setdefault(kind, shape.read)
    for shape in shapes:
        if len(shape.kinds) == 1:
            by_kind[next(iter(shape.kinds))] = shape.read

    def read(reader):
        kind = KINDS[peek(reader)]
        found = by_kind.get(kind)
        if found is None:
            raise ValidationError("Expected `%s`, got `%s`" % (" | ".join(sorted(by_kind)), kind))
        return found(reader)

    return Shape(set(by_kind), read)


def _limited(shape, metas):
    """The shape, its values inside the limits of `Meta`."""
    for meta in metas:
        if isinstance(meta, Meta):
            if shape.kinds <= {"int", "float"}:
                read = _ranged(shape.read, meta)
            elif shape.kinds <= {"array", "bytes", "map", "str"}:
                read = _sized(shape.read, meta)
            else:
                raise TypeError("Meta of a type that is neither a number nor has a length")
            shape = Shape(shape.kinds, read)
    return shape


def _ranged(inner, meta):
    low = -math.inf if meta.ge is None else meta.ge
    high = math.inf if meta.le is None else meta.le

    def read(reader):
        value = inner(reader)
        if low <= value <= high:
            return value
        raise ValidationError("a number is out of its range: %r" % value)

    return read


def _sized(inner, meta):
    least = meta.min_length or 0
    most = math.inf if meta.max_length is None else meta.max_length

    def read(reader):
        value = inner(reader)
        if least <= len(value) <= most:
            return value
        raise ValidationError("a value of length %d" % len(value))

    return read


def _array(item, make):
    """Any number of one shape."""
    each = item.read

    def read(reader):
        count = read_array_head(reader)
        deeper(reader)
        values = [each(reader) for _ in range(count)]
        reader.depth -= 1
        return values if make is list else make(values)

    return Shape({"array"}, read)


def _row(make, reads, required):
    """Exactly these, or at least the `required` first of them."""

    def read(reader):
        count = read_array_head(reader)
        if not required <= count <= len(reads):
            raise ValidationError("Expected `array` of length %d, got %d" % (len(reads), count))
        deeper(reader)
        values = [each(reader) for each in reads[:count]]
        reader.depth -= 1
        return make(values)

    return Shape({"array"}, read)


def _named_tuple(kind):
    space = namespace_of(kind.__module__)
    types = vars(kind)["__annotations__"]
    reads = [shape_of(_annotation(types[field], space)).read for field in kind._fields]
    required = len(reads) - len(kind._field_defaults)
    return _row(lambda values: kind(*values), reads, required)


def _annotation(kind, space):
    """An annotation as a type: text as it stands in the source, or what 3.8 made of it."""
    text = getattr(kind, "__forward_arg__", kind)
    return Typed(text, space) if isinstance(text, str) else kind


def _dict(key, value):
    read_key, read_value = key.read, value.read

    def read(reader):
        count = read_map_head(reader)
        deeper(reader)
        values = {}
        for _ in range(count):
            name = read_key(reader)
            values[name] = read_value(reader)
        reader.depth -= 1
        return values

    return Shape({"map"}, read)


def _struct(kind):
    """Made at the first use: a struct may hold others that hold it."""
    made = []
    make = _array_struct if kind.__options__["array_like"] else _map_struct

    def read(reader):
        if not made:
            made.append(make(kind))
        return made[0](reader)

    return Shape({"array" if kind.__options__["array_like"] else "map"}, read)


def _fields(kind):
    """The reading function of each field."""
    found = {}
    for name, (annotation, module) in kind.__field_types__.items():
        found[name] = shape_of(_annotation(annotation, namespace_of(module))).read
    return found


def _array_struct(kind):
    reads = list(_fields(kind).values())
    total = len(reads)
    required = total - len(kind.__defaults_of__)
    strict = kind.__options__["forbid_unknown_fields"]

    def read(reader):
        count = read_array_head(reader)
        if count < required or (strict and count > total):
            raise ValidationError("Expected `array` of length %d, got %d" % (total, count))
        deeper(reader)
        values = [each(reader) for each in (reads if count >= total else reads[:count])]
        for _ in range(count - total):
            skip(reader)
        reader.depth -= 1
        return kind(*values)

    return read


def _map_struct(kind):
    reads = {name.encode(): (name, read) for name, read in _fields(kind).items()}
    required = [name for name in kind.__struct_fields__ if name not in kind.__defaults_of__]
    strict = kind.__options__["forbid_unknown_fields"]

    def read(reader):
        count = read_map_head(reader)
        deeper(reader)
        values = {}
        for _ in range(count):
            key = read_raw_str(reader)
            if key in reads:
                name, each = reads[key]
                values[name] = each(reader)
            elif strict:
                raise ValidationError("Object contains unknown field %r" % key[:80])
            else:
                skip(reader)
        reader.depth -= 1
        for name in required:
            if name not in values:
                raise ValidationError("Object missing required field `%s`" % name)
        return kind(**values)

    return read
