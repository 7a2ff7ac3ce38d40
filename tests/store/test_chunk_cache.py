"""The cache of chunk lists: it remembers, it is bounded, and nothing about it is ever an error."""

import os
import sqlite3
import subprocess
import sys
import time
from array import array
from pathlib import Path
from random import Random

import pytest

from reconcile.store.chunk_cache import FILE_NAME, SqliteChunkCache
from reconcile.trees.chunking import chunks_of
from reconcile.wire.cuts import FIXED, Chunks, Cut

CUT = Cut(FIXED, 1024, "sha256", 8)


def some(seed: int, count: int = 1000) -> Chunks:
    """A list of chunks; of 12 bytes each."""
    return Chunks(CUT, 1024 * count, array("I", [1024] * count), Random(seed).randbytes(8 * count))


def test_a_list_is_there_again_in_the_next_run(tmp_path: Path) -> None:
    cache = SqliteChunkCache(str(tmp_path))
    assert cache.get(b"a") is None
    cache.put(b"a", some(1))
    assert cache.get(b"a") == some(1)
    cache.close()
    again = SqliteChunkCache(str(tmp_path))
    assert again.get(b"a") == some(1)
    again.put(b"a", some(2))
    assert again.get(b"a") == some(2)
    again.close()


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    cache = SqliteChunkCache(str(tmp_path), most_bytes=40_000)
    for number in range(3):
        cache.put(b"%d" % number, some(number))
    assert cache.get(b"0") == some(0)
    cache.put(b"3", some(3))
    assert [cache.get(b"%d" % number) is not None for number in range(4)] == [
        True,
        False,
        True,
        True,
    ]
    cache.put(b"4", some(4, count=3000))
    assert [cache.get(b"%d" % number) is not None for number in range(5)] == [False] * 4 + [True]
    cache.put(b"5", some(5, count=9000))
    assert cache.get(b"5") is None
    assert cache.get(b"4") is not None
    cache.close()
    assert (tmp_path / FILE_NAME).stat().st_size < 150_000


def test_the_file_is_ours_alone(tmp_path: Path) -> None:
    cache = SqliteChunkCache(str(tmp_path))
    cache.put(b"a", some(1))
    cache.close()
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    (tmp_path / FILE_NAME).chmod(0o666)
    stranger = SqliteChunkCache(str(tmp_path))
    assert stranger.get(b"a") is None
    stranger.put(b"a", some(2))
    stranger.close()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.5, 0.7, 0.99])
def test_damage_costs_lists_and_nothing_else(tmp_path: Path, share: float) -> None:
    cache = SqliteChunkCache(str(tmp_path))
    for number in range(5):
        cache.put(b"%d" % number, some(number))
    cache.close()
    place = tmp_path / FILE_NAME
    data = bytearray(place.read_bytes())
    start = int(share * len(data))
    data[start : start + 3000] = Random(1).randbytes(len(data[start : start + 3000]))
    place.write_bytes(data)
    damaged = SqliteChunkCache(str(tmp_path))
    for number in range(5):
        assert damaged.get(b"%d" % number) in (None, some(number))
    damaged.put(b"new", some(9))
    damaged.close()


def test_a_list_with_one_wrong_bit_is_not_believed(tmp_path: Path) -> None:
    cache = SqliteChunkCache(str(tmp_path))
    cache.put(b"a", some(1))
    cache.close()
    data = bytearray((tmp_path / FILE_NAME).read_bytes())
    place = data.find(some(1).digests[3000:3020])
    assert place > 0
    data[place] ^= 1
    (tmp_path / FILE_NAME).write_bytes(data)
    assert cache.get(b"a") is None
    cache.close()


def test_a_file_of_another_version_is_made_anew(tmp_path: Path) -> None:
    cache = SqliteChunkCache(str(tmp_path))
    cache.put(b"a", some(1))
    cache.close()
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    assert cache.get(b"a") is None
    cache.put(b"a", some(2))
    assert cache.get(b"a") == some(2)
    cache.close()


