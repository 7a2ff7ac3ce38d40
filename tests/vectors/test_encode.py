"""manifests/v1/encode: our writer makes exactly these files, and both readers find these trees."""

from hashlib import sha256
from typing import Any

import pytest

from reconcile.model.manifest import walk
from reconcile.model.rman_read import RmanManifest
from reconcile.model.rman_verify import verify
from tests.model.sources import BytesSource
from tests.vectors import independent_reader
from tests.vectors.described import (
    Described,
    described,
    file_bytes,
    header_of,
    manifest_of,
    names,
    rows_of,
)
from tests.vectors.make_encode import TREES, encoded

ALL = names("encode")
PLAIN = [name for name in ALL if described("encode", name)["header"]["coding"] == "none"]


@pytest.fixture(params=ALL)
def vector(request: pytest.FixtureRequest) -> tuple[Described, bytes]:
    return described("encode", request.param), file_bytes("encode", request.param)


def test_every_vector_has_both_parts_and_a_recipe() -> None:
    assert names("encode", ".rman") == ALL
    assert sorted(TREES) == ALL


@pytest.mark.parametrize("name", PLAIN)
def test_the_writer_makes_exactly_this_file(name: str) -> None:
    data, full = encoded(TREES[name])
    assert data == file_bytes("encode", name)
    assert full == described("encode", name)


def test_the_file_is_the_one_its_description_was_made_with(vector: tuple[Described, bytes]) -> None:
    told, data = vector
    assert sha256(data).hexdigest() == told["file_sha256"]


def test_reading_by_position_finds_the_tree(vector: tuple[Described, bytes]) -> None:
    told, data = vector
    manifest, expected = RmanManifest(BytesSource(data)), manifest_of(told)
    assert manifest.header == header_of(told)
    assert manifest.root == expected.root
    assert manifest.complete is told["complete"]
    assert (manifest.front.creator, manifest.front.created_ns) == (
        told["header"]["creator"],
        told["header"]["created_ns"],
    )
    assert list(walk(manifest)) == list(walk(expected))


def test_reading_all_of_it_finds_the_counts(vector: tuple[Described, bytes]) -> None:
    told, data = vector
    counts = verify(BytesSource(data))
    assert {name: getattr(counts, name) for name in counts.__struct_fields__} == told["counts"]


def test_the_independent_reader_finds_the_same(vector: tuple[Described, bytes]) -> None:
    told, data = vector
    found = independent_reader.read(data)
    header = told["header"]
    flags = [field in header["tracked"] for field in ("exec", "mode", "owner", "xattr")]
    expected: list[Any] = [1, header["hash"], flags, header["coding"]]
    assert found.header == [*expected, header["creator"], header["created_ns"]]
    assert found.root[5].hex() == told["root"]["id"]
    assert found.counts == list(told["counts"].values())
    assert found.complete is told["complete"]
    assert found.entries == rows_of(manifest_of(told))


def test_large_directories_are_in_several_pages_and_poison_has_no_id() -> None:
    assert RmanManifest(BytesSource(file_bytes("encode", "big"))).pages(b"big")[1:]  # type: ignore[arg-type]  # bytes as a path
    assert described("encode", "kinds")["root"]["id"] == ""
