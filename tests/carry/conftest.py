"""One bundle for all tests here: making it takes a second or more."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.trees.carry.boot import start_command
from reconcile.trees.carry.bundle import make_bundle
from reconcile.trees.carry.package import Bundle
from tests.carry.dialled import NONCE, Dialled
from tests.carry.pythons import NAMES, path_with, pythons


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


def _params() -> Iterator[object]:
    """This one and the oldest always; those between, which differ from both in little, `slow`."""
    oldest = next((name for name in NAMES if name in pythons()), "this")
    for name in sorted(pythons()):
        marks = () if name in ("this", oldest) else (pytest.mark.slow,)
        yield pytest.param(name, marks=marks)


@pytest.fixture(scope="session", params=list(_params()))
def python(request: pytest.FixtureRequest) -> str:
    """An interpreter to run it with."""
    return pythons()[request.param]


@pytest.fixture(scope="session")
def warm(bundle: Bundle, python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose cache one run has filled; its `bin` holds sh and the interpreter."""
    place = tmp_path_factory.mktemp("warm")
    path = path_with(place / "bin", python3=python)
    far = Dialled(start_command(NONCE, bundle, installed=False), path, place)
    far.greeted(bundle)
    far.welcomed()
    far.close()
    return place
