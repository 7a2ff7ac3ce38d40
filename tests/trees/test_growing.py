"""Growing: streams go on where they were cut, are rebuilt from what is here, and are proven."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from blake3 import blake3

from reconcile.model.errors import Unreachable
from reconcile.model.plan import Action, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.trees.base import ContentChanged, RunOptions, Supply
from reconcile.trees.growing import REBUILT_FROM, STREAM_RESUMED_FROM
from reconcile.trees.local import LocalTree
from reconcile.trees.pieces import HOLE
from reconcile.trees.rebuilding import BasisChanged, Piece, Span
from reconcile.trees.syscalls import System
from reconcile.trees.temporary import PART, step_temp
from reconcile.wire.delta import Zeros
from tests.trees.looking import Steps, entry_at, file, fill, snapshot
from tests.trees.systems import Counting, Stuttering

BLOCK = 1 << 18
OLD = blake3(b"old").digest(length=3 << 20)
INSERTED = b"inserted early"
NEW = OLD[:100_000] + INSERTED + OLD[100_000:]
TOLD: list[Piece] = [
    Span(0, 60_000),
    Span(60_000, 40_000),
    INSERTED,
    Span(100_000, len(OLD) - 100_000),
]


class Far(Supply):
    """A source far away that speaks in pieces; remembers what it was asked."""

    def __init__(self, content: bytes, told: list[Piece] | None = None) -> None:
        self.content = content
        self.told = told
        self.reads: list[int] = []
        self.rebuilds: list[tuple[int, bytes]] = []
        self.error: Exception | None = None

    def read(self, step: Step, offset: int) -> Iterator[bytes]:
        """See `Supply.read`."""
        self.reads.append(offset)
        for start in range(offset, len(self.content), BLOCK):
            yield self.content[start : start + BLOCK]

    def rebuild(self, step: Step, offset: int, basis_fd: int) -> Iterator[Piece]:
        """See `RebuildingSupply`."""
        self.rebuilds.append((offset, os.pread(basis_fd, 1 << 30, 0)))
        yield from self.told or ()
        if self.error is not None:
            raise self.error


class Proving(Far):
    """It also says whether a part is the beginning of its content."""

    asked: tuple[int, bytes] | None = None

    def prefix_is(self, step: Step, length: int, digest: bytes) -> bool:
        """See `RebuildingSupply`."""
        self.asked = (length, digest)
        return digest == blake3(self.content[:length]).digest()


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    (tmp_path / "root").mkdir()
    return os.fsencode(tmp_path / "root")


def run(root: bytes, step: Step, supply: Supply, system: System | None = None) -> Receipt:
    """Stage and carry out one step."""
    tree = LocalTree(root, system=system or System())
    try:
        tree.begin(RunOptions("r-1"), ())
        ended = tree.stage([step], supply) or tree.carry_out([step])
        return ended[0]
    finally:
        tree.close()


def update(root: bytes, old: bytes = OLD, new: bytes = NEW) -> Step:
    """A step that replaces `old`, which is put there, with `new`."""
    fill(root, {"a": old})
    return Steps().add(Action.UPDATE, b"a", entry_at(root, b"a"), file(b"a", new))


def create(new: bytes = NEW) -> Step:
    """A step that brings `new`."""
    return Steps().add(Action.CREATE, b"a", None, file(b"a", new))


def leave_part(root: bytes, step: Step, content: bytes) -> bytes:
    """An interrupted run's part; where it is."""
    location = root + b"/" + step_temp(step) + PART
    with open(location, "wb") as stream:
        stream.write(content)
    return location


def kept(root: bytes) -> list[bytes]:
    """What is in the quarantine."""
    found = snapshot(root, ours=True)
    return [t[2:] for p, t in found.items() if b"quarantine" in p and t[:2] == b"f:"]


@pytest.mark.parametrize("system", [System(), Stuttering()], ids=["whole", "short"])
@pytest.mark.parametrize("by_hand", [False, True])
def test_an_update_is_rebuilt_from_the_target(
    root: bytes, system: System, *, by_hand: bool
) -> None:
    class ByHand(type(system)):  # type: ignore[misc]  # a base made by a parameter
        def copy_piece(self, *_: int) -> int:
            raise OSError(18, "invalid cross-device link")

    supply = Far(NEW, TOLD)
    assert run(root, update(root), supply, ByHand() if by_hand else system).status is Status.DONE
    assert snapshot(root)[b"a"] == b"f:" + NEW
    assert supply.rebuilds == [(0, OLD)]
    assert supply.reads == []
    assert kept(root) == []


