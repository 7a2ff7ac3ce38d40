"""A remote side's cursor lives with the copy of its pages, and moves only with them."""

import sqlite3
from pathlib import Path

import pytest
from msgspec import structs

from reconcile.decide.advance import Graft, SideEdits, graft_rows
from reconcile.model.codec import encode
from reconcile.model.manifest import DEFAULT_HEADER, build
from reconcile.model.plan import Side
from reconcile.model.treepath import ROOT
from reconcile.store.records import SideIndex, root_of
from reconcile.store.state import Store
from tests.store.helpers import file, path, tree

OLD = encode((b"epoch", 7, b"r" * 32))


def copied(place: Path, cursor: bytes = OLD) -> Store:
    """A state with a copy of a far tree."""
    store = Store.open(str(place))
    seen = tree({"a": "1"})
    assert seen.root is not None
    with store.transaction():
        graft = Graft(ROOT, seen, ROOT, seen.root)
        store.write_rows(Side.RIGHT, graft_rows(graft, DEFAULT_HEADER))
        store.set_side(
            Side.RIGHT, SideIndex(b"", "1:2", seen.root, DEFAULT_HEADER, 1, cursor=cursor)
        )
    return store


def after(content: str) -> bytes:
    """The root id once `a` holds this."""
    root = build({path("a"): file(content)}).root
    assert root is not None
    return root.id


def noted(store: Store, cursor: bytes) -> bytes:
    with store.transaction():
        store.note_writes(Side.RIGHT, SideEdits({path("a"): file("2")}, {}), cursor)
    side = store.side(Side.RIGHT)
    assert side is not None
    assert side.root.id == after("2")
    return side.cursor


def test_it_moves_on_when_it_tells_of_the_tree_that_is_stored(tmp_path: Path) -> None:
    new = encode((b"epoch", 8, after("2")))
    assert noted(copied(tmp_path), new) == new


@pytest.mark.parametrize(
    "cursor", [b"", b"\xc1", encode((b"epoch", 8, after("3"))), encode((b"epoch", 8, b""))]
)
def test_it_stays_when_it_tells_of_another(tmp_path: Path, cursor: bytes) -> None:
    assert noted(copied(tmp_path), cursor) == OLD


def test_a_copy_without_one_gets_none(tmp_path: Path) -> None:
    assert noted(copied(tmp_path, b""), encode((b"epoch", 8, after("2")))) == b""


@pytest.mark.parametrize(
    "cursor", [b"", b"no msgpack", encode(()), encode((1, 2, "text")), b"\xc0"]
)
def test_bytes_that_are_no_cursor_tell_no_root(cursor: bytes) -> None:
    assert root_of(cursor) == b""


def test_a_side_that_was_noted_before_there_were_cursors_is_read(tmp_path: Path) -> None:
    store = copied(tmp_path)
    side = store.side(Side.RIGHT)
    assert side is not None
    older = {name: value for name, value in structs.asdict(side).items() if name != "cursor"}
    body = encode(older)
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute("UPDATE sides SET body = ?", (body,))
    connection.commit()
    connection.close()
    assert store.side(Side.RIGHT) == structs.replace(side, cursor=b"")
