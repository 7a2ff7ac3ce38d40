"""Struct: a class of typed fields, its methods made once when the class is."""

import sys
from operator import attrgetter

_MUTABLE = (list, dict, set)
_INHERITED = ("frozen", "array_like", "forbid_unknown_fields")


class Meta:
    """Limits of a value: what `Annotated[type, Meta(...)]` holds."""

    __slots__ = ("ge", "le", "max_length", "min_length")

    def __init__(self, *, ge=None, le=None, min_length=None, max_length=None):
        self.ge, self.le = ge, le
        self.min_length, self.max_length = min_length, max_length


class StructMeta(type):
    """Makes slots, `__init__` and the rest from the annotations."""

    def __new__(mcls, name, bases, space, **config):
        options = dict.fromkeys(_INHERITED, False)
        for base in reversed(bases):
            options.update(getattr(base, "__options__", {}))
        config.pop("gc", None)
        unknown = set(config) - set(_INHERITED)
        if unknown:
            raise TypeError("Struct options not known here: %s" % sorted(unknown))
        options.update(config)
        types, defaults = _inherited(bases)
        own = [
            field
            for field, kind in space.get("__annotations__", {}).items()
            if not str(kind).startswith(("ClassVar", "typing.ClassVar"))
        ]
        slots = [field for field in own if field not in types]
        module = space.get("__module__")
        for field in own:
            types[field] = space["__annotations__"][field], module
            defaults.pop(field, None)
            if field in space:
                defaults[field] = space.pop(field)
        space["__slots__"] = slots
        cls = super().__new__(mcls, name, bases, space)
        cls.__options__ = options
        cls.__field_types__ = types
        cls.__defaults_of__ = defaults
        cls.__struct_fields__ = cls.__match_args__ = tuple(types)
        cls.__values__ = _values_of(tuple(types))
        cls.__init__ = _make_init(cls)
        if options["frozen"]:
            cls.__setattr__ = cls.__delattr__ = _immutable
            if "__hash__" not in space or space["__hash__"] is None:
                cls.__hash__ = _hash
        return cls

    def __init__(cls, name, bases, space, **_config):
        super().__init__(name, bases, space)


def _inherited(bases):
    types, defaults = {}, {}
    for base in reversed(bases):
        types.update(getattr(base, "__field_types__", {}))
        defaults.update(getattr(base, "__defaults_of__", {}))
    return types, defaults


def _values_of(fields):
    """A function from a struct to the tuple of its values."""
    if not fields:
        return staticmethod(lambda struct: ())
    if len(fields) == 1:
        get = attrgetter(fields[0])
        return staticmethod(lambda struct: (get(struct),))
    return staticmethod(attrgetter(*fields))


def _make_init(cls):
    """`__init__` as source, so that a call costs what a hand-written one does."""
    space = {}
    parameters, lines = ["self"], []
    optional = False
    for number, field in enumerate(cls.__struct_fields__):
        space["_set%d" % number] = getattr(cls, field).__set__
        value = field
        if field in cls.__defaults_of__:
            optional = True
            default = cls.__defaults_of__[field]
            space["_default%d" % number] = default
            parameters.append("%s=_default%d" % (field, number))
            if isinstance(default, _MUTABLE):
                value = "%s.copy() if %s is _default%d else %s" % (field, field, number, field)
        elif optional:
            raise TypeError("Required field %r cannot follow optional fields" % field)
        else:
            parameters.append(field)
        lines.append("    _set%d(self, %s)" % (number, value))
    if hasattr(cls, "__post_init__"):
        lines.append("    self.__post_init__()")
    source = "def __init__(%s):\n%s\n" % (", ".join(parameters), "\n".join(lines) or "    pass")
    exec(source, space)  # our own field names, no one else's text
    return space["__init__"]


def _immutable(self, name, *_value):
    raise AttributeError("immutable type: %r" % type(self).__name__)


def _hash(self):
    return hash((type(self), self.__values__(self)))


class Struct(metaclass=StructMeta):
    """Subclass it with annotated fields."""

    def __eq__(self, other):
        if type(other) is not type(self):
            return NotImplemented
        return self.__values__(self) == self.__values__(other)

    __hash__ = None

    def __repr__(self):
        pairs = zip(self.__struct_fields__, self.__values__(self))
        return "%s(%s)" % (type(self).__name__, ", ".join("%s=%r" % pair for pair in pairs))

    def __reduce__(self):
        return type(self), self.__values__(self)


def namespace_of(module):
    """The globals in which a class's annotations are read."""
    return vars(sys.modules[module])
