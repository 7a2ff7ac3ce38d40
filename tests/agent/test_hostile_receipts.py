"""A far side that lies of what it did: a receipt counts only when it fits its step, and what it
acknowledges was sent."""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconcile.model.codec import encode
from reconcile.model.entry import Kind
from reconcile.model.errors import Unreachable
from reconcile.model.plan import Action, Problem, Side, Source, Step
from reconcile.model.receipt import Fingerprint, Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.trees.agent_tree import AgentTree
from reconcile.trees.base import RunOptions
from reconcile.wire import messages as m
from tests.agent.liar import Again, Content, liar
from tests.agent.lies import BIG, MIB, Held, refused
from tests.trees.looking import T0, file

pytestmark = pytest.mark.usefixtures("canary")


def create(number: int, path: bytes, content: bytes) -> Step:
    entry = file(path, content)
    at = TreePath(path)
    source = Source(Side.LEFT, at, entry)
    return Step(number, Side.RIGHT, Action.CREATE, at, at, None, entry, source)


STEP = create(1, b"d/f", b"content")
OTHER = create(2, b"d/g", b"other")
DONE = Receipt(1, Status.DONE, entry=STEP.want)
MARK = Fingerprint(0o100644, 7, T0, T0, 1, 1)
RIGHTS = encode([("security.capability", b"x")])
BAD_RECEIPTS: list[list[Receipt]] = [
    [],
    [DONE, DONE],
    [replace(DONE, step=2)],
    [replace(DONE, entry=None)],
    [replace(DONE, entry=file(b"f", b"forged!"))],
    [replace(DONE, entry=file(b"g", b"content"))],
    [replace(DONE, entry=file(b"..", b"content"))],
    [replace(DONE, entry=replace(file(b"f", b"content"), size=8))],
    [replace(DONE, entry=replace(file(b"f", b"content"), kind=Kind.DIR))],
    [replace(DONE, entry=replace(file(b"f", b"content"), extra=(("name-left", b"g"),)))],
    [replace(DONE, entry=replace(file(b"f", b"content"), extra=(("owner", b"root"),)))],
    [replace(DONE, entry=replace(file(b"f", b"content"), extra=(("owner", b"0:0"),) * 2))],
    [replace(DONE, entry=replace(file(b"f", b"content"), extra=(("xattr", b"\xc1"),)))],
    [replace(DONE, entry=replace(file(b"f", b"content"), extra=(("xattr", RIGHTS),)))],
    [replace(DONE, version="../../etc")],
    [replace(DONE, version="/etc/passwd")],
    [replace(DONE, version=".reconcile/../../x")],
    [replace(DONE, version=".reconcile/" + "x" * 30_000)],
    [replace(DONE, fingerprint=replace(MARK, inode=2**64 - 1))],
    [replace(DONE, fingerprint=replace(MARK, mode=-1))],
    [Receipt(1, Status.FAILED)],
    [Receipt(1, Status.STALE, "\x1b]0;", "x")],
]


@pytest.mark.parametrize("receipts", BAD_RECEIPTS, ids=lambda receipts: repr(receipts)[-70:])
def test_receipts_that_do_not_fit_are_refused(
    tmp_path: Path, trees: list[Any], receipts: list[Receipt]
) -> None:
    tree = liar(tmp_path, m.Receipts(tuple(receipts)))
    trees.append(tree)
    refused(tree.carry_out, [STEP])


@pytest.mark.parametrize("order", [[2, 1], [1], [1, 1], [1, 3], [1, 2, 3]], ids=str)
def test_receipts_come_one_for_each_step_in_order(
    tmp_path: Path, trees: list[Any], order: list[int]
) -> None:
    receipts = tuple(Receipt(number, Status.FAILED, "E_IO", "x") for number in order)
    tree = liar(tmp_path, m.Receipts(receipts))
    trees.append(tree)
    refused(tree.carry_out, [STEP, OTHER])


