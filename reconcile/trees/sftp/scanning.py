"""Scanning over SFTP: one listing a directory, many directories at a time.

Directories are listed depth first as far as there is room for more requests, so
that what waits for its subdirectories stays little. A directory's pages are
settled when all below it are, exactly as `trees/scan.py` settles them: its
rules, rows and ids are used, only listing and reading are done here.
"""

from collections.abc import Callable, Sequence

from reconcile.decide.filters import looks_like_text
from reconcile.model.block import PAGE_ENTRIES, page_key, tree_id
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import PageRow
from reconcile.model.plan import Problem
from reconcile.model.statrow import Row
from reconcile.model.treepath import ROOT, TreePath, join
from reconcile.trees.base import Tally
from reconcile.trees.listing import cut, position
from reconcile.trees.looking import Found, Look, Settings, cannot
from reconcile.trees.observe import CHUNK_BYTES, Sink, misused_area
from reconcile.trees.own_places import HEADER_BYTES, STATE, is_state
from reconcile.trees.reading import PageReader
from reconcile.trees.scan import Index, Page, PageRefRow, Scanner, Stored, too_deep
from reconcile.trees.sftp.client import Sftp
from reconcile.trees.sftp.contents import Contents, Read, Unverified
from reconcile.trees.sftp.contents import Found as Content
from reconcile.trees.sftp.packets import READ
from reconcile.trees.sftp.rows import BadListing, list_directory, owner_of
from reconcile.trees.sftp.streams import Stream
from reconcile.trees.sftp.tasks import VALUES, Event
from reconcile.trees.temporary import AREA, is_area

LISTED_AT_ONCE = 64
ROWS_AT_ONCE = 200_000
"""With so many rows waiting for something, no more directories are listed than one."""
PROGRESS_DIRECTORIES = 64


class Node:
    """A directory on its way."""

    __slots__ = ("children", "name", "parent", "path", "rows", "waiting")

    def __init__(self, path: TreePath, name: bytes, parent: "Node | None") -> None:
        self.path = path
        self.name = name
        self.parent = parent
        self.rows: list[Row] = []
        self.children: dict[bytes, Found | Problem] = {}
        self.waiting = 0


