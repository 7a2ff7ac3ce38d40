"""A far side that sends content nobody asked for, too much of it, or another: nothing of it gets
a name in our root, and no disk is filled."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconcile.model.errors import Unreachable
from reconcile.model.plan import Action, Side, Source, Step
from reconcile.model.receipt import Status
from reconcile.model.treepath import TreePath
from reconcile.trees.agent_tree import AgentTree
from reconcile.trees.base import RunOptions
from reconcile.trees.local import LocalTree
from reconcile.wire import messages as m
from reconcile.wire.frames import BODY_LIMIT
from reconcile.wire.packs import encode_pack
from tests.agent.liar import Again, Content, liar
from tests.agent.lies import BIG, MIB, refused
from tests.trees.looking import T0, file

pytestmark = pytest.mark.usefixtures("canary")


class FromAfar:
    """A `Supply` of the liar's content, as the engine routes it."""

    def __init__(self, tree: AgentTree) -> None:
        self.tree = tree

    def whole(self, step: Step) -> bytes | None:
        return self.tree.whole(step)

    def read(self, step: Step, offset: int) -> Iterator[bytes]:
        assert step.source
        return self.tree.read(step.source.path, step.source.entry, offset)

    def rebuild(self, step: Step, offset: int, fd: int) -> Iterator[bytes | tuple[int, int]]:
        return self.tree.rebuild(step, offset, fd)


def pulled(path: bytes, content: bytes) -> Step:
    """Content of the far side, which is right, for our left."""
    entry, at = file(path, content), TreePath(path)
    source = Source(Side.RIGHT, at, entry)
    return Step(1, Side.LEFT, Action.CREATE, at, at, None, entry, source)


@pytest.fixture
def near(tmp_path: Path) -> Iterator[LocalTree]:
    (tmp_path / "left").mkdir()
    tree = LocalTree(os.fsencode(tmp_path / "left"), workers=0)
    tree.begin(RunOptions("r-1"), ())
    yield tree
    tree.close()


def most_bytes(near: LocalTree) -> int:
    """Of the largest file in our root."""
    sizes = [
        os.path.getsize(os.path.join(top, name))
        for top, _, names in os.walk(near.location)
        for name in names
    ]
    return max(sizes, default=0)


SMALL = pulled(b"f", b"content")
LARGE = pulled(b"f", bytes(BIG))


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (SMALL, [Content(m.PACK, encode_pack([(2, b"content")]))]),
        (SMALL, [Content(m.PACK, encode_pack([(1, b"content")] * 2))]),
        (SMALL, [Content(m.PACK, encode_pack([(1, b"content and more")]))]),
        (SMALL, [Content(m.PACK, encode_pack([(1, b"content")])[:-1])]),
        (SMALL, [Content(m.PACK, encode_pack([(1, b"content")]) + b"x")]),
        (SMALL, [Content(m.PACK, b"\0\0")]),
        (SMALL, [Content(m.PACK, b"")]),
        (SMALL, [Content(m.PACK, b"\xff\xff" + bytes(100))]),
        (SMALL, [Content(m.DATA, b"content")]),
        (SMALL, [m.End(2)]),
        (SMALL, [m.Done()]),
        (SMALL, [Content(m.PACK, encode_pack([(1, b"content")])), m.End(1)]),
        (LARGE, [Again(Content(m.DATA, bytes(1 << 18)))]),
        (LARGE, [Content(m.DATA, b"")]),
        (LARGE, [Content(m.COPY, b"\x04\x00")]),
        (LARGE, [Content(m.PACK, encode_pack([(1, b"x")]))]),
        (LARGE, [m.End(7)]),
        (LARGE, [m.Receipts(())]),
        (LARGE, [Content(99, b"")]),
    ],
    ids=lambda value: repr(value)[:70] if isinstance(value, list) else "",
)
def test_content_that_was_not_asked_for_ends_the_run(
    tmp_path: Path, trees: list[Any], near: LocalTree, step: Step, says: list[Any]
) -> None:
    tree = liar(tmp_path, *says)
    trees.append(tree)
    refused(near.stage, [step], FromAfar(tree))
    assert most_bytes(near) <= BIG
    assert near.carry_out([step])[0].status is not Status.DONE
    assert not os.path.exists(os.path.join(near.location, b"f"))


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (SMALL, [Content(m.PACK, encode_pack([(1, b"forged!")])), m.Done()]),
        (SMALL, [Content(m.PACK, encode_pack([(1, b"short")])), m.Done()]),
        (SMALL, [m.End(1), m.Done()]),
        (LARGE, [Content(m.DATA, b"x" * 1000), m.End(0), m.Done()]),
        (LARGE, [Again(Content(m.DATA, b"x" * (1 << 18)), BIG >> 18), m.End(0), m.Done()]),
    ],
    ids=["forged", "short", "error-without-code", "stream-cut", "stream-forged"],
)
def test_content_that_is_not_what_was_wanted_is_never_published(
    tmp_path: Path, trees: list[Any], near: LocalTree, step: Step, says: list[Any]
) -> None:
    tree = liar(tmp_path, *says)
    trees.append(tree)
    receipts = near.stage([step], FromAfar(tree))
    assert [receipt.status for receipt in receipts] in ([Status.STALE], [Status.FAILED])
    assert near.carry_out([step])[0].status is not Status.DONE
    assert not os.path.exists(os.path.join(near.location, b"f"))


@pytest.mark.parametrize(
    "block",
    [
        b"\x04",
        b"\x00\x00",
        b"\xfc\xff\x7f\x00",
        b"\x04\x01",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x84\x80\x00\x00",
        b"\x29short",
        b"\x07",
        b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"",
    ],
    ids=bytes.hex,
)
def test_instructions_that_cannot_be_end_the_run(
    tmp_path: Path, trees: list[Any], near: LocalTree, block: bytes
) -> None:
    location = os.path.join(near.location, b"f")
    with open(location, "wb") as stream:
        stream.write(b"o" * 200_000)
    os.utime(location, ns=(T0, T0))
    new = file(b"f", bytes(BIG))
    step = replace(LARGE, action=Action.UPDATE, expect=file(b"f", b"o" * 200_000), want=new)
    tree = liar(tmp_path, Content(m.COPY, block), m.End(1), m.Done())
    trees.append(tree)
    refused(near.stage, [step], FromAfar(tree))
    with open(location, "rb") as stream:
        assert stream.read() == b"o" * 200_000
    assert most_bytes(near) <= BIG


def test_silence_in_the_middle_of_a_file_ends_the_run(
    tmp_path: Path, trees: list[Any], near: LocalTree
) -> None:
    tree = liar(tmp_path, Content(m.DATA, bytes(1000)), stall_s=0.3)
    trees.append(tree)
    with pytest.raises(Unreachable, match="said nothing"):
        near.stage([LARGE], FromAfar(tree))
    assert not os.path.exists(os.path.join(near.location, b"f"))


def test_a_huge_answer_to_one_small_read_is_bounded(
    tmp_path: Path, trees: list[Any], near: LocalTree
) -> None:
    """Every small file may claim a megabyte in a pack: it may not, when it was seen smaller."""
    steps = [replace(pulled(b"f%d" % n, b"x"), id=n) for n in range(1, 2001)]
    body = encode_pack([(n, bytes(MIB)) for n in range(1, 8)])
    tree = liar(tmp_path, Content(m.PACK, body[: BODY_LIMIT - 10_000]))
    trees.append(tree)
    tree.fetch(steps)
    refused(near.stage, steps, FromAfar(tree), most_mib=64)
