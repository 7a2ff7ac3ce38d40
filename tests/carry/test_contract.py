"""The contract of all trees, held by a tree behind a carried agent on a bare Python."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from reconcile.model.errors import Unreachable
from reconcile.model.manifest import Header
from reconcile.model.plan import Problem
from reconcile.trees.agent_tree import AgentTree
from reconcile.trees.base import Tree
from reconcile.trees.carry.boot import greet, start_command
from reconcile.trees.carry.package import Bundle
from reconcile.trees.duplex import Duplex
from reconcile.trees.remote import SessionOptions
from reconcile.trees.session import Session
from tests.agent import test_contract
from tests.carry.dialled import NONCE


class CarriedLink:
    """The carried agent of a warm cache, greeted."""

    notes: Sequence[Problem] = ()

    def __init__(self, bundle: Bundle, home: Path) -> None:
        command = start_command(NONCE, bundle, installed=False)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.fspath(home / "bin"), "HOME": os.fspath(home)},
        )
        assert self.process.stdin
        assert self.process.stdout
        self.duplex = Duplex(self.process.stdout.fileno(), self.process.stdin.fileno(), self._lost)
        greeting = greet(self.duplex.read, self.duplex.write, NONCE, bundle)
        assert greeting == ("carried", b"", False)
        self.session = Session(self.duplex)

    def _lost(self) -> Exception:
        return Unreachable("the agent went away")

    def close(self) -> None:
        with self.process:
            pass


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
