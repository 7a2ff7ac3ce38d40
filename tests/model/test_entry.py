"""Entries: what is the same for the merge, and what is not."""

import msgspec
import pytest
from hypothesis import given

from reconcile.model.entry import (
    Entry,
    Kind,
    Tracked,
    attributes,
    meta,
    same,
    same_content,
)
from tests.model.strategies import leaves

FILE = Entry(b"f", Kind.FILE, 1, 2, 0o644, b"\1" * 32, (("owner", b"1:2"), ("token", b"t")))
DIRECTORY = Entry(b"d", Kind.DIR, 0, 0, 0o755, b"\2" * 32)
LINK = Entry(b"l", Kind.LINK, mode=0o777, id=b"target")


def but(entry: Entry, **changes: object) -> Entry:
    return msgspec.structs.replace(entry, **changes)


def test_the_numbers_of_kinds_are_for_ever() -> None:
    assert {kind.name: kind.value for kind in Kind} == {
        "FILE": 1,
        "DIR": 2,
        "LINK": 3,
        "SPECIAL": 4,
        "UNKNOWN": 5,
        "IGNORED": 6,
    }
    assert Entry.__struct_fields__ == ("name", "kind", "size", "mtime_ns", "mode", "id", "extra")


SAME = {
    "itself": FILE,
    "another name": but(FILE, name=b"g"),
    "another time": but(FILE, mtime_ns=9),
    "another size, the same content": but(FILE, size=9),
    "a mode bit that is not tracked": but(FILE, mode=0o664),
    "another token": but(FILE, extra=()),
}
OTHER = {
    "other content": but(FILE, id=b"\3" * 32),
    "another kind": but(FILE, kind=Kind.LINK),
    "the executable bit": but(FILE, mode=0o744),
    "nothing": None,
}


@pytest.mark.parametrize("what", SAME)
def test_the_same_for_the_merge(what: str) -> None:
    assert same(FILE, SAME[what])
    assert same(SAME[what], FILE)


@pytest.mark.parametrize("what", OTHER)
def test_not_the_same_for_the_merge(what: str) -> None:
    assert not same(FILE, OTHER[what])
    assert not same(OTHER[what], FILE)


def test_absent_is_the_same_as_absent() -> None:
    assert same(None, None)
    assert same_content(None, None)


@pytest.mark.parametrize("kind", [Kind.SPECIAL, Kind.UNKNOWN, Kind.IGNORED])
def test_what_is_no_content_equals_nothing(kind: Kind) -> None:
    entry = Entry(b"x", kind, id=b"reason")
    assert not entry.is_content
    assert not same(entry, entry)


def test_a_directory_without_an_id_equals_nothing() -> None:
    unknown = but(DIRECTORY, id=b"")
    assert not same(unknown, unknown)
    assert same(DIRECTORY, DIRECTORY)


@given(leaves(), leaves())
def test_sameness_is_mutual_and_means_the_same_content(a: Entry, b: Entry) -> None:
    assert same(a, b) == same(b, a)
    assert same_content(a, b) or not same(a, b)
    assert same(a, a) == a.is_content


@pytest.mark.parametrize(
    ("tracked", "entry", "bits"),
    [
        (Tracked(), FILE, 0),
        (Tracked(), but(FILE, mode=0o100), 1),
        (Tracked(), but(FILE, mode=0o011), 0),
        (Tracked(), DIRECTORY, 0),
        (Tracked(exec=False), but(FILE, mode=0o755), 0),
        (Tracked(mode=True), but(FILE, mode=0o4755), 0o755),
        (Tracked(mode=True), DIRECTORY, 0o755),
        (Tracked(mode=True), LINK, 0),
        (Tracked(exec=False, mode=True), FILE, 0o644),
    ],
)
def test_tracked_bits(tracked: Tracked, entry: Entry, bits: int) -> None:
    assert meta(entry, tracked) == bits


def test_tracked_attributes() -> None:
    entry = but(FILE, extra=(("owner", b"1:2"), ("token", b"t"), ("xattr", b"x")))
    assert attributes(entry, Tracked()) == ()
    assert attributes(entry, Tracked(owner=True)) == (("owner", b"1:2"),)
    assert attributes(entry, Tracked(xattr=True)) == (("xattr", b"x"),)
    both = Tracked(owner=True, xattr=True)
    assert attributes(entry, both) == (("owner", b"1:2"), ("xattr", b"x"))
    assert attributes(DIRECTORY, both) == ()


def test_executable_means_by_the_owner() -> None:
    assert but(FILE, mode=0o100).is_exec
    assert not but(FILE, mode=0o677).is_exec
