"""The contract, held over SFTP: by OpenSSH's server, and by servers that offer less."""

import os
from pathlib import Path

import pytest

from reconcile.model.entry import Entry
from reconcile.model.plan import Action
from reconcile.model.receipt import Status
from reconcile.trees.base import Tree
from reconcile.trees.sftp.tree import SftpTree
from tests.sftp.servers import Served, plain_server
from tests.trees.contract import Things, TreeContract
from tests.trees.looking import entry_at, fill, snapshot


class TestSftpTree(TreeContract):
    """All extensions."""

    def serve(self) -> Served:
        return plain_server()

    def open(self) -> SftpTree:
        tree = SftpTree(self.serve, "sftp://peer/right", self.root)
        self.opened.append(tree)
        return tree

    def make(self, place: Path, things: Things) -> Tree:
        self.root = os.fsencode(place / "right")
        os.mkdir(self.root)
        fill(self.root, things)
        return self.open()

    @pytest.fixture(autouse=True)
    def _closed(self) -> object:
        self.opened: list[SftpTree] = []
        yield
        for tree in self.opened:
            tree.close()
        left = [path for path in snapshot(self.root, ours=True) if is_residue(path)]
        assert not left, "something of ours was left behind"

    def another(self) -> Tree:
        return self.open()

    def entry(self, path: bytes) -> Entry | None:
        return entry_at(self.root, path)

    def edit(self, path: bytes, content: bytes) -> None:
        with open(os.path.join(self.root, path), "wb") as stream:
            stream.write(content)

    def kept(self) -> set[bytes]:
        return {
            thing[2:]
            for path, thing in snapshot(self.root, ours=True).items()
            if path.startswith(b".reconcile/versions/") and thing != b"d"
        }

    def test_a_new_file_gets_the_content_time_and_mode_that_were_wanted(self) -> None:
        """SFTP carries whole seconds (`Abilities.mtime_step_ns`)."""
        steps = self.start({}, {})
        want = self.left.put(b"a", b"one", mode=0o755, mtime_ns=1_600_000_000_000_000_000)
        steps.add(Action.CREATE, b"a", None, want)
        [receipt] = self.do(steps)
        assert receipt.status is Status.DONE
        assert receipt.entry == want
        assert self.entry(b"a") == want


class TestWithoutHardLinks(TestSftpTree):
    """Renames only: the old name goes away first."""

    def serve(self) -> Served:
        return plain_server("-P", "hardlink")


class TestWithoutReplacingRenames(TestSftpTree):
    """The protocol's own rename, and hard links."""

    def serve(self) -> Served:
        return plain_server("-P", "posix-rename")


class TestWithoutExtensions(TestSftpTree):
    """SFTP version 3 and nothing else."""

    def serve(self) -> Served:
        return plain_server("-P", "posix-rename,hardlink,fsync,lsetstat,statvfs,limits")


def is_residue(path: bytes) -> bool:
    """A temporary name, or a lock."""
    return b".rcn-" in path or path.startswith((b".reconcile/lock", b".reconcile/link"))
