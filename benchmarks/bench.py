"""Bench: the trees, states and commands that the sections share, in one scratch directory."""

import itertools
import shutil
import subprocess
import time
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from benchmarks.far import FarHost
from benchmarks.measure import Command, run
from benchmarks.workloads import QUICK, make

SETTLE_S = 3


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
        self._open = ExitStack()
        self._seeds = itertools.count(1000)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    @cached_property
    def far(self) -> FarHost:
        """The other machine, from its first use to the end."""
        return self._open.enter_context(FarHost(self.work / "far", quick=self.quick))

    def settle(self) -> None:
        """After a tree was written: wait until its times are older than any scan's start."""
        if not self.quick:
            time.sleep(SETTLE_S)

    def next_seed(self) -> int:
        """For one more mutation of a tree, unlike all before."""
        return next(self._seeds)

    def tree(self, name: str, divisor: int = 1) -> Path:
        """A workload's tree, or one that many times smaller, made once."""
        top = self.work / (name if divisor == 1 else f"{name}-{divisor}")
        if not top.exists():
            make(name, top, divisor=divisor * (QUICK if self.quick else 1))
            self.settle()
        return top

    def copied(self, name: str) -> Pair:
        """The tree and an equal copy; the state is new."""
        left, right = self.tree(name), self.work / f"{name}-copy"
        if not right.exists():
            subprocess.run(["cp", "-a", left, right], check=True)
            self.settle()
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
