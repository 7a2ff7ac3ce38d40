"""The codec: msgpack as others read it, structure checked before anything is believed."""

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.model.codec import decode, decode_entries, encode, encode_entries, to_json
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestError
from reconcile.model.manifest import Header
from tests.model.strategies import leaves

ENTRY = Entry(b"\xff", Kind.FILE, 1, -2, 0o644, b"\1" * 32, (("owner", b"1:2"),))


def test_an_entry_is_an_array_whose_places_are_its_fields() -> None:
    rows = msgpack.unpackb(encode_entries([ENTRY]))
    assert rows == [[b"\xff", 1, 1, -2, 0o644, b"\1" * 32, [["owner", b"1:2"]]]]


@given(st.lists(leaves(), max_size=5))
def test_entries_come_back(entries: list[Entry]) -> None:
    assert decode_entries(encode_entries(entries)) == tuple(entries)


@given(st.lists(leaves(), max_size=5))
def test_the_bytes_are_those_of_the_msgpack_package(entries: list[Entry]) -> None:
    rows = [msgspec.to_builtins(entry, builtin_types=(bytes,)) for entry in entries]
    assert encode_entries(entries) == msgpack.packb(rows)


def test_missing_fields_take_their_defaults_and_further_ones_are_passed_over() -> None:
    short = msgpack.packb([[b"a", 6], [b"b", 6, 0, 0, 0, b"", [], "new", {"x": [1]}]])
    assert decode_entries(short) == (Entry(b"a", Kind.IGNORED), Entry(b"b", Kind.IGNORED))


WRONG: dict[str, object] = {
    "no array": {},
    "no name": [[]],
    "no kind": [[b"a"]],
    "a name that is text": [["a", 6]],
    "a kind that is not known": [[b"a", 7]],
    "a kind in words": [[b"a", "FILE"]],
    "a name of 256 bytes": [[b"x" * 256, 6]],
    "a negative size": [[b"a", 1, -1]],
    "a size past 63 bits": [[b"a", 1, 2**63]],
    "a size with a fraction": [[b"a", 1, 0.5]],
    "a time past 63 bits": [[b"a", 1, 0, 2**63]],
    "a negative mode": [[b"a", 1, 0, 0, -1]],
    "a mode with a type": [[b"a", 1, 0, 0, 0o100644]],
    "an id that is text": [[b"a", 1, 0, 0, 0, "id"]],
    "an id of 4097 bytes": [[b"a", 3, 0, 0, 0, b"x" * 4097]],
    "extras that are a map": [[b"a", 1, 0, 0, 0, b"", {"a": b""}]],
    "an extra of three": [[b"a", 1, 0, 0, 0, b"", [["a", b"", b""]]]],
    "an extra that is text": [[b"a", 1, 0, 0, 0, b"", [["a", "b"]]]],
    "nine extras": [[b"a", 1, 0, 0, 0, b"", [["a", b""]] * 9]],
    "a long extra": [[b"a", 1, 0, 0, 0, b"", [["a", b"x" * 4097]]]],
    "a long name of an extra": [[b"a", 1, 0, 0, 0, b"", [["a" * 65, b""]]]],
}


@pytest.mark.parametrize("what", WRONG)
def test_refused(what: str) -> None:
    with pytest.raises(ManifestError):
        decode_entries(msgpack.packb(WRONG[what]))


BYTES = {
    "nothing": b"",
    "cut short": msgpack.packb([[b"a", 6]])[:-1],
    "something after it": msgpack.packb([[b"a", 6]]) + b"\xc0",
    "a reserved byte": b"\xc1",
    "four billion entries": b"\xdd\xff\xff\xff\xff",
    "four billion bytes": b"\x91\x92\xc6\xff\xff\xff\xff",
    "four billion extras": b"\x91\x97\xc4\x01a\x01\x00\x00\x00\xc4\x00\xdd\xff\xff\xff\xff",
    "text that is not UTF-8": b"\x91\x97\xc4\x01a\x01\x00\x00\x00\xc4\x00\x91\x92\xa1\xff\xc4\x00",
    "a deep field that is passed over": b"\x91\x98\xc4\x01a\x01\x00\x00\x00\xc4\x00\x90"
    + b"\x91" * 100_000,
}


@pytest.mark.parametrize("what", BYTES)
def test_bytes_that_are_no_page_are_refused(what: str) -> None:
    with pytest.raises(ManifestError):
        decode_entries(BYTES[what])
    with pytest.raises(ManifestError):
        decode(BYTES[what], tuple[Entry, ...])


@given(st.binary(max_size=60))
def test_any_bytes_at_all_are_a_page_or_a_manifest_error(data: bytes) -> None:
    try:
        entries = decode_entries(data)
    except ManifestError:
        return
    assert decode_entries(encode_entries(entries)) == entries


def test_a_typed_value_comes_back_and_the_error_names_its_type() -> None:
    assert decode(encode(Header("sha256")), Header) == Header("sha256")
    with pytest.raises(ManifestError, match="not a valid Header"):
        decode(encode(["md5"]), Header)


def test_json_is_one_line() -> None:
    assert to_json({"a": 1, "b": Header("sha256").hash_name}) == b'{"a":1,"b":"sha256"}'
