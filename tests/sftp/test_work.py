"""How much is asked: round trips follow the depth of a procedure, not the number of files."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconcile.engine.apply import Routed
from reconcile.model.plan import Action, Side, Source, Step
from reconcile.model.receipt import Status
from reconcile.model.treepath import TreePath
from reconcile.trees.base import ContentChanged, RunOptions
from reconcile.trees.local import LocalTree
from reconcile.trees.memory import MemoryTree, from_contents
from reconcile.trees.sftp.packets import Ask, text
from reconcile.trees.sftp.tree import SftpTree
from tests.sftp.servers import plain_server
from tests.trees.looking import Steps, entry_at, fill, snapshot

OPTIONS = RunOptions("r-test")


class RoundTrips:
    """Holds answers back until all that were asked for are there: so it is far away."""

    def __init__(self, tree: SftpTree) -> None:
        self.count = 0
        self._sftp = tree.sftp
        self._deliver = tree.sftp._take
        self._held: list[tuple[int, bytes]] = []
        tree.sftp._packets._take = self.take

    def take(self, kind: int, body: bytes) -> None:
        self._held.append((kind, body))
        if len(self._held) == len(self._sftp._waiting):
            self.count += 1
            held, self._held = self._held, []
            for answer in held:
                self._deliver(*answer)


def many(count: int) -> tuple[MemoryTree, list[Step]]:
    """A side with so many small files, and the steps that create them on the other."""
    steps = Steps()
    left = from_contents({f"{n:04}": b"%d" % n for n in range(count)}, "left")
    for path in sorted(left.entries):
        steps.add(Action.CREATE, path, None, left.entries[path])
    return left, steps.made


def test_a_batch_of_small_files_costs_a_few_round_trips(tmp_path: Path) -> None:
    tree = SftpTree(plain_server, "sftp://peer/", os.fsencode(tmp_path))
    left, steps = many(100)
    tree.begin(OPTIONS, ())
    before = tree.sftp.requests
    trips = RoundTrips(tree)

    assert tree.stage(steps, Routed(left, tree)) == []
    staged = trips.count
    receipts = tree.carry_out(steps)

    carried_out, requests = trips.count - staged, tree.sftp.requests - before
    tree.close()
    assert {receipt.status for receipt in receipts} == {Status.DONE}
    assert len(snapshot(os.fsencode(tmp_path))) == 100
    assert staged <= 3, "look, open, and everything else at once"
    assert carried_out <= 5, "link, remove the other name, look; flush the directory"
    assert requests <= 100 * 11 + 3


def test_small_files_are_read_ahead_and_in_any_case_right(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    root = os.fsencode(there)
    fill(root, {f"{n:04}": b"%d" % n for n in range(300)})
    fill(root, {"large": b"x" * 300_000})
    steps = Steps(Side.LEFT)
    for name in sorted(os.listdir(root)):
        steps.add(Action.CREATE, name, None, entry_at(root, name))
    tree = SftpTree(plain_server, "sftp://peer/", root)
    left = LocalTree(os.fsencode(here))
    supply = Routed(left, tree)
    left.begin(OPTIONS, ())
    tree.fetch([step for step in steps.made if step.at != b"0007"])

    assert tree.whole(steps.made[-1]) is None, "a large file is read as a stream"
    assert tree.whole(steps.made[7]) is None, "it was not announced"
    assert tree.whole(steps.made[8]) == b"8", "what stands before may be passed over"
    assert left.stage(steps.made, supply) == []
    receipts = left.carry_out(steps.made)

    left.close()
    tree.close()
    assert {receipt.status for receipt in receipts} == {Status.DONE}
    assert snapshot(os.fsencode(here)) == snapshot(root)


def test_what_changed_since_it_was_looked_at_is_not_read_ahead(tmp_path: Path) -> None:
    root = os.fsencode(tmp_path)
    fill(root, {"a": b"one"})
    entry = entry_at(root, b"a")
    assert entry is not None
    step = Step(1, Side.LEFT, Action.CREATE, TreePath(b"a"), TreePath(b"a"), None, entry,
                Source(Side.RIGHT, TreePath(b"a"), entry))  # fmt: skip
    (tmp_path / "a").write_bytes(b"changed")
    tree = SftpTree(plain_server, "sftp://peer/", root)
    tree.fetch([step])
    with pytest.raises(ContentChanged):
        tree.whole(step)
    tree.close()


def test_a_server_that_takes_links_the_other_way_round_makes_none_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    tree = SftpTree(plain_server, "sftp://peer/", os.fsencode(root))
    tree.connect()
    ask: Callable[[Ask, bytes], object] = tree.sftp.ask

    def swapped(request: Ask, body: bytes) -> object:
        if request is Ask.SYMLINK:
            length = int.from_bytes(body[:4], "big")
            body = body[4 + length :] + text(body[4 : 4 + length])
        return ask(request, body)

    monkeypatch.setattr(tree.sftp, "ask", swapped)
    left = from_contents({"l": "../outside"}, "left")
    steps = Steps()
    steps.add(Action.CREATE, b"l", None, left.entries[TreePath(b"l")])

    tree.begin(OPTIONS, ())
    [receipt] = tree.carry_out(steps.made)
    tree.end()
    tree.close()

    assert receipt.status is Status.DONE
    assert os.readlink(root / "l") == "../outside"
    assert [path.name for path in tmp_path.iterdir()] == ["root"]
    assert [path.name for path in root.iterdir()] == ["l"]


def test_a_servers_weaknesses_are_told(tmp_path: Path) -> None:
    tree = SftpTree(
        lambda: plain_server("-P", "hardlink,fsync"), "sftp://peer/", os.fsencode(tmp_path)
    )
    tree.connect()
    notes = tree.notes
    tree.close()
    assert [note.code for note in notes] == ["E_WEAK_PRECONDITION", "E_NO_FLUSH"]
    assert {note.severity for note in notes} == {"note"}