class Scan:
    """One look at one root."""

    def __init__(
        self,
        sftp: Sftp,
        root: bytes,
        settings: Settings,
        contents: Contents,
        index: Index | None,
        sink: Sink,
        progress: Callable[[Tally], None],
        *,
        racy_ns: int,
        trusted: bool,
    ) -> None:
        """`racy_ns`: a file changed shortly before this, or later, is read again next time."""
        self._sftp = sftp
        self._root = root
        self._contents = contents
        self._index = index
        self._sink = sink
        self._progress = progress
        self._racy_ns = racy_ns
        self._hash_name = settings.header.hash_name
        self._scanner = Scanner(settings, index, self._emit, trusted=trusted)
        self.look: Look = self._scanner.look
        self._stack: list[Node] = []
        self._listing = 0
        self._held = 0
        self._end: Event[Found] = Event()
        self._out: list[PageRow] = []
        self._out_bytes = 0

    def run(self) -> Found:
        """Scan. Raises: OSError or BadListing, when the root itself cannot be listed."""
        found = self._sftp.run(self._all(), idle=self._contents.flush)
        self._flush()
        self._sink.forget(self._scanner.gone, self._scanner.gone_subtrees)
        self._progress(self.look.tally)
        return found

    async def _all(self) -> Found:
        self._stack.append(Node(ROOT, b"", None))
        self._fill()
        return await self._end

    def _fill(self) -> None:
        """List more, as long as there is room."""
        while self._stack and (
            not self._listing or (self._listing < LISTED_AT_ONCE and self._held < ROWS_AT_ONCE)
        ):
            self._listing += 1
            self._sftp.begin(self._guarded(self._stack.pop()))

    async def _guarded(self, node: Node) -> None:
        try:
            await self._visit(node)
        except (*VALUES, BadListing) as error:
            self._end.fail(error)

    async def _visit(self, node: Node) -> None:
        try:
            outcome = await self._listed(node)
        finally:
            self._listing -= 1
        if outcome is not None:
            self._fill()
            await self._finish(node, outcome)
            return
        names = [row[0] for row in node.rows if len(row) == 3]
        node.waiting = len(names)
        self._stack.extend(Node(join(node.path, name), name, node) for name in reversed(names))
        self._fill()
        if not names:
            await self._settle(node)

    async def _listed(self, node: Node) -> Problem | None:
        """Fill `node.rows`; the problem when that cannot be."""
        refusal = too_deep(node.path)
        if refusal:
            return self.look.problem(node.path, "E_PATH", refusal)
        try:
            rows = await list_directory(self._sftp, self._location(node.path))
        except OSError as error:
            if not node.path:
                raise
            return self.look.problem(node.path, "E_DENIED", cannot("list the directory", error))
        except BadListing as error:
            if not node.path:
                raise
            return self.look.problem(node.path, "E_UNREADABLE", f"{error}; left untouched")
        self.look.directories += 1
        node.rows = self.look.listing.admitted(node.path, rows)
        await self._hide_ours(node)
        self._held += len(rows)
        if self.look.directories % PROGRESS_DIRECTORIES == 0:
            self._progress(self.look.tally)
        return None

    async def _hide_ours(self, node: Node) -> None:
        """As `Listing.rows` does here."""
        rows = node.rows
        at = position(rows, AREA)
        if at is not None and len(rows[at]) == 3:
            inside = await self._names(self._location(node.path) + b"/" + AREA)
            if is_area(inside):
                rows[at] = (AREA,)
        if position(rows, STATE) is not None and await self._is_state(node.path):
            rows[:] = [(row[0],) for row in rows]
        if self.look.listing.is_area_misused and not node.path:
            misused_area(self.look)

    async def _names(self, location: bytes) -> list[bytes]:
        try:
            return [row[0] for row in await list_directory(self._sftp, location)]
        except (OSError, BadListing):
            return []

    async def _is_state(self, path: TreePath) -> bool:
        try:
            handle = await self._sftp.open(self._location(path) + b"/" + STATE, READ)
        except OSError:
            return False
        stream = Stream(self._sftp, handle, 0, HEADER_BYTES)
        self._sftp.release(handle)
        try:
            return is_state(await stream.next())
        except OSError:
            return False

    async def _finish(self, node: Node, outcome: "Found | Problem") -> None:
        parent = node.parent
        if parent is None:
            assert isinstance(outcome, Found)
            self._end.settle(outcome)
            return
        parent.children[node.name] = outcome
        parent.waiting -= 1
        if not parent.waiting:
            await self._settle(parent)

    async def _settle(self, node: Node) -> None:
        if len(node.rows) > PAGE_ENTRIES:
            found = await self._large(node)
        else:
            found = await self._page(self._one_page(node, node.rows))
        self._held -= len(node.rows)
        node.rows, node.children = [], {}
        self._fill()
        await self._finish(node, found)

    def _one_page(self, node: Node, rows: list[Row], after: bytes = b"") -> Page:
        key = page_key(node.path, after)
        children = {row[0]: node.children[row[0]] for row in rows if len(row) == 3}
        return Page(node.path, key, rows, self._stored(key), children or None)

    async def _large(self, node: Node) -> Found:
        """A directory of many pages; the first is settled last, because it knows the others."""
        pages = list(cut(node.rows, self._hash_name))
        first = self._one_page(node, pages[0])
        if len(pages) == 1:
            return await self._page(first)
        refs: list[PageRefRow] = []
        after, same = pages[0][-1][0], True
        first = first._replace(last=after)
        for number, rows in enumerate(pages[1:], start=2):
            found = await self._page(self._one_page(node, rows, after))
            last = rows[-1][0] if number < len(pages) else b""
            refs.append((found.id, after, last, len(rows)))
            same = same and found.same
            after = last
        first.rows.insert(0, (b"", len(refs) + 1))
        found = await self._page(first._replace(following=refs, anew=not same))
        ids = [found.id, *(ref[0] for ref in refs)]
        return Found(tree_id(ids, self._hash_name), same and found.same)

    async def _page(self, page: Page) -> Found:
        settled = self._scanner.settled(page)
        if settled is not None:
            return settled
        old_entries, old_rows = self._scanner.known(page)
        reader = _Reader(self.look, page, old_entries, old_rows, self._racy_ns)
        wanted = reader.wanted(page.visible)
        if wanted:
            location = self._location(page.path)
            reader.found = await self._contents.find(location, wanted, reader.take_note)
        kept, entries = reader.entries(page.visible, page.children or {})
        return self._scanner.keep(page, kept, entries, old_entries)

    def _stored(self, key: bytes) -> Stored | None:
        if self._index is None:
            return None
        for _, identifier, packed in self._index.rows(key, key + b"\0"):
            return Stored(identifier, packed)
        return None

    def _location(self, path: TreePath) -> bytes:
        return join(TreePath(self._root), path) if path else self._root

    def _emit(self, row: PageRow) -> None:
        self._out.append(row)
        self._out_bytes += len(row.block) + len(row.stat)
        if self._out_bytes >= CHUNK_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._out:
            self._sink.write(self._out)
            self._out, self._out_bytes = [], 0


