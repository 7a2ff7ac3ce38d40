"""Fixtures of the house tests."""

from pathlib import Path

import pytest

from tests.house.checkout import ROOT


@pytest.fixture
def root() -> Path:
    """The checkout."""
    return ROOT
