"""Bench: what the contract of all trees needs of a tree, and how one is put to work."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from reconcile.engine.apply import Routed
from reconcile.model.entry import Entry
from reconcile.model.manifest import DEFAULT_HEADER
from reconcile.model.receipt import Receipt
from reconcile.model.treepath import TreePath
from reconcile.trees.base import RunOptions, Tree
from reconcile.trees.copying import digest_of
from reconcile.trees.memory import MemoryTree, from_contents
from tests.trees.looking import Steps

Things = dict[str, bytes | str | None]
OPTIONS = RunOptions("r-test")


class Bench:
    """One tree to be tried, `self.tree`; `self.left` feeds it."""

    tree: Tree
    left: MemoryTree
    header = DEFAULT_HEADER
    """A tree that knows no blake3 has another."""

    def make(self, place: Path, things: Things) -> Tree:
        """A tree that holds these."""
        raise NotImplementedError

    def another(self) -> Tree:
        """The same tree, opened once more."""
        raise NotImplementedError

    def entry(self, path: bytes) -> Entry | None:
        """What is there now."""
        raise NotImplementedError

    def edit(self, path: bytes, content: bytes) -> None:
        """Somebody else writes a file."""
        raise NotImplementedError

    def kept(self) -> set[bytes]:
        """Every content in the version area."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _a_place(self, tmp_path: Path) -> None:
        self.place = tmp_path

    def start(self, things: Things, left: Things) -> Steps:
        """Both sides filled; steps to be added."""
        self.tree = self.make(self.place, things)
        self.left = from_contents(left, "left", self.header)
        return Steps()

    def options(self, options: RunOptions = OPTIONS) -> RunOptions:
        """Those of a run, under the tree's own header."""
        return replace(options, header=self.header)

    def do(self, steps: Steps, options: RunOptions = OPTIONS) -> list[Receipt]:
        """Begin, stage, carry out, end; receipts in order."""
        self.tree.begin(self.options(options), ())
        staged = {r.step: r for r in self.tree.stage(steps.made, Routed(self.left, self.tree))}
        rest = [step for step in steps.made if step.id not in staged]
        staged.update((receipt.step, receipt) for receipt in self.tree.carry_out(rest))
        self.tree.end()
        return [staged[step.id] for step in steps.made]

    def wanted(self, path: bytes) -> Entry:
        """What left has there."""
        return self.left.entries[TreePath(path)]

    def content_is(self, path: bytes, content: bytes) -> bool:
        """The tree holds exactly this file content."""
        entry = self.entry(path)
        return entry is not None and entry.id == digest_of(content, self.header.hash_name)
