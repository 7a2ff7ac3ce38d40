"""The same stranger at the far side of an agent: nothing outside is read or touched there."""

import os
import sys
from pathlib import Path

import pytest

from reconcile import Pair
from tests.attacks import test_tree_races as here
from tests.attacks.test_tree_races import World, hers, race, stranger_at

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several accounts")


class FarWorld(World):
    """Its right side is reached through an agent of this machine."""

    scheme = "ssh"

    def pair(self, **options: object) -> Pair:
        return Pair(  # type: ignore[misc]
            self.left, f"{self.scheme}://there{self.right}", state_dir=self.place / "state",
            exclude=["beside-*"], max_delete="1000", max_change="100%", **options,
        )  # fmt: skip


@pytest.fixture
def world(open_place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FarWorld:
    ssh, home = open_place / "ssh", open_place / "home"
    home.mkdir()
    ssh.write_text(f'#!/bin/sh\nexec {sys.executable} -m tests.attacks.bending "$@"\n')
    ssh.chmod(0o755)
    for name, value in (
        ("RECONCILE_SSH", str(ssh)), ("HOME", str(home)),
        ("BENDING", f"1 up 1000000 {tmp_path / 'report'}"),
        ("PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[2]), *sys.path[1:]])),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return FarWorld(open_place)


@pytest.mark.parametrize("exchanges", [300, pytest.param(100_000, marks=pytest.mark.slow)])
def test_an_agent_of_root_s_writes_and_reads_nothing_outside(
    world: FarWorld, exchanges: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_agent = {
        verb: before for verb, before in here.VERBS.items() if verb is not here._write_version
    }
    monkeypatch.setattr(here, "VERBS", by_agent)
    with stranger_at(world) as stranger:
        assert race(world, stranger, hers, exchanges) > 0
        assert stranger.count >= exchanges
