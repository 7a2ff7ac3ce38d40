"""Types to functions that make their values of plain ones, and refuse what is of another type.

Annotations are read as text, so that 3.8 understands 3.11's. A shape is what may
come, by kind, and such a function.
"""

import ast
import builtins
import collections.abc
import enum
import math
import typing

from later import Annotated, Typed

from .errors import ValidationError
from .struct import Meta, StructMeta, namespace_of

_KINDS = {
    type(None): "null",
    bool: "bool",
    bytes: "bytes",
    dict: "map",
    float: "float",
    int: "int",
    list: "array",
    str: "str",
}
"""What msgpack makes; everything else it makes is an extension."""


class Shape:
    """One type."""

    __slots__ = ("kinds", "make")

    def __init__(self, kinds, make):
        self.kinds = kinds
        self.make = make


def _kind_of(value):
    return _KINDS.get(type(value), "ext")


def _expect(value, kind):
    """Raises: ValidationError."""
    if type(value) is not kind:
        raise ValidationError("Expected `%s`, got `%s`" % (_KINDS[kind], _kind_of(value)))


def _plain(kind):
    def make(value):
        _expect(value, kind)
        return value

    return Shape({_KINDS[kind]}, make)


def _text(value):
    """Text that came as UTF-8; the codec lets other bytes through, as lone surrogates."""
    _expect(value, str)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValidationError("text that is no UTF-8") from None
    return value


def _whatever(value):
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind is list:
        return [_whatever(part) for part in value]
    if kind is dict:
        return {_whatever(name): _whatever(part) for name, part in value.items()}
    return value


_ANY = Shape({*_KINDS.values(), "ext"}, _whatever)
_PLAIN = {
    **{kind: _plain(kind) for kind in (int, bool, bytes, type(None))},
    str: Shape({"str"}, _text),
    None: _plain(type(None)),
    object: _ANY,
    typing.Any: _ANY,
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
        return Shape({"float", "int"}, _number)
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
        return _row(tuple, [part.make for part in parts], len(parts))
    if base in _LISTS:
        return _array(parts[0], list)
    if base in _SETS:
        return _array(parts[0], _SETS[base])
    if base in _DICTS:
        return _dict(*parts)
    raise TypeError("Type %r is not supported" % (base,))


def _number(value):
    if type(value) is not int:
        _expect(value, float)
    return float(value)


def _choice(members):
    """Enum members by value, or a Literal's values: text and numbers only."""
    kinds = {_KINDS[type(value)] for value in members}

    def make(value):
        if _kind_of(value) not in kinds:
            raise _unlike(kinds, value)
        try:
            return members[value]
        except KeyError:
            raise ValidationError("Invalid enum value %r" % (value,)) from None

    return Shape(kinds, make)


def _unlike(kinds, value):
    wanted = " | ".join(sorted(kinds))
    return ValidationError("Expected `%s`, got `%s`" % (wanted, _kind_of(value)))


def _union(shapes):
    """The member that is of the value's kind."""
    if len(shapes) == 1:
        return shapes[0]
    by_kind = {}
    for shape in shapes:
        for kind in shape.kinds:
            by_kind.setdefault(kind, shape.make)
    for shape in shapes:
        if len(shape.kinds) == 1:
            by_kind[next(iter(shape.kinds))] = shape.make

    def make(value):
        found = by_kind.get(_kind_of(value))
        if found is None:
            raise _unlike(by_kind, value)
        return found(value)

    return Shape(set(by_kind), make)


def _limited(shape, metas):
    """The shape, its values inside the limits of `Meta`."""
    for meta in metas:
        if isinstance(meta, Meta):
            if shape.kinds <= {"int", "float"}:
                make = _ranged(shape.make, meta)
            elif shape.kinds <= {"array", "bytes", "map", "str"}:
                make = _sized(shape.make, meta)
            else:
                raise TypeError("Meta of a type that is neither a number nor has a length")
            shape = Shape(shape.kinds, make)
    return shape


def _ranged(inner, meta):
    low = -math.inf if meta.ge is None else meta.ge
    high = math.inf if meta.le is None else meta.le

    def make(value):
        made = inner(value)
        if low <= made <= high:
            return made
        raise ValidationError("a number is out of its range: %r" % value)

    return make


def _sized(inner, meta):
    least = meta.min_length or 0
    most = math.inf if meta.max_length is None else meta.max_length

    def make(value):
        made = inner(value)
        if least <= len(made) <= most:
            return made
        raise ValidationError("a value of length %d" % len(made))

    return make


def _array(item, kind):
    """Any number of one shape."""
    each = item.make

    def make(value):
        _expect(value, list)
        return kind([each(part) for part in value])

    return Shape({"array"}, make)


def _row(kind, makes, required):
    """Exactly these, or at least the `required` first of them."""

    def make(value):
        _expect(value, list)
        if not required <= len(value) <= len(makes):
            raise _of_length(makes, value)
        return kind([each(part) for each, part in zip(makes, value)])

    return Shape({"array"}, make)


def _of_length(makes, value):
    return ValidationError("Expected `array` of length %d, got %d" % (len(makes), len(value)))


def _named_tuple(kind):
    space = namespace_of(kind.__module__)
    types = vars(kind)["__annotations__"]
    makes = [shape_of(_annotation(types[field], space)).make for field in kind._fields]
    required = len(makes) - len(kind._field_defaults)
    return _row(lambda values: kind(*values), makes, required)


def _annotation(kind, space):
    """An annotation as a type: text as it stands in the source, or what 3.8 made of it."""
    text = getattr(kind, "__forward_arg__", kind)
    return Typed(text, space) if isinstance(text, str) else kind


def _dict(key, item):
    make_key, make_item = key.make, item.make

    def make(value):
        _expect(value, dict)
        return {make_key(name): make_item(part) for name, part in value.items()}

    return Shape({"map"}, make)


def _struct(kind):
    """Made at the first use: a struct may hold others that hold it."""
    made = []
    is_array = kind.__options__["array_like"]
    prepare = _array_struct if is_array else _map_struct

    def make(value):
        _expect(value, list if is_array else dict)
        if not made:
            made.append(prepare(kind))
        return made[0](value)

    return Shape({"array" if is_array else "map"}, make)


def _fields(kind):
    """The making function of each field."""
    found = {}
    for name, (annotation, module) in kind.__field_types__.items():
        found[name] = shape_of(_annotation(annotation, namespace_of(module))).make
    return found


def _array_struct(kind):
    makes = list(_fields(kind).values())
    required = len(makes) - len(kind.__defaults_of__)
    strict = kind.__options__["forbid_unknown_fields"]

    def make(value):
        if len(value) < required or (strict and len(value) > len(makes)):
            raise _of_length(makes, value)
        return kind(*[each(part) for each, part in zip(makes, value)])

    return make


def _map_struct(kind):
    makes = _fields(kind)
    required = [name for name in makes if name not in kind.__defaults_of__]
    strict = kind.__options__["forbid_unknown_fields"]

    def make(value):
        if any(type(name) is not str for name in value):
            raise ValidationError("Expected `str` as a field's name")
        for name in required:
            if name not in value:
                raise ValidationError("Object missing required field `%s`" % name)
        if strict and not makes.keys() >= value.keys():
            raise ValidationError("Object contains an unknown field")
        return kind(**{name: makes[name](part) for name, part in value.items() if name in makes})

    return make
