"""Extended attributes that change in place: a META step under tracked `xattr`."""

import errno
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconcile.model.codec import encode
from reconcile.model.entry import EXTRA_BYTES, Entry, Tracked
from reconcile.model.manifest import Header
from reconcile.model.plan import Action
from reconcile.model.receipt import Receipt, Status
from reconcile.trees.base import RunOptions
from reconcile.trees.local import LocalTree
from reconcile.trees.reading import xattr_digest
from tests.trees.looking import Steps, entry_at, fill

OPTIONS = RunOptions("r-1", header=Header(tracked=Tracked(xattr=True)))


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    """A directory with one file, where user attributes can be set."""
    made = os.fsencode(tmp_path)
    fill(made, {"a": b"content"})
    try:
        os.setxattr(made + b"/a", "user.old", b"1")
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        pytest.skip("no user attributes on this filesystem")
    os.setxattr(made + b"/a", "user.both", b"1")
    return made


def meta(root: bytes, packed: bytes) -> tuple[Entry, Receipt]:
    """Give `a` the attributes packed so; what was expected there, and the receipt."""
    expect = entry_at(root, b"a")
    assert expect is not None
    steps = Steps()
    steps.add(Action.META, b"a", expect, replace(expect, extra=(("xattr", packed),)))
    tree = LocalTree(root)
    try:
        tree.begin(OPTIONS, ())
        [receipt] = tree.carry_out(steps.made)
    finally:
        tree.close()
    return expect, receipt


def attributes(root: bytes) -> dict[str, bytes]:
    place = root + b"/a"
    names = [name for name in os.listxattr(place) if name.startswith("user.")]
    return {name: os.getxattr(place, name) for name in names}


WANTED = {
    "set": {"user.both": b"1", "user.new": b"2", "user.old": b"1"},
    "changed": {"user.both": b"2", "user.old": b"1"},
    "removed": {"user.both": b"1"},
    "all of it": {"user.both": b"2", "user.new": b""},
    "emptied": {},
}


@pytest.mark.parametrize("wanted", WANTED.values(), ids=WANTED)
def test_user_attributes_change_in_place(root: bytes, wanted: dict[str, bytes]) -> None:
    inode = os.stat(root + b"/a").st_ino
    packed = encode(list(wanted.items())) if wanted else b""
    expect, receipt = meta(root, packed)
    assert receipt.status is Status.DONE
    assert attributes(root) == wanted
    assert entry_at(root, b"a") == expect
    assert os.stat(root + b"/a").st_ino == inode


def test_more_attributes_than_an_entry_holds_are_refused(
    root: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = root + b"/a"
    before = attributes(root)
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with monkeypatch.context() as patched:
            large = b"x" * (EXTRA_BYTES + 1)
            patched.setattr(os, "getxattr", lambda fd, name: large)
            told = xattr_digest(b"a", fd, "blake3")
    finally:
        os.close(fd)
    assert len(told) == 32
    _, receipt = meta(root, told)
    assert (receipt.status, receipt.code) == (Status.FAILED, "E_UNSUPPORTED")
    assert attributes(root) == before
    assert os.path.exists(place)
