"""Where the three-way manifests lie, and how to have them made.

They are made by `threeway_make`, in a process of its own: the memory of whoever
starts a measured command would show in the command's figures.
"""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parents[1]


class Made(NamedTuple):
    """The files that were written."""

    base: Path
    left: Path
    right: Path
    left_again: Path
    """Left once more, byte for byte."""
    left_text: Path
    """`path id` lines, sorted: what `comm` compares."""
    right_text: Path


def write(top: Path, entries: int, changes: int) -> Made:
    """Make the files in the new directory `top`, in another process. About a minute a million."""
    top.mkdir()
    words = ["-m", "benchmarks.threeway_make", str(top), str(entries), str(changes)]
    subprocess.run([sys.executable, *words], cwd=CHECKOUT, check=True)
    return places(top)


def places(top: Path) -> Made:
    """The six places in `top`."""
    names = ("base.rman", "left.rman", "right.rman", "left-again.rman", "left.txt", "right.txt")
    return Made(*(top / name for name in names))