def test_ranges_that_adjoin_are_copied_as_one(root: bytes) -> None:
    new = OLD[:90_000] + OLD[100_000:190_000] + OLD[50_000:60_000]
    thousands = [Span(start, 1000) for start in range(0, 90_000, 1000)]
    told: list[Piece] = [*thousands, Span(100_000, 90_000), Span(50_000, 10_000)]
    supply, counting = Far(new, told), Counting()
    assert run(root, update(root, new=new), supply, counting).status is Status.DONE
    assert supply.reads == []
    assert counting.names.count("copy_piece") == 3


@pytest.mark.parametrize("size", [REBUILT_FROM, STREAM_RESUMED_FROM])
def test_what_does_not_grow_as_a_part_is_rebuilt_too(root: bytes, size: int) -> None:
    new = NEW[:size]
    supply = Far(new, [Span(0, 100), NEW[100:size]])
    assert run(root, update(root, new=new), supply).status is Status.DONE
    assert (len(supply.rebuilds), supply.reads) == (1, [])


def test_a_small_file_is_not_worth_rebuilding(root: bytes) -> None:
    supply = Far(NEW[: REBUILT_FROM - 1], TOLD)
    assert run(root, update(root, new=supply.content), supply).status is Status.DONE
    assert (supply.rebuilds, supply.reads) == ([], [0])


def test_a_source_of_this_machine_is_not_rebuilt(root: bytes, tmp_path: Path) -> None:
    (tmp_path / "left").mkdir()
    left = os.fsencode(tmp_path / "left")
    fill(left, {"a": NEW})
    with_origin = Far(NEW, TOLD)
    source = LocalTree(left)
    with_origin.origin = lambda step: source.root  # type: ignore[attr-defined]
    assert run(root, update(root), with_origin).status is Status.DONE
    source.close()
    assert (with_origin.rebuilds, with_origin.reads) == ([], [])


WRONG: dict[str, list[Piece]] = {
    "another range": [*TOLD[:3], Span(100_001, len(OLD) - 100_001), b"!"],
    "other bytes": [Span(0, 100_000), b"inserted badly", TOLD[3]],
    "less": TOLD[:3],
    "nothing": [],
    "more": [*TOLD, b"and more"],
    "a range too many": [*TOLD, Span(0, 1)],
    "zeros too many": [*TOLD, Zeros(1)],
    "a range behind the end": [Span(len(OLD), 100)],
    "a range across the end": [Span(len(OLD) - 1, 2)],
    "a range before the start": [Span(-1, 100)],
    "a range of less than nothing": [Span(100, -100), *TOLD],
    "less than no zeros": [*TOLD, b"", Zeros(-1)],
    "more than there will ever be": [Zeros(1 << 62)],
}


@pytest.mark.parametrize("name", WRONG)
def test_what_was_rebuilt_wrongly_is_read_whole_once(root: bytes, name: str) -> None:
    supply = Far(NEW, WRONG[name])
    assert run(root, update(root), supply).status is Status.DONE
    assert snapshot(root)[b"a"] == b"f:" + NEW
    assert (len(supply.rebuilds), supply.reads) == (1, [0])
    assert [n for n in os.listdir(root) if n != b".reconcile"] == [b"a"]


@pytest.mark.parametrize("size", [REBUILT_FROM, len(NEW)])
def test_what_is_wrong_a_second_time_is_stale(root: bytes, size: int) -> None:
    step = update(root, new=NEW[:size])
    supply = Far(b"!" + NEW[1:size], WRONG["other bytes"])
    receipt = run(root, step, supply)
    assert (receipt.status, receipt.code) == (Status.STALE, "E_CHANGED_WHILE_READING")
    assert snapshot(root, ours=True) == {b"a": b"f:" + OLD}
    assert (len(supply.rebuilds), supply.reads) == (1, [0])


@pytest.mark.parametrize("error", [BasisChanged(), ContentChanged()])
def test_a_basis_that_will_not_do_is_not_the_end(root: bytes, error: Exception) -> None:
    supply = Far(NEW, TOLD[:2])
    supply.error = error
    assert run(root, update(root), supply).status is Status.DONE
    assert supply.reads == [0]


