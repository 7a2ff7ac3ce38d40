"""Any message between reconcile and its agent may be a lie, its framing and digests right.

Whatever either end is told: the run ends, with a plain answer and without a traceback;
nothing outside of the two roots is changed; no byte of a side that was not superseded by
what the other holds is gone; nobody takes memory without end.
"""

import fcntl
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from reconcile.cli.main import main
from tests.attacks.handed_over import tree_of

MESSAGES = 14
"""About so many go either way in a run."""
HANGS_S = 60
OURS = {"report", "report.lock", "said"}
WORDS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 64)
"""Exit codes of a run that ended in order (`reconcile help exit-codes`)."""


class Ended(NamedTuple):
    """What a command came to."""

    status: int
    said: str


def told(place: Path, *words: str) -> Ended:
    """The command line `words`, in a child of ours; one that hangs is ended."""
    out = place / "said"
    child = os.fork()
    if not child:
        said = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for fd, to in ((nothing, 0), (said, 1), (said, 2)):
            os.dup2(fd, to)
        sys.argv[1:] = words
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        status = main()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    until = time.monotonic() + HANGS_S
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return Ended(-signal.SIGKILL, out.read_text(errors="replace"))
        signal.sigtimedwait([signal.SIGCHLD], 0.05)
    return Ended(os.waitstatus_to_exitcode(ended[1]), out.read_text(errors="replace"))


class World:
    """A side here, one behind an agent, and what is nobody's business."""

    def __init__(self, place: Path) -> None:
        self.place, self.near, self.far = place, place / "near", place / "far"
        self.outside, self.report = place / "outside", place / "report"
        self.lock = place / "report.lock"

    def make(self) -> None:
        for name in ("near", "far", "outside", "state", "home"):
            shutil.rmtree(self.place / name, ignore_errors=True)
            (self.place / name).mkdir()
        (self.outside / "kept").write_bytes(b"outside\n")
        for side, mark in ((self.near, b"n"), (self.far, b"f")):
            (side / "d" / "e").mkdir(parents=True)
            for number in range(3):
                (side / "d" / f"{mark.decode()}{number}").write_bytes(mark * (number + 1))
            (side / f"large-{mark.decode()}").write_bytes(mark * (3 << 20))
            (side / f"link-{mark.decode()}").symlink_to("d")
            (side / "d" / "e" / "both").write_bytes(b"both\n")

    def run(self, seed: int) -> tuple[Ended, dict[str, object]]:
        """One run, one message of it bent; what the near side and the agent came to."""
        dice = random.Random(seed)
        way = dice.choice(["up", "down"])
        self.report.write_text("{}")
        os.environ["BENDING"] = f"{seed} {way} {dice.randint(1, MESSAGES)} {self.report}"
        near = told(
            self.place, "apply", str(self.near), f"ssh://there{self.far}", "--yes",
            "--state-dir", str(self.place / "state"),
        )  # fmt: skip
        return near, self.agent_ended()

    def agent_ended(self) -> dict[str, object]:
        """Once the line has written its report."""
        with self.lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found: dict[str, object] = json.loads(self.report.read_text())
            return found


def contents(root: Path) -> set[bytes]:
    """Every content below it, versions and quarantine included."""
    files = [each for each in root.rglob("*") if each.is_file() and not each.is_symlink()]
    return {each.read_bytes() for each in files}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    ssh = tmp_path / "ssh"
    ssh.write_text(f'#!/bin/sh\nexec {sys.executable} -m tests.attacks.bending "$@"\n')
    ssh.chmod(0o755)
    for name, value in (
        ("RECONCILE_SSH", str(ssh)), ("HOME", str(tmp_path / "home")), ("BENDING", ""),
        ("XDG_CACHE_HOME", str(tmp_path / "home" / "cache")), ("COLUMNS", "200"),
        ("PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[2]), *sys.path[1:]])),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    yield World(tmp_path)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])


def bend(world: World, seeds: range) -> int:
    """One run for each seed; in how many of them there was something to bend."""
    count = 0
    for seed in seeds:
        world.make()
        before = tree_of(world.outside), set(os.listdir(world.place))
        had = contents(world.near), contents(world.far)
        near, agent = world.run(seed)
        why = f"seed {seed}: {agent}\n{near.said}"
        assert near.status in WORDS, why
        assert agent.get("status") in WORDS, why
        said = near.said + str(agent["said"])
        assert "Traceback" not in said, why
        assert "E_INTERNAL" not in said, why
        assert "\x1b" not in said, why
        assert "MemoryError" not in said, why
        now = tree_of(world.outside), set(os.listdir(world.place)) - OURS
        assert now == (before[0], before[1] - OURS), why
        assert had[0] <= contents(world.near), why
        assert had[1] <= contents(world.far), why
        count += bool(agent["bent"])
    return count


def test_a_run_that_nobody_bends_carries_everything(world: World) -> None:
    world.make()
    os.environ["BENDING"] = f"0 up 0 {world.report}"
    done = told(
        world.place, "apply", str(world.near), f"ssh://there{world.far}", "--yes",
        "--state-dir", str(world.place / "state"),
    )  # fmt: skip
    assert done.status == 0, done.said
    assert (world.near / "large-f").read_bytes() == (world.far / "large-f").read_bytes()
    assert world.agent_ended()["status"] == 0


def test_a_bent_message_is_refused_or_harmless(world: World) -> None:
    assert bend(world, range(5)) > 1


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_so_are_five_hundred(world: World) -> None:
    assert bend(world, range(1000, 1500)) > 250