def test_a_removal_that_left_something_is_refused(tmp_path: Path, trees: list[Any]) -> None:
    step = replace(STEP, action=Action.DELETE, expect=STEP.want, want=None, source=None)
    tree = liar(tmp_path, m.Receipts((DONE,)))
    trees.append(tree)
    refused(tree.carry_out, [step])


def test_what_a_failed_receipt_says_beside_is_dropped(tmp_path: Path, trees: list[Any]) -> None:
    told = Receipt(1, Status.FAILED, "E_IO", "x" * 5000, STEP.want, MARK, "../..", 7)
    tree = liar(tmp_path, m.Receipts((told,), b"before", b"after"))
    trees.append(tree)
    assert list(tree.carry_out([STEP])) == [Receipt(1, Status.FAILED, "E_IO", "x" * 1000)]
    assert tree.cursor == b""


def sent(tree: AgentTree, steps: Sequence[Step], contents: dict[int, bytes]) -> Sequence[Receipt]:
    """Contents and what is done with them; how they arrived may be told at the end."""
    return [*tree.stage(steps, Held(contents)), *tree.carry_out(steps)]


def need(number: int = 1, **changes: Any) -> m.Needs:
    return m.Needs((replace(m.Need(number, "whole"), **changes),))


@pytest.mark.parametrize(
    "says",
    [
        [need(), m.Receipts((DONE,))],
        [need(), m.Receipts((Receipt(2, Status.FAILED, "E_IO"),))],
        [need(), m.Receipts((Receipt(1, Status.FAILED, "E_IO"),) * 2)],
        [need(), m.Ack(2**62)],
        [need(), m.Done()],
        [need(), m.Stop(1), m.Stop(1)],
        [m.Done()],
        [m.SignaturePart(2, b"x")],
        [m.SignaturePart(1, b"")],
        [m.SignaturePart(1, b"short"), need()],
        [m.SignaturePart(1, struct.pack(">BBBBQI", 2, 1, 10, 6, 1 << 40, 1 << 21)), need()],
        [m.SignaturePart(1, struct.pack(">BBBBQI", 9, 1, 10, 6, 0, 0)), need()],
        [Again(m.SignaturePart(1, bytes(MIB)))],
        [Content(13, b"\x91\xdd\xff\xff\xff\xff")],
    ],
    ids=lambda says: repr(says)[:60],
)
def test_a_staging_that_cannot_be_is_refused(
    tmp_path: Path, trees: list[Any], says: list[Any]
) -> None:
    tree = liar(tmp_path, *says)
    trees.append(tree)
    refused(sent, tree, [STEP], {1: b"content"}, most_mib=256)
    with pytest.raises(Unreachable):
        tree.carry_out([STEP])


def test_a_part_that_we_do_not_have_is_sent_whole(tmp_path: Path, trees: list[Any]) -> None:
    told = need(state="part", offset=2**40, prefix=b"p" * 32)
    tree = liar(tmp_path, told)
    trees.append(tree)
    assert tree.stage([STEP], Held({1: b"content"})) == ()


@pytest.mark.parametrize("count", [0, BIG + 1])
def test_acks_of_what_was_not_sent_are_refused(
    tmp_path: Path, trees: list[Any], count: int
) -> None:
    content = bytes(BIG)
    tree = liar(tmp_path, need(), Again(m.Ack(count)))
    trees.append(tree)
    refused(sent, tree, [create(1, b"f", content)], {1: content})


def test_a_far_side_that_takes_nothing_ends_the_run(tmp_path: Path, trees: list[Any]) -> None:
    content = bytes(9 * MIB)
    tree = liar(tmp_path, need(), stall_s=0.3)
    trees.append(tree)
    with pytest.raises(Unreachable, match="said nothing"):
        sent(tree, [create(1, b"f", content)], {1: content})


def test_notes_of_a_beginning_are_checked(tmp_path: Path, trees: list[Any]) -> None:
    tree = liar(tmp_path, m.Notes((Problem(TreePath(b"../x"), None, "E_IO", "x"),)))
    trees.append(tree)
    refused(tree.begin, RunOptions("r-1"), ())