def test_a_target_that_was_exchanged_meanwhile_is_no_basis(root: bytes) -> None:
    class Exchanging(Far):
        def __getattribute__(self, name: str) -> object:
            if name == "rebuild":
                os.rename(root + b"/a", root + b"/b")
                fill(root, {"a": b"theirs" * BLOCK})
            return super().__getattribute__(name)

    supply = Exchanging(NEW, TOLD)
    assert run(root, update(root), supply).status is Status.STALE
    assert supply.rebuilds == []
    assert snapshot(root)[b"a"] == b"f:" + b"theirs" * BLOCK


def with_basis(path: bytes) -> Far:
    """A supply that knows a file of the receiving root which is like the new one."""
    supply = Far(NEW, TOLD)
    supply.basis = lambda step: TreePath(path)  # type: ignore[attr-defined]
    return supply


def test_a_new_file_is_rebuilt_from_the_one_the_supply_names(root: bytes) -> None:
    fill(root, {"d/moved": OLD})
    supply = with_basis(b"d/moved")
    assert run(root, create(), supply).status is Status.DONE
    assert (supply.rebuilds, supply.reads) == ([(0, OLD)], [])
    assert snapshot(root)[b"a"] == b"f:" + NEW


@pytest.mark.parametrize(
    "path",
    b"link d d/../d/moved ../secret /etc/passwd no fifo .rcn-0000000000000001 ".split(b" "),
)
def test_what_is_no_file_of_this_root_is_no_basis(root: bytes, path: bytes) -> None:
    fill(root, {"d/moved": OLD, "link": "d/moved", ".rcn-0000000000000001": OLD, "../secret": OLD})
    os.mkfifo(root + b"/fifo")
    supply = with_basis(path)
    assert run(root, create(), supply).status is Status.DONE
    assert (supply.rebuilds, supply.reads) == ([], [0])


def test_zeros_become_holes_however_they_come(root: bytes) -> None:
    middle = b"x" * HOLE
    size = 20 << 20
    content = bytes(size - HOLE) + middle
    told: list[Piece] = [bytes(4 << 20), Zeros(size - HOLE - (4 << 20)), middle]
    for number, supply in enumerate([Far(content), Far(content, told)]):
        step = create(content) if not number else update(root, content[:-1], content)
        assert run(root, step, supply).status is Status.DONE
        status = os.stat(root + b"/a")
        assert status.st_size == size
        assert status.st_blocks * 512 < 1 << 20
    assert snapshot(root)[b"a"] == b"f:" + content


def test_holes_of_the_basis_and_at_the_end_stay_holes(root: bytes) -> None:
    with open(root + b"/a", "wb") as stream:
        stream.write(b"x" * HOLE)
        stream.truncate(8 << 20)
    old = entry_at(root, b"a")
    new = b"x" * HOLE + bytes(9 << 20)
    step = Steps().add(Action.UPDATE, b"a", old, file(b"a", new))
    supply = Far(new, [Span(0, 8 << 20), Zeros(HOLE + (1 << 20))])
    assert run(root, step, supply).status is Status.DONE
    assert supply.reads == []
    assert os.stat(root + b"/a").st_blocks * 512 < 1 << 20


@pytest.mark.parametrize("kind", [Far, Proving])
@pytest.mark.parametrize("cut", [1, BLOCK - 1, STREAM_RESUMED_FROM, len(NEW) - 1])
def test_a_cut_stream_goes_on_where_it_was_cut(root: bytes, cut: int, kind: type[Far]) -> None:
    class Cut(Far):
        def read(self, step: Step, offset: int) -> Iterator[bytes]:
            for start in range(0, cut, BLOCK):
                yield NEW[start : min(start + BLOCK, cut)]
            raise Unreachable("the connection was lost")

    step = create()
    with pytest.raises(Unreachable):
        run(root, step, Cut(NEW))
    assert snapshot(root, ours=True) == {step_temp(step) + PART: b"f:" + NEW[:cut]}
    supply = kind(NEW)
    assert run(root, step, supply).status is Status.DONE
    assert supply.reads == [cut]
    if isinstance(supply, Proving):
        assert supply.asked == (cut, blake3(NEW[:cut]).digest())
    assert snapshot(root, ours=True) == {b"a": b"f:" + NEW}


