"""Hypothesis strategies for any type that msgspec describes: the ranges are those of the type."""

from typing import Any

import msgspec.inspect as mi
from hypothesis import strategies as st

_SMALL = 2
"""Items of a list, at most."""


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of this type, ready to be encoded."""
    return _of(mi.type_info(kind))


def _of(info: mi.Type) -> st.SearchStrategy[Any]:
    match info:
        case mi.StructType(cls=cls, fields=fields):
            parts = {field.name: _of(field.type) for field in fields}
            return st.builds(cls, **parts)
        case mi.IntType(ge=ge, le=le):
            low = -(2**63) if ge is None else ge
            high = 2**64 - 1 if le is None else le
            return st.integers(low, high) | st.sampled_from([low, high])
        case mi.BytesType(max_length=most):
            return _sizes(most).flatmap(lambda n: st.binary(min_size=n, max_size=n))
        case mi.StrType(max_length=most):
            return st.text(max_size=min(most or 40, 40))
        case mi.VarTupleType(item_type=item) | mi.ListType(item_type=item):
            return st.lists(_of(item), max_size=_SMALL)
        case mi.TupleType(item_types=items):
            return st.tuples(*map(_of, items))
        case mi.UnionType(types=types):
            return st.one_of(*map(_of, types))
        case _:
            return _plain(info)


def _plain(info: mi.Type) -> st.SearchStrategy[Any]:
    match info:
        case mi.EnumType(cls=cls):
            return st.sampled_from(list(cls))
        case mi.LiteralType(values=values):
            return st.sampled_from(values)
        case mi.BoolType():
            return st.booleans()
        case mi.FloatType():
            return st.floats()
        case mi.NoneType():
            return st.none()
        case _:
            raise TypeError(f"no strategy for {info}")


def _sizes(most: int | None) -> st.SearchStrategy[int]:
    edges = [0, 1, 31, 32, 255, 256, 70_000]
    return st.integers(0, 40) | st.sampled_from([n for n in edges if most is None or n <= most])
