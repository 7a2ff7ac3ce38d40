"""A file of very many bytes that holds nearly nothing: its holes are zeros, and are not read."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconcile.trees.copying import hash_fd
from reconcile.trees.hashing import hash_file, stamp
from reconcile.trees.holes import LONG_BYTES
from reconcile.trees.rebuilding import prefix_digest

MIB = 1 << 20
Way = Callable[[Path], bytes | None]


def _scanned(place: Path) -> bytes:
    directory = os.open(place.parent, os.O_RDONLY)
    try:
        return hash_file(os.fsencode(place.name), directory, stamp(place.lstat()))[0]
    finally:
        os.close(directory)


def _verified(place: Path) -> bytes:
    with place.open("rb") as file:
        return hash_fd(file.fileno(), "blake3")


def _prefix(place: Path) -> bytes | None:
    with place.open("rb") as file:
        return prefix_digest(file.fileno(), place.stat().st_size, "blake3")


WAYS = [_scanned, _verified, _prefix]


def made(place: Path, size: int, data: dict[int, bytes]) -> Path:
    with place.open("wb") as file:
        file.truncate(size)
        for at, content in data.items():
            file.seek(at)
            file.write(content)
    return place


def bytes_read() -> int:
    """By this process, from whatever file."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])


@pytest.mark.parametrize("way", WAYS)
def test_holes_are_hashed_and_not_read(tmp_path: Path, way: Way) -> None:
    place = made(tmp_path / "f", 96 * MIB, {0: b"first", 95 * MIB: b"last"})
    before = bytes_read()
    found = way(place)
    assert bytes_read() - before < 40 * MIB
    assert found == blake3(place.read_bytes()).digest()


@pytest.mark.parametrize("way", WAYS)
@given(
    size=st.integers(0, 3 * LONG_BYTES),
    data=st.dictionaries(st.integers(0, 3 * LONG_BYTES), st.binary(min_size=1, max_size=9)),
)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_wherever_the_holes_are_the_id_is_that_of_the_bytes(
    tmp_path: Path, way: Way, size: int, data: dict[int, bytes]
) -> None:
    place = made(tmp_path / "f", size, data)
    assert way(place) == blake3(place.read_bytes()).digest()
