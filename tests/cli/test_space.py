"""A disk that is too small is told before the first write."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.model.errors import ExitCode
from tests.cli.test_schemas import Shell

needs_mount = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small tmpfs")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """`r` is a disk of 8 MiB."""
    place = tmp_path / "r"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)


@needs_mount
def test_nothing_is_written_where_not_all_fits(
    tmp_path: Path, small: Path, environment: dict[str, str]
) -> None:
    """The disk was filled, deletions stayed on it as versions, and no run could end."""
    shell = Shell(tmp_path, environment)
    (tmp_path / "l").mkdir()
    (tmp_path / "l/a").write_bytes(os.urandom(5 << 20))
    assert shell.run("apply", "l", "r", "--yes")[0] == 0
    (tmp_path / "l/a").unlink()
    (tmp_path / "l/b").write_bytes(os.urandom(5 << 20))
    events = shell.events("apply", "l", "r", "--yes")
    [error] = [event for event in events if event["type"] == "error"]
    assert (events[-1]["code"], error["code"]) == (ExitCode.GUARD, "E_SPACE")
    assert "needs 5.0 MiB and has" in error["message"]
    assert sorted(p.name for p in small.iterdir()) == [".reconcile", "a"] or (small / "a").exists()
    assert not (small / "b").exists()
    code, _ = shell.run("apply", "l", "r", "--yes", "--allow", "space")
    assert code == ExitCode.PARTIAL
