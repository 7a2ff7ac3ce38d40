"""Edits between the look and the step, such as no size and no time tells of."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconcile.engine.apply import Routed
from reconcile.model.entry import Entry
from reconcile.model.job import FilterSpec
from reconcile.model.plan import Action
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.trees.base import RunOptions
from reconcile.trees.looking import Looking, Settings
from reconcile.trees.memory import MemoryTree, from_contents
from reconcile.trees.sftp.tree import SftpTree
from tests.sftp.servers import plain_server
from tests.trees.kept_pages import KeptPages
from tests.trees.looking import T0, Steps, all_contents, entry_at, fill, snapshot

SERVERS = {
    "all": (),
    "no hard links": ("-P", "hardlink"),
    "no replacing rename": ("-P", "posix-rename"),
    "nothing": ("-P", "posix-rename,hardlink,fsync,lsetstat,statvfs,limits"),
}


@pytest.fixture(params=SERVERS.values(), ids=SERVERS.keys())
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SftpTree]:
    found = SftpTree(lambda: plain_server(*request.param), "sftp://x/", os.fsencode(tmp_path))
    yield found
    found.close()


def raced(
    tree: SftpTree, left: MemoryTree, steps: Steps, edit: Callable[[], None], *, versions: bool
) -> list[Receipt]:
    """Stage, then somebody edits, then carry out."""
    tree.begin(RunOptions("r-test", versions=versions), ())
    assert tree.stage(steps.made, Routed(left, tree)) == []
    edit()
    receipts = tree.carry_out(steps.made)
    tree.end()
    return list(receipts)


def rewritten(root: Path, name: str, content: bytes) -> None:
    """The same length, the same time."""
    (root / name).write_bytes(content)
    os.utime(root / name, ns=(T0, T0))


def at(root: Path, name: bytes) -> Entry:
    found = entry_at(os.fsencode(root), name)
    assert found is not None
    return found


@pytest.mark.parametrize("versions", [True, False])
def test_an_edit_that_keeps_size_and_time_is_neither_replaced_nor_deleted_nor_moved(
    tmp_path: Path, tree: SftpTree, versions: bool
) -> None:
    root = os.fsencode(tmp_path)
    names = ("update", "delete", "move", "meta", "kind")
    fill(root, dict.fromkeys(names, b"old"))
    left = from_contents({"update": b"new", "kind": "a link", "meta": b"old"}, "left")
    executable = left.put(b"meta", b"old", mode=0o755)
    steps = Steps()
    steps.add(Action.UPDATE, b"update", at(tmp_path, b"update"), left.entries[TreePath(b"update")])
    steps.add(Action.DELETE, b"delete", at(tmp_path, b"delete"), None)
    steps.add(Action.MOVE, b"moved", None, at(tmp_path, b"move"), source=b"move")
    steps.add(Action.META, b"meta", at(tmp_path, b"meta"), executable)
    steps.add(Action.UPDATE, b"kind", at(tmp_path, b"kind"), left.entries[TreePath(b"kind")])

    def edit() -> None:
        for name in names:
            rewritten(tmp_path, name, b"new"[:2] + name[:1].encode())

    receipts = raced(tree, left, steps, edit, versions=versions)

    assert [receipt.status for receipt in receipts] == [Status.STALE] * 5
    assert snapshot(root) == {name.encode(): b"f:ne" + name[:1].encode() for name in sorted(names)}
    residue = [path for path in snapshot(root, ours=True) if b".rcn-" in path]
    assert not residue


def test_a_name_taken_after_staging_is_not_replaced(tmp_path: Path, tree: SftpTree) -> None:
    root = os.fsencode(tmp_path)
    fill(root, {"old": b"old"})
    left = from_contents({"new": b"ours"}, "left")
    steps = Steps()
    steps.add(Action.CREATE, b"new", None, left.entries[TreePath(b"new")])
    steps.add(Action.MOVE, b"moved", None, at(tmp_path, b"old"), source=b"old")

    def edit() -> None:
        (tmp_path / "new").write_bytes(b"theirs")
        (tmp_path / "moved").write_bytes(b"theirs too")

    receipts = raced(tree, left, steps, edit, versions=True)

    assert [receipt.status for receipt in receipts] == [Status.STALE] * 2
    assert {b"theirs", b"theirs too", b"old"} <= all_contents(root)
    assert snapshot(root)[b"new"] == b"f:theirs"
    assert snapshot(root)[b"moved"] == b"f:theirs too"


def test_the_plain_rename_of_openssh_replaces_nothing(tmp_path: Path) -> None:
    """What `means.rename_new` relies on where nothing better is offered."""
    fill(os.fsencode(tmp_path), {"a": b"one", "b": b"two"})
    tree = SftpTree(plain_server, "sftp://x/", os.fsencode(tmp_path))
    tree.begin(RunOptions("r-test"), ())
    assert tree._means is not None
    site = tree._means.site
    with pytest.raises(OSError, match="failure"):
        site.sftp.run(site.rename(site.location(TreePath(b"a")), site.location(TreePath(b"b"))))
    tree.close()
    assert snapshot(os.fsencode(tmp_path)) == {b"a": b"f:one", b"b": b"f:two"}


def test_a_large_old_file_is_superseded_without_being_read(tmp_path: Path) -> None:
    root = os.fsencode(tmp_path)
    fill(root, {"a": b"x" * 1_000_000})
    left = from_contents({"a": b"new"}, "left")
    tree = SftpTree(plain_server, "sftp://x/", root)
    settings = Settings(now_ns=2_000_000_000_000_000_000)
    tree.look(Looking(settings, FilterSpec()), None, KeptPages(), lambda tally: None)
    steps = Steps()
    steps.add(Action.UPDATE, b"a", at(tmp_path, b"a"), left.entries[TreePath(b"a")])
    before = tree.sftp.traffic[1]

    [receipt] = raced(tree, left, steps, lambda: None, versions=True)

    assert receipt.status is Status.DONE
    assert tree.sftp.traffic[1] - before < 10_000, "its size and time proved it, and it is kept"
    tree.close()
    assert b"x" * 1_000_000 in all_contents(root)
