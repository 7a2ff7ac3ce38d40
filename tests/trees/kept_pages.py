"""A scan's pages kept in memory, as sink and as index: what a state database is to `observe`."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from reconcile.model.block import page_key
from reconcile.model.codec import decode, decode_entries
from reconcile.model.entry import Entry
from reconcile.model.manifest import DEFAULT_HEADER, Header, PageRef, PageRow
from reconcile.model.treepath import TreePath


class KeptPages:
    def __init__(self) -> None:
        self.pages_by_key: dict[bytes, PageRow] = {}
        self.written: list[bytes] = []

    def write(self, rows: Sequence[PageRow]) -> None:
        for row in rows:
            self.pages_by_key[row.key] = row
            self.written.append(row.key)

    def forget(self, keys: Sequence[bytes], subtrees: Sequence[bytes]) -> None:
        for key in keys:
            self.pages_by_key.pop(key, None)
        for prefix in subtrees:
            for key in [key for key in self.pages_by_key if key.startswith(prefix)]:
                del self.pages_by_key[key]

    def rows(self, low: bytes, high: bytes | None) -> Iterator[tuple[bytes, bytes, bytes]]:
        keys = sorted(self.pages_by_key)
        for key in keys[bisect_left(keys, low) :]:
            if high is not None and key >= high:
                return
            row = self.pages_by_key[key]
            yield key, row.id, row.stat

    def block(self, key: bytes) -> tuple[bytes, bytes] | None:
        row = self.pages_by_key.get(key)
        return (row.block, row.refs) if row else None


class KeptManifest:
    """The manifest that kept pages make."""

    def __init__(self, kept: KeptPages, root: Entry, header: Header = DEFAULT_HEADER) -> None:
        self.header = header
        self.root = root
        self._pages = dict(kept.pages_by_key)

    def pages(self, path: TreePath) -> Sequence[PageRef]:
        row = self._pages.get(page_key(path))
        if row is None:
            return ()
        if not row.refs:
            return (PageRef(row.id, b"", b"", row.length, row.key),)
        refs = decode(row.refs, list[tuple[bytes, bytes, bytes, int]])
        return tuple(PageRef(*ref, page_key(path, ref[1])) for ref in refs)

    def load(self, path: TreePath, page: PageRef) -> Sequence[Entry]:
        assert isinstance(page.place, bytes)
        return decode_entries(self._pages[page.place].block)
