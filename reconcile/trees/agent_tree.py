"""AgentTree: a side on another machine, served there by `reconcile/agent`.

Every operation is one request over one stream. What comes back is checked as
any stranger's bytes are: a page whose names, order or id do not hold, a receipt
for a step that was not asked, a path that could leave a root end the run.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from reconcile import __version__
from reconcile.model.block import HashName, page_id
from reconcile.model.codec import decode_entries
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestError, ReconcileError
from reconcile.model.manifest import Header, PageRow, check_page
from reconcile.model.plan import Problem, Step
from reconcile.model.policy import Abilities
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import MAX_DEPTH, MAX_PATH_BYTES, TreePath, parse
from reconcile.trees.base import RunOptions, Supply, Tally
from reconcile.trees.looking import Looking
from reconcile.trees.observe import Seen, Sink
from reconcile.trees.pulling import Pull
from reconcile.trees.pushing import Basics, Push, at_most
from reconcile.trees.remote import SessionOptions
from reconcile.trees.session import Session
from reconcile.trees.staging import needs_content
from reconcile.wire import messages as m
from reconcile.wire.frames import ProtocolError, offered

_PAGES_LIMIT = 64 << 30
"""Bytes of pages taken in one observation; a tree of 500 million files stays below."""
_LEFTOVERS_BYTES = 4 << 20
_KEY_BYTES = MAX_PATH_BYTES + 300


class Link(Protocol):
    """A connection to an agent that has said its greeting."""

    session: Session
    notes: Sequence[Problem]
    """What connecting found worth telling."""

    def close(self) -> None:
        """Hang up."""


class AgentTree:
    """One side, at the far end. See `trees/base.py` for what each operation promises."""

    def __init__(
        self, dial: Callable[[], Link], url: str, path: bytes, options: SessionOptions
    ) -> None:
        """`dial` connects; it is called by the first operation that needs it."""
        self.url = url
        self.notes: Sequence[Problem] = ()
        self.hash_names: tuple[HashName, ...] = ()
        self.skew_ns = 0
        self.cursor = b""
        self.bases: Mapping[int, TreePath] = {}
        """Files of this side that the content of a step is probably like, by step."""
        self._cuts: Sequence[str] = ()
        self._hash_name: HashName = "blake3"
        self._leftovers: frozenset[TreePath] | None = None
        self._dial = dial
        self._path = path
        self._options = options
        self._link: Link | None = None
        self._opened: m.Opened | None = None
        self._asked: Looking | None = None
        self._pull: Pull | None = None

    def connect(self) -> None:
        """Say hello and open the root. Raises: Unreachable, Denied, RootMissing …"""
        if self._opened is not None:
            return
        self._link = self._dial()
        session = self._link.session
        session.where = self.url
        level = 3 if self._options.compress else 1
        started = time.time_ns()
        session.send(m.Hello((m.PROTOCOL,), __version__, offered(), level, self._options.compress))
        session.send(m.Open(self._path, self._options.pair))
        welcome = session.expect(m.Welcome)
        ended = time.time_ns()
        self._check(welcome)
        session.compress(welcome.compression, level, content=self._options.compress)
        self.skew_ns = welcome.clock_ns - (started + ended) // 2
        self.notes = tuple(self._link.notes)
        self._cuts = welcome.cuts
        self._opened = session.expect(m.Opened)

    def _check(self, welcome: m.Welcome) -> None:
        if welcome.protocol != m.PROTOCOL or welcome.compression not in offered():
            raise ProtocolError("the far side chose what was not offered", where=self.url)
        known: tuple[HashName, ...] = ("blake3", "sha256")
        self.hash_names = tuple(name for name in known if name in welcome.hash_names)
        if not self.hash_names:
            raise ProtocolError("the far side knows no hash that we know", where=self.url)

    @property
    def abilities(self) -> Abilities:
        """What the far side says it can hold."""
        self.connect()
        assert self._opened is not None
        return self._opened.abilities

    def start_look(self, want: Looking) -> None:
        """Ask for an observation; `look` takes the answer."""
        settings = want.settings
        self._session().send(
            m.Observe(
                settings.header,
                want.spec,
                settings.links,
                settings.paranoid,
                want.cursor,
                want.keep,
            )
        )
        self._session().flush()
        self._asked = want

    def look(
        self, want: Looking, index: object, sink: Sink, progress: Callable[[Tally], None]
    ) -> Seen:
        """The tree as it is; pages newer than `want.cursor` go to `sink`."""
        del index  # the far side keeps its own
        if self._asked is not want:
            self.start_look(want)
        self._asked = None
        session = self._session()
        problems: list[Problem] = []
        message = session.receive()
        while not isinstance(message, m.Seen):
            if isinstance(message, m.Progress):
                progress(_tally(message.tally))
            elif isinstance(message, m.Notes):
                problems.extend(message.problems)
            else:
                raise self._broken(f"{type(message).__name__} during an observation")
            message = session.receive()
        if message.is_fresh:
            sink.forget((), (b"",))
        self._take_rows(session, sink, want.settings.header)
        return self._seen(message, problems)

    def _take_rows(self, session: Session, sink: Sink, header: Header) -> None:
        taken = 0
        while True:
            message = session.receive()
            if isinstance(message, m.Done):
                return
            if not isinstance(message, m.Rows):
                raise self._broken(f"{type(message).__name__} among pages")
            rows = [self._page(row, header) for row in message.rows]
            taken += sum(len(row.block) for row in rows)
            if taken > _PAGES_LIMIT:
                raise self._broken("more pages than any tree has")
            sink.write(rows)

    def _page(self, row: m.Row, header: Header) -> PageRow:
        """The row, its names, order and id checked."""
        if len(row.key) > _KEY_BYTES or row.key.count(b"\0") > MAX_DEPTH + 1:
            raise self._broken("a page of an impossible path")
        try:
            entries = decode_entries(row.block)
            check_page(entries)
        except ManifestError as error:
            raise self._broken(error.message) from error
        if page_id(entries, header.tracked, header.hash_name) != row.id:
            raise self._broken("a page whose id is not that of its entries")
        return PageRow(row.key, row.id, len(entries), row.block, row.refs)

    def _seen(self, message: m.Seen, problems: Sequence[Problem]) -> Seen:
        root = message.root
        if root.kind != Kind.DIR or root.name or len(root.id) not in (0, 32):
            raise self._broken("its root is no directory")
        self.cursor = message.cursor
        leftovers = tuple(parse(path) for path in message.leftovers)
        self._leftovers = frozenset(leftovers)
        return Seen(
            root,
            tuple(_checked(problem) for problem in problems),
            leftovers,
            message.identity,
            _tally(message.tally),
            cursor=message.cursor,
        )

    def fetch(self, steps: Sequence[Step]) -> None:
        """The sources of these will be read from here, in this order."""
        self._pulling().expect(steps)

    def whole(self, step: Step) -> bytes | None:
        """A small file's content, brought with those that will be asked for next."""
        return self._pulling().whole(step)

    def read(self, path: TreePath, entry: Entry, offset: int = 0) -> Iterator[bytes]:
        """See `Tree.read`."""
        return self._pulling().read(path, entry, offset)

    def rebuild(self, step: Step, offset: int, basis_fd: int) -> Iterator[bytes | tuple[int, int]]:
        """See `RebuildingSupply`: only what the basis lacks travels."""
        return self._pulling().rebuild(step, offset, basis_fd)

    def prefix_is(self, step: Step, length: int, digest: bytes) -> bool:
        """See `RebuildingSupply`."""
        return self._pulling().prefix_is(step, length, digest)

    def begin(self, options: RunOptions, leftovers: Sequence[TreePath]) -> Sequence[Problem]:
        """See `Tree.begin`."""
        self._hash_name = options.header.hash_name
        self._pull = None
        message = m.Begin(
            options.run,
            options.durability.value,
            options.versions,
            options.header,
            tuple(at_most(leftovers, _LEFTOVERS_BYTES)),
        )
        return [_checked(note) for note in self._session().ask(message, m.Notes).problems]

    def stage(self, steps: Sequence[Step], supply: Supply) -> Sequence[Receipt]:
        """See `Tree.stage`: contents are pushed, small ones first."""
        wanting = [step for step in steps if needs_content(step)]
        if not wanting:
            return ()
        session = self._session()
        basics = Basics(self._cuts, self._hash_name, self._leftovers, self.bases)
        try:
            Push(session, wanting, supply, basics).run()
            return self._receipts(wanting).receipts
        except BaseException:
            session.is_lost = True  # contents are half sent: no request can follow
            raise

    def carry_out(self, steps: Sequence[Step]) -> Sequence[Receipt]:
        """See `Tree.carry_out`."""
        if not steps:
            return ()
        self._session().send(m.CarryOut(tuple(m.to_wire(step) for step in steps)))
        answer = self._receipts(steps)
        if [receipt.step for receipt in answer.receipts] != [step.id for step in steps]:
            raise self._broken("receipts that do not fit the steps")
        fits = bool(answer.before) and answer.before == self.cursor
        self.cursor = answer.cursor if fits else b""
        return answer.receipts

    def _receipts(self, steps: Sequence[Step]) -> m.Receipts:
        session = self._session()
        message = session.receive()
        while isinstance(message, m.Ack):
            message = session.receive()
        if not isinstance(message, m.Receipts):
            raise self._broken(f"{type(message).__name__} where receipts belong")
        asked = {step.id: step for step in steps}
        for receipt in message.receipts:
            if receipt.step not in asked or not _fits(receipt, asked[receipt.step]):
                raise self._broken("a receipt that does not fit its step")
        return message

    def end(self) -> None:
        """See `Tree.end`."""
        if self._link is not None and not self._link.session.is_lost and self._opened:
            self._link.session.ask(m.Finish(), m.Done)

    def close(self) -> None:
        """See `Tree.close`."""
        link, self._link, self._opened = self._link, None, None
        self._pull = None
        if link is not None:
            link.close()

    def _session(self) -> Session:
        self.connect()
        assert self._link is not None
        return self._link.session

    def _pulling(self) -> Pull:
        session = self._session()
        if self._pull is None:
            self._pull = Pull(session, self._cuts, self._hash_name)
        return self._pull

    def _broken(self, what: str) -> ReconcileError:
        if self._link is not None:
            self._link.session.is_lost = True
        return ProtocolError(
            f"the far side sent {what}; nothing it said is believed further",
            where=self.url,
            hint="see which program answers there; `reconcile version` on both ends",
        )


def _fits(receipt: Receipt, step: Step) -> bool:
    """A DONE receipt tells of the very thing that was wanted."""
    if receipt.status is not Status.DONE:
        return True
    entry, want = receipt.entry, step.want
    if entry is None or want is None:
        return entry is None or want is not None
    return entry.kind == want.kind and (entry.kind == Kind.DIR or entry.id == want.id)


def _checked(problem: Problem) -> Problem:
    """The far side's problem. Raises: PathRefused, when its path is none."""
    parse(problem.path)
    return msgspec.structs.replace(problem, side=None)


def _tally(fields: tuple[int, ...]) -> Tally:
    known = len(msgspec.structs.fields(Tally))
    return Tally(*(max(0, min(count, 2**63 - 1)) for count in fields[:known]))
