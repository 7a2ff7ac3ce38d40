"""A hash counts only when the file held still while it was read."""

import os
from pathlib import Path

import pytest
from blake3 import blake3

from reconcile.trees.hashing import Volatile, hash_file, stamp


def test_a_file_that_changes_at_every_read_is_volatile(tmp_path: Path) -> None:
    place = tmp_path / "f"
    place.write_bytes(b"x")
    fd = os.open(tmp_path, os.O_RDONLY)
    reads = []

    def change(head: bytes) -> None:
        reads.append(head)
        place.write_bytes(b"y" * (len(reads) + 1))

    with pytest.raises(Volatile):
        hash_file(b"f", fd, stamp(place.stat()), head=change)

    assert len(reads) == 3
    os.close(fd)


def test_a_file_that_settles_is_hashed_as_it_is_then(tmp_path: Path) -> None:
    place = tmp_path / "f"
    place.write_bytes(b"x")
    before = stamp(place.stat())
    place.write_bytes(b"longer")
    fd = os.open(tmp_path, os.O_RDONLY)

    digest, now = hash_file(b"f", fd, before)

    assert digest == blake3(b"longer").digest()
    assert now is not None
    assert now.st_size == 6
    os.close(fd)


@pytest.mark.parametrize("size", [0, 1, 256 * 1024, 256 * 1024 + 1, 3 << 20, (16 << 20) + 5])
def test_every_size_gives_the_plain_hash(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "f").write_bytes(content)
    fd = os.open(tmp_path, os.O_RDONLY)

    digest, now = hash_file(b"f", fd, stamp((tmp_path / "f").stat()))

    assert (digest, now) == (blake3(content).digest(), None)
    os.close(fd)
