"""The log of what a look has hashed: nothing wrong is ever read from it, whatever became of it."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.model.statrow import Row
from reconcile.model.treepath import TreePath
from reconcile.store import hash_log
from reconcile.store.hash_log import HashLog

ROOT, KIND = "5:2 ab:17", "blake3"
NUMBERS = st.integers(0, 2**63)
ROWS = st.builds(
    lambda name, mode, size, times: (name, mode, size, *times),
    st.binary(min_size=1, max_size=6),
    st.integers(0, 0o177777),
    NUMBERS,
    st.tuples(NUMBERS, NUMBERS, NUMBERS),
)
FINDS = st.lists(st.tuples(st.sampled_from([b"", b"d", b"d/e"]), ROWS, st.binary(max_size=32)))
Find = tuple[bytes, Row, bytes]


def written(place: str, finds: list[Find], *, identity: str = ROOT, kind: str = KIND) -> None:
    log = HashLog(place, writes=True)
    log.begin(identity, kind)
    for number, (directory, row, content) in enumerate(finds):
        log.note(TreePath(directory), row, content)
        if number % 3 == 2:
            log.write()
    log.write()
    log.close()


def read(place: str, *, identity: str = ROOT, kind: str = KIND) -> list[Find]:
    log = HashLog(place, writes=False)
    log.begin(identity, kind)
    directories = [TreePath(each) for each in (b"", b"d", b"d/e")]
    found = [(d, row, c) for d in directories for row, c in log.noted(d).values()]
    log.close()
    return found


@given(finds=FINDS, cut=st.floats(0, 1), end=st.binary(), flips=st.lists(st.floats(0, 0.999)))
def test_whatever_became_of_the_file_what_is_read_was_found(
    tmp_path_factory: pytest.TempPathFactory,
    finds: list[Find],
    cut: float,
    end: bytes,
    flips: list[float],
) -> None:
    place = str(tmp_path_factory.mktemp("log") / "hashed")
    written(place, finds)
    data = bytearray(Path(place).read_bytes()) if finds else bytearray()
    del data[int(len(data) * cut) :]
    for flip in flips if data else ():
        data[int(len(data) * flip)] ^= 0x10
    Path(place).write_bytes(bytes(data) + end)
    Path(place).chmod(0o600)
    written(place, finds[:2])
    assert set(read(place)) <= set(finds)
    assert {(d, row[0]) for d, row, _ in finds[:2]} <= {(d, row[0]) for d, row, _ in read(place)}


@given(finds=FINDS)
def test_all_that_was_written_is_read_the_last_word_of_a_name_counts(
    tmp_path_factory: pytest.TempPathFactory, finds: list[Find]
) -> None:
    place = str(tmp_path_factory.mktemp("log") / "hashed")
    written(place, finds)
    last = {(directory, row[0]): (row, content) for directory, row, content in finds}
    assert {(d, row[0]): (row, content) for d, row, content in read(place)} == last


FOUND: list[Find] = [(b"d", (b"f", 0o100644, 3, 4, 5, 6), b"i" * 32)]


@pytest.fixture
def place(tmp_path: Path) -> str:
    place = tmp_path / "hashed"
    written(str(place), FOUND)
    return str(place)


@pytest.mark.parametrize(
    "other", [{"identity": "5:2 cd:17"}, {"identity": ""}, {"kind": "sha256"}], ids=str
)
def test_another_roots_or_algorithms_finds_are_not_read(place: str, other: dict[str, str]) -> None:
    assert read(place, **other) == []
    assert read(place) == FOUND


def test_the_same_disk_under_another_device_number_is_the_same_root(tmp_path: Path) -> None:
    place = str(tmp_path / "hashed")
    written(place, FOUND, identity="64:2 ab:1700000000123456789")
    assert read(place, identity="65:2 ab:1700000000123456789") == FOUND


def test_finds_of_two_roots_stand_side_by_side(place: str) -> None:
    other = [(b"d", FOUND[0][1], b"o" * 32)]
    written(place, other, identity="9:9 ef:1")
    assert (read(place), read(place, identity="9:9 ef:1")) == (FOUND, other)


@pytest.mark.parametrize("how", ["open to all", "link", "hard link", "directory", "fifo"])
def test_a_file_that_a_stranger_could_have_written_is_neither_read_nor_written(
    place: str, tmp_path: Path, how: str
) -> None:
    away = tmp_path / "away"
    match how:
        case "open to all":
            Path(place).chmod(0o666)
        case "link":
            Path(place).rename(away)
            Path(place).symlink_to(away)
        case "hard link":
            os.link(place, away)
        case "directory":
            Path(place).rename(away)
            Path(place).mkdir(mode=0o700)
        case _:
            Path(place).rename(away)
            os.mkfifo(place, 0o600)
    before = away.read_bytes() if away.exists() else Path(place).read_bytes()
    assert read(place) == []
    written(place, FOUND)
    assert (away.read_bytes() if away.exists() else Path(place).read_bytes()) == before


def test_who_may_not_write_leaves_no_trace_and_removes_nothing(tmp_path: Path, place: str) -> None:
    for name in (tmp_path / "other", Path(place)):
        log = HashLog(str(name), writes=False)
        log.begin(ROOT, KIND)
        log.note(TreePath(b"d"), FOUND[0][1], b"x" * 32)
        log.write()
        log.remove()
    assert os.listdir(tmp_path) == ["hashed"]
    assert read(place) == FOUND


def test_the_file_is_our_own_and_goes_when_the_look_is_over(place: str) -> None:
    assert os.stat(place).st_mode & 0o7777 == 0o600
    log = HashLog(place, writes=True)
    log.begin(ROOT, KIND)
    log.note(TreePath(b"d"), FOUND[0][1], b"x" * 32)
    log.remove()
    assert not os.path.lexists(place)
    log.write()
    assert not os.path.lexists(place), "nothing of the look that is over comes back"


def test_no_more_is_kept_than_there_is_room_for(tmp_path: Path) -> None:
    place = str(tmp_path / "hashed")
    log = HashLog(place, writes=True, most_bytes=400)
    log.begin(ROOT, KIND)
    for number in range(20):
        log.note(TreePath(b"d"), (b"%d" % number, 0o100644, 1, 2, 3, 4), b"i" * 32)
        log.write()
    assert 0 < os.path.getsize(place) <= 400


def test_several_processes_append(tmp_path: Path) -> None:
    place = str(tmp_path / "hashed")
    log = HashLog(place, writes=True)
    log.begin(ROOT, KIND)
    children = []
    for number in range(4):
        children.append(os.fork())
        if not children[-1]:
            for each in range(50):
                row = (b"%d-%d" % (number, each), 0o100644, 1, 2, 3, 4)
                log.note(TreePath(b"d"), row, b"i" * 32)
                log.write()
            os._exit(0)
    for child in children:
        os.waitpid(child, 0)
    assert len(read(place)) == 200


def test_a_large_file_is_written_down_at_once(tmp_path: Path) -> None:
    place = str(tmp_path / "hashed")
    log = HashLog(place, writes=True)
    log.begin(ROOT, KIND)
    log.note(TreePath(b"d"), (b"f", 0o100644, hash_log.BATCH_BYTES, 4, 5, 6), b"i" * 32)
    assert len(read(place)) == 1
