"""manifests/v1/reject: each file is refused by every reader, for the reason it was made for."""

import pytest

from reconcile.model.errors import ManifestBroken
from reconcile.model.manifest import walk
from reconcile.model.rman_read import RmanManifest
from reconcile.model.rman_verify import verify
from tests.model.sources import BytesSource
from tests.vectors import independent_reader
from tests.vectors.bad_files import VECTORS_BY_NAME
from tests.vectors.described import described, file_bytes, names
from tests.vectors.test_format_page import rules_of_the_page

ALL = names("reject")
BY_POSITION = [name for name in ALL if not described("reject", name)["whole"]]
WHOLE = [name for name in ALL if described("reject", name)["whole"]]


def test_every_vector_has_both_parts_and_a_recipe() -> None:
    assert names("reject", ".rman") == ALL
    assert sorted(VECTORS_BY_NAME) == ALL


@pytest.mark.parametrize("name", ALL)
def test_the_recipe_still_says_the_same(name: str) -> None:
    bad, told = VECTORS_BY_NAME[name], described("reject", name)
    assert told == {"rule": bad.rule, "why": bad.why, "whole": bad.whole}
    if b"\x28\xb5\x2f\xfd" not in file_bytes("reject", name):  # zstd frames differ by version
        assert bad.make() == file_bytes("reject", name)


@pytest.mark.parametrize("name", ALL)
def test_reading_all_of_it_refuses(name: str) -> None:
    with pytest.raises(ManifestBroken) as caught:
        verify(BytesSource(file_bytes("reject", name)))
    assert caught.value.rule == described("reject", name)["rule"]
    assert f"at byte {caught.value.offset}" in str(caught.value)


@pytest.mark.parametrize("name", BY_POSITION)
def test_walking_by_position_refuses(name: str) -> None:
    with pytest.raises(ManifestBroken) as caught:
        list(walk(RmanManifest(BytesSource(file_bytes("reject", name)))))
    assert caught.value.rule == described("reject", name)["rule"]


@pytest.mark.parametrize("name", WHOLE)
def test_what_only_the_whole_shows_is_not_seen_by_position(name: str) -> None:
    list(walk(RmanManifest(BytesSource(file_bytes("reject", name)))))


@pytest.mark.parametrize("name", ALL)
def test_the_independent_reader_refuses(name: str) -> None:
    with pytest.raises(independent_reader.RefusedError) as caught:
        independent_reader.read(file_bytes("reject", name))
    assert caught.value.rule == described("reject", name)["rule"]


def test_every_rule_but_the_readers_own_budget_has_a_vector() -> None:
    assert {described("reject", name)["rule"] for name in ALL} == rules_of_the_page() - {"budget"}