def test_cuts_of_one_file_are_kept_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = SqliteChunkCache(str(tmp_path))
    monkeypatch.setattr(time, "time_ns", lambda: 1 << 62)
    (tmp_path / "content").write_bytes(bytes(5000))
    with open(tmp_path / "content", "rb") as file:
        for width in (7, 8):
            chunks_of(file.fileno(), CUT._replace(digest_bytes=width), cache)
    assert count(tmp_path) == 2
    cache.close()


@pytest.mark.parametrize(
    "content", [b"", b"x", b"SQLite format 3\0" + bytes(84), b"nothing" * 1000], ids=len
)
def test_what_is_no_database_is_made_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    (tmp_path / FILE_NAME).chmod(0o600)
    cache = SqliteChunkCache(str(tmp_path))
    assert cache.get(b"a") is None
    cache.put(b"a", some(1))
    assert cache.get(b"a") == some(1)
    cache.close()


def test_another_programs_database_is_made_anew(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        other.execute("CREATE TABLE lists (key, sum, chunks)")
    other.close()
    (tmp_path / FILE_NAME).chmod(0o600)
    cache = SqliteChunkCache(str(tmp_path))
    cache.put(b"a", some(1))
    assert cache.get(b"a") == some(1)
    cache.close()


def test_without_its_table_it_is_made_anew(tmp_path: Path) -> None:
    cache = SqliteChunkCache(str(tmp_path))
    cache.put(b"a", some(1))
    cache.close()
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        other.execute("DROP TABLE lists")
    other.close()
    assert cache.get(b"a") is None
    cache.put(b"a", some(1))
    assert cache.get(b"a") == some(1)
    cache.close()


def test_a_missing_directory_or_one_that_is_a_file_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for name in ("missing", "file"):
        cache = SqliteChunkCache(str(tmp_path / name))
        cache.put(b"a", some(1))
        assert cache.get(b"a") is None
        cache.close()


def test_while_another_writes_it_is_read_and_not_waited_for_long(tmp_path: Path) -> None:
    cache = SqliteChunkCache(str(tmp_path))
    cache.put(b"a", some(1))
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    cache.put(b"b", some(2))  # would never come back if it waited for the other
    assert cache.get(b"a") == some(1)
    other.execute("ROLLBACK")
    other.close()
    assert cache.get(b"b") is None
    cache.put(b"b", some(2))
    assert cache.get(b"b") == some(2)
    cache.close()


def test_a_process_killed_while_it_writes_leaves_what_was_there(tmp_path: Path) -> None:
    cache = SqliteChunkCache(str(tmp_path))
    cache.put(b"a", some(1))
    cache.close()
    code = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA cache_size = 1')\n"
        "c.execute('BEGIN IMMEDIATE')\n"
        "c.execute('UPDATE lists SET chunks = randomblob(300000)')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / FILE_NAME], check=False)
    assert cache.get(b"a") == some(1)
    cache.close()


def test_an_unchanged_file_is_not_cut_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = SqliteChunkCache(str(tmp_path))
    place = tmp_path / "content"
    place.write_bytes(Random(1).randbytes(100_000))
    with open(place, "r+b") as file:
        fd = file.fileno()
        now_ns = os.fstat(fd).st_ctime_ns
        monkeypatch.setattr(time, "time_ns", lambda: now_ns + 1000)
        chunks_of(fd, CUT, cache)
        assert count(tmp_path) == 0, "it was written a moment ago: a later edit might not show"
        monkeypatch.setattr(time, "time_ns", lambda: now_ns + 3600 * 10**9)
        first = chunks_of(fd, CUT, cache)
        assert count(tmp_path) == 1
        monkeypatch.setattr("reconcile.trees.chunking._fixed", None)
        assert chunks_of(fd, CUT, cache) == first
        with pytest.raises(TypeError):
            chunks_of(fd, CUT._replace(digest_bytes=7), cache)
        os.utime(fd, ns=(now_ns, os.fstat(fd).st_mtime_ns))
        with pytest.raises(TypeError):
            chunks_of(fd, CUT, cache)
    cache.close()


def count(directory: Path) -> int:
    """Lists that are kept."""
    with sqlite3.connect(directory / FILE_NAME) as reader:
        found: int = reader.execute("SELECT count(*) FROM lists").fetchone()[0]
    reader.close()
    return found
