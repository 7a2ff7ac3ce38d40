"""Servers that die, are full, refuse, or lie: a clear error, nothing lost, nothing outside."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blake3 import blake3

from reconcile.engine.apply import Routed
from reconcile.model.entry import Kind
from reconcile.model.errors import ReconcileError, Unreachable
from reconcile.model.job import FilterSpec
from reconcile.model.plan import Action, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.trees.base import RunOptions
from reconcile.trees.looking import Looking, Settings
from reconcile.trees.memory import MemoryTree, from_contents
from reconcile.trees.sftp import channel, growing, rows
from reconcile.trees.sftp.tree import SftpTree
from reconcile.trees.temporary import unwanted
from reconcile.wire.frames import ProtocolError
from tests.sftp.servers import Served, as_nobody, liar, plain_server, prepared, sftp_server
from tests.trees.contract import Things
from tests.trees.kept_pages import KeptManifest, KeptPages
from tests.trees.looking import Steps, all_contents, entry_at, fill, snapshot

OPTIONS = RunOptions("r-test")
LARGE = bytes(range(256)) * 3_000
"""It grows as a part, as files of 8 MiB do otherwise."""


@pytest.fixture(autouse=True)
def _parts_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "RESUMED_FROM", len(LARGE) // 2)


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    place = tmp_path / "around" / "right"
    place.mkdir(parents=True)
    return os.fsencode(place)


@pytest.fixture
def opened() -> Iterator[Callable[[Served, bytes], SftpTree]]:
    trees: list[SftpTree] = []

    def open_(server: Served, root: bytes) -> SftpTree:
        trees.append(SftpTree(lambda: server, "sftp://peer/right", root))
        return trees[-1]

    yield open_
    for tree in trees:
        tree.close()


Open = Callable[[Served, bytes], SftpTree]


def look(tree: SftpTree, kept: KeptPages | None = None) -> KeptManifest:
    kept = kept or KeptPages()
    settings = Settings(now_ns=2_000_000_000_000_000_000)
    seen = tree.look(Looking(settings, FilterSpec()), None, kept, lambda tally: None)
    return KeptManifest(kept, seen.root)


def run(tree: SftpTree, left: MemoryTree, steps: list[Step]) -> list[Receipt]:
    """As the engine does it."""
    kept = KeptPages()
    settings = Settings(now_ns=2_000_000_000_000_000_000)
    seen = tree.look(Looking(settings, FilterSpec()), None, kept, lambda tally: None)
    try:
        tree.begin(OPTIONS, unwanted(seen.leftovers, steps))
        ended = {r.step: r for r in tree.stage(steps, Routed(left, tree))}
        rest = [step for step in steps if step.id not in ended]
        ended.update((receipt.step, receipt) for receipt in tree.carry_out(rest))
    finally:
        tree.end()
    return [ended[step.id] for step in steps]


BEFORE: Things = {"old": b"old", "gone": b"gone", "d/moved": b"moved", "e": None}
AFTER: Things = {"old": b"new", "large": LARGE, "d/new": b"another", "f": None, "link": "old"}


class Case:
    """A root with something to replace, delete, move and create; both sides' contents."""

    def __init__(self, root: bytes) -> None:
        self.root = root
        self.left = from_contents({"d": None, **AFTER}, "left")

    def steps(self) -> list[Step]:
        """What is left to do, as a plan would have it."""
        steps = Steps()
        for path in ("old", "large", "d/new", "link"):
            name = path.encode()
            want, now = self.left.entries[name], entry_at(self.root, name)  # type: ignore[index]
            if now is None or now.id != want.id:
                action = Action.UPDATE if now else Action.CREATE
                steps.add(action, name, now, want)
        if entry_at(self.root, b"f") is None:
            steps.add(Action.MKDIR, b"f", None, self.left.entries[b"f"])  # type: ignore[index]
        gone, moved = entry_at(self.root, b"gone"), entry_at(self.root, b"d/moved")
        if gone is not None:
            steps.add(Action.DELETE, b"gone", gone, None)
        if moved is not None:
            steps.add(Action.MOVE, b"e/moved", None, moved, source=b"d/moved")
        return steps.made

    def check_nothing_is_lost(self) -> None:
        contents = all_contents(self.root)
        assert {b"old", b"gone", b"moved"} <= contents
        for path in (b"old", b"large", b"d/new"):
            entry = entry_at(self.root, path)
            wanted = AFTER[path.decode()]
            assert isinstance(wanted, bytes)
            whole = {None, blake3(wanted).digest(), blake3(b"old").digest()}
            assert (entry and entry.id) in whole, "a torn file stands under a final name"

    def check_it_is_done(self) -> None:
        found = snapshot(self.root)
        wanted = {b"old": b"f:new", b"large": b"f:" + LARGE, b"d/new": b"f:another", b"f": b"d",
                  b"link": b"l:old", b"e/moved": b"f:moved", b"d": b"d", b"e": b"d"}  # fmt: skip
        assert found == wanted
        ours = [path for path in snapshot(self.root, ours=True) if b".rcn-" in path]
        assert not ours


