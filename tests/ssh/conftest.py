"""What the tests of the SSH link share: one server for a module, one pair of clients."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.trees.ssh.place import SshPlace, parse_place
from tests.peers.sshd import Sshd

CLIENTS = ("openssh", "own")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("peer")) as running:
        yield running


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's keys, passwords or agents but the test's."""
    for name in [name for name in os.environ if name.startswith(("SSH_", "RECONCILE_"))]:
        monkeypatch.delenv(name)


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The test runs through both clients."""
    name: str = request.param
    if name == "own":
        monkeypatch.setenv("RECONCILE_SSH", "own")
    return name


def place_at(server: Sshd, path: str = "/", scheme: str = "ssh", **options: str) -> SshPlace:
    place = parse_place(server.url(Path(path), scheme, **options))
    assert place is not None
    return place
