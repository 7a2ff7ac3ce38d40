"""Measurement: whole processes, in turn, in one run; medians, and ratios pair by pair.

Absolute times drift with the machine's load; the ratio of two commands that ran
one right after the other drifts far less. So every figure that is judged is a
ratio of neighbours: A B A B …, and the median of the pairs' ratios.

Memory is measured in a run of its own, because looking costs time: `rss_mib` is
the largest single process (the kernel's figure), `tree_mib` the largest sum over
all processes that were alive together, shared pages counted once (Pss, sampled).
"""

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, NamedTuple, Protocol

SAMPLE_S = 0.02


class Meter(Protocol):
    """Counts what a command causes outside of its own process tree."""

    def begin(self) -> None:
        """From here on."""

    def end(self) -> "Elsewhere":
        """Up to here; waits until everything the command started elsewhere is over."""


class Elsewhere(NamedTuple):
    """What the far end did for one run, and what went over the wire."""

    cpu_s: float
    wire_bytes: int


class Command(NamedTuple):
    """What is run, and what counts as success."""

    label: str
    arguments: Sequence[str]
    codes: tuple[int, ...] = (0,)
    environment: tuple[tuple[str, str], ...] = ()
    before: Callable[[], None] | None = None
    """Done before each run, not timed."""
    meter: Meter | None = None
    """None: everything happens here."""


class Run(NamedTuple):
    """One process, from start to end, its children included."""

    wall_s: float
    cpu_s: float
    """Both ends together, where there is a far one."""
    rss_mib: float
    wire_bytes: int = 0
    """0: not counted."""


class Result(NamedTuple):
    """One command's medians."""

    label: str
    runs: int
    wall_s: float
    cpu_s: float
    rss_mib: float
    wire_bytes: int = 0


class Comparison(NamedTuple):
    """A peer and ours, run in turn."""

    peer: Result
    ours: Result
    wall_ratio: float
    """Median of ours divided by peer, pair by pair."""
    cpu_ratio: float
    wire_ratio: float = 0.0
    """Of the medians; 0: nothing was counted."""


class BenchmarkFailed(Exception):
    """A command did not end as it should: its time means nothing."""


def run(command: Command) -> Run:
    """Run it once. Raises: BenchmarkFailed, with the end of what it said."""
    if command.before:
        command.before()
    os.sync()
    if command.meter:
        command.meter.begin()
    with tempfile.TemporaryFile() as talk:
        begun = time.monotonic()
        process = _start(command, talk)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:  # interrupted: what it works on is removed next
            process.kill()
            process.wait()
            raise
        wall_s = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        _check(command, process.returncode, talk)
    far = command.meter.end() if command.meter else Elsewhere(0.0, 0)
    cpu_s = usage.ru_utime + usage.ru_stime + far.cpu_s
    return Run(wall_s, cpu_s, usage.ru_maxrss / 1024, far.wire_bytes)


def in_turn(commands: Sequence[Command], rounds: int) -> list[list[Run]]:
    """Every command once a round, in the order given; one list of runs for each command."""
    runs: list[list[Run]] = [[] for _ in commands]
    for _ in range(rounds):
        for command, done in zip(commands, runs, strict=True):
            done.append(run(command))
    return runs


def compare(peer: Command, ours: Command, rounds: int, *, warm: bool = True) -> Comparison:
    """Peer and ours in turn. `warm`: one uncounted run of each first, so that caches are equal."""
    if warm:
        in_turn((peer, ours), 1)
    peers, mine = in_turn((peer, ours), rounds)
    return judge(peer, peers, ours, mine)


def judge(peer: Command, peers: Sequence[Run], ours: Command, mine: Sequence[Run]) -> Comparison:
    """Runs of two commands, taken in turn, as one comparison."""
    pairs = list(zip(peers, mine, strict=True))
    theirs, own = summary(peer, peers), summary(ours, mine)
    return Comparison(
        theirs,
        own,
        statistics.median(b.wall_s / a.wall_s for a, b in pairs),
        statistics.median(b.cpu_s / max(a.cpu_s, 0.001) for a, b in pairs),
        own.wire_bytes / max(theirs.wire_bytes, 1),
    )


def summary(command: Command, runs: Sequence[Run]) -> Result:
    """Medians of one command's runs."""
    return Result(
        command.label,
        len(runs),
        statistics.median(one.wall_s for one in runs),
        statistics.median(one.cpu_s for one in runs),
        max(one.rss_mib for one in runs),
        round(statistics.median(one.wire_bytes for one in runs)),
    )


def tree_memory_mib(command: Command) -> float:
    """The largest memory of the process and its descendants together, in one extra run."""
    if command.before:
        command.before()
    peak = 0.0
    with tempfile.TemporaryFile() as talk:
        process = _start(command, talk)
        while process.poll() is None:
            peak = max(peak, sum(_pss_mib(pid) for pid in descendants(process.pid)))
            time.sleep(SAMPLE_S)
        _check(command, process.returncode, talk)
    return peak


def descendants(pid: int) -> list[int]:
    """`pid` and every live process below it."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                todo.extend(int(child) for child in task.read_text().split())
            except OSError:  # it ended while we looked
                continue
    return found


def _pss_mib(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:  # it ended while we looked
        return 0.0
    return 0.0


def _start(command: Command, talk: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command.arguments,
        stdin=subprocess.DEVNULL,
        stdout=talk,
        stderr=talk,
        env={**os.environ, "LC_ALL": "C.UTF-8", **dict(command.environment)},
    )


def _check(command: Command, code: int, talk: IO[bytes]) -> None:
    if code not in command.codes:
        talk.seek(0)
        said = talk.read().decode(errors="replace")[-2000:]
        line = " ".join(command.arguments)
        raise BenchmarkFailed(f"`{line}` ended with {code}, not {command.codes}\n{said}")
