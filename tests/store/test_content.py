"""Contents are what their id says, or they are not there."""

import hashlib
import os
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


def test_what_is_young_is_not_pruned_and_putting_it_again_makes_it_young(tmp_path: Path) -> None:
    store = ContentStore(pair(tmp_path))
    old, again, young = store.put(b"old"), store.put(b"again"), store.put(b"young")
    for place in Path(pair(tmp_path)).rglob("*"):
        if place.is_file() and place.read_bytes() != b"young":
            os.utime(place, ns=(5, 5))
    store.put(b"again")
    assert {identifier for identifier, time_ns in store.held() if time_ns < 10} == {old}
    assert {identifier for identifier, _ in store.held()} == {old, again, young}
    assert store.prune([], 10) == 1
    assert store.get(old) is None
    assert store.get(again) == b"again"
    assert store.get(young) == b"young"


def test_the_oldest_beyond_a_number_go_and_young_ones_stay(tmp_path: Path) -> None:
    store = ContentStore(str(tmp_path))
    ids = [store.put(b"%d" % number) for number in range(6)]
    for age, identifier in enumerate(reversed(ids)):
        name = identifier.hex()
        os.utime(tmp_path / "content" / name[:2] / name[2:], ns=(0, 1_000 - age * 100))
    assert store.trim(most=10, before_ns=10_000) == 0
    assert store.trim(most=5, before_ns=10_000, keep=ids[:1]) == 0
    assert store.trim(most=2, before_ns=750) == 3
    assert [store.get(each) is not None for each in ids] == [False] * 3 + [True] * 3


def test_flushing_is_for_all_that_was_put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda fd: flushed.append(os.readlink(f"/proc/self/fd/{fd}")))
    store = ContentStore(str(tmp_path))
    name = store.put(b"one").hex()
    assert flushed == []
    store.flush()
    top = tmp_path / "content"
    assert flushed == [str(top / name[:2] / name[2:]), str(top / name[:2]), str(top)]
    store.flush()
    assert len(flushed) == 3
    store.put(b"one")
    store.flush()
    assert len(flushed) == 6, "somebody else may have put it, and not have flushed"
