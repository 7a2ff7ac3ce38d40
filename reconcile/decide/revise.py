"""Revise: the pages of a manifest that change when entries are put or removed.

Pure, and page by page: a page in whose range no edited name falls is not even
loaded. The result is what building the edited tree from scratch would give
(`model/manifest.build`), which is the law its tests check. It does not know
what an edit means, and applies nothing: `store` writes the rows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from reconcile.decide.recut import Directory, Piece, recut
from reconcile.model.block import page_id, page_key, subtree_key, tree_id
from reconcile.model.codec import encode, encode_entries
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestError
from reconcile.model.manifest import DEFAULT_HEADER, Header, Manifest, PageRow
from reconcile.model.treepath import ROOT, TreePath, join, split


class Graft(NamedTuple):
    """`path` becomes the whole directory that `manifest` has at `top`, IGNORED entries left out."""

    path: TreePath
    manifest: Manifest
    top: TreePath
    entry: Entry
    """The directory itself, as it shall stand in its parent (its name apart)."""


class Revision(NamedTuple):
    """What changes in a stored tree. To apply: `gone_subtrees`, `gone`, `grafts`, `rows`."""

    root: Entry
    """The root afterwards."""
    rows: tuple[PageRow, ...]
    """Pages that are new or differ, by key; `stat` is empty (see `restat`)."""
    gone: tuple[bytes, ...] = ()
    """Keys of single pages that vanish."""
    gone_subtrees: tuple[bytes, ...] = ()
    """Key prefixes (`block.subtree_key`) below which everything vanishes."""
    grafts: tuple[Graft, ...] = ()
    """Their rows are streamed by `graft_rows`, so that a big tree is never held in memory."""
    header: Header = DEFAULT_HEADER
    """What its ids were made under: that of the manifest revised."""


def revise(
    manifest: Manifest,
    edits: Mapping[TreePath, Entry | None],
    grafts: Iterable[Graft] = (),
) -> Revision:
    """The revision that puts each entry at its path; `None` removes what is there, and all below.

    Names and directory ids are filled in. A directory put where one stands
    keeps its content, else it is empty. Removing what is absent does nothing.
    Cost: the pages on the way to each edit.

    Raises: ManifestError, when an entry is put under something that is no
    directory, or the root is put away.
    """
    top = _Node()
    parent, node = ROOT, top  # of the edit before: most follow each other in one directory
    for path, entry in edits.items():
        above, name = split(path)
        if above != parent:
            parent, node = above, top.at(above)
        (node.child(name) if name else top).put = (entry,)
    for graft in grafts:
        node = top.at(graft.path)
        node.put, node.graft = (graft.entry,), graft
    if manifest.root is None and not top.put:
        top.put = (Entry(b"", Kind.DIR, mode=0o755),)
    reviser = _Reviser(manifest)
    root = reviser.entry(ROOT, b"", top, manifest.root)
    if root is None or root.kind != Kind.DIR:
        raise ManifestError("the root of a tree is a directory")
    return reviser.revision(root)


def graft_rows(graft: Graft, header: Header) -> Iterator[PageRow]:
    """The rows a graft brings, each directory's own before those below it; `stat` is empty.

    Raises: ManifestError, when it holds anything that no baseline may hold, or
    when its ids are not comparable with those under `header`.
    """
    if graft.manifest.header != header:
        raise ManifestError("a tree with another header cannot be taken over")
    yield from _copied(graft.manifest, graft.top, graft.path)


def _copied(manifest: Manifest, top: TreePath, path: TreePath) -> Iterator[PageRow]:
    refs: list[tuple[bytes, bytes, bytes, int]] = []
    first: PageRow | None = None
    below: list[bytes] = []
    for page in manifest.pages(top):
        kept = [entry for entry in manifest.load(top, page) if entry.kind != Kind.IGNORED]
        if not page.id:
            raise ManifestError(f"something below {top[:80]!r} is unknown and cannot be agreed on")
        row = PageRow(page_key(path, page.after), page.id, len(kept), encode_entries(kept))
        refs.append((page.id, page.after, page.last, len(kept)))
        below += [entry.name for entry in kept if entry.kind == Kind.DIR]
        if first is None:
            first = row
        else:
            yield row
    if first is None:
        raise ManifestError(f"{top[:80]!r} is no directory there")
    yield first._replace(refs=encode(refs)) if len(refs) > 1 else first
    for name in below:
        yield from _copied(manifest, join(top, name), join(path, name))


class _Node:
    """The edits at and below one path."""

    __slots__ = ("below", "graft", "put")

    def __init__(self) -> None:
        self.below: dict[bytes, _Node] = {}
        self.put: tuple[Entry | None, ...] = ()
        """The edit; empty: there is none at this very path."""
        self.graft: Graft | None = None

    def at(self, path: TreePath) -> "_Node":
        """The node of `path`, made when it is new."""
        node = self
        for name in path.split(b"/") if path else ():
            node = node.child(name)
        return node

    def child(self, name: bytes) -> "_Node":
        """The node of the name below this one, made when it is new."""
        found = self.below.get(name)
        if found is None:
            found = self.below[name] = _Node()
        return found

    def leaf(self) -> Entry | None:
        """The entry put here, when it is all there is: no directory, nothing below."""
        if self.below or not self.put:
            return None
        entry = self.put[0]
        return None if entry is None or entry.kind == Kind.DIR else entry

    def puts_below(self) -> bool:
        """Some entry below shall be there afterwards."""
        return any(
            (node.put and node.put[0] is not None) or node.puts_below()
            for node in self.below.values()
        )


class _Reviser:
    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._rows: list[PageRow] = []
        self._gone: list[bytes] = []
        self._gone_subtrees: list[bytes] = []
        self._grafts: list[Graft] = []

    def revision(self, root: Entry) -> Revision:
        """Everything collected, in key order."""
        return Revision(
            root,
            tuple(sorted(self._rows)),
            tuple(sorted(self._gone)),
            tuple(sorted(self._gone_subtrees)),
            tuple(sorted(self._grafts, key=lambda graft: graft.path)),
            self._manifest.header,
        )

    def entry(self, path: TreePath, name: bytes, node: _Node, old: Entry | None) -> Entry | None:
        """What stands at `path` afterwards; its pages and those below are collected."""
        want = node.put[0] if node.put else old
        was_directory = old is not None and old.kind == Kind.DIR
        if want is None or want.kind != Kind.DIR:
            if node.puts_below():
                raise ManifestError(f"no directory at {path[:80]!r} to put an entry into")
            if was_directory:
                self._gone_subtrees.append(subtree_key(path))
            return want and msgspec.structs.replace(want, name=name)
        if node.graft is not None:
            return self._grafted(path, name, node, was_directory)
        if was_directory and not node.below:
            assert old is not None
            identifier = old.id
        else:
            identifier = self._directory(path, node, was_directory)
        return msgspec.structs.replace(want, name=name, id=identifier)

    def _grafted(self, path: TreePath, name: bytes, node: _Node, was_directory: bool) -> Entry:
        graft = node.graft
        assert graft is not None
        if node.below:
            raise ManifestError(f"{path[:80]!r} is taken over whole and edited below as well")
        if was_directory:
            self._gone_subtrees.append(subtree_key(path))
        self._grafts.append(graft)
        ids = [page.id for page in graft.manifest.pages(graft.top)]
        header = self._manifest.header
        return msgspec.structs.replace(
            graft.entry, name=name, id=tree_id(ids, header.hash_name) if ids else b""
        )

    def _directory(self, path: TreePath, node: _Node, existed: bool) -> bytes:
        """The tree id of the directory `path` after the edits below it."""
        directory = Directory(self._manifest, path, existed)
        changes: dict[bytes, Entry | None] = {}
        for name in sorted(node.below):
            child = node.below[name]
            old = directory.find(name)
            new = child.leaf()
            if new is None or new.name != name or (old is not None and old.kind == Kind.DIR):
                new = self.entry(join(path, name), name, child, old)
            if new != old:
                changes[name] = new
        hash_name = self._manifest.header.hash_name
        if existed and not changes:
            return tree_id([ref.id for ref in directory.refs], hash_name)
        return self._collect(path, directory, recut(directory, changes, hash_name))

    def _collect(self, path: TreePath, directory: Directory, pieces: Sequence[Piece]) -> bytes:
        """Note the rows that differ from those of `directory`; its new tree id."""
        header = self._manifest.header
        afters = [piece.after for piece in pieces]
        refs = []
        for piece, last in zip(pieces, [*afters[1:], b""], strict=True):
            if piece.entries is None:
                refs.append((piece.kept.id, piece.after, last, piece.kept.length))
            else:
                identifier = page_id(piece.entries, header.tracked, header.hash_name)
                refs.append((identifier, piece.after, last, len(piece.entries)))
        same_refs = refs == [(r.id, r.after, r.last, r.length) for r in directory.refs]
        for piece, ref in zip(pieces, refs, strict=True):
            carries_refs = not piece.after and not (same_refs and directory.existed)
            if carries_refs or directory.differs(piece):
                entries = directory.page(0) if piece.entries is None else piece.entries
                packed = encode(refs) if len(refs) > 1 and not piece.after else b""
                key = page_key(path, piece.after)
                self._rows.append(PageRow(key, ref[0], ref[3], encode_entries(entries), packed))
        if directory.existed:
            vanished = {ref.after for ref in directory.refs} - set(afters)
            self._gone += [page_key(path, after) for after in vanished]
        return tree_id([ref[0] for ref in refs], header.hash_name)
