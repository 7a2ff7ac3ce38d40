"""FarCopy: the pages a remote side tells, on their way into the near side's copy of them.

A remote side tells the pages that are new, not those that went: what its pages
no longer name is dropped here. And it is a stranger: each directory that a told
page names must be the tree its entry says, be it told now or known from before.
So a copy that has drifted from its original is noticed at once, and asked for
anew.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from reconcile.model.block import HashName, directory_of, tree_id
from reconcile.model.codec import decode, decode_entries
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import Unreachable
from reconcile.model.manifest import PageRow
from reconcile.store.pages import RefRow
from reconcile.trees.observe import Sink

OldPage = Callable[[bytes], tuple[bytes, bytes] | None]
"""(encoded entries, refs) of a page as it was before this look."""
FindPage = Callable[[bytes], tuple[bytes, bytes] | None]
"""(id, refs) of a page as it is now."""


class Part(NamedTuple):
    """One page of a directory that has several."""

    id: bytes
    first: bytes
    last: bytes
    """The names between which all of it lies."""


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
        self._refs: dict[bytes, list[RefRow]] = {}
        """All pages of directories that have several, where the first one was told."""
        self._parts: dict[bytes, Part] = {}
        """Told pages of such directories."""
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
        pages = self._old_pages - {
            key for top, refs in self._refs.items() for key in _later_pages(top, refs)
        }
        for key in pages:
            found = self._old(key) if self._old is not None else None
            if found is not None:
                self._note_old(directory_of(key), found[0])
        self._sink.forget(sorted(pages), sorted(self._old_named - self._named.keys()))

    def fits(self, root_id: bytes, find: FindPage | None = None) -> bool:
        """Every directory named is the tree it is said to be, the root included.

        Without `find` all that is named must have been told. Raises: ManifestError.
        """
        self._named[b""] = root_id
        return (
            all(
                not said or said == (self._ids.get(key) or self._known_id(key, find))
                for key, said in self._named.items()
            )
            and all(self._has_parts(top, refs, find) for top, refs in self._refs.items())
            and all(self._is_part(key, part, find) for key, part in self._parts.items())
        )

    def _known_id(self, top: bytes, find: FindPage | None) -> bytes:
        found = find(top + b"\0") if find is not None else None
        return b"" if found is None else self._tree_id(found[0], _unpacked(found[1]))

    def _has_parts(self, top: bytes, refs: Sequence[RefRow], find: FindPage | None) -> bool:
        """The pages that a directory names follow each other, and are there."""
        bounds = [b"", *(ref[2] for ref in refs)]
        if bounds[-1] or [ref[1] for ref in refs] != bounds[:-1]:
            return False
        for ref in refs:
            key = _key(top, ref[1])
            told = self._parts.get(key)
            known = find(key) if told is None and find is not None else None
            if ref[0] != (told.id if told is not None else known[0] if known is not None else None):
                return False
        return True

    def _is_part(self, key: bytes, part: Part, find: FindPage | None) -> bool:
        """The page is named by its directory, and holds no name beyond its bounds."""
        top = directory_of(key)
        refs = self._refs.get(top)
        if refs is None:
            found = find(top + b"\0") if find is not None else None
            refs = _unpacked(found[1]) if found is not None else []
        for identifier, after, last, _ in refs:
            if _key(top, after) == key:
                inside = after < part.first and (not last or part.last <= last)
                return identifier == part.id and inside
        return False

    def _note(self, row: PageRow) -> None:
        top = directory_of(row.key)
        entries = decode_entries(row.block)
        refs = _unpacked(row.refs)
        is_first = row.key == top + b"\0"
        self._named.update(_directories(top, entries))
        if is_first:
            self._ids[top] = self._tree_id(row.id, refs)
            self._refs.pop(top, None)
        if is_first and refs:
            self._refs[top] = refs
        if (refs or not is_first) and entries:
            self._parts[row.key] = Part(row.id, entries[0].name, entries[-1].name)
        before = self._old(row.key) if self._old is not None else None
        if before is not None:
            self._note_old(top, before[0])
            self._old_pages.update(_later_pages(top, _unpacked(before[1])))

    def _note_old(self, top: bytes, block: bytes) -> None:
        self._old_named.update(key for key, _ in _directories(top, decode_entries(block)))

    def _tree_id(self, identifier: bytes, refs: Sequence[RefRow]) -> bytes:
        return tree_id([ref[0] for ref in refs] or [identifier], self._hash_name)


def contradiction(where: str) -> Unreachable:
    """The error for a side whose pages do not fit together, even when all were asked for."""
    return Unreachable(
        "what the far side tells of its tree contradicts itself",
        where=where,
        hint="the two programs may be of different versions: update the older one",
        code="E_PROTOCOL",
    )


def _directories(top: bytes, entries: Iterable[Entry]) -> Iterator[tuple[bytes, bytes]]:
    """(subtree key, tree id) of the directories in a page."""
    for entry in entries:
        if entry.kind == Kind.DIR:
            yield top + entry.name + b"\0", entry.id


def _unpacked(refs: bytes) -> list[RefRow]:
    return decode(refs, list[RefRow]) if refs else []


def _later_pages(top: bytes, refs: Iterable[RefRow]) -> Iterator[bytes]:
    return (_key(top, ref[1]) for ref in refs if ref[1])


def _key(top: bytes, after: bytes) -> bytes:
    return top + (after + b"\1" if after else b"\0")
