"""The contract, held by the reference and by the tree of this machine."""

import os
from pathlib import Path

import pytest

from reconcile.model.entry import Entry
from reconcile.model.treepath import TreePath
from reconcile.trees.base import Tree
from reconcile.trees.local import LocalTree
from reconcile.trees.memory import MemoryTree, from_contents
from reconcile.trees.syscalls import System
from tests.trees.contract import Things, TreeContract
from tests.trees.looking import entry_at, fill, snapshot
from tests.trees.systems import NoFlags, NoLinksEither, Stuttering


class TestMemoryTree(TreeContract):
    tree: MemoryTree

    def make(self, place: Path, things: Things) -> Tree:
        return from_contents(things, "right")

    def another(self) -> Tree:
        return self.tree

    def entry(self, path: bytes) -> Entry | None:
        return self.tree.entries.get(TreePath(path))

    def edit(self, path: bytes, content: bytes) -> None:
        self.tree.put(path, content)

    def kept(self) -> set[bytes]:
        return set(self.tree.kept.values())


class TestLocalTree(TreeContract):
    system = System()

    def make(self, place: Path, things: Things) -> Tree:
        self.root = os.fsencode(place / "right")
        os.mkdir(self.root)
        fill(self.root, things)
        return LocalTree(self.root, system=self.system)

    @pytest.fixture(autouse=True)
    def _closed(self) -> object:
        yield
        self.tree.close()
        temps = [path for path in snapshot(self.root, ours=True) if b".rcn-" in path]
        assert not temps, "a temporary name was left behind"

    def another(self) -> Tree:
        return LocalTree(self.root)

    def entry(self, path: bytes) -> Entry | None:
        return entry_at(self.root, path, self.header.hash_name)

    def edit(self, path: bytes, content: bytes) -> None:
        with open(os.path.join(self.root, path), "wb") as stream:
            stream.write(content)

    def kept(self) -> set[bytes]:
        return {
            thing[2:]
            for path, thing in snapshot(self.root, ours=True).items()
            if path.startswith(b".reconcile/versions/") and thing != b"d"
        }


class TestLocalTreeWithoutRenameFlags(TestLocalTree):
    """As on NFS: hard links stand in for NOREPLACE and EXCHANGE."""

    system = NoFlags()


class TestLocalTreeWithoutRenameFlagsOrLinks(TestLocalTree):
    """As on exFAT or SMB: plain renames stand in."""

    system = NoLinksEither()


class TestLocalTreeWithShortWrites(TestLocalTree):
    """write(2) may always write less than it was given."""

    system = Stuttering()
