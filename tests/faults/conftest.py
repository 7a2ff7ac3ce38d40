"""Faults are many short runs: they live in memory where there is room, not on a busy disk."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A fresh directory, in memory when the machine has such a place."""
    base = MEMORY if os.access(MEMORY, os.W_OK) else None
    place = Path(tempfile.mkdtemp(prefix="reconcile-faults-", dir=base))
    yield place
    shutil.rmtree(place, ignore_errors=True)
