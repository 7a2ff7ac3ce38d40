"""Pages of one directory that overlap are damage, whoever wrote them: no name is read twice."""

from pathlib import Path

import pytest

from reconcile.model.block import page_id, page_key, tree_id
from reconcile.model.codec import encode, encode_entries
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestError, StateError
from reconcile.model.manifest import DEFAULT_HEADER, PageRow, walk
from reconcile.model.treepath import ROOT
from reconcile.store.far_index import FarIndex
from reconcile.trees.spool import Spool
from tests.trees.looking import file


def overlapping(bound: bytes) -> tuple[list[PageRow], Entry]:
    """The root in two pages, the first of which holds the names up to `m`."""
    pages = [[file(b"a", b"x"), file(b"m", b"x")], [file(b"n", b"x"), file(b"z", b"x")]]
    ids = [page_id(page) for page in pages]
    refs = encode([[ids[0], b"", bound, 2], [ids[1], bound, b"", 2]])
    keys = [page_key(ROOT), page_key(ROOT, bound)]
    rows = [
        PageRow(key, identifier, 2, encode_entries(page), told)
        for key, identifier, page, told in zip(keys, ids, pages, (refs, b""), strict=True)
    ]
    return rows, Entry(b"", Kind.DIR, id=tree_id(ids))


@pytest.mark.parametrize("bound", [b"b", b"x"])
def test_a_stored_page_past_its_bounds_is_damage(tmp_path: Path, bound: bytes) -> None:
    rows, root = overlapping(bound)
    index = FarIndex.open(str(tmp_path / "far"))
    with index.transaction():
        index.sink().write(rows)
        index.settle(b"", DEFAULT_HEADER, "1:2", root)
    assert index.known
    with pytest.raises(StateError, match="bounds"):
        list(walk(index._manifest(index.known)))
    index.close()


@pytest.mark.parametrize("bound", [b"b", b"x"])
def test_a_spooled_page_past_its_bounds_is_no_manifest(bound: bytes) -> None:
    rows, root = overlapping(bound)
    spool = Spool(None)
    spool.write(rows)
    with pytest.raises(ManifestError, match="bounds"):
        list(walk(spool.manifest(DEFAULT_HEADER, root)))
    spool.close()


def test_a_spooled_page_that_is_missing_is_no_empty_page() -> None:
    rows, root = overlapping(b"m")
    spool = Spool(None)
    spool.write(rows[:1])
    with pytest.raises(ManifestError, match="missing"):
        list(walk(spool.manifest(DEFAULT_HEADER, root)))
    spool.close()


def test_pages_inside_their_bounds_are_read(tmp_path: Path) -> None:
    rows, root = overlapping(b"m")
    spool = Spool(None)
    spool.write(rows)
    names = [path for path, _ in walk(spool.manifest(DEFAULT_HEADER, root))]
    assert names == [b"a", b"m", b"n", b"z"]
    spool.close()
