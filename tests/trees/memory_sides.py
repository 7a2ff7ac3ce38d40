"""Sides in memory for whole cycles: `memory://NAME` reaches the `MemorySide` of that name.

The engine meets them as it meets any side that keeps nothing of what it told: no
cursor, every page at each look. Nothing in it knows of them.
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from reconcile.decide.filters import Filter
from reconcile.model.block import HashName, page_key
from reconcile.model.codec import encode_entries
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import Manifest, PageRow, build
from reconcile.model.plan import Problem, Step
from reconcile.model.policy import Abilities
from reconcile.model.receipt import Receipt
from reconcile.model.treepath import ROOT, TreePath, is_under, join
from reconcile.trees.base import RunOptions, Supply, Tally
from reconcile.trees.looking import Looking
from reconcile.trees.memory import MemoryTree
from reconcile.trees.observe import Seen, Sink
from reconcile.trees.open import OPENERS
from reconcile.trees.remote import SessionOptions

SIDES: dict[str, "MemorySide"] = {}
"""By URL."""


def ready(call: str) -> None:
    """Nothing befalls a call."""
    del call


class MemorySide:
    """A place that a tree is in: another tree may take its place, under another identity."""

    def __init__(self, name: str, tree: MemoryTree) -> None:
        self.url = f"memory://{name}"
        self.tree = tree
        self.identity = self.url
        self.before: Callable[[str], None] = ready
        """Asked before each call, by its name; it may raise."""
        SIDES[self.url] = self

    def forget(self) -> None:
        """No URL reaches it any more."""
        del SIDES[self.url]


class MemorySession:
    """One session with a side in memory."""

    def __init__(self, side: MemorySide) -> None:
        self._side = side
        self._tree = side.tree
        self.url = side.url
        self.hash_names: tuple[HashName, ...] = ("blake3", "sha256")
        self.skew_ns = 0
        self.clock_lag_ns: int | None = None
        self.about = "memory"
        self.root_identity = side.url
        self.free_bytes: int | None = None
        self.notes: Sequence[Problem] = ()
        self.cursor = b""

    @property
    def abilities(self) -> Abilities:
        """See `Tree.abilities`."""
        return self._tree.abilities

    def connect(self) -> None:
        """See `RemoteTree.connect`."""
        self._side.before("connect")

    def keeping_troubles(self, *, only_looks: bool) -> Sequence[Problem]:
        del only_looks
        return ()

    def start_look(self, want: Looking) -> None:
        """See `RemoteTree.start_look`."""

    def look(
        self, want: Looking, index: object, sink: Sink, progress: Callable[[Tally], None]
    ) -> Seen:
        """See `RemoteTree.look`."""
        self._side.before("look")
        shown = dict(self._tree.entries)
        if not want.settings.header.tracked.xattr:
            shown = {path: replace(entry, extra=()) for path, entry in shown.items()}
        entries = taking_part(shown, want.settings.filter)
        manifest = build(entries, want.settings.header)
        tally = _tally(entries)
        sink.forget((), (b"",))
        sink.write(tuple(rows_of(manifest)))
        progress(tally)
        assert manifest.root is not None
        return Seen(manifest.root, (), (), self._side.identity, tally)

    def fetch(self, steps: Sequence[Step]) -> None:
        """See `RemoteTree.fetch`."""

    def read(self, path: TreePath, entry: Entry, offset: int = 0) -> Iterator[bytes]:
        """See `Tree.read`."""
        self._side.before("read")
        return self._tree.read(path, entry, offset)

    def token(self, token_id: str) -> bytes | None:
        """See `Tree.token`."""
        self._side.before("token")
        return self._tree.token(token_id)

    def begin(self, options: RunOptions, leftovers: Sequence[TreePath]) -> Sequence[Problem]:
        """See `Tree.begin`."""
        self._side.before("begin")
        return self._tree.begin(options, leftovers)

    def stage(self, steps: Sequence[Step], supply: Supply) -> Sequence[Receipt]:
        """See `Tree.stage`."""
        self._side.before("stage")
        return self._tree.stage(steps, supply)

    def carry_out(self, steps: Sequence[Step]) -> Sequence[Receipt]:
        """See `Tree.carry_out`."""
        receipts: list[Receipt] = []
        for step in steps:
            self._side.before("carry_out")
            receipts += self._tree.carry_out([step])
        self._side.before("carried_out")
        return receipts

    def prune(self, places: Sequence[TreePath]) -> Sequence[Problem]:
        """See `Tree.prune`."""
        return self._tree.prune(places)

    def end(self) -> None:
        """See `Tree.end`."""
        self._tree.end()

    def close(self) -> None:
        """See `Tree.close`."""
        self._tree.close()


def taking_part(entries: dict[TreePath, Entry], filtered: Filter | None) -> dict[TreePath, Entry]:
    """What a look tells: excluded things as such, without what is below them."""
    if filtered is None:
        return entries
    told: dict[TreePath, Entry] = {}
    out: list[TreePath] = []
    for path, entry in sorted(entries.items()):
        if any(is_under(path, top) for top in out):
            continue
        if filtered.excludes(path, entry.kind == Kind.DIR):
            out.append(path)
            entry = Entry(entry.name, Kind.IGNORED)
        told[path] = entry
    return told


def rows_of(manifest: Manifest, top: TreePath = ROOT) -> Iterator[PageRow]:
    """A small tree's pages as they are stored: one for each directory."""
    [page] = manifest.pages(top)
    entries = manifest.load(top, page)
    yield PageRow(page_key(top), page.id, page.length, encode_entries(entries))
    for entry in entries:
        if entry.kind == Kind.DIR:
            yield from rows_of(manifest, join(top, entry.name))


def _tally(entries: dict[TreePath, Entry]) -> Tally:
    kinds = [entry.kind for entry in entries.values()]
    return Tally(kinds.count(Kind.FILE), kinds.count(Kind.DIR) + 1, kinds.count(Kind.LINK))


def open_memory(endpoint: str, options: SessionOptions) -> MemorySession:
    """The opener of `memory://`."""
    del options
    return MemorySession(SIDES[endpoint])


OPENERS["memory"] = open_memory
