"""What later Pythons have and 3.8 lacks: the names that the carried sources were edited to use.

Only what they use; each behaves as its original does for them.
"""

import bisect
import enum


class StrEnum(str, enum.Enum):
    """`enum.StrEnum` (3.11): members are their values."""

    __str__ = str.__str__
    __format__ = str.__format__


class Annotated:
    """`typing.Annotated` (3.9), a mark: only `Typed` expressions hold it."""


class Typed:
    """A type expression as text, evaluated by `msgspec` when a value is decoded to it."""

    __slots__ = ("__name__", "namespace", "text")

    def __init__(self, text, namespace):
        self.text = text
        self.namespace = namespace
        self.__name__ = text


_KNOWN = {}


def typed(text, namespace):
    """The one `Typed` of this text in the module with these globals."""
    key = text, id(namespace)
    found = _KNOWN.get(key)
    if found is None:
        found = _KNOWN[key] = Typed(text, namespace)
    return found


def assert_never(value):
    """`typing.assert_never` (3.11)."""
    raise AssertionError("expected code to be unreachable, got: %r" % (value,))


def pairwise(values):
    """`itertools.pairwise` (3.10)."""
    stream = iter(values)
    for before in stream:
        for after in stream:
            yield before, after
            before = after


def zip_strict(*columns):
    """`zip(..., strict=True)` (3.10)."""
    end = object()
    streams = [iter(column) for column in columns]
    while True:
        row = tuple(next(stream, end) for stream in streams)
        ended = [value is end for value in row]
        if all(ended):
            return
        if any(ended):
            raise ValueError("zip_strict() arguments differ in length")
        yield row


def removeprefix(text, prefix):
    """`str.removeprefix` (3.9), of text or bytes."""
    return text[len(prefix) :] if text.startswith(prefix) else text


def removesuffix(text, suffix):
    """`str.removesuffix` (3.9), of text or bytes."""
    return text[: len(text) - len(suffix)] if suffix and text.endswith(suffix) else text


def bisect_left(values, wanted, lo=0, hi=None, *, key=None):
    """`bisect.bisect_left` with a `key` (3.10)."""
    return _bisect(bisect.bisect_left, values, wanted, lo, hi, key)


def bisect_right(values, wanted, lo=0, hi=None, *, key=None):
    """`bisect.bisect_right` with a `key` (3.10)."""
    return _bisect(bisect.bisect_right, values, wanted, lo, hi, key)


def _bisect(find, values, wanted, lo, hi, key):
    hi = len(values) if hi is None else hi
    return find(values if key is None else _Keyed(values, key), wanted, lo, hi)


class _Keyed:
    """A sequence as its keys, made when they are asked for."""

    def __init__(self, values, key):
        self.values, self.key = values, key

    def __len__(self):
        return len(self.values)

    def __getitem__(self, place):
        return self.key(self.values[place])
