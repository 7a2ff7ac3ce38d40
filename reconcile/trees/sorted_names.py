"""The names of a directory in byte order, in memory that does not grow with the directory.

Small directories sort in memory. A larger one is sorted in runs that wait in an
unnamed temporary file and are merged while they are read.
"""

import heapq
import os
from collections.abc import Iterator
from typing import IO

from reconcile.trees.scratch import scratch

RUN_NAMES = 65_536
_READ_BYTES = 1 << 16


def sorted_names(names: Iterator[bytes], run_names: int = RUN_NAMES) -> Iterator[bytes]:
    """`names` in ascending order. Cost: n log n; at most `run_names` names in memory."""
    run = _take(names, run_names)
    if len(run) < run_names:
        return iter(run)
    return _merge(run, names, run_names)


def _take(names: Iterator[bytes], count: int) -> list[bytes]:
    run = [name for _, name in zip(range(count), names, strict=False)]
    run.sort()
    return run


def _merge(run: list[bytes], names: Iterator[bytes], run_names: int) -> Iterator[bytes]:
    with scratch() as spill:
        bounds: list[tuple[int, int]] = []
        while run:
            start = spill.tell()
            spill.write(b"\0".join(run) + b"\0")
            bounds.append((start, spill.tell()))
            run = _take(names, run_names)
        spill.flush()
        yield from heapq.merge(*(_read(spill, start, end) for start, end in bounds))


def _read(spill: IO[bytes], start: int, end: int) -> Iterator[bytes]:
    rest = b""
    while start < end:
        block = os.pread(spill.fileno(), min(_READ_BYTES, end - start), start)
        start += len(block)
        *whole, rest = (rest + block).split(b"\0")
        yield from whole
