"""The contract of all trees, held by a tree behind an agent."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.trees.agent_tree import AgentTree
from reconcile.trees.base import Tree
from reconcile.trees.remote import SessionOptions
from tests.agent.pipes import agent_tree
from tests.trees import test_contract
from tests.trees.contract import Things
from tests.trees.looking import fill


class TestAgentTree(test_contract.TestLocalTree):
    compress = False

    def make(self, place: Path, things: Things) -> Tree:
        self.root = os.fsencode(place / "right")
        self.cache = str(place / "cache")
        os.mkdir(self.root)
        fill(self.root, things)
        self.opened: list[AgentTree] = []
        return self._tree()

    @pytest.fixture(autouse=True)
    def _hung_up(self) -> Iterator[None]:
        yield
        for tree in self.opened:
            tree.close()

    def another(self) -> Tree:
        return self._tree()

    def _tree(self) -> Tree:
        tree = agent_tree(self.root, self.cache, options=SessionOptions("p", self.compress))
        self.opened.append(tree)
        return tree


class TestAgentTreeCompressed(TestAgentTree):
    compress = True