def test_a_connection_lost_while_the_part_is_proven_leaves_it(root: bytes) -> None:
    class Lost(Proving):
        def prefix_is(self, step: Step, length: int, digest: bytes) -> bool:
            raise Unreachable("the connection was lost")

    step = create()
    leave_part(root, step, NEW[:BLOCK])
    with pytest.raises(Unreachable):
        run(root, step, Lost(NEW))
    assert snapshot(root, ours=True) == {step_temp(step) + PART: b"f:" + NEW[:BLOCK]}


def test_a_refused_part_is_put_away_and_is_the_basis(root: bytes) -> None:
    step = create()
    part = b"!" + NEW[1:-BLOCK]
    leave_part(root, step, part)
    supply = Proving(NEW, [NEW[:1], Span(1, len(part) - 1), NEW[-BLOCK:]])
    assert run(root, step, supply).status is Status.DONE
    assert (supply.rebuilds, supply.reads) == ([(0, part)], [])
    assert kept(root) == [part]


@pytest.mark.parametrize("longer", ["part", "target"])
def test_the_longer_of_two_bases_is_taken(root: bytes, longer: str) -> None:
    old = OLD if longer == "target" else OLD[: BLOCK * 2]
    step = update(root, old)
    part = b"!" + NEW[1 : BLOCK * 4]
    leave_part(root, step, part)
    supply = Proving(NEW)
    assert run(root, step, supply).status is Status.DONE
    assert supply.rebuilds == [(0, old if longer == "target" else part)]


def test_a_part_goes_on_from_pieces_too(root: bytes) -> None:
    step = update(root)
    cut = 100_000 + len(INSERTED)
    leave_part(root, step, NEW[:cut])
    supply = Proving(NEW, TOLD[3:])
    assert run(root, step, supply).status is Status.DONE
    assert ([offset for offset, _ in supply.rebuilds], supply.reads) == ([cut], [])


def test_a_part_that_rebuilding_spoils_is_put_away_and_the_whole_is_read(root: bytes) -> None:
    step = update(root)
    leave_part(root, step, NEW[:BLOCK])
    supply = Proving(NEW, [Span(0, len(NEW) - BLOCK)])
    assert run(root, step, supply).status is Status.DONE
    assert (len(supply.rebuilds), supply.reads) == (1, [0])
    assert len(kept(root)) == 1
    assert snapshot(root)[b"a"] == b"f:" + NEW


def test_a_complete_part_is_not_asked_for(root: bytes) -> None:
    step = create()
    leave_part(root, step, NEW)
    supply = Proving(NEW)
    assert run(root, step, supply).status is Status.DONE
    assert (supply.reads, supply.rebuilds, supply.asked) == ([], [], None)


def test_a_complete_part_that_is_wrong_is_the_basis(root: bytes) -> None:
    step = create()
    leave_part(root, step, NEW[:-1] + b"?")
    supply = Proving(NEW, [Span(0, len(NEW) - 1), NEW[-1:]])
    assert run(root, step, supply).status is Status.DONE
    assert (len(supply.rebuilds), supply.reads) == (1, [])


def test_a_part_that_is_too_long_is_put_away(root: bytes) -> None:
    step = create()
    leave_part(root, step, NEW + b"?")
    assert run(root, step, Proving(NEW)).status is Status.DONE
    assert kept(root) == [NEW + b"?"]


def test_a_part_with_a_second_name_is_not_written_into(root: bytes) -> None:
    step = create()
    part = leave_part(root, step, NEW[:BLOCK])
    os.link(part, root + b"/snapshot")
    assert run(root, step, Far(NEW)).status is Status.DONE
    found = snapshot(root)
    assert found == {b"a": b"f:" + NEW, b"snapshot": b"f:" + NEW[:BLOCK]}


def test_a_stream_without_end_does_not_fill_the_disk(root: bytes) -> None:
    class Endless(Far):
        def read(self, step: Step, offset: int) -> Iterator[bytes]:
            while True:
                self.reads.append(offset)
                yield NEW[:BLOCK]

    supply = Endless(NEW)
    assert run(root, create(), supply).status is Status.STALE
    assert len(supply.reads) == len(NEW) // BLOCK + 1
    assert snapshot(root, ours=True) == {}