@pytest.mark.parametrize("where", ["cut", "deaf"])
def test_a_connection_that_is_cut_anywhere_loses_nothing_and_the_next_run_completes(
    root: bytes, opened: Open, where: str
) -> None:
    total = {"cut": len(LARGE) + 6000, "deaf": len(LARGE) + 12000}[where]
    points = [*range(200, 6000, 700), *range(6000, total, total // 6)]
    for number, at in enumerate(points):
        place = os.path.join(root, b"%d" % number)
        os.mkdir(place)
        fill(place, BEFORE)
        case = Case(place)
        try:
            run(opened(liar(f"{where}:{at}"), place), case.left, case.steps())
        except ReconcileError as error:
            assert isinstance(error, Unreachable)  # noqa: PT017  # some points lie past the end
        case.check_nothing_is_lost()

        receipts = run(opened(plain_server(), place), case.left, case.steps())

        assert {r.status for r in receipts} <= {Status.DONE}, receipts
        case.check_it_is_done()
        case.check_nothing_is_lost()


def test_a_large_file_goes_on_where_it_was_cut(root: bytes, opened: Open) -> None:
    case = Case(root)
    fill(root, BEFORE)
    steps = [step for step in case.steps() if step.at == b"large"]
    with pytest.raises(Unreachable):
        run(opened(liar(f"cut:{len(LARGE) * 2 // 3}"), root), case.left, steps)
    parts = [path for path in snapshot(root, ours=True) if path.endswith(b".part")]
    assert len(parts) == 1
    held = os.path.getsize(os.path.join(root, parts[0]))
    assert held > len(LARGE) // 3
    tree = opened(plain_server(), root)

    [receipt] = run(tree, case.left, steps)

    assert receipt.status is Status.DONE
    assert tree.sftp.traffic[0] < len(LARGE) - held + 100_000
    assert snapshot(root)[b"large"] == b"f:" + LARGE


def test_a_part_that_is_not_the_beginning_is_put_away(root: bytes, opened: Open) -> None:
    case = Case(root)
    fill(root, BEFORE)
    steps = [step for step in case.steps() if step.at == b"large"]
    with pytest.raises(Unreachable):
        run(opened(liar(f"cut:{len(LARGE) // 2}"), root), case.left, steps)
    [part] = [path for path in snapshot(root, ours=True) if path.endswith(b".part")]
    with open(os.path.join(root, part), "r+b") as stream:
        stream.write(b"somebody else's")

    [receipt] = run(opened(plain_server(), root), case.left, steps)

    assert receipt.status is Status.DONE
    assert snapshot(root)[b"large"] == b"f:" + LARGE
    assert any(
        thing.startswith(b"f:somebody else's") for thing in snapshot(root, ours=True).values()
    )


def test_what_reads_back_differently_is_not_published(root: bytes, opened: Open) -> None:
    fill(root, {"a": b"old", "d": None})
    left = from_contents({"a": b"new"}, "left")
    steps = Steps()
    tree = opened(liar("flipped"), root)
    tree.begin(OPTIONS, ())
    steps.add(Action.UPDATE, b"a", entry_at(root, b"a"), left.entries[b"a"])  # type: ignore[index]

    [receipt] = tree.stage(steps.made, Routed(left, tree))

    assert receipt.status is Status.FAILED
    assert snapshot(root) == {b"a": b"f:old", b"d": b"d"}
    tree.end()


def test_a_server_that_may_write_no_more_says_so_and_keeps_the_old(
    root: bytes, opened: Open
) -> None:
    fill(root, {"a": b"old"})
    left = from_contents({"a": b"x" * 300_000, "b": b"small"}, "left")
    ignored = "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)"
    limit = f"{ignored}; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    tree = opened(prepared(limit), root)
    steps = Steps()
    for name in (b"a", b"b"):
        steps.add(Action.UPDATE, name, entry_at(root, name), left.entries[name])  # type: ignore[index]

    receipts = run(tree, left, steps.made)

    assert [r.status for r in receipts] == [Status.FAILED, Status.DONE]
    assert snapshot(root, ours=True) == {b"a": b"f:old", b"b": b"f:small"}


@pytest.mark.root
def test_a_full_disk_is_told_as_one(tmp_path: Path, opened: Open) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    place = tmp_path / "small"
    place.mkdir()
    if os.system(f"mount -t tmpfs -o size=2m tmpfs {place}") != 0:
        pytest.skip("nothing can be mounted here")
    try:
        root = os.fsencode(place)
        fill(root, {"a": b"old"})
        left = from_contents({"a": b"x" * 3_000_000, "b": b"small"}, "left")
        tree = opened(plain_server(), root)
        steps = Steps()
        for name in (b"a", b"b"):
            steps.add(Action.UPDATE, name, entry_at(root, name), left.entries[name])  # type: ignore[index]

        receipts = run(tree, left, steps.made)
        tree.close()

        assert [(r.status, r.code) for r in receipts] == [
            (Status.FAILED, "E_NO_SPACE"),
            (Status.DONE, ""),
        ]
        assert snapshot(root, ours=True) == {b"a": b"f:old", b"b": b"f:small"}
    finally:
        os.system(f"umount {place}")


def test_a_root_that_may_not_be_written_keeps_everything(tmp_path: Path, opened: Open) -> None:
    place = tmp_path / "root"
    place.mkdir()
    root = os.fsencode(place)
    fill(root, {"a": b"old"})
    for above in [place, *place.parents]:
        above.chmod(above.stat().st_mode | 0o055)
    place.chmod(0o555)
    left = from_contents({"a": b"new", "b": b"more"}, "left")
    tree = opened(plain_server() if os.geteuid() else as_nobody(), root)
    steps = Steps()
    for name in (b"a", b"b"):
        steps.add(Action.UPDATE, name, entry_at(root, name), left.entries[name])  # type: ignore[index]

    notes = tree.begin(OPTIONS, ())
    receipts = tree.stage(steps.made, Routed(left, tree))
    tree.end()

    place.chmod(0o755)
    assert [note.code for note in notes] == ["E_NO_LOCK"]
    assert [(r.status, r.code) for r in receipts] == [(Status.FAILED, "E_DENIED")] * 2
    assert snapshot(root, ours=True) == {b"a": b"f:old"}


@pytest.mark.parametrize("lie", ["slash", "absolute", "nul", "empty", "long", "repeating"])
def test_a_directory_whose_names_cannot_be_is_unknown(root: bytes, opened: Open, lie: str) -> None:
    fill(root, {"d/a": b"x", "e": None})
    tree = opened(liar(lie), os.path.join(root))

    with pytest.raises(Unreachable):
        look(tree)

    assert set(os.listdir(os.path.dirname(root))) == {b"right"}


def test_an_endless_directory_ends(
    root: bytes, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST_NAMES", 20_000)
    with pytest.raises(Unreachable):
        look(opened(liar("endless"), root))


@pytest.mark.parametrize("lie", ["wrong-id", "huge", "many", "short", "other-type"])
def test_an_answer_that_is_no_sftp_ends_the_run(root: bytes, opened: Open, lie: str) -> None:
    fill(root, {"a": b"x", "b": b"y"})
    with pytest.raises(ProtocolError):
        look(opened(liar(lie), root))


def test_a_shell_that_talks_before_sftp_is_told_as_one(root: bytes, opened: Open) -> None:
    import sys

    talker = Served([sys.executable, "-c", "print('Welcome to peer, last login yesterday')"])
    with pytest.raises(Unreachable) as caught:
        look(opened(talker, root))
    assert "Welcome to peer" in caught.value.message


def test_nothing_is_written_through_a_directory_that_became_a_link(
    root: bytes, opened: Open, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a").write_bytes(b"theirs")
    os.symlink(outside, os.path.join(root, b"d"))
    left = from_contents({"d/a": b"new", "d/b": b"more"}, "left")
    theirs = left.put(b"x", b"theirs")
    steps = Steps()
    steps.add(Action.CREATE, b"d/b", None, left.entries[b"d/b"])  # type: ignore[index]
    steps.add(Action.DELETE, b"d/a", theirs, None)
    steps.add(Action.MKDIR, b"d/n", None, left.entries[b"d"])  # type: ignore[index]

    receipts = run(opened(plain_server(), root), left, steps.made)

    assert Status.DONE not in {r.status for r in receipts}
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == {"a": b"theirs"}
    assert (entry_at(root, b"d") or left.entries[b"d"]).kind == Kind.LINK  # type: ignore[index]


@pytest.mark.parametrize("after_bytes", [0, 10, 300])
def test_a_server_that_says_nothing_more_is_given_up_on(
    root: bytes, opened: Open, monkeypatch: pytest.MonkeyPatch, after_bytes: int
) -> None:
    monkeypatch.setattr(channel, "SILENT_S", 0.2)
    line = f"{sftp_server()} | (head -c {after_bytes}; exec cat 5>&1 >/dev/null)"
    with pytest.raises(Unreachable, match="has said nothing for"):
        look(opened(Served(["sh", "-c", line]), root))
