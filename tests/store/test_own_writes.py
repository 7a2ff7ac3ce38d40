"""The index of a side: a scan into the state, our own writes, and the scan after them."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from reconcile.decide.advance import SideEdits, side_edits
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import StateError
from reconcile.model.manifest import lookup
from reconcile.model.plan import Action, Side, Step
from reconcile.model.receipt import Fingerprint, Receipt, Status
from reconcile.store.records import SideIndex
from reconcile.store.state import Store
from reconcile.trees.looking import Settings
from reconcile.trees.observe import Seen, observe
from tests.store.helpers import file, pair, path, shown

OLD_S = 1_000_000_000


class Side1:
    """A directory, scanned into the state as the left side."""

    def __init__(self, tmp_path: Path) -> None:
        self.top = tmp_path / "left"
        self.top.mkdir()
        self.store = Store.open(pair(tmp_path))
        self.written: list[str] = []
        self.log: list[tuple[Sequence[object], Sequence[object]]] = []

    def put(self, name: str, content: str) -> None:
        place = self.top / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
        os.utime(place, ns=(OLD_S * 10**9 + 5, OLD_S * 10**9 + 5))

    def scan(self) -> Seen:
        """Scan with what the state knows, and keep what was seen."""
        known = self.store.side(Side.LEFT)
        index = self.store.index(Side.LEFT) if known else None
        settings = Settings(now_ns=time.time_ns())
        self.log = []
        with self.store.transaction():
            sink = self.store.sink(Side.LEFT)
            seen = observe(os.fsencode(self.top), settings, index, Noting(sink, self.log), void)
            worth = SideIndex(b"", seen.identity, seen.root, settings.header, settings.now_ns)
            self.store.set_side(Side.LEFT, worth)
        if index:
            index.close()
        return seen

    def note(self, *steps: Step) -> None:
        """Take steps that were done into the index, as a run does."""
        receipts = [self._receipt(step) for step in steps]
        with self.store.transaction():
            assert self.store.note_writes(Side.LEFT, side_edits(steps, receipts, Side.LEFT))

    def _receipt(self, step: Step) -> Receipt:
        if step.want is None:
            return Receipt(step.id, Status.DONE)
        found = os.lstat(self.top / os.fsdecode(step.at))
        stamp = Fingerprint(
            found.st_mode,
            found.st_size,
            found.st_mtime_ns,
            found.st_ctime_ns,
            found.st_ino,
            found.st_dev,
        )
        return Receipt(step.id, Status.DONE, entry=step.want, fingerprint=stamp)


class Noting:
    """A sink that remembers whether it was used."""

    def __init__(self, sink: object, log: list[tuple[Sequence[object], Sequence[object]]]) -> None:
        self._sink = sink
        self._log = log

    def write(self, rows: Sequence[object]) -> None:
        self._log.append((rows, ()))
        self._sink.write(rows)  # type: ignore[attr-defined]

    def forget(self, keys: Sequence[bytes], subtrees: Sequence[bytes]) -> None:
        if keys or subtrees:
            self._log.append((keys, subtrees))
        self._sink.forget(keys, subtrees)  # type: ignore[attr-defined]


def void(tally: object) -> None:
    """Nobody looks at the progress."""


def step(number: int, name: str, want: Entry | None, action: Action = Action.CREATE) -> Step:
    return Step(number, Side.LEFT, action, path(name), path(name), None, want)


@pytest.fixture
def side(tmp_path: Path) -> Side1:
    made = Side1(tmp_path)
    for name in ("a", "d/b", "d/e/c"):
        made.put(name, name)
    made.scan()
    return made


def content(side: Side1, name: str) -> Entry:
    """The entry a scan from nothing would make of a file."""
    from blake3 import blake3

    data = (side.top / name).read_bytes()
    found = os.lstat(side.top / name)
    mode = found.st_mode & 0o7777
    return Entry(b"", Kind.FILE, len(data), found.st_mtime_ns, mode, blake3(data).digest())


def test_a_scan_after_a_scan_reads_nothing_and_writes_nothing(side: Side1) -> None:
    seen = side.scan()
    assert (seen.tally.hashed_files, side.log) == (0, [])
    entry = lookup(side.store.manifest("left"), path("d/e/c"))
    assert entry is not None
    assert entry.id == content(side, "d/e/c").id


def test_the_scan_after_our_own_writes_reads_nothing_and_writes_nothing(side: Side1) -> None:
    side.put("d/new", "new")
    side.put("n/m/deep", "deep")
    side.put("a", "changed")
    (side.top / "d/b").unlink()
    folder = Entry(b"", Kind.DIR, mode=(side.top / "n").stat().st_mode & 0o7777)
    side.note(
        step(1, "n", folder, Action.MKDIR),
        step(2, "n/m", folder, Action.MKDIR),
        step(3, "d/new", content(side, "d/new")),
        step(4, "n/m/deep", content(side, "n/m/deep")),
        step(5, "a", content(side, "a"), Action.UPDATE),
        step(6, "d/b", None, Action.DELETE),
    )
    ours = shown(side.store.manifest("left"))
    seen = side.scan()
    assert (seen.tally.hashed_files, side.log) == (0, [])
    assert shown(side.store.manifest("left")) == ours
    assert seen.root.id == side.store.manifest("left").root.id  # type: ignore[union-attr]


def test_in_a_large_directory_too(side: Side1) -> None:
    for number in range(2500):
        side.put(f"big/n{number:05}", "x")
    assert side.scan().tally.hashed_files == 2500
    side.put("big/n01234x", "new")
    (side.top / "big/n00001").unlink()
    side.note(
        step(1, "big/n01234x", content(side, "big/n01234x")),
        step(2, "big/n00001", None, Action.DELETE),
    )
    seen = side.scan()
    assert (seen.tally.hashed_files, side.log) == (0, [])


def test_an_edit_after_our_own_write_is_seen(side: Side1) -> None:
    side.put("d/new", "new")
    side.note(step(1, "d/new", content(side, "d/new")))
    side.put("d/new", "NEW")  # same size, same mtime
    assert side.scan().tally.hashed_files == 1
    found = lookup(side.store.manifest("left"), path("d/new"))
    assert found is not None
    assert found.id == content(side, "d/new").id


def test_writes_that_do_not_fit_the_index_are_left_to_the_next_scan(side: Side1) -> None:
    written = SideEdits({path("not/there/f"): file("x")}, {})
    with side.store.transaction():
        assert side.store.note_writes(Side.LEFT, written) is None
        assert side.store.note_writes(Side.RIGHT, written) is None
    assert side.scan().tally.hashed_files == 0


def test_a_damaged_index_page_is_an_error_until_it_is_made_anew(side: Side1) -> None:
    expected = shown(side.store.manifest("left"))
    with side.store.transaction():
        side.store._database.run("UPDATE blocks SET block = x'00' WHERE key = x'640000'")
    side.scan()
    with pytest.raises(StateError, match="index of a side") as raised:
        shown(side.store.manifest("left"))
    assert "--paranoid" in raised.value.hint
    side.put("d/new", "new")
    side.scan()
    assert len(shown(side.store.manifest("left"))) == len(expected) + 1


def test_a_cleared_side_knows_nothing(side: Side1) -> None:
    with side.store.transaction():
        side.store.clear(Side.LEFT)
    assert side.store.side(Side.LEFT) is None
    assert side.store.root("left") is None
    assert list(side.store.stat_rows("left")) == []
    assert side.store.manifest("left").root is None
    assert side.scan().tally.hashed_files == 3


def test_a_side_counts_the_times_it_was_written(side: Side1) -> None:
    before = side.store.side(Side.LEFT)
    side.scan()
    after = side.store.side(Side.LEFT)
    assert before is not None
    assert after is not None
    assert after.serial == before.serial + 1


def test_stat_rows_come_in_key_order_within_bounds(side: Side1) -> None:
    keys = [key for key, _, _ in side.store.stat_rows("left")]
    assert keys == sorted(keys)
    assert keys == [b"\0", b"d\0\0", b"d\0e\0\0"]
    index = side.store.index(Side.LEFT)
    assert [key for key, _, _ in index.rows(b"d", b"d\0e")] == [b"d\0\0"]
    assert [key for key, _, _ in index.rows(b"d\0e", None)] == [b"d\0e\0\0"]
    assert index.block(b"nothing") is None
    index.close()


def test_facts_about_the_pair_are_kept(side: Side1) -> None:
    with side.store.transaction():
        side.store.note(left="/left", right="sftp://host/right")
        side.store.note(left="/other")
    assert (side.store.noted("left"), side.store.noted("right")) == ("/other", "sftp://host/right")
    assert side.store.noted("none") == ""
