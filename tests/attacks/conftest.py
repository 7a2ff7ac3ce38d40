"""What the tests of this room share."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A directory that every account can reach as long as the test takes.

    `tmp_path` is not one: another pytest that starts meanwhile closes the directory
    above it to all but its owner.
    """
    place = Path(tempfile.mkdtemp(prefix="reconcile-attack-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)
