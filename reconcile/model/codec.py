"""The one module that speaks msgpack.

msgspec writes the same bytes as the `msgpack` package and checks types while it
decodes. Settings that matter: names, paths and ids are `bin` (a POSIX name need
not be UTF-8); structs are arrays (`array_like`), so a field's place is its
meaning and fields are only ever added at the end; integers are settled numbers
in the unit their name says. Structure is checked here, rules (order,
uniqueness, names) where the value is used: `model/manifest.py`.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from reconcile.model.entry import Entry
from reconcile.model.errors import ManifestError

T = TypeVar("T")

_FAULTS = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
"""What msgspec raises for bytes that are no value. Text that is not UTF-8 is none of its own."""
_encoder = msgspec.msgpack.Encoder()
_entries = msgspec.msgpack.Decoder(tuple[Entry, ...])

encode = _encoder.encode


def decode_entries(data: bytes) -> tuple[Entry, ...]:
    """A page's entries as stored. Raises: ManifestError, naming the place of the fault."""
    try:
        return _entries.decode(data)
    except _FAULTS as error:
        raise ManifestError(f"a page is not valid: {error}") from error


def encode_entries(entries: Sequence[Entry]) -> bytes:
    """The bytes of one page."""
    return _encoder.encode(entries)


def decode(data: bytes | memoryview, kind: type[T]) -> T:
    """One value of a typed shape. Raises: ManifestError."""
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except _FAULTS as error:
        raise ManifestError(f"not a valid {kind.__name__}: {error}") from error


def to_json(value: Any) -> bytes:  # Any: every msgspec struct, or builtins made of them
    """Compact JSON, one line, UTF-8."""
    return msgspec.json.encode(value)
