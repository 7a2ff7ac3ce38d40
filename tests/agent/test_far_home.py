"""The far home is full, read-only or in use: its index is no use then, and no damage."""

import fcntl
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconcile.model.errors import Denied, Locked, NoSpace, StateError, StateUnavailable
from reconcile.model.job import FilterSpec
from reconcile.model.manifest import Header
from reconcile.model.plan import Action
from reconcile.model.receipt import Status
from reconcile.store.database import state_error
from reconcile.wire import messages as m
from reconcile.wire.packs import encode_pack
from reconcile.wire.steps import to_wire
from tests.agent.liar import Content
from tests.agent.near import Near
from tests.trees.looking import Steps, file

SMALL_HOME = "size=128k"
OBSERVE = m.Observe(Header(), FilterSpec(), "preserve", False, b"", True)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A cache on a small file system of its own; beside it `root`, of some files."""
    cache = tmp_path / "cache"
    cache.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", SMALL_HOME, "none", str(cache)],
        check=False, capture_output=True,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("only root can mount a small file system to fill")
    (tmp_path / "root").mkdir()
    grow(tmp_path / "root", "a", 10)
    yield tmp_path
    subprocess.run(["umount", str(cache)], check=True)


def grow(root: Path, name: str, count: int) -> None:
    for number in range(count):
        (root / f"{name}{number:05}").write_text(f"{name} {number}")


def fill(cache: Path) -> Path:
    """Not one more byte fits."""
    filler = cache / "filler"
    with filler.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(512))
        except OSError:
            pass
    return filler


def look(place: Path, cursor: bytes = b"") -> tuple[m.Seen, list[str], int]:
    """(what was seen, codes of notes, how many rows came) by a new connection."""
    with Near(place) as near:
        near.greet(place / "root")
        near.say(replace(OBSERVE, cursor=cursor))
        return heard(near)


def heard(near: Near) -> tuple[m.Seen, list[str], int]:
    seen: Any = None
    codes: list[str] = []
    rows = 0
    while not isinstance(message := near.hear(), m.Done):
        if isinstance(message, m.Seen):
            seen = message
        elif isinstance(message, m.Notes):
            codes += [problem.code for problem in message.problems]
        elif isinstance(message, m.Rows):
            rows += len(message.rows)
    return seen, codes, rows


def index_of(place: Path) -> Path:
    [found] = (place / "cache").glob("reconcile/far/*/state.db")
    return found


def test_a_home_that_is_full_from_the_start_is_told_and_looked_without(home: Path) -> None:
    fill(home / "cache")
    for _ in range(2):
        seen, codes, rows = look(home)
        assert (seen.cursor, codes, rows) == (b"", ["E_FAR_INDEX"], 1)


def test_an_index_that_grows_beyond_its_home_is_kept_as_it_was(home: Path) -> None:
    before, codes, _ = look(home)
    assert codes == []
    filler = fill(home / "cache")
    grow(home / "root", "b", 3000)
    seen, codes, rows = look(home, before.cursor)
    assert (seen.cursor, codes) == (b"", ["E_FAR_INDEX"])
    assert rows >= 1
    assert seen.root.id != before.root.id
    filler.unlink()
    (home / "root" / "b00001").unlink()
    for number in range(3000):
        (home / "root" / f"b{number:05}").unlink(missing_ok=True)
    again, codes, rows = look(home, before.cursor)
    assert (again.root.id, again.cursor, codes, rows) == (before.root.id, before.cursor, [], 0)


def test_what_was_done_is_told_as_done_where_the_index_takes_nothing(home: Path) -> None:
    look(home)
    with Near(home) as near:
        near.greet(home / "root").begin()
        fill(home / "cache")
        content = b"something new"
        step = Steps().add(Action.CREATE, b"new", None, file(b"new", content))
        near.say(m.Stage((to_wire(step),), (m.Coming(step.id, "pack"),)))
        near.say(Content(m.PACK, encode_pack([(step.id, content)])))
        assert near.hear() == m.Receipts(())
        [receipt] = near.ask(m.CarryOut((to_wire(step),))).receipts
        assert receipt.status is Status.DONE
        finished = near.ask(m.Finish())
        assert isinstance(finished, m.Receipts)
        assert finished.cursor == finished.before
        assert near.end() == (0, "")
    assert (home / "root" / "new").read_bytes() == content


def test_a_home_that_is_read_only_meanwhile_keeps_its_index(home: Path) -> None:
    before, _, _ = look(home)
    (home / "root" / "a00000").unlink()
    subprocess.run(["mount", "-o", "remount,ro", str(home / "cache")], check=True)
    assert look(home, before.cursor)[1] == ["E_FAR_INDEX"]
    subprocess.run(["mount", "-o", f"remount,rw,{SMALL_HOME}", str(home / "cache")], check=True)
    again, codes, rows = look(home, before.cursor)
    assert (codes, rows) == ([], 1)
    assert again.cursor[:10] == before.cursor[:10], "the epoch of before"


def test_an_index_in_use_is_left_to_its_user(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    before, _, _ = look(tmp_path)
    fd = os.open(index_of(tmp_path).parent, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert look(tmp_path)[1] == ["E_FAR_INDEX"]
    os.close(fd)
    assert look(tmp_path, before.cursor)[0].cursor == before.cursor


def test_an_index_that_is_damaged_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    before, _, _ = look(tmp_path)
    index_of(tmp_path).write_bytes(b"hello")
    again, codes, _ = look(tmp_path, before.cursor)
    assert codes == []
    assert again.cursor not in (b"", before.cursor)


SAID = {
    "database or disk is full": NoSpace,
    "disk I/O error": StateUnavailable,
    "out of memory": StateUnavailable,
    "database is locked": Locked,
    "database table is locked: stats": Locked,
    "unable to open database file": Denied,
    "attempt to write a readonly database": Denied,
    "database disk image is malformed": StateError,
    "file is not a database": StateError,
    "no such table: blocks": StateError,
}


@pytest.mark.parametrize("words", SAID)
def test_a_python_that_tells_no_code_is_understood_by_its_words(words: str) -> None:
    assert type(state_error(sqlite3.OperationalError(words), "/state.db")) is SAID[words]


@pytest.mark.parametrize(
    ("number", "kind"), [(28, NoSpace), (122, NoSpace), (13, Denied), (30, Denied),
                         (5, StateUnavailable), (24, StateUnavailable)],
)  # fmt: skip
def test_what_the_file_system_refuses_is_no_damage(number: int, kind: type) -> None:
    assert type(state_error(OSError(number, os.strerror(number)), "/state.db")) is kind
