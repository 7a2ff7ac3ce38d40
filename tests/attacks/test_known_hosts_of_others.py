"""Where host keys are pinned: in a file that nobody else chose."""

import os
from pathlib import Path

import pytest

from reconcile.model.errors import Denied, Unreachable
from reconcile.trees.ssh import hostkeys
from reconcile.trees.ssh.hostkeys import Target, pin
from reconcile.trees.ssh.known_hosts import read_key
from reconcile.trees.ssh.place import parse_place
from tests.attacks.exchanging import Exchanger
from tests.attacks.handed_over import STRANGER, tree_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root and an account beside it")
MUTE = """#!/bin/sh
case "$*" in *-G*) echo hostname h; echo proxycommand x; exit;; esac
exec tail -f /dev/null
"""
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


def test_a_host_that_takes_the_connection_and_says_nothing_is_given_up_on(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = place / "ssh"
    ssh.write_text(MUTE)
    ssh.chmod(0o755)
    at = parse_place("ssh://h/x")
    assert at is not None
    target = hostkeys.resolve(at, str(ssh))
    monkeypatch.setattr(hostkeys, "_MOST_S", 0.2)
    with pytest.raises(Unreachable, match="has not ended within"):
        hostkeys.scan(at, target, str(ssh))
