"""Opening a state: what is missing is normal, what is damaged or strange is refused and kept."""

import contextlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from reconcile.model.errors import Locked, StateError
from reconcile.store import schema
from reconcile.store.database import DATABASE_NAME, set_aside, state_error
from reconcile.store.state import Store
from tests.store.helpers import agree, edit, file, pair, shown, tree


def state_file(tmp_path: Path) -> Path:
    return Path(pair(tmp_path)) / DATABASE_NAME


def made(tmp_path: Path) -> Path:
    """A state of several pages' length, closed."""
    store = Store.open(pair(tmp_path))
    agree(store, tree({f"n{number:05}": "x" for number in range(3000)}))
    store.close()
    return state_file(tmp_path)


def test_a_missing_state_is_a_first_run(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    assert store.manifest("base").root is None
    assert store.side("left") is None
    assert store.runs.interrupted() is None


def test_looking_at_a_missing_state_makes_none(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path), create=False)
    assert store.manifest("base").root is None
    assert list(store.index("left").rows(b"", None)) == []  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_state_files_and_directories_are_private(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        store = Store.open(pair(tmp_path))
        agree(store, tree({"a": "1"}))
    finally:
        os.umask(old)
    directory = Path(pair(tmp_path))
    modes = {place.name: place.stat().st_mode & 0o777 for place in directory.iterdir()}
    assert modes == dict.fromkeys(["state.db", "state.db-wal", "state.db-shm"], 0o600)
    for place in (directory, directory.parent, directory.parent.parent):
        assert place.stat().st_mode & 0o777 == 0o700


def overwrite(place: Path, content: bytes) -> None:
    place.write_bytes(content)


STRANGE = {
    "not a database": lambda place: overwrite(place, b"hello" * 1000),
    "empty": lambda place: overwrite(place, b""),
    "truncated": lambda place: os.truncate(place, place.stat().st_size // 2),
    "truncated to the header": lambda place: os.truncate(place, 100),
    "a directory": lambda place: (place.unlink(), place.mkdir()),
    "a link": lambda place: (place.rename(place.with_name("x")), place.symlink_to("x")),
    "a fifo": lambda place: (place.unlink(), os.mkfifo(place)),
    "writable by others": lambda place: place.chmod(0o622),
    "a wal writable by others": lambda place: (
        overwrite(place.with_name("state.db-wal"), b""),
        place.with_name("state.db-wal").chmod(0o666),
    ),
    "in a directory writable by others": lambda place: place.parent.chmod(0o777),
    "under a directory writable by others": lambda place: place.parent.parent.chmod(0o777),
    "of another program": lambda place: alter(place, "PRAGMA application_id = 7"),
    "of a later version": lambda place: alter(place, "PRAGMA user_version = 99"),
    "without a table": lambda place: alter(place, "DROP TABLE blocks"),
}


def alter(place: Path, statement: str) -> None:
    connection = sqlite3.connect(place)
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize("how", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("create", [True, False], ids=["apply", "diff"])
def test_a_state_that_cannot_be_believed_is_an_error(
    tmp_path: Path, how: "object", create: bool
) -> None:
    place = made(tmp_path)
    assert callable(how)
    how(place)
    before = sorted(place.parent.iterdir())
    with pytest.raises(StateError) as raised:
        shown(Store.open(pair(tmp_path), create=create).manifest("base"))
    assert raised.value.exit_code == 10
    assert raised.value.code == "E_STATE_CORRUPT"
    assert set(before) <= set(place.parent.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_state_that_belongs_to_somebody_else_is_refused(tmp_path: Path) -> None:
    os.chown(made(tmp_path), 65534, -1)
    with pytest.raises(StateError, match="belongs to user 65534"):
        Store.open(pair(tmp_path))


def test_the_error_says_what_is_lost_and_what_to_do(tmp_path: Path) -> None:
    overwrite(made(tmp_path), b"hello")
    with pytest.raises(StateError) as raised:
        Store.open(pair(tmp_path))
    assert "no file" in raised.value.message
    assert "--allow state-corrupt" in raised.value.hint
    assert raised.value.changed == "nothing"


def test_a_damaged_state_is_moved_aside_and_never_deleted(tmp_path: Path) -> None:
    for number in (1, 2):
        place = made(tmp_path)
        overwrite(place, b"damage %d" % number)
        assert set_aside(pair(tmp_path)) == f"{place}.damaged-{number}"
    assert Store.open(pair(tmp_path)).manifest("base").root is None
    kept = [place.with_name(f"state.db.damaged-{number}").read_bytes() for number in (1, 2)]
    assert kept == [b"damage 1", b"damage 2"]
    assert set_aside(str(tmp_path / "nothing")) is None


def test_a_second_writer_does_not_wait_for_ever(tmp_path: Path) -> None:
    first = Store.open(pair(tmp_path))
    second = Store.open(pair(tmp_path), busy_ms=1)
    with first.transaction(), pytest.raises(Locked):
        edit(second, {"a": file("1")}, "r-1")


def test_an_unused_library_is_not_loaded_to_open_a_state(tmp_path: Path) -> None:
    made(tmp_path)
    code = (
        "import sys; from reconcile.store.state import Store\n"
        f"Store.open({pair(tmp_path)!r}).baselines.newest()\n"
        "print(sorted({'sqlite_utils', 'asyncio', 'inspect', 'urllib'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True)
    assert b"sqlite_utils" not in answer.stdout


def test_a_state_of_an_earlier_version_is_brought_up_with_what_it_holds(tmp_path: Path) -> None:
    place = made(tmp_path)

    def next_version(db: "object") -> None:
        table = getattr(db, "table")("more")  # noqa: B009  # the library is loaded lazily
        table.create({"id": int}, pk="id")

    schema.upgrade(str(place), (*schema.MIGRATIONS, next_version))
    connection = sqlite3.connect(place)
    assert connection.execute("PRAGMA user_version").fetchone() == (schema.SCHEMA_VERSION + 1,)
    assert connection.execute("SELECT count(*) FROM more").fetchone() == (0,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION}")
    connection.close()
    assert len(shown(Store.open(pair(tmp_path)).manifest("base"))) == 3000


def earlier(tmp_path: Path) -> Path:
    """A state of version 1 that knows one thing."""
    place = state_file(tmp_path)
    place.parent.mkdir(mode=0o700, parents=True)
    schema.create(str(place), schema.MIGRATIONS[:1])
    with sqlite3.connect(place) as connection:
        connection.execute("INSERT INTO consumed VALUES ('p-1', 'r-1', 1)")
    connection.close()
    return place


def version_of(place: Path) -> int:
    connection = sqlite3.connect(place)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return int(version)


@pytest.mark.parametrize("traceless", [False, True])
def test_who_only_looks_at_a_state_of_an_earlier_version_sees_it_and_leaves_it(
    tmp_path: Path, *, traceless: bool
) -> None:
    place = earlier(tmp_path)
    before = place.stat()
    store = Store.open(pair(tmp_path), create=False, traceless=traceless)
    assert store.runs.consumed_by("p-1") == "r-1"
    assert store.runs.journal("r-1") == ()
    store.close()
    assert place.stat().st_mtime_ns == before.st_mtime_ns
    assert version_of(place) == 1
    assert Store.open(pair(tmp_path)).runs.consumed_by("p-1") == "r-1"
    assert version_of(place) == schema.SCHEMA_VERSION


def test_what_waits_in_the_log_of_an_earlier_version_is_seen_without_a_trace(
    tmp_path: Path,
) -> None:
    place = earlier(tmp_path)
    writer = sqlite3.connect(place, isolation_level=None)
    writer.execute("INSERT INTO consumed VALUES ('p-2', 'r-2', 2)")
    names = sorted(p.name for p in place.parent.iterdir())
    with contextlib.closing(Store.open(pair(tmp_path), create=False, traceless=True)) as store:
        assert [store.runs.consumed_by(p) for p in ("p-1", "p-2")] == ["r-1", "r-2"]
    assert sorted(p.name for p in place.parent.iterdir()) == names
    writer.close()
    assert version_of(place) == 1


def test_a_state_that_is_being_read_is_not_exchanged(tmp_path: Path) -> None:
    place = earlier(tmp_path)
    reader = sqlite3.connect(place, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM consumed").fetchone() == (1,)
    with pytest.raises(Locked):
        Store.open(pair(tmp_path))
    reader.close()
    assert version_of(place) == 1
    assert Store.open(pair(tmp_path)).runs.consumed_by("p-1") == "r-1"


def test_a_migration_that_fails_leaves_the_state_as_it_was(tmp_path: Path) -> None:
    place = made(tmp_path)

    def fails(db: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        schema.upgrade(str(place), (*schema.MIGRATIONS, fails))
    assert [p.name for p in place.parent.iterdir()] == [DATABASE_NAME]
    assert len(shown(Store.open(pair(tmp_path)).manifest("base"))) == 3000


def test_a_state_made_by_two_at_once_is_one_state(tmp_path: Path) -> None:
    first = Store.open(pair(tmp_path))
    agree(first, tree({"a": "1"}))
    schema.create(str(state_file(tmp_path)))
    assert shown(Store.open(pair(tmp_path)).manifest("base")) == shown(tree({"a": "1"}))


@pytest.mark.parametrize("name", ["plain", "with space", "per%cent", "que?stion#mark", "ümläut"])
def test_any_name_may_lead_to_a_state(tmp_path: Path, name: str) -> None:
    directory = str(tmp_path / name / "pairs" / "p")
    agree(Store.open(directory), tree({"a": "1"}))
    assert shown(Store.open(directory).manifest("base")) == shown(tree({"a": "1"}))
    assert (tmp_path / name / "pairs" / "p" / DATABASE_NAME).is_file()


def test_a_disk_that_fails_is_not_called_a_damaged_state() -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE

    told = state_error(error, "/s/state.db")

    assert told.exit_code == 10
    assert "damaged" not in told.message
    assert "run again" in told.hint
