"""FarCopy: the pages a remote side tells, on their way into the near side's copy of them.

A remote side tells the pages that are new, not those that went: what its pages
no longer name is dropped here. And it is a stranger: each directory that a told
page names must be the tree its entry says, be it told now or known from before.
So a copy that has drifted from its original is noticed at once, and asked for
anew.
"""

from collections.abc import Callable, Iterator, Sequence

from reconcile.model.block import HashName, tree_id
from reconcile.model.codec import decode, decode_entries
from reconcile.model.entry import Kind
from reconcile.model.errors import Unreachable
from reconcile.model.manifest import PageRow
from reconcile.trees.observe import Sink

RefRow = tuple[bytes, bytes, bytes, int]
"""id, after, last, length: what `PageRow.refs` packs."""
OldPage = Callable[[bytes], tuple[bytes, bytes] | None]
"""(encoded entries, refs) of a page as it was before this look."""
FindPage = Callable[[bytes], tuple[bytes, bytes] | None]
"""(id, refs) of a page as it is now."""


class FarCopy:
    """A sink for `RemoteTree.look`, in front of the one that keeps the pages.

    LIMIT: about 300 bytes of memory for each directory in a told page.
    """

    def __init__(self, sink: Sink, old: OldPage | None, hash_name: HashName) -> None:
        self._sink = sink
        self._old = old
        self._hash_name = hash_name
        self._ids: dict[bytes, bytes] = {}
        """Tree ids of directories whose first page was told, by subtree key."""
        self._named: dict[bytes, bytes] = {}
        """What told pages say of the directories in them."""
        self._pages: set[bytes] = set()
        """Later pages that told first pages name."""
        self._old_named: set[bytes] = set()
        self._old_pages: set[bytes] = set()

    def write(self, rows: Sequence[PageRow]) -> None:
        """See `Sink.write`. Raises: ManifestError."""
        for row in rows:
            self._note(row)
        self._sink.write(rows)

    def forget(self, keys: Sequence[bytes], subtrees: Sequence[bytes]) -> None:
        """See `Sink.forget`."""
        if b"" in subtrees:
            self._old = None
        self._sink.forget(keys, subtrees)

    def finish(self) -> None:
        """Drop what the told pages no longer name."""
        pages = self._old_pages - self._pages
        for key in pages:
            found = self._old(key) if self._old is not None else None
            if found is not None:
                self._note_old(_directory_of(key), found[0])
        self._sink.forget(sorted(pages), sorted(self._old_named - self._named.keys()))

    def fits(self, root_id: bytes, find: FindPage | None = None) -> bool:
        """Every directory named is the tree it is said to be, the root included.

        Without `find` all that is named must have been told.
        """
        self._named[b""] = root_id
        return all(
            not said or said == (self._ids.get(key) or self._known(key, find))
            for key, said in self._named.items()
        )

    def _known(self, key: bytes, find: FindPage | None) -> bytes:
        found = find(key + b"\0") if find is not None else None
        return b"" if found is None else self._tree_id(*found)

    def _note(self, row: PageRow) -> None:
        top = _directory_of(row.key)
        self._named.update(_directories(top, row.block))
        if row.key == top + b"\0":
            self._ids[top] = self._tree_id(row.id, row.refs)
            self._pages.update(_later_pages(top, row.refs))
        before = self._old(row.key) if self._old is not None else None
        if before is not None:
            self._note_old(top, before[0])
            self._old_pages.update(_later_pages(top, before[1]))

    def _note_old(self, top: bytes, block: bytes) -> None:
        self._old_named.update(key for key, _ in _directories(top, block))

    def _tree_id(self, identifier: bytes, refs: bytes) -> bytes:
        ids = [ref[0] for ref in decode(refs, list[RefRow])] if refs else [identifier]
        return tree_id(ids, self._hash_name)


def contradiction(where: str) -> Unreachable:
    """The error for a side whose pages do not fit together, even when all were asked for."""
    return Unreachable(
        "what the far side tells of its tree contradicts itself",
        where=where,
        hint="the two programs may be of different versions: update the older one",
        code="E_PROTOCOL",
    )


def _directories(top: bytes, block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(subtree key, tree id) of the directories in a page."""
    for entry in decode_entries(block):
        if entry.kind == Kind.DIR:
            yield top + entry.name + b"\0", entry.id


def _later_pages(top: bytes, refs: bytes) -> Iterator[bytes]:
    for ref in decode(refs, list[RefRow]) if refs else ():
        if ref[1]:
            yield top + ref[1] + b"\1"


def _directory_of(key: bytes) -> bytes:
    """The subtree key of the directory whose page `key` is."""
    return key[: key.rfind(b"\0", 0, -1) + 1]
