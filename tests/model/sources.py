"""Manifest files in memory, for tests; one of them keeps count of what is read."""

from reconcile.model.manifest import DEFAULT_HEADER, Header, Manifest
from reconcile.model.rman import Coding
from reconcile.model.rman_write import RmanWriter, write_tree


class BytesSource:
    """Bytes as a `Source`, with every read on record."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.reads: list[tuple[int, int]] = []
        self.is_closed = False

    @property
    def size(self) -> int:
        return len(self._data)

    def read_at(self, offset: int, length: int) -> bytes:
        self.reads.append((offset, length))
        return self._data[offset : offset + length]

    def close(self) -> None:
        self.is_closed = True


def file_of(manifest: Manifest, coding: Coding = "zstd", complete: bool = True) -> bytes:
    """The whole manifest file of a tree."""
    parts: list[bytes] = []
    write_tree(manifest, RmanWriter(parts.append, manifest.header, coding), complete)
    return b"".join(parts)


def writer_of(
    header: Header = DEFAULT_HEADER, coding: Coding = "zstd"
) -> tuple[RmanWriter, list[bytes]]:
    """A writer and the parts it has written."""
    parts: list[bytes] = []
    return RmanWriter(parts.append, header, coding), parts
