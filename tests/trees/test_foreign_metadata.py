"""Owners and attributes that a stranger's entry names: only what a user may give is ever set."""

import pytest

from reconcile.model.codec import encode
from reconcile.model.entry import Entry, Kind, Tracked
from reconcile.trees.attributes import wanted_xattrs
from reconcile.trees.metadata import wanted_owner


def entry(name: str, value: bytes) -> Entry:
    """A file with one extra."""
    return Entry(b"f", Kind.FILE, id=bytes(32), extra=((name, value),))


@pytest.mark.parametrize(
    "name",
    [
        "security.capability",
        "system.posix_acl_access",
        "trusted.overlay.opaque",
        "user",
        "user.a\0b",
        "user." + "x" * 251,
    ],
)
def test_no_attribute_but_the_users_is_taken(name: str) -> None:
    assert wanted_xattrs(entry("xattr", encode([["user.a", b"1"], [name, b"x"]]))) is None


def test_the_users_attributes_are_taken() -> None:
    assert wanted_xattrs(entry("xattr", encode([["user.a", b"1"]]))) == {"user.a": b"1"}


@pytest.mark.parametrize(
    ("told", "owner"),
    [
        (b"1000:100", (1000, 100)),
        (b"root:root", None),
        (b"1000", None),
        (b"-1:0", None),
        (b"4294967295:0", None),
        (b"99999999999:0", None),
        (b"", None),
    ],
)
def test_an_owner_is_two_numbers(told: bytes, owner: tuple[int, int] | None) -> None:
    assert wanted_owner(entry("owner", told), None, Tracked(owner=True)) == owner