class _Reader(PageReader):
    """A page's entries, from contents that were found before."""

    def __init__(
        self,
        look: Look,
        page: Page,
        old_entries: dict[bytes, Entry],
        old_rows: dict[bytes, Row],
        racy_ns: int,
    ) -> None:
        super().__init__(look, page.path, -1, old_entries, old_rows)
        self._rows = {row[0]: row for row in page.visible}
        self._racy_ns = racy_ns
        self.found: dict[bytes, Content] = {}

    def wanted(self, rows: Sequence[Row]) -> list[Row]:
        """Files and links of which the index does not know enough."""
        skips_links = self._settings.links == "skip"
        return [
            row
            for row in rows
            if len(row) == 6
            and (
                row[1] & 0o170000 == 0o100000 or (row[1] & 0o170000 == 0o120000 and not skips_links)
            )
            and self.reusable(row) is None
            and self.noted(row) is None
        ]

    def take_note(self, read: Read) -> None:
        """A file was read; the others of its page may take hours yet."""
        self.note(read.row, self._admitted(read))

    def _admitted(self, read: Read) -> bytes:
        """The content's id; none, where only text takes part and this is none."""
        is_other = self._text_only and read.head is not None and not looks_like_text(read.head)
        return b"" if is_other else read.id

    def _read(self, row: Row) -> tuple[Row, Entry]:
        if not isinstance(self.found.get(row[0]), Unverified):
            return super()._read(row)
        path = join(self._path, row[0])
        reason = "it is larger than what is read for comparison alone; left untouched"
        self._look.problem(path, "E_UNVERIFIED", reason, "note")
        return row, Entry(row[0], Kind.UNKNOWN, id=b"E_UNVERIFIED")

    def _target(self, name: bytes) -> bytes:
        target = self.found[name]
        if isinstance(target, Exception):
            raise target
        assert isinstance(target, bytes)
        return target

    def _content(self, row: Row, seen: tuple[int, int, int, int]) -> tuple[bytes, Row]:
        del seen
        found = self.found[row[0]]
        if isinstance(found, Exception):
            raise found
        assert isinstance(found, Read)
        return self._admitted(found), found.row

    def _vanished(self, row: Row) -> tuple[Row, Entry] | None:
        del row
        return None

    def _owner(self, name: bytes) -> tuple[int, int]:
        return owner_of(self._rows[name])
