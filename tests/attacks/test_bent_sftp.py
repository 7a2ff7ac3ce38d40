"""Any answer of an SFTP server may be a lie.

Whatever is told: the run ends in order, nothing outside of the two roots is changed, and no
content of this side is gone that the run did not replace by what the other holds.
"""

import os
import sys
from pathlib import Path

import pytest

from tests.attacks.handed_over import tree_of
from tests.attacks.test_bent_messages import WORDS, Ended, World, contents, told
from tests.sftp.servers import sftp_server


class SftpWorld(World):
    """The far side is an SFTP server's, behind `tests/sftp/liar.py`."""

    def lied_to(self, lie: str) -> Ended:
        os.environ["LIE"] = lie
        return told(
            self.place, "apply", str(self.near), f"sftp://there{self.far}", "--yes",
            "--state-dir", str(self.place / "state"),
        )  # fmt: skip


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SftpWorld:
    ssh = tmp_path / "ssh"
    liar = f'{sys.executable} -m tests.sftp.liar "$LIE" {sftp_server()}'
    ssh.write_text(f'#!/bin/sh\ncase "$*" in *sftp*) exec {liar};; esac\nexit 127\n')
    ssh.chmod(0o755)
    for name, value in (
        ("RECONCILE_SSH", str(ssh)), ("HOME", str(tmp_path / "home")), ("COLUMNS", "200"),
        ("LIE", ""), ("XDG_CACHE_HOME", str(tmp_path / "home" / "cache")),
        ("PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[2]), *sys.path[1:]])),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    return SftpWorld(tmp_path)


def lie(world: SftpWorld, seeds: range) -> None:
    """One run for each seed."""
    for seed in seeds:
        world.make()
        outside = tree_of(world.outside)
        had = contents(world.near)
        ended = world.lied_to(f"bent:{seed}")
        why = f"seed {seed}: {ended.status}\n{ended.said}"
        assert ended.status in WORDS, why
        for word in ("Traceback", "E_INTERNAL", "\x1b", "MemoryError", "\u202e"):
            assert word not in ended.said, why
        assert tree_of(world.outside) == outside, why
        assert had <= contents(world.near) | contents(world.far), why
        assert set(os.listdir(world.place)) - {"said", "ssh"} == {
            "near", "far", "outside", "state", "home",
        }, why  # fmt: skip


def test_a_server_that_tells_the_truth_is_believed(world: SftpWorld) -> None:
    world.make()
    ended = world.lied_to("truthful")
    assert ended.status == 0, ended
    assert (world.far / "d" / "n1").read_bytes() == b"nn"


def test_a_server_that_lies_once_does_no_harm(world: SftpWorld) -> None:
    lie(world, range(25))


@pytest.mark.slow
@pytest.mark.parametrize("first", [1000, 2000, 3000])
def test_nor_in_six_hundred_runs(world: SftpWorld, first: int) -> None:
    lie(world, range(first, first + 200))
