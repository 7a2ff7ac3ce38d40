"""Streams for either end of the agent protocol, and what must hold whatever they are: the end
answers, or refuses with an error of ours. Shared by the fuzz target and the tests."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from reconcile.agent.server import Server
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ReconcileError
from reconcile.model.job import FilterSpec
from reconcile.model.manifest import Header, PageRow
from reconcile.model.plan import Action, Side, Source, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.trees.agent_tree import AgentTree
from reconcile.trees.base import ContentChanged, RunOptions
from reconcile.trees.duplex import Duplex
from reconcile.trees.looking import Looking, Settings
from reconcile.trees.remote import SessionOptions
from reconcile.trees.session import Session
from reconcile.wire import messages as m
from reconcile.wire.cuts import FIXED, Chunks, cut_for
from reconcile.wire.packs import encode_pack
from tests.agent.liar import OPENED, WELCOME, Content, frame
from tests.vectors.agent_frames import ROOT, ROWS

HEADER = Header("sha256")
WANT = Looking(Settings(HEADER), FilterSpec())
LARGE = bytes(range(256)) * 5000


class _Early(Duplex):
    """All answers are here before they are asked for: a sender must not see them yet."""

    has_input = False  # type: ignore[assignment]  # a property


class Stream:
    """An end whose other end has said all it will say; what is answered goes nowhere."""

    def __init__(self, data: bytes) -> None:
        self._read = os.memfd_create("said")
        os.write(self._read, data)
        os.lseek(self._read, 0, os.SEEK_SET)
        self._write = os.open(os.devnull, os.O_WRONLY)
        self.session = Session(_Early(self._read, self._write, stall_s=5.0))
        self.notes = ()

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


class _Sink:
    def write(self, rows: Sequence[PageRow]) -> None:
        for row in rows:
            assert b"/" not in row.key
            assert b".." not in row.key.split(b"\0")

    def forget(self, keys: Sequence[bytes], subtrees: Sequence[bytes]) -> None:
        del keys, subtrees


class _Supply:
    def read(self, step: Step, offset: int) -> Iterator[bytes]:
        yield (b"hi" if step.id == 1 else LARGE)[offset:]


def entry(name: bytes, content: bytes) -> Entry:
    return Entry(name, Kind.FILE, len(content), 1, 0o644, sha256(content).digest())


def step(number: int, side: Side, path: bytes, content: bytes) -> Step:
    at, told = TreePath(path), entry(path, content)
    source = Source(side.other, at, told)
    return Step(number, side, Action.CREATE, at, at, None, told, source)


PUSHED = [step(1, Side.RIGHT, b"a", b"hi"), step(2, Side.RIGHT, b"big", LARGE)]
PULLED = [step(3, Side.LEFT, b"a", b"hi"), step(4, Side.LEFT, b"big", LARGE)]


def near_end(data: bytes) -> int:
    """All that a near side ever asks, with these bytes for answers; how many were answered."""
    link = Stream(data)
    tree = AgentTree(lambda: link, "fuzz://far", b"/far", SessionOptions("p"))
    asked: list[Callable[[], object]] = [
        tree.connect,
        lambda: tree.look(WANT, None, _Sink(), lambda tally: None),
        lambda: tree.begin(RunOptions("r-1", header=HEADER), ()),
        lambda: tree.stage(PUSHED, _Supply()),
        lambda: tree.carry_out(PUSHED),
        lambda: tree.fetch(PULLED),
        lambda: tree.whole(PULLED[0]),
        lambda: _taken(tree.read(TreePath(b"big"), PULLED[1].want or ROOT)),
        lambda: tree.prefix_is(PULLED[1], 100, b"p" * 32),
        lambda: tree.skew_ns,
        tree.end,
    ]
    answered = 0
    try:
        with contextlib.suppress(ReconcileError):
            for ask in asked:
                with contextlib.suppress(ContentChanged, OSError):
                    ask()
                answered += 1
    finally:
        tree.close()
    return answered


def _taken(blocks: Iterator[bytes]) -> None:
    taken = sum(len(block) for block in blocks)
    assert taken <= len(LARGE)


class _Fenced(Server):
    """Opens one directory, whatever is asked for."""

    place = b""

    def _open(self, request: m.Open) -> None:
        super()._open(replace(request, path=self.place))


class Fence:
    """A root with a canary beside it; a context manager."""

    def __enter__(self) -> "Fence":
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.place = Path(tempfile.mkdtemp(prefix="reconcile-frames-", dir=base))
        (self.place / "canary").write_text("kept")
        (self.place / "root").mkdir()
        (self.place / "root" / "out").symlink_to("..")
        (self.place / "root" / "big").write_bytes(LARGE)
        self._before = os.environ.get("XDG_CACHE_HOME")
        os.environ["XDG_CACHE_HOME"] = str(self.place / "cache")
        return self

    def __exit__(self, *error: object) -> None:
        del os.environ["XDG_CACHE_HOME"]
        if self._before is not None:
            os.environ["XDG_CACHE_HOME"] = self._before
        shutil.rmtree(self.place)

    def far_end(self, data: bytes) -> None:
        """An agent that is asked this."""
        link = Stream(data)
        server = _Fenced(link.session, is_carried=False)
        server.place = os.fsencode(self.place / "root")
        try:
            with contextlib.suppress(ReconcileError):
                server.run()
        finally:
            server.close()
            link.close()
        assert sorted(path.name for path in self.place.iterdir() if path.name != "cache") == [
            "canary",
            "root",
        ]
        assert (self.place / "canary").read_text() == "kept"


def _streamed() -> list[Any]:
    size = m.PIECE_BYTES
    return [Content(m.DATA, LARGE[at : at + size]) for at in range(0, len(LARGE), size)]


def _signature() -> bytes:
    from array import array

    cut = cut_for(FIXED, len(LARGE), "sha256")
    assert cut is not None
    lengths = array("I", [cut.average] * (len(LARGE) // cut.average))
    rest = len(LARGE) - sum(lengths)
    if rest:
        lengths.append(rest)
    digests = bytes(len(lengths) * cut.digest_bytes)
    return Chunks(cut, len(LARGE), lengths, digests).signature.encode()


def _done(step: Step) -> Receipt:
    return Receipt(step.id, Status.DONE, entry=step.want)


ANSWERS: list[Any] = [
    WELCOME,
    OPENED,
    m.Progress((1, 2, 3)),
    m.Notes(()),
    m.Seen(ROOT, (b".rcn-0000000000000000",), "1:2", (1, 1), b"", True),
    ROWS,
    m.Done(),
    m.Notes(()),
    m.Needs((m.Need(1, "whole"), m.Need(2, "whole"))),
    m.Ack(1 << 20),
    m.Receipts(()),
    m.Receipts(tuple(_done(step) for step in PUSHED)),
    Content(m.PACK, encode_pack([(3, b"hi")])),
    m.Done(),
    *_streamed(),
    m.End(0),
    m.Done(),
    m.PrefixIs(b"p" * 32),
    m.Receipts(()),
]
"""What an honest far side might say to `near_end`."""

_NEW = entry(b"new", b"hi")
_BIG = entry(b"larger", LARGE)
_SMALL_STEP = m.WireStep(1, Action.CREATE, b"new", None, _NEW)
_LARGE_STEP = m.WireStep(2, Action.CREATE, b"larger", None, _BIG, basis=b"big")
REQUESTS: list[Any] = [
    m.Hello((1,), "0", ("zlib", "none"), 1, False),
    m.Open(b"tree", "p"),
    m.Observe(HEADER, FilterSpec(), "preserve", False, b"", True),
    m.Clock(),
    m.Begin("r-1", "none", True, HEADER, (b".rcn-0011223344556677",)),
    m.Survey((_SMALL_STEP, _LARGE_STEP), FIXED, "sha256"),
    m.Stage((_SMALL_STEP, _LARGE_STEP), (m.Coming(1, "pack"), m.Coming(2, "stream"))),
    Content(m.PACK, encode_pack([(1, b"hi")])),
    *_streamed(),
    m.End(2),
    m.CarryOut((_SMALL_STEP, _LARGE_STEP)),
    m.Read((m.Wanted(1, b"new", _NEW), m.Wanted(2, b"big", _BIG))),
    m.Prefix(b"big", 1000, "sha256"),
    m.Read((m.Wanted(1, b"big", _BIG),), True),
    m.SignaturePart(1, _signature()),
    m.Done(),
    m.CarryOut((m.WireStep(3, Action.DELETE, b"new", _NEW, None),)),
    m.Finish(),
]
"""What an honest near side might say."""


def frames_of(said: Sequence[Any]) -> list[bytes]:
    """Each as it travels."""
    return [frame(one) for one in said]
