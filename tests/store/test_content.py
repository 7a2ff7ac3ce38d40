"""Contents are what their id says, or they are not there."""

import hashlib
from pathlib import Path

import pytest

from reconcile.store.content import ContentStore
from tests.store.helpers import pair


def test_content_is_found_by_its_id(tmp_path: Path) -> None:
    store = ContentStore(pair(tmp_path), "sha256")
    assert store.put(b"text") == hashlib.sha256(b"text").digest()
    assert store.put(b"text") == store.put(b"text")
    assert ContentStore(pair(tmp_path), "sha256").get(store.put(b"text")) == b"text"
    assert store.get(b"x" * 32) is None


@pytest.mark.parametrize("content", [b"", b"other", b"texts"])
def test_damaged_content_is_not_there_and_can_be_put_again(tmp_path: Path, content: bytes) -> None:
    store = ContentStore(pair(tmp_path))
    identifier = store.put(b"text")
    (place,) = (p for p in Path(pair(tmp_path)).rglob("*") if p.is_file())
    place.write_bytes(content)
    assert store.get(identifier) is None
    store.put(b"text")
    assert store.get(identifier) == b"text"
    assert [p for p in Path(pair(tmp_path)).rglob("*") if p.is_file()] == [place]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    store = ContentStore(pair(tmp_path))
    identifier = store.put(b"text")
    (place,) = (p for p in Path(pair(tmp_path)).rglob("*") if p.is_file())
    (tmp_path / "same").write_bytes(b"text")
    place.unlink()
    place.symlink_to(tmp_path / "same")
    assert store.get(identifier) is None


def test_pruning_keeps_what_is_named(tmp_path: Path) -> None:
    store = ContentStore(pair(tmp_path))
    kept, gone = store.put(b"a"), store.put(b"b")
    assert store.prune([kept]) == 1
    assert store.get(kept) == b"a"
    assert store.get(gone) is None


def test_contents_are_private(tmp_path: Path) -> None:
    ContentStore(pair(tmp_path)).put(b"text")
    for place in Path(pair(tmp_path)).rglob("*"):
        assert place.stat().st_mode & 0o077 == 0
