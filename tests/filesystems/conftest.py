"""Disks to try the whole program on. Who cannot mount them is told so."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.disks import disk, lacking
from tests.trees.mounts import folding


def _disk(kind: str) -> Iterator[Path]:
    why = lacking(kind)
    if why:
        pytest.skip(why)
    with (
        tempfile.TemporaryDirectory(prefix="reconcile-disk-") as place,
        disk(kind, Path(place) / kind) as mountpoint,
    ):
        yield mountpoint


@pytest.fixture
def exfat() -> Iterator[Path]:
    """A stick without modes, owners, links and attributes, which folds case."""
    yield from _disk("exfat")


@pytest.fixture
def ntfs() -> Iterator[Path]:
    """A disk of a PC."""
    yield from _disk("ntfs")


@pytest.fixture
def fold(tmp_path: Path) -> Iterator[Path]:
    """Folds case and Unicode forms and holds everything else."""
    with folding(tmp_path / "layer") as place:
        yield place
