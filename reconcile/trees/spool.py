"""Spool: the pages of a scan in an unnamed temporary file, and the manifest they make.

For a scan whose result is not to be kept in the state: `manifest build`, a
`diff` that may not write. Memory holds a place per page, the pages stay on disk.
What was not written falls through to an older index, when there is one.
"""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reconcile.model.block import page_key
from reconcile.model.codec import decode, decode_entries
from reconcile.model.entry import Entry
from reconcile.model.errors import ManifestError
from reconcile.model.manifest import Header, PageRef, PageRow
from reconcile.model.treepath import TreePath
from reconcile.trees.scan import Index
from reconcile.trees.scratch import scratch


class _Place(NamedTuple):
    offset: int
    length: int
    id: bytes
    entries: int
    refs: bytes


class Spool:
    """A sink for `observe`, readable as a manifest when the scan is over."""

    def __init__(self, index: Index | None = None) -> None:
        self._file = scratch(buffering=0)
        self._end = 0
        self._places: dict[bytes, _Place] = {}
        self._index = index
        self._gone: set[bytes] = set()
        self._gone_below: set[bytes] = set()

    def write(self, rows: Sequence[PageRow]) -> None:
        """See `Sink.write`."""
        for row in rows:
            self._places[row.key] = _Place(self._end, len(row.block), row.id, row.length, row.refs)
            self._end += len(row.block)
        self._file.write(b"".join(row.block for row in rows))

    def forget(self, keys: Sequence[bytes], subtrees: Sequence[bytes]) -> None:
        """See `Sink.forget`: of the index, which itself is left as it is."""
        self._gone.update(keys)
        self._gone_below.update(subtrees)

    def manifest(self, header: Header, root: Entry) -> "SpoolManifest":
        """The tree that was scanned."""
        return SpoolManifest(self, header, root)

    def rows(self) -> Iterator[PageRow]:
        """What was written, without stat rows."""
        for key, place in self._places.items():
            block = os.pread(self._file.fileno(), place.length, place.offset)
            yield PageRow(key, place.id, place.entries, block, place.refs)

    def replaces(self, key: bytes) -> bool:
        """What an older index has at `key` is no longer so."""
        return key in self._places or self._is_gone(key)

    def page(self, key: bytes) -> tuple[bytes, bytes, int, bytes] | None:
        """(id, encoded entries, count, refs) of a page."""
        place = self._places.get(key)
        if place is None:
            return self._older(key)
        block = os.pread(self._file.fileno(), place.length, place.offset)
        return place.id, block, place.entries, place.refs

    def _older(self, key: bytes) -> tuple[bytes, bytes, int, bytes] | None:
        if self._index is None or self._is_gone(key):
            return None
        found = self._index.block(key)
        if found is None:
            return None
        for _, identifier, _ in self._index.rows(key, key + b"\0"):
            return identifier, found[0], 0, found[1]
        return None

    def _is_gone(self, key: bytes) -> bool:
        if key in self._gone or b"" in self._gone_below:
            return True
        ends = (place + 1 for place, byte in enumerate(key) if not byte)
        return bool(self._gone_below) and any(key[:end] in self._gone_below for end in ends)

    def close(self) -> None:
        """Let go of the temporary file."""
        self._file.close()


class SpoolManifest:
    """A `Manifest` over a spool."""

    def __init__(self, spool: Spool, header: Header, root: Entry) -> None:
        self._spool = spool
        self._header = header
        self._root = root

    @property
    def header(self) -> Header:
        """See `Manifest.header`."""
        return self._header

    @property
    def root(self) -> Entry | None:
        """See `Manifest.root`."""
        return self._root

    def pages(self, path: TreePath) -> Sequence[PageRef]:
        """See `Manifest.pages`."""
        found = self._spool.page(page_key(path))
        if found is None:
            return ()
        if not found[3]:
            return (PageRef(found[0], b"", b"", found[2], page_key(path)),)
        refs = decode(found[3], list[tuple[bytes, bytes, bytes, int]])
        return tuple(PageRef(*ref, page_key(path, ref[1])) for ref in refs)

    def load(self, path: TreePath, page: PageRef) -> Sequence[Entry]:
        """See `Manifest.load`. Raises: ManifestError, for a page that is not as it is named."""
        assert isinstance(page.place, bytes)
        found = self._spool.page(page.place)
        if found is None or found[0] != page.id:
            raise ManifestError(f"a page of {path[:80]!r} is missing")
        entries = decode_entries(found[1])
        if entries and (
            entries[0].name <= page.after or (page.last and entries[-1].name > page.last)
        ):
            raise ManifestError(f"a page of {path[:80]!r} goes past its bounds")
        return entries
