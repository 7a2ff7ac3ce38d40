"""The contract of all trees, held by a tree behind a carried agent on a bare Python."""

import os
from pathlib import Path

import pytest

from reconcile.model.manifest import Header
from reconcile.trees.agent_tree import AgentTree
from reconcile.trees.base import Tree
from reconcile.trees.carry.package import Bundle
from reconcile.trees.remote import SessionOptions
from tests.agent import test_contract
from tests.carry.dialled import CarriedLink


class TestCarriedTree(test_contract.TestAgentTree):
    header = Header("sha256")

    @pytest.fixture(autouse=True)
    def _carried(self, bundle: Bundle, warm: Path) -> None:
        self.bundle, self.home = bundle, warm

    def _tree(self) -> Tree:
        tree = AgentTree(
            lambda: CarriedLink(self.bundle, self.home),
            "pipe://" + os.fsdecode(self.root),
            self.root,
            SessionOptions("p", self.compress),
        )
        self.opened.append(tree)
        return tree
