"""Bytes from a stranger: whatever they are, the answer is a ManifestError."""

import pytest

from reconcile.model.codec import decode, decode_entries, encode
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestError
from reconcile.model.manifest import Header


@pytest.mark.parametrize(
    "data",
    [b"", b"\xc1", b"\x91" * 100_000, b"\xdd\xff\xff\xff\xff", b"\x80"],
    ids=["nothing", "no msgpack", "endless nesting", "four billion of them", "a map"],
)
def test_bytes_that_are_no_entries_are_refused(data: bytes) -> None:
    with pytest.raises(ManifestError):
        decode_entries(data)
    with pytest.raises(ManifestError):
        decode(data, Entry)


def test_text_that_is_not_utf8_is_refused_where_entries_are_expected() -> None:
    entries = encode([(b"n", Kind.FILE, 0, 0, 0, b"", (("owner", b"1:1"),))])
    assert decode_entries(entries)[0].extra == (("owner", b"1:1"),)
    with pytest.raises(ManifestError, match="not valid"):
        decode_entries(entries.replace(b"owner", b"\xb7wner"))


def test_text_that_is_not_utf8_is_refused_in_any_shape() -> None:
    header = encode(Header())
    assert decode(header, Header) == Header()
    with pytest.raises(ManifestError, match="not a valid Header"):
        decode(header.replace(b"blake3", b"\xb7lake3"), Header)
