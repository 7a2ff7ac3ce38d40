"""Workloads: deterministic trees to measure on. The same name gives the same bytes and times.

    W1  200,000 files of 0-8 KiB in 10,100 directories: many small files
    W2  60,000 files in about 5,000 directories, long-tailed sizes, about 1 GB in all

A divisor (QUICK: 40) makes them smaller. Each directory is filled from a seed of its
own, so that two processes can share the work without changing the result.

    python -m benchmarks.workloads W1 DIRECTORY [--quick]
"""

import argparse
import math
import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

EPOCH_S = 1_700_000_000
QUICK = 40
POOL_BYTES = 8 << 20
LARGEST_BYTES = 4 << 20


class Folder(NamedTuple):
    """One directory to fill."""

    path: str
    """Relative to the tree's root."""
    files: int
    seed: str


class Workload(NamedTuple):
    """How a tree is laid out and how large its files are."""

    name: str
    folders: Callable[[int], list[Folder]]
    """From the divisor (1, or QUICK) to every directory, parents first."""
    size_bytes: Callable[[random.Random], int]


class Counts(NamedTuple):
    """What was made."""

    files: int
    directories: int
    size_bytes: int


def _many_small(divisor: int) -> list[Folder]:
    tops, below = (100, 100) if divisor == 1 else (10, 25)
    folders = []
    for top in range(tops):
        folders.append(Folder(f"group{top:02d}", 0, ""))
        folders += [
            Folder(f"group{top:02d}/set{sub:03d}", 20, f"W1/{top}/{sub}") for sub in range(below)
        ]
    return folders


def _long_tail(divisor: int) -> list[Folder]:
    """A random recursive tree, at most eight deep; files fall on its directories at random."""
    chance = random.Random("W2")
    paths, depths = ["."], [0]
    while len(paths) < 5_000 // divisor:
        parent = chance.randrange(len(paths))
        if depths[parent] < 8:
            paths.append(f"{paths[parent]}/{chance.choice('abcdefgh')}{len(paths):x}")
            depths.append(depths[parent] + 1)
    files = [0] * len(paths)
    for _ in range(60_000 // divisor):
        files[chance.randrange(len(paths))] += 1
    return [Folder(path, n, f"W2/{path}") for path, n in zip(paths, files, strict=True)]


def _lognormal(chance: random.Random) -> int:
    return min(int(chance.lognormvariate(math.log(4096), 1.7)), LARGEST_BYTES)


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("W1", _many_small, lambda chance: chance.randrange(8193)),
        Workload("W2", _long_tail, _lognormal),
    )
}


def make(name: str, top: Path, *, divisor: int = 1) -> Counts:
    """Fill the new directory `top`. Cost: about 20 s for a full tree."""
    workload = WORKLOADS[name]
    folders = workload.folders(divisor)
    top.mkdir(parents=True)
    for folder in folders:
        (top / folder.path).mkdir(exist_ok=True)
    chunks = [folders[start : start + 250] for start in range(0, len(folders), 250)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        sizes = pool.map(_fill, [name] * len(chunks), [str(top)] * len(chunks), chunks)
        total = sum(sizes)
    for folder in reversed(folders):
        os.utime(top / folder.path, (EPOCH_S, EPOCH_S))
    os.utime(top, (EPOCH_S, EPOCH_S))
    return Counts(sum(folder.files for folder in folders), len(folders), total)


def _fill(name: str, top: str, folders: list[Folder]) -> int:
    size = WORKLOADS[name].size_bytes
    return sum(_fill_one(top, folder, size) for folder in folders)


def _fill_one(top: str, folder: Folder, size: Callable[[random.Random], int]) -> int:
    chance = random.Random(folder.seed)
    directory = os.open(os.path.join(top, folder.path), os.O_RDONLY | os.O_DIRECTORY)
    total = 0
    for number in range(folder.files):
        name = f"{chance.choice(('report', 'image', 'module', 'data'))}-{number:04d}.bin"
        size_bytes = size(chance)
        mode = 0o755 if chance.random() < 0.05 else 0o644
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode, dir_fd=directory)
        os.write(file, _content(chance, f"{folder.seed}:{number}\n".encode(), size_bytes))
        mtime_s = EPOCH_S + chance.randrange(10_000_000)
        os.utime(file, (mtime_s, mtime_s))
        os.close(file)
        total += size_bytes
    os.close(directory)
    return total


def _content(chance: random.Random, head: bytes, size_bytes: int) -> bytes:
    """Unlike every other file of the tree; two thirds compressible, one third not."""
    pool = _pool()
    start = chance.randrange(len(pool) - LARGEST_BYTES)
    return (head + pool[start : start + size_bytes])[:size_bytes]


@cache
def _pool() -> bytes:
    chance = random.Random("pool")
    words = [f"{chance.getrandbits(24):x}".encode() for _ in range(400)]
    parts = []
    for _ in range(POOL_BYTES // (1 << 16)):
        if chance.random() < 1 / 3:
            parts.append(chance.randbytes(1 << 16))
        else:
            parts.append(b" ".join(chance.choices(words, k=12_000))[: 1 << 16])
    return b"".join(parts)


def main() -> None:
    """Make one tree and say what is in it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("name", choices=sorted(WORKLOADS))
    parser.add_argument("directory", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    begun = time.monotonic()
    counts = make(options.name, options.directory, divisor=QUICK if options.quick else 1)
    print(
        f"{counts.files:,} files, {counts.directories:,} directories, "
        f"{counts.size_bytes / 1e6:,.1f} MB in {time.monotonic() - begun:.1f} s"
    )


if __name__ == "__main__":
    main()
