"""AgentTree: a side on another machine, served there by `reconcile/agent`.

Every operation is one request over one stream. What comes back is checked as
any stranger's bytes are: a page whose names, order or id do not hold, a receipt
for a step that was not asked, a path that could leave a root end the run.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from reconcile import __version__
from reconcile.model.block import HashName
from reconcile.model.entry import Entry
from reconcile.model.errors import Unreachable, UsageError
from reconcile.model.plan import Problem, Step
from reconcile.model.policy import Abilities
from reconcile.model.receipt import Receipt
from reconcile.model.treepath import MAX_PATH_BYTES, TreePath
from reconcile.trees import told
from reconcile.trees.abilities import is_certain
from reconcile.trees.agent_looks import Nowhere, asked_as, take_rows, until_seen
from reconcile.trees.base import RunOptions, Supply, Tally
from reconcile.trees.looking import Looking
from reconcile.trees.observe import Seen, Sink
from reconcile.trees.pruning import portions, too_long
from reconcile.trees.pulling import Pull
from reconcile.trees.pushing import Basics, Push, at_most
from reconcile.trees.remote import OtherProtocol, SessionOptions
from reconcile.trees.session import Session
from reconcile.trees.staging import needs_content
from reconcile.trees.temporary import AREA
from reconcile.trees.tokens import no_token
from reconcile.wire import messages as m
from reconcile.wire.fields import PRUNE, TOKENS, TRY
from reconcile.wire.frames import ProtocolError, offered
from reconcile.wire.steps import to_wire

_LEFTOVERS_BYTES = 4 << 20
_PLACES_BYTES = 2 << 20
"""Of places in one Prune: what may come back of them fits into one answer."""


class Link(Protocol):
    """A connection to an agent that has said its greeting."""

    session: Session
    notes: Sequence[Problem]
    """What connecting found worth telling."""

    def close(self) -> None:
        """Hang up."""


class _Late(NamedTuple):
    """Contents on their way; how they arrived is not known yet."""

    push: Push
    steps: Sequence[Step]


class AgentTree:
    """One side, at the far end. See `trees/base.py` for what each operation promises."""

    def __init__(
        self,
        dial: Callable[[], Link],
        url: str,
        path: bytes,
        options: SessionOptions,
        ahead: Session | None = None,
    ) -> None:
        """`dial` connects; it is called by the first operation that needs it. `ahead`: the
        session it will probably answer with; a first request may be sent there meanwhile."""
        self.url = url
        self.about = ""
        self.free_bytes: int | None = None  # the protocol does not ask
        self.clock_lag_ns: int | None = None  # the greeting tells the time
        self.notes: Sequence[Problem] = ()
        self.hash_names: tuple[HashName, ...] = ()
        self._skew_ns: int | None = None
        self.cursor = b""
        self._cuts: Sequence[str] = ()
        self._words: Sequence[str] = ()
        self._hash_name: HashName = "blake3"
        self._leftovers: frozenset[TreePath] | None = None
        self._dial = dial
        self._ahead = ahead
        self._spoken_on: Session | None = None
        """Where the first words were said before anybody had answered."""
        self._path = path
        self._options = options
        self._link: Link | None = None
        self._opened: m.Opened | None = None
        self._asked: Looking | None = None
        self._pull: Pull | None = None
        self._late: _Late | None = None

    def connect(self) -> None:
        """Say hello and open the root. Raises: Unreachable, Denied, RootMissing …"""
        if self._opened is not None:
            return
        self._link = self._dial()
        session = self._link.session
        session.where = self.url
        started = time.time_ns()
        if session is not self._spoken_on:
            self._introduce(session)
        welcome = self._welcome(session)
        if self._spoken_on is None:
            self._skew_ns = welcome.clock_ns - (started + time.time_ns()) // 2
        self._check(welcome)
        session.compress(welcome.compression, self._level, content=self._options.compress)
        self.notes = tuple(self._link.notes)
        self._cuts, self._words = welcome.cuts, welcome.words
        opened = session.expect(m.Opened)
        with self._checking():
            told.abilities(opened.abilities)
        self._opened = opened
        if self._asked is not None and session is not self._spoken_on:
            self._ask_again(session, self._asked)

    def _welcome(self, session: Session) -> m.Welcome:
        try:
            return session.expect(m.Welcome)
        except (UsageError, ProtocolError) as error:  # the first: agents before 1.0
            if error.code != "E_PROTOCOL" or session.is_lost:
                raise
            raise OtherProtocol(
                error.message,
                where=self.url,
                hint="use versions of reconcile that fit on both ends",
            ) from error

    def _ask_again(self, session: Session, want: Looking) -> None:
        """What was asked of an agent that is not there."""
        if want.settings.header.hash_name not in self.hash_names:
            self._asked = None
            return
        session.send(asked_as(want))
        session.flush()

    def _introduce(self, session: Session) -> None:
        compress = self._options.compress
        session.send(m.Hello((m.PROTOCOL,), __version__, offered(), self._level, compress))
        session.send(m.Open(self._path, self._options.pair))

    @property
    def _level(self) -> int:
        return 3 if self._options.compress else 1

    def _check(self, welcome: m.Welcome) -> None:
        if welcome.protocol != m.PROTOCOL or welcome.compression not in offered():
            raise ProtocolError("the far side chose what was not offered", where=self.url)
        known: tuple[HashName, ...] = ("blake3", "sha256")
        self.hash_names = tuple(name for name in known if name in welcome.hash_names)
        if not self.hash_names:
            raise ProtocolError("the far side knows no hash that we know", where=self.url)
        carried = ", carried over" if welcome.is_carried else ""
        self.about = f"reconcile {welcome.version}{carried} ({welcome.system})"

    @property
    def skew_ns(self) -> int:
        """The far clock minus ours, as exact as a round trip is short."""
        if self._skew_ns is None:
            session = self._session()
            started = time.time_ns()
            there_ns = session.ask(m.Clock(), m.Time).clock_ns
            self._skew_ns = there_ns - (started + time.time_ns()) // 2
        return self._skew_ns

    @property
    def abilities(self) -> Abilities:
        """What the far side says it can hold."""
        self.connect()
        assert self._opened is not None
        return self._opened.abilities

    @property
    def root_identity(self) -> str:
        """See `RemoteTree.root_identity`."""
        self.connect()
        assert self._opened is not None
        return self._opened.identity

    def try_abilities(self) -> Abilities:
        """The same, tried over there where its agent knows how: for who will write there."""
        found, session = self.abilities, self._session()
        if TRY not in self._words or is_certain(found) or not found.writable:
            return found
        asked, self._asked = self._asked, None
        if asked is not None:  # its answer comes first, and is asked for again after this one
            until_seen(session, [], lambda _: None)
            take_rows(session, Nowhere(), asked.settings.header)
        opened = session.ask(m.Try(), m.Opened)
        with self._checking():
            told.abilities(opened.abilities)
        self._opened = opened
        if asked is not None:
            session.send(asked_as(asked))
            session.flush()
            self._asked = asked
        return opened.abilities

    def keeping_troubles(self, *, only_looks: bool) -> Sequence[Problem]:
        """See `RemoteTree.keeping_troubles`; an agent of an earlier version says nothing."""
        del only_looks  # it sees who it is
        self.connect()
        assert self._opened is not None
        why = self._opened.not_kept
        return [Problem(AREA, None, "E_AREA", why)] if why else []

    def start_look(self, want: Looking) -> None:
        """Ask for an observation; `look` takes the answer."""
        if self._opened is None and self._ahead is not None and self._spoken_on is None:
            session = self._spoken_on = self._ahead
            self._introduce(session)
        else:
            session = self._session()
        session.send(asked_as(want))
        session.flush()
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
        with self._checking():
            problems: list[Problem] = []
            message = until_seen(session, problems, progress)
            seen = self._seen(message, problems)
            if message.is_fresh:
                sink.forget((), (b"",))
            take_rows(session, sink, want.settings.header)
        return seen

    def _seen(self, message: m.Seen, problems: Sequence[Problem]) -> Seen:
        leftovers = told.leftovers(message)
        self.cursor = message.cursor
        self._leftovers = frozenset(leftovers)
        return Seen(
            told.seen_root(message),
            tuple(problems),
            leftovers,
            message.identity,
            told.tally(message.tally),
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

    def token(self, token_id: str) -> bytes | None:
        """See `Tree.token`; an agent of an earlier version keeps none."""
        session = self._session()
        if TOKENS not in self._words:
            return None
        return session.ask(m.TokenAt(token_id), m.TokenIs).content

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
            options.record,
            options.token if TOKENS in self._words else b"",
        )
        notes = self._session().ask(message, m.Notes).problems
        with self._checking():
            found = [told.problem(note) for note in notes]
        if options.token and not message.token:
            found.append(no_token("the agent there is of an earlier version"))
        return found

    def stage(self, steps: Sequence[Step], supply: Supply) -> Sequence[Receipt]:
        """See `Tree.stage`: contents are pushed, small ones first.

        How they arrived is told by `carry_out`: nobody waits for it meanwhile.
        """
        wanting = [step for step in steps if needs_content(step)]
        if not wanting:
            return ()
        session = self._session()
        basics = Basics(self._cuts, self._hash_name, self._leftovers, self._options.cache)
        push = Push(session, wanting, supply, basics)
        with self._checking():  # contents half sent: no request can follow
            push.send()
        self._late = _Late(push, wanting)
        return ()

    def carry_out(self, steps: Sequence[Step]) -> Sequence[Receipt]:
        """See `Tree.carry_out`; with receipts for what could not be staged."""
        if not steps:
            return ()
        session = self._open_session()
        session.send(m.CarryOut(tuple(to_wire(step) for step in steps)))
        session.flush()
        self._take_late()
        answer = session.expect(m.Receipts)
        with self._checking():
            return told.receipts_of_all(answer.receipts, steps)

    def _take_late(self) -> None:
        """The answer to the latest contents; `carry_out` tells what they came to."""
        late, self._late = self._late, None
        if late is not None:
            with self._checking():
                told.receipts_of_failures(late.push.answer().receipts, late.steps)

    def prune(self, places: Sequence[TreePath]) -> Sequence[Problem]:
        """See `Tree.prune`. An agent of an earlier version is asked for nothing."""
        session = self._session()
        if PRUNE not in self._words:
            raise UsageError(
                "the agent there is too old to remove kept content",
                where=self.url,
                hint="install this version of reconcile there, or remove it there by hand",
                code="E_UNSUPPORTED",
            )
        fits = [place for place in places if len(place) <= MAX_PATH_BYTES]
        problems = [too_long(place) for place in places if len(place) > MAX_PATH_BYTES]
        for part in portions(fits, m.MAX_PROBLEMS, _PLACES_BYTES):
            answer = session.ask(m.Prune(part), m.Notes)
            with self._checking():
                problems += told.problems_of(answer.problems, part)
        return problems

    def end(self) -> None:
        """See `Tree.end`. The far side's state counts from now on as known."""
        if self._link is None or self._link.session.is_lost or not self._opened:
            return
        answer = self._session().ask(m.Finish(), m.Receipts)
        fits = bool(answer.before) and answer.before == self.cursor
        self.cursor = answer.cursor if fits else b""

    def close(self) -> None:
        """See `Tree.close`."""
        link, self._link, self._opened = self._link, None, None
        self._pull = self._late = None
        if link is not None:
            link.close()

    def _session(self) -> Session:
        """Free for a request."""
        session = self._open_session()
        self._take_late()
        return session

    def _open_session(self) -> Session:
        self.connect()
        assert self._link is not None
        if self._link.session.is_lost:
            raise Unreachable("the connection was given up", where=self.url)
        return self._link.session

    @contextlib.contextmanager
    def _checking(self) -> Iterator[None]:
        """An answer is taken: when that is not gone through with, no other can follow it."""
        try:
            yield
        except BaseException as error:
            if self._link is not None:
                self._link.session.is_lost = True
            if isinstance(error, ProtocolError):
                error.where = error.where or self.url
            raise

    def _pulling(self) -> Pull:
        session = self._session()
        if self._pull is None:
            self._pull = Pull(session, self._cuts, self._hash_name, self._options.cache)
        return self._pull
