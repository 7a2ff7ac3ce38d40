"""Where host keys are pinned: in a file that nobody else chose."""

import os
from pathlib import Path

import pytest

from reconcile.model.errors import Denied
from reconcile.trees.ssh.hostkeys import Target, pin
from reconcile.trees.ssh.known_hosts import read_key
from tests.attacks.exchanging import Exchanger
from tests.attacks.handed_over import STRANGER, tree_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root and an account beside it")
KEY = read_key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFbYdYoBWTvGVQpvyL3ZDiWnBuLnrZdjZOhYJJEmDUqT")


@pytest.fixture
def place(open_place: Path) -> Path:
    for name in ("outside", "theirs", "theirs/way"):
        (open_place / name).mkdir()
    (open_place / "outside" / "known_hosts").write_text("secret\n")
    for name in ("theirs", "theirs/way"):
        os.chown(open_place / name, STRANGER, STRANGER)
    return open_place


def pin_in(file: Path) -> None:
    assert KEY is not None
    pin(Target("h", "h", 22, (str(file),), (), False, True), [KEY], replace=False)


def test_a_stranger_s_link_is_not_written_behind(place: Path) -> None:
    before = tree_of(place / "outside")
    link = place / "theirs" / "known_hosts"
    link.symlink_to("../outside/known_hosts")
    (place / "theirs" / "led").symlink_to("../outside")
    for made in (link, place / "theirs" / "led"):
        os.lchown(made, STRANGER, STRANGER)
    for file in (link, place / "theirs" / "led" / "known_hosts", place / "theirs" / "led" / "new"):
        with pytest.raises(Denied, match="is not followed"):
            pin_in(file)
    assert tree_of(place / "outside") == before


def test_our_own_link_is(place: Path) -> None:
    (place / "own").symlink_to("led/known_hosts")
    (place / "led").symlink_to("outside")
    pin_in(place / "own")
    assert "ssh-ed25519" in (place / "outside" / "known_hosts").read_text()
    assert (place / "own").is_symlink()
    (place / "new").symlink_to("missing/known_hosts")
    pin_in(place / "new")
    assert (place / "missing" / "known_hosts").is_file()


@pytest.mark.parametrize("exchanges", [3_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_nor_is_one_that_is_exchanged_for_the_way(place: Path, exchanges: int) -> None:
    before = tree_of(place / "outside")
    way = place / "theirs" / "way"
    stranger = Exchanger([(way, place / "theirs" / "link", place / "outside")], STRANGER)
    try:
        stranger.work()
        while stranger.count < exchanges:
            try:
                pin_in(way / "known_hosts")
            except Denied:
                continue
            finally:
                assert tree_of(place / "outside") == before
    finally:
        stranger.end()
