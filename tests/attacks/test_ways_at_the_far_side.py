"""The way to a root is judged at the far side as it is here: a stranger's link leads nowhere."""

import os
import sys
from pathlib import Path

import pytest

from reconcile.model.errors import Denied
from reconcile.trees.sftp.tree import SftpTree
from tests.attacks.handed_over import STRANGER, Ran, run
from tests.sftp.servers import Served, prepared, sftp_server

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root and an account beside it")


@pytest.fixture
def place(open_place: Path) -> Path:
    """A side, what lies outside, and links to it: a stranger's, one in his way, our own."""
    for name in ("left", "outside", "outside/deep", "theirs", "home"):
        (open_place / name).mkdir()
    (open_place / "left" / "f").write_text("x")
    (open_place / "own").symlink_to("outside")
    (open_place / "led").symlink_to("theirs/way/deep")
    (open_place / "theirs" / "way").symlink_to("../outside")
    for name in ("theirs", "theirs/way"):
        os.lchown(open_place / name, STRANGER, STRANGER)
    return open_place


THEIRS = ("theirs/way", "theirs/way/deep", "led")


def by_agent(place: Path, root: str) -> Ran:
    """`apply` through an agent of this machine."""
    ssh = place / "ssh"
    line = f'exec {sys.executable} -m tests.attacks.bending "$@"'
    ssh.write_text(f"#!/bin/sh\n{line}\n")
    ssh.chmod(0o755)
    env = {
        "RECONCILE_SSH": str(ssh), "HOME": str(place / "home"),
        "BENDING": f"1 up 1000000 {place / 'report'}",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path[1:]]),
    }  # fmt: skip
    return run("apply", "left", f"ssh://there{place / root}", "--yes", cwd=place, env=env)


@pytest.mark.parametrize("root", THEIRS)
def test_an_agent_follows_no_stranger_s_link_to_its_root(place: Path, root: str) -> None:
    done = by_agent(place, root)
    assert done.code == 9, done
    assert "E_LINK_OF_OTHERS" in done.err
    assert sorted(os.listdir(place / "outside")) == ["deep"]


def test_an_agent_follows_our_own(place: Path) -> None:
    done = by_agent(place, "own")
    assert done.code == 0, done
    assert (place / "outside" / "f").read_text() == "x"


def at_server(root: str, start: Path) -> str:
    """The root as a server finds it whose sessions begin at `start`."""
    server: Served = prepared(f"os.chdir({str(start)!r})")
    tree = SftpTree(lambda: server, "sftp://peer/x", os.fsencode(root))
    try:
        tree.connect()
        return tree.root_identity
    finally:
        tree.close()


@pytest.mark.parametrize("root", THEIRS)
def test_a_server_is_asked_whose_links_lead_to_its_root(place: Path, root: str) -> None:
    assert sftp_server()
    for named in (str(place / root), root):
        with pytest.raises(Denied, match=f"of user {STRANGER} is not followed") as caught:
            at_server(named, place)
        assert caught.value.code == "E_LINK_OF_OTHERS"


def test_our_own_links_are_followed_there_too(place: Path) -> None:
    assert at_server("own/deep", place)
    assert at_server("theirs", place)
    os.chown(place / "home", STRANGER, STRANGER)
    assert at_server("../theirs/way", place / "home")
