"""Fixtures of the tests with hostile ends."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def trees() -> Iterator[list[Any]]:
    opened: list[Any] = []
    yield opened
    for tree in opened:
        tree.close()


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[None]:
    """Beside the root; it must stay as it is."""
    (tmp_path / "canary").mkdir()
    (tmp_path / "canary" / "kept").write_text("kept")
    yield
    assert sorted(path.name for path in (tmp_path / "canary").iterdir()) == ["kept"]
    assert (tmp_path / "canary" / "kept").read_text() == "kept"
