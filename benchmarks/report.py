"""Rows: one measured line, its pass marks, and where it is kept.

Every row goes to a JSON-lines file as it is measured; benchmarks/page.py makes
the tables of docs/benchmarks.md from it.
"""

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Comparison


class Limit(NamedTuple):
    """A pass mark: `figure` of the row must not be above `at_most`."""

    figure: str
    at_most: float

    def text(self) -> str:
        """As the table shows it."""
        words = {
            "wall_ratio": "wall ratio",
            "cpu_ratio": "CPU ratio",
            "wire_ratio": "wire ratio",
            "wire_bytes": "bytes",
            "requests_ratio": "requests ratio",
            "tree_mib": "MiB",
            "wall_s": "s",
        }
        return f"≤ {self.at_most:,g} {words[self.figure]}"


class Row(NamedTuple):
    """One measured line."""

    section: str
    workload: str
    peer: str
    ours: str
    rounds: int
    peer_wall_s: float
    wall_s: float
    wall_ratio: float
    cpu_ratio: float
    rss_mib: float
    """The largest process."""
    tree_mib: float
    """All processes together; 0: not measured."""
    limits: tuple[Limit, ...] = ()
    """None: the row is reported, not judged."""
    peer_wire_bytes: int = 0
    """0 in these: nothing went over a wire."""
    wire_bytes: int = 0
    wire_ratio: float = 0.0
    peer_requests: int = 0
    """SFTP requests; 0: not counted."""
    requests: int = 0

    @property
    def requests_ratio(self) -> float:
        """Ours by the peer's."""
        return self.requests / max(self.peer_requests, 1)

    @property
    def name(self) -> str:
        """What is replaced when it is measured again."""
        return f"{self.section} | {self.workload} | {self.peer} | {self.ours}"

    def shortfalls(self) -> tuple[Limit, ...]:
        """The pass marks that were missed."""
        return tuple(limit for limit in self.limits if getattr(self, limit.figure) > limit.at_most)

    def verdict(self) -> str:
        """`pass`, `short`, or `reported` without a mark."""
        if not self.limits:
            return "reported"
        return "short" if self.shortfalls() else "pass"


def row(
    section: str,
    workload: str,
    result: Comparison,
    limits: Sequence[Limit] = (),
    tree_mib: float = 0.0,
) -> Row:
    """A comparison as a row."""
    return Row(
        section=section,
        workload=workload,
        peer=result.peer.label,
        ours=result.ours.label,
        rounds=result.ours.runs,
        peer_wall_s=result.peer.wall_s,
        wall_s=result.ours.wall_s,
        wall_ratio=result.wall_ratio,
        cpu_ratio=result.cpu_ratio,
        rss_mib=result.ours.rss_mib,
        tree_mib=tree_mib,
        limits=tuple(limits),
        peer_wire_bytes=result.peer.wire_bytes,
        wire_bytes=result.ours.wire_bytes,
        wire_ratio=result.wire_ratio,
    )


def line(one: Row, *, quick: bool = False) -> str:
    """For the terminal. `quick`: the marks are for full trees, so nothing is judged."""
    marks = ", ".join(limit.text() for limit in one.limits) or "-"
    wire = f" wire {one.wire_bytes:,} / {one.peer_wire_bytes:,} x{one.wire_ratio:.3f}"
    asked = f" requests {one.requests:,} / {one.peer_requests:,}"
    return (
        f"{'quick' if quick else one.verdict():8} {one.section:12} {one.workload:5} "
        f"{one.ours}: {one.wall_s:.3f} s, {one.rss_mib:.0f} MiB (all: {one.tree_mib:.0f})  "
        f"{one.peer}: {one.peer_wall_s:.3f} s  "
        f"wall x{one.wall_ratio:.2f} cpu x{one.cpu_ratio:.2f}"
        f"{wire if one.wire_bytes else ''}{asked if one.peer_requests else ''}  mark {marks}"
    )


def append(file: Path, one: Row, *, quick: bool, machine: dict[str, str]) -> None:
    """One JSON line more."""
    record = {
        **one._asdict(),
        "limits": [limit._asdict() for limit in one.limits],
        "verdict": one.verdict(),
        "quick": quick,
        "measured": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "load": round(os.getloadavg()[0], 2),
        "machine": machine,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(record, ensure_ascii=False) + "\n")


def machine(versions: Iterable[tuple[str, Sequence[str]]]) -> dict[str, str]:
    """What it was measured on and with: no host name, no paths. Versions: first lines."""
    facts = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }
    for name, command in versions:
        try:
            said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        except FileNotFoundError:
            said = "not installed"
        facts[name] = said.strip().split("\n")[0]
    return facts


def _processor() -> str:
    for text in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if text.startswith("model name"):
            return text.partition(":")[2].strip()
    return platform.machine()
