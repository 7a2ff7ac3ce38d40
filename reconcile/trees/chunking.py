"""Chunking: an open file cut into chunks and digested. The cuts are pinned in FORMAT.md §14.

The file may be in use: it is read, never mapped, so one that is cut short
meanwhile costs a wrong list and no signal; the wanted content's id tells in the
end. Holes are not read. `pyfastcdc` is imported by the first cut that needs it.
"""

import hashlib
import os
import time
from array import array
from collections.abc import Callable, Collection, Iterator
from importlib.util import find_spec
from typing import Protocol

from reconcile.model.block import HashName
from reconcile.model.statrow import is_racy
from reconcile.trees.holes import gap, is_sparse
from reconcile.wire.cuts import FASTCDC, FIXED, Batch, Chunks, Cut, joined
from reconcile.wire.frames import ProtocolError

READ_BYTES = 1 << 20
_ZEROS_AT_ONCE = 4096

Digest = Callable[[memoryview], bytes]


class ChunkCache(Protocol):
    """Lists of chunks by what identifies a file's present content. Only ever a hint."""

    def get(self, key: bytes) -> Chunks | None:
        """What was kept under `key`; None when nothing is, or it is damaged."""

    def put(self, key: bytes, chunks: Chunks) -> None:
        """Keep it, perhaps in place of others."""


def offered_cuts() -> tuple[str, ...]:
    """The algorithms this program can do, best first."""
    return (FASTCDC, FIXED) if find_spec("pyfastcdc") and find_spec("blake3") else (FIXED,)


def common_cut(others: Collection[str]) -> str:
    """The best algorithm that the other end can do as well; empty: there is none."""
    return next((name for name in offered_cuts() if name in others), "")


def chunks_of(fd: int, cut: Cut, cache: ChunkCache | None = None) -> Chunks:
    """The open file as chunks. Raises: OSError."""
    return joined(cut, batches(fd, cut, cache))


def batches(fd: int, cut: Cut, cache: ChunkCache | None = None, offset: int = 0) -> Iterator[Batch]:
    """The open file's chunks from `offset` on: out of the cache when it is as it was, else as
    they are cut, and then kept.

    A cut that begins at some offset finds the chunks of one from 0 again after a few.
    Ends where the file ended at first, or earlier.
    Raises: OSError; ProtocolError, when this program cannot cut so.
    """
    if cut.algorithm not in offered_cuts():
        raise ProtocolError(f"a file cannot be cut here as `{cut.algorithm}`")
    before = os.fstat(fd)
    key = _key(before, cut)
    known = None if cache is None else cache.get(key)
    if known is not None and known.cut == cut and known.size == before.st_size:
        yield from _known(fd, known, offset)
        return
    way = _fixed if cut.algorithm == FIXED else _by_content
    digest = _digest(cut.hash_name, cut.digest_bytes)
    found = []
    for batch in way(fd, cut, offset, before.st_size, digest):
        yield batch
        if cache is not None and not offset:
            found.append(batch)
    if cache is not None and not offset:
        chunks = joined(cut, found)
        if chunks.size == before.st_size and _is_settled(fd, key, cut):
            cache.put(key, chunks)


def _is_settled(fd: int, key: bytes, cut: Cut) -> bool:
    """Still the same file, and a later change will show in its times."""
    after = os.fstat(fd)
    changed_ns = max(after.st_mtime_ns, after.st_ctime_ns)
    return _key(after, cut) == key and not is_racy(changed_ns, time.time_ns())


def _known(fd: int, chunks: Chunks, offset: int) -> Iterator[Batch]:
    """The chunks that end after `offset`; what is left of the first as a chunk of its own."""
    start = number = 0
    while number < len(chunks.lengths) and start + chunks.lengths[number] <= offset:
        start += chunks.lengths[number]
        number += 1
    if start < offset and number < len(chunks.lengths):
        data = os.pread(fd, start + chunks.lengths[number] - offset, offset)
        digest = _digest(chunks.cut.hash_name, chunks.cut.digest_bytes)
        yield Batch(array("I", [len(data)]), digest(memoryview(data)))
        number += 1
    yield Batch(chunks.lengths[number:], chunks.digests[number * chunks.cut.digest_bytes :])


def _key(status: os.stat_result, cut: Cut) -> bytes:
    seen = (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        *cut,
    )
    return repr(seen).encode()


def _digest(hash_name: HashName, length: int) -> Digest:
    if hash_name == "sha256":
        return lambda data: hashlib.sha256(data).digest()[:length]
    from blake3 import blake3

    return lambda data: blake3(data).digest(length)


def _fixed(fd: int, cut: Cut, start: int, size: int, digest: Digest) -> Iterator[Batch]:
    """Blocks at multiples of their length; the first and the last may be shorter."""
    step = cut.average
    view = memoryview(bytearray(max(READ_BYTES, step)))
    sparse = is_sparse(fd, size)
    while start < size:
        alike = gap(fd, start, size) // step if sparse and not start % step else 0
        if alike:
            yield from _alike(step, digest(memoryview(bytes(step))), alike)
            start += alike * step
            continue
        end = min(size, start - start % len(view) + len(view))
        got = _read(fd, view[: end - start], start)
        if not got:
            return
        first = min(step - start % step, got)
        edges = [0, *range(first, got, step)]
        lengths = array("I", [first, *(min(step, got - edge) for edge in edges[1:])])
        parts = [digest(view[a : a + b]) for a, b in zip(edges, lengths)]  # noqa: B905
        yield Batch(lengths, b"".join(parts))
        start += got


def _by_content(fd: int, cut: Cut, start: int, size: int, digest: Digest) -> Iterator[Batch]:
    from pyfastcdc import FastCDC

    cutter = FastCDC(cut.average, min_size=cut.minimum, max_size=cut.maximum, normalized_chunking=2)
    view = memoryview(bytearray(max(READ_BYTES, 4 * cut.maximum)))
    sparse = is_sparse(fd, size)
    while start < size:
        hole = gap(fd, start, size) if sparse else 0
        if hole >= cut.maximum:
            zeros = next(iter(cutter.cut_buf(bytes(cut.maximum))))
            count = (hole - cut.maximum) // zeros.length + 1
            yield from _alike(zeros.length, digest(zeros.data), count)
            start += count * zeros.length
            continue
        got = _read(fd, view[: size - start], start)
        # A chunk is final when all that its end may depend on was there to be seen.
        final = got if start + got >= size else got - cut.maximum
        lengths = array("I")
        parts = []
        for chunk in cutter.cut_buf(view[:got]):
            if chunk.offset > final:
                break
            lengths.append(chunk.length)
            parts.append(digest(chunk.data))
        if not parts:
            return
        yield Batch(lengths, b"".join(parts))
        start += sum(lengths)


def _alike(length: int, value: bytes, count: int) -> Iterator[Batch]:
    while count > 0:
        some = min(count, _ZEROS_AT_ONCE)
        yield Batch(array("I", [length]) * some, value * some)
        count -= some


def _read(fd: int, view: memoryview, start: int) -> int:
    """Fill `view` from `start` on; fewer bytes only at the end of the file."""
    got = 0
    while got < len(view):
        count = os.preadv(fd, [view[got:]], start + got)
        if not count:
            break
        got += count
    return got
