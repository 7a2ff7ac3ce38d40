"""A state that is read without a trace: nothing beside it, nothing in it, and whoever writes
meanwhile is noticed."""

import os
import sqlite3
from pathlib import Path

import pytest

from reconcile.model.errors import Locked
from reconcile.model.plan import Side
from reconcile.store.state import Store


@pytest.fixture
def directory(tmp_path: Path) -> str:
    place = str(tmp_path / "state")
    store = Store.open(place)
    with store.transaction():
        store.note(left="here")
    store.close()
    return place


def seen(directory: str) -> dict[str, tuple[int, int, bytes]]:
    return {
        entry.name: (entry.stat().st_mtime_ns, entry.inode(), Path(entry.path).read_bytes())
        for entry in [*os.scandir(directory), *os.scandir(os.path.dirname(directory))]
        if entry.is_file()
    }


def test_it_is_read_and_nothing_is_made(directory: str) -> None:
    before = seen(directory)
    store = Store.open(directory, create=False, traceless=True)
    assert store.noted("left") == "here"
    assert list(store.index(Side.LEFT).rows(b"", None)) == []
    assert seen(directory) == before
    store.check_still()
    store.close()
    assert seen(directory) == before


def test_a_state_in_use_is_read_as_a_copy(directory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = sqlite3.connect(os.path.join(directory, "state.db"), isolation_level=None)
    writer.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('left', CAST('new' AS BLOB))")
    before = seen(directory)
    assert "state.db-wal" in before
    room = Path(directory).parent / "tmp"
    room.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(room))
    store = Store.open(directory, create=False, traceless=True)
    assert store.noted("left") == "new"
    assert seen(directory) == before
    assert list(room.iterdir())
    writer.execute("UPDATE meta SET value = CAST('newer' AS BLOB) WHERE key = 'left'")
    store.check_still()
    assert store.noted("left") == "new"
    store.close()
    assert not list(room.iterdir())
    writer.close()


def test_who_writes_meanwhile_is_noticed(directory: str) -> None:
    store = Store.open(directory, create=False, traceless=True)
    other = Store.open(directory)
    with other.transaction():
        other.note(left="there")
    other.close()
    with pytest.raises(Locked, match="while it was read"):
        store.check_still()
    store.close()


def test_a_state_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "none"), create=False, traceless=True)
    assert store.noted("left") == ""
    store.check_still()
    store.close()
    assert not list(tmp_path.iterdir())
