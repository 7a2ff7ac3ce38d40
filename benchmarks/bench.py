"""Bench: the trees, states and commands that the sections share, in one scratch directory."""

import shutil
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Command, run
from benchmarks.workloads import make

SETTLE_S = 3
"""Pause after a tree is written: its times are then older than any scan's start."""


class Pair(NamedTuple):
    """Two equal trees and a state in which they are agreed."""

    left: Path
    right: Path
    state: Path


class Bench:
    """What one call of `benchmarks.run` works with. Everything it makes is below `work`."""

    def __init__(self, work: Path, reconcile: str, *, quick: bool, rounds: int) -> None:
        self.work = work
        self.reconcile = reconcile
        self.quick = quick
        self.rounds = rounds
        self._agreed: dict[str, Pair] = {}

    def tree(self, name: str) -> Path:
        """A workload's tree, made once."""
        top = self.work / name
        if not top.exists():
            make(name, top, quick=self.quick)
        return top

    def copied(self, name: str) -> Pair:
        """The tree and an equal copy; the state is new."""
        left, right = self.tree(name), self.work / f"{name}-copy"
        if not right.exists():
            subprocess.run(["cp", "-a", left, right], check=True)
            time.sleep(SETTLE_S)
        return Pair(left, right, self.work / f"{name}-state")

    def agreed(self, name: str) -> Pair:
        """The tree and its copy after one `reconcile apply`: nothing is left to do."""
        if name not in self._agreed:
            pair = self.copied(name)
            run(self.ours("apply", pair.left, pair.right, "--yes", state=pair.state))
            self._agreed[name] = pair
        return self._agreed[name]

    def ours(
        self, verb: str, *arguments: str | Path, state: Path, label: str = "", fresh: bool = False
    ) -> Command:
        """A reconcile command. `fresh`: its state is removed before each run."""
        words = [self.reconcile, *verb.split(), *map(str, arguments), "--state-dir", str(state)]
        before = (lambda: shutil.rmtree(state, ignore_errors=True)) if fresh else None
        return Command(label or f"reconcile {verb}", words, before=before)
