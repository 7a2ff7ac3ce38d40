"""One bundle for all tests here: making it takes a second or more."""

from pathlib import Path

import pytest

from reconcile.trees.carry.bundle import make_bundle
from reconcile.trees.carry.package import Bundle
from tests.carry.pythons import pythons


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """The bundle of this checkout."""
    return make_bundle()


@pytest.fixture(scope="session")
def bundle_file(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file."""
    place = tmp_path_factory.mktemp("bundle") / "agent.pyz"
    place.write_bytes(bundle.data)
    return place


@pytest.fixture(scope="session", params=sorted(pythons()))
def python(request: pytest.FixtureRequest) -> str:
    """An interpreter to run it with."""
    return pythons()[request.param]
