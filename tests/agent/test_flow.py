"""The stream between two honest ends: signs of life while one works long, content that is stopped
when nobody wants the rest, and how long an end that says nothing is waited for."""

import contextlib
import os
import select
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconcile.model.errors import Unreachable
from reconcile.model.job import FilterSpec
from reconcile.model.manifest import Header
from reconcile.model.plan import Action, Side, Source, Step
from reconcile.model.receipt import Status
from reconcile.model.treepath import TreePath
from reconcile.trees.base import RunOptions
from reconcile.trees.duplex import Duplex
from reconcile.wire import messages as m
from tests.agent.near import Near
from tests.agent.pipes import PipeLink, agent_tree
from tests.trees.looking import T0, file

_QUICK = "import sys; from reconcile.agent.main import serve_stdio; sys.exit(serve_stdio('00', {}))"
MIB = 1 << 20


def lively(place: Path, seconds: float = 0.02) -> Near:
    """An agent that shows life more often than it would."""
    return Near(place, (sys.executable, "-c", _QUICK.format(f"alive_s={seconds}")))


def sparse(path: Path, size: int) -> None:
    """A file that takes long to read and no room."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        stream.truncate(size)


def test_an_agent_that_reads_long_shows_that_it_lives(tmp_path: Path) -> None:
    sparse(tmp_path / "root" / "long", 256 * MIB)
    with lively(tmp_path, 0.005) as near:
        near.greet(tmp_path / "root")
        near.say(m.Prefix(b"long", 256 * MIB, "blake3"))
        heard = [near.session.next_message()]
        while isinstance(heard[-1], m.Alive):
            heard.append(near.session.next_message())
        assert len(heard) > 1
        assert isinstance(heard[-1], m.PrefixIs)
        assert near.end() == (0, "")


def test_a_scan_in_worker_processes_shows_that_it_lives(tmp_path: Path) -> None:
    for folder in range(20):
        sparse(tmp_path / "root" / str(folder) / "long", 16 * MIB)
        for number in range(30):
            (tmp_path / "root" / str(folder) / str(number)).write_text("x")
    with lively(tmp_path, 0.005) as near:
        near.greet(tmp_path / "root")
        near.say(m.Observe(Header(), FilterSpec(), "preserve", False, b"", True))
        heard = [near.session.next_message()]
        while not isinstance(heard[-1], m.Seen):
            heard.append(near.session.next_message())
        assert any(isinstance(message, m.Alive) for message in heard)
        while not isinstance(near.hear(), m.Done):
            pass
        assert near.end() == (0, "")


def test_who_waits_is_not_told_between_requests(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    with lively(tmp_path, 0.001) as near:
        near.greet(tmp_path / "root")
        assert not select.select([near.process.stdout], [], [], 0.2)[0]
        assert near.end() == (0, "")


def long_file(tmp_path: Path, side: str, size: int) -> Step:
    """64 MiB that the other side wants."""
    content = b"content!" * (size // 8)
    (tmp_path / side).mkdir()
    (tmp_path / side / "f").write_bytes(content)
    os.utime(tmp_path / side / "f", ns=(T0, T0))
    entry, at = file(b"f", content), TreePath(b"f")
    return Step(1, Side.RIGHT, Action.CREATE, at, at, None, entry, Source(Side.LEFT, at, entry))


def test_content_that_nobody_wants_any_more_stops_on_its_way(tmp_path: Path) -> None:
    step = long_file(tmp_path, "far", 64 * MIB)
    tree = agent_tree(os.fsencode(tmp_path / "far"), str(tmp_path / "cache"))
    assert step.want
    blocks = tree.read(TreePath(b"f"), step.want)
    assert next(blocks)
    blocks.close()  # type: ignore[attr-defined]  # a generator
    link = tree._link
    assert isinstance(link, PipeLink)
    assert link.duplex.received_bytes < 24 * MIB
    assert b"".join(tree.read(TreePath(b"f"), step.want))[-8:] == b"content!"
    tree.close()


class _From:
    """A supply that counts what was read from it."""

    def __init__(self, location: Path) -> None:
        self.location = location
        self.read_bytes = 0

    def read(self, step: Step, offset: int) -> Iterator[bytes]:
        with self.location.open("rb") as stream:
            stream.seek(offset)
            while block := stream.read(MIB):
                self.read_bytes += len(block)
                yield block


def test_content_that_cannot_be_staged_stops_on_its_way(tmp_path: Path) -> None:
    step = long_file(tmp_path, "near", 64 * MIB)
    small = replace(step, id=2, at=TreePath(b"g"), path=TreePath(b"g"))
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "f").write_text("somebody was faster")
    tree = agent_tree(os.fsencode(tmp_path / "far"), str(tmp_path / "cache"))
    tree.begin(RunOptions("r-1"), ())
    tree.stage([small], _From(tmp_path / "near" / "f"))
    assert tree.carry_out([small])[0].status is Status.DONE
    supply = _From(tmp_path / "near" / "f")
    tree._leftovers = frozenset({TreePath(b".rcn-0000000000000000")})  # nothing is asked beforehand
    receipts = [*tree.stage([step], supply), *tree.carry_out([step])]
    assert {receipt.status for receipt in receipts} == {Status.STALE}
    assert supply.read_bytes < 24 * MIB
    assert (tmp_path / "far" / "f").read_text() == "somebody was faster"
    tree.end()
    tree.close()


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """A pipe."""
    read, write = os.pipe()
    yield read, write
    os.close(read)
    os.close(write)


def test_bytes_that_drip_are_silence_too(ends: tuple[int, int]) -> None:
    read, write = ends
    duplex = Duplex(read, write, stall_s=0.2)
    child = os.fork()
    if not child:
        with contextlib.suppress(OSError):
            for _ in range(200):
                os.write(write, b"x")
                with contextlib.suppress(Unreachable):
                    other, _unused = os.pipe()
                    Duplex(other, write, stall_s=0.05).read(1)
        os._exit(0)
    with pytest.raises(Unreachable, match="said nothing"):
        duplex.read(1000)
    os.kill(child, 9)
    os.waitpid(child, 0)


def test_what_is_slipped_in_stands_between_two_writes(ends: tuple[int, int]) -> None:
    read, write = ends
    duplex = Duplex(read, write)
    duplex.slip_in(b"alive")
    duplex.write(b"frame")
    duplex.slip_in(b"again")
    assert duplex.read(15) == b"aliveframeagain"
    os.set_blocking(write, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write, bytes(4096))
    duplex.slip_in(b"no room")
    assert duplex.sent_bytes == 15
