"""Stored pages read back as the manifest they were, and damage is never read as a deletion."""

import sqlite3
from pathlib import Path

import pytest

from reconcile.decide.advance import revise
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import StateError
from reconcile.model.manifest import EMPTY, build, lookup, walk
from reconcile.model.treepath import ROOT, TreePath
from reconcile.store.database import DATABASE_NAME
from reconcile.store.state import Store
from tests.store.helpers import agree, edit, file, pair, path, shown, tree

SMALL = {"a": "1", "d/": "", "d/e/": "", "d/e/f": "2", "d/g": "3"}


def large() -> dict[str, str]:
    return {"big/": "", "z": "1"} | {f"big/n{number:05}": "x" for number in range(3000)}


@pytest.mark.parametrize("names", [{}, SMALL, large()], ids=["empty", "small", "several pages"])
def test_a_baseline_reads_back_as_it_was_written(tmp_path: Path, names: dict[str, str]) -> None:
    manifest = tree(names)
    store = Store.open(pair(tmp_path))
    agree(store, manifest)
    store.close()
    again = Store.open(pair(tmp_path)).manifest("base")
    assert again.root == manifest.root == Store.open(pair(tmp_path)).root("base")
    assert shown(again) == shown(manifest)
    assert [p._replace(place=None) for p in again.pages(path("big"))] == [
        p._replace(place=None) for p in manifest.pages(path("big"))
    ]


def test_what_is_no_directory_has_no_pages(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    assert store.manifest("base").pages(ROOT) == ()
    agree(store, tree(SMALL))
    base = store.manifest("base")
    assert base.pages(path("a")) == base.pages(path("nothing")) == base.pages(path("d/x/y")) == ()
    assert lookup(base, path("d/e/f")) is not None


def test_a_manifest_taken_before_a_write_reads_no_stale_page(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    agree(store, tree(large()))
    before = store.manifest("base")
    assert len(shown(before)) == 3002
    edit(store, {"big/n00001": None, "big/n02999": None}, "r-2")
    assert len(shown(before)) == 3000


def test_a_directory_is_removed_without_its_neighbours(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    agree(store, tree({"d/": "", "d/f": "1", "d\1/": "", "d\1/f": "1", "d1/": "", "d1/f": "1"}))
    edit(store, {"d": None}, "r-2")
    assert shown(store.manifest("base")) == shown(
        tree({"d\1/": "", "d\1/f": "1", "d1/": "", "d1/f": "1"})
    )


def damage(directory: str, statement: str) -> None:
    connection = sqlite3.connect(f"{directory}/{DATABASE_NAME}")
    with connection:
        assert connection.execute(statement).rowcount == 1
    connection.close()


DAMAGES = {
    "a page is missing": "DELETE FROM blocks WHERE tree = 0 AND key = CAST('d' || x'0000' AS BLOB)",
    "the root page is missing": "DELETE FROM blocks WHERE tree = 0 AND key = x'00'",
    "a page holds another's entries": """
        UPDATE blocks SET block = (SELECT block FROM blocks WHERE key = x'6400650000')
        WHERE key = x'640000'""",
    "a page is another's, checksum and all": """
        UPDATE blocks SET (id, block, crc) =
        (SELECT id, block, crc FROM blocks WHERE key = x'6400650000') WHERE key = x'640000'""",
    "the root page is another's": """
        UPDATE blocks SET (id, block, crc) =
        (SELECT id, block, crc FROM blocks WHERE key = x'6400650000') WHERE key = x'00'""",
    "a block is cut short": "UPDATE blocks SET block = x'90' WHERE key = x'640000'",
    "a block is text": "UPDATE blocks SET block = 'text' WHERE key = x'640000'",
    "an id is nothing": "UPDATE blocks SET id = x'' WHERE key = x'640000'",
    "the checksum differs": "UPDATE blocks SET crc = crc + 1 WHERE key = x'640000'",
    "the record of the baseline is missing": "DELETE FROM baselines",
    "the record of the baseline is no record": "UPDATE baselines SET body = x'01'",
    "the record of the baseline is text": "UPDATE baselines SET body = 'text'",
}


def walked_against_parents(store: Store) -> list[TreePath]:
    """Every path, each directory's id compared with its page's as a three-way diff does."""
    base = store.manifest("base")
    found = []
    for place, entry in walk(base):
        found.append(place)
        if entry.kind == Kind.DIR and [ref.id for ref in base.pages(place)] != [entry.id]:
            raise StateError("a page that is not its parent's")
    return found


@pytest.mark.parametrize("statement", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_page_is_an_error(tmp_path: Path, statement: str) -> None:
    store = Store.open(pair(tmp_path))
    agree(store, tree(SMALL))
    assert len(walked_against_parents(store)) == 5
    store.close()
    damage(pair(tmp_path), statement)
    with pytest.raises(StateError) as raised:
        walked_against_parents(Store.open(pair(tmp_path)))
    assert raised.value.exit_code == 10


@pytest.mark.parametrize("which", [b"", b"\1"])
def test_a_page_of_many_that_is_missing_is_an_error(tmp_path: Path, which: bytes) -> None:
    store = Store.open(pair(tmp_path))
    manifest = tree(large())
    agree(store, manifest)
    after = manifest.pages(path("big"))[1].after
    store.close()
    key = b"big\0" + (after + b"\1" if which else b"\0")
    damage(pair(tmp_path), f"DELETE FROM blocks WHERE key = x'{key.hex()}'")
    with pytest.raises(StateError):
        shown(Store.open(pair(tmp_path)).manifest("base"))


def test_every_flipped_byte_is_harmless_or_an_error(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    manifest = tree(
        {f"d{n}/": "" for n in range(8)} | {f"d{n}/f{m}": "x" for n in range(8) for m in range(9)}
    )
    agree(store, manifest)
    store.close()
    location = Path(pair(tmp_path)) / DATABASE_NAME
    sound, expected = location.read_bytes(), shown(manifest)
    errors = 0
    for offset in [*range(120), *range(120, len(sound), 419)]:
        location.write_bytes(sound[:offset] + bytes([sound[offset] ^ 0x41]) + sound[offset + 1 :])
        try:
            damaged = Store.open(pair(tmp_path))
        except StateError:
            errors += 1
            continue
        try:
            assert shown(damaged.manifest("base")) == expected
        except StateError:
            errors += 1
        finally:
            damaged.close()
    assert errors > 20


def test_unknown_entries_of_a_side_are_stored_as_they_are(tmp_path: Path) -> None:
    unknown = build(
        {path("u"): Entry(b"", Kind.UNKNOWN, id=b"E_DENIED"), path("i"): Entry(b"", Kind.IGNORED)}
    )
    store = Store.open(pair(tmp_path))
    with store.transaction():
        revision = revise(EMPTY, {path("u"): unknown.load(ROOT, unknown.pages(ROOT)[0])[1]})
        store.write_rows("left", revision.rows)
    assert revision.root.id == b""


def test_a_file_put_twice_counts_once(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    edit(store, {"a": file("1", size=10), "b": file("1", size=5)}, "r-1")
    assert store.baselines.newest().size_bytes == 15  # type: ignore[union-attr]
    edit(store, {"a": file("2", size=100)}, "r-1")
    newest = store.baselines.newest()
    assert newest is not None
    assert (newest.files, newest.size_bytes) == (2, 105)
