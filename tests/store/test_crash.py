"""A killed process and a cut of power leave the last committed state; readers never wait."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reconcile.model.errors import StateError
from reconcile.model.manifest import Manifest
from reconcile.store.database import DATABASE_NAME
from reconcile.store.state import Store
from tests.store.helpers import Child, agree, edit, file, pair, shown, tree, wait_for_ever


def names(number: int) -> dict[str, str]:
    """The tree of generation `number`: all of it tells the number."""
    return {"d/": "", "d/e/": ""} | {f"d/e/f{part}": str(number) for part in range(40)}


def number_of(manifest: Manifest) -> int:
    """Which generation a baseline is; it must be that one to the last entry."""
    if manifest.root is None:
        return 0
    for number in range(1, 200):
        if tree(names(number)).root == manifest.root:
            assert shown(manifest) == shown(tree(names(number)))
            return number
    raise AssertionError("no generation is like this")


@pytest.mark.parametrize("after", [0, 1, 2, 5, 9])
def test_a_process_killed_while_it_commits_leaves_the_last_commit(
    tmp_path: Path, after: int
) -> None:
    directory = pair(tmp_path)
    Store.open(directory).close()

    def work(say: Callable[[str], None]) -> None:
        store = Store.open(directory)
        for number in range(1, 200):
            agree(store, tree(names(number)), f"r-{number}")
            say(str(number))

    child = Child(work)
    for _ in range(after):
        child.line()
    said = [str(after), *child.kill()]
    store = Store.open(directory)
    found = number_of(store.manifest("base"))
    assert int(said[-1]) <= found <= int(said[-1]) + 1
    newest = store.baselines.newest()
    assert (0 if newest is None else newest.number) == found
    agree(store, tree(names(found + 1)), "r-next")


def test_a_process_killed_inside_a_transaction_leaves_what_was_before(tmp_path: Path) -> None:
    directory = pair(tmp_path)
    store = Store.open(directory)
    agree(store, tree(names(1)))
    store.close()

    def work(say: Callable[[str], None]) -> None:
        inner = Store.open(directory)
        with inner.transaction():
            inner.baselines.reset("r-2", 8)
            inner.runs.consume("p-1", "r-2", 8)
            say("written")
            wait_for_ever()

    child = Child(work)
    assert child.line() == "written"
    child.kill()
    store = Store.open(directory)
    assert number_of(store.manifest("base")) == 1
    assert store.runs.consumed_by("p-1") is None
    edit(store, {"new": file("1")}, "r-3")


def test_a_log_cut_anywhere_leaves_the_commits_before_the_cut(tmp_path: Path) -> None:
    directory = Path(pair(tmp_path))
    Store.open(str(directory)).close()
    store = Store.open(str(directory))
    log = directory / f"{DATABASE_NAME}-wal"
    sizes = [0]
    for number in range(1, 5):
        agree(store, tree(names(number)), f"r-{number}")
        sizes.append(log.stat().st_size)
    whole = log.read_bytes()
    assert sizes == sorted(set(sizes))
    cuts = sorted({*range(0, len(whole), 3001), *sizes[1:], *(size - 1 for size in sizes[1:])})
    for index, cut in enumerate(cuts):
        for tail in (b"", b"\xa5" * 9000):
            copy = Path(pair(tmp_path / f"cut{index}{len(tail)}"))
            copy.mkdir(parents=True, mode=0o700)
            shutil.copyfile(directory / DATABASE_NAME, copy / DATABASE_NAME)
            (copy / f"{DATABASE_NAME}-wal").write_bytes(whole[:cut] + tail)
            found = number_of(Store.open(str(copy)).manifest("base"))
            assert found == max(n for n, size in enumerate(sizes) if size <= cut)


def test_readers_see_whole_commits_while_one_writes(tmp_path: Path) -> None:
    directory = pair(tmp_path)
    store = Store.open(directory)
    agree(store, tree(names(1)), "r-1")
    go_on = 60

    def read(say: Callable[[str], None]) -> None:
        reader = Store.open(directory, create=False, busy_ms=0)
        say("ready")
        seen = 0
        while seen < go_on:
            with reader.reading():
                number = number_of(reader.manifest("base"))
                newest = reader.baselines.newest()
                assert newest is not None
                assert newest.number == number >= seen
                seen = number

    readers = [Child(read) for _ in range(3)]
    assert [reader.line() for reader in readers] == ["ready"] * 3
    for number in range(2, go_on + 1):
        agree(store, tree(names(number)), f"r-{number}")
    assert [reader.end() for reader in readers] == [0, 0, 0]


def test_a_reading_view_does_not_change(tmp_path: Path) -> None:
    writer, reader = Store.open(pair(tmp_path)), Store.open(pair(tmp_path))
    agree(writer, tree(names(1)), "r-1")
    with reader.reading():
        before = reader.manifest("base")
        agree(writer, tree(names(2)), "r-2")
        assert number_of(before) == 1
    assert number_of(reader.manifest("base")) == 2


def test_without_a_view_a_commit_in_between_is_noticed(tmp_path: Path) -> None:
    writer, reader = Store.open(pair(tmp_path)), Store.open(pair(tmp_path))
    agree(writer, tree(names(1)), "r-1")
    base = reader.manifest("base")
    (page,) = base.pages(b"d/e")  # type: ignore[arg-type]
    agree(writer, tree(names(2)), "r-2")
    shifted = reader.manifest("base")
    with pytest.raises(StateError):
        shifted.load(b"d/e", page)  # type: ignore[arg-type]


def test_a_forked_worker_reads_the_index_while_its_parent_commits(tmp_path: Path) -> None:
    directory = pair(tmp_path)
    store = Store.open(directory)
    manifest = tree(names(1))
    with store.transaction():
        store.write_rows("left", [row_of(b"k%03d" % n) for n in range(500)])
    index = store.index("left")  # type: ignore[arg-type]
    assert len(list(index.rows(b"", None))) == 500

    def read(say: Callable[[str], None]) -> None:
        say("ready")
        for _ in range(50):
            keys = [key for key, _, _ in index.rows(b"k1", b"k3")]
            assert keys == [b"k%03d" % n for n in range(100, 300)]
            assert index.block(b"k200") == (b"\x90", b"")
        assert len(index._inherited) == 1  # the parent's connection: neither used nor closed

    workers = [Child(read) for _ in range(2)]
    assert [worker.line() for worker in workers] == ["ready"] * 2
    for number in range(1, 30):
        agree(store, manifest if number % 2 else tree(names(number)), f"r-{number}")
    assert [worker.end() for worker in workers] == [0, 0]
    assert len(list(index.rows(b"", None))) == 500
    index.close()
    store.close()


def row_of(key: bytes) -> "object":
    from reconcile.model.manifest import PageRow

    return PageRow(key, b"i" * 32, 0, b"\x90", b"", b"s")
