"""Pairs with a remote side: what is told, what is remembered, and what a lost connection costs."""

import os
from pathlib import Path

import pytest

from reconcile.engine.events import Scanned
from reconcile.model.plan import Action, Side
from reconcile.model.receipt import Status
from tests.engine.far_pair import LEFT, RIGHT, FarPair
from tests.trees.looking import T0

WAYS = [(RIGHT,), (LEFT,), (LEFT, RIGHT)]
ways = pytest.mark.parametrize("remote", WAYS, ids=lambda sides: "+".join(sides))


@ways
def test_a_first_run_makes_both_sides_equal(tmp_path: Path, remote: tuple[Side, ...]) -> None:
    pair = FarPair(tmp_path, *remote, right={"mine": b"right's own"})
    outcome = pair.run()
    assert not outcome.not_done
    assert pair.content(RIGHT)[b"d/e/c"] == b"f:three"
    assert pair.content(LEFT)[b"mine"] == b"f:right's own"
    pair.assert_equal()


@ways
def test_the_second_run_is_silent_and_no_page_is_told(
    tmp_path: Path, remote: tuple[Side, ...]
) -> None:
    pair = FarPair(tmp_path, *remote)
    pair.run()
    pair.told()
    outcome = pair.run()
    assert (outcome.done, outcome.baseline_after) == (0, 1)
    assert pair.told() == 0
    seen = {event.side: event.tally for event in pair.events if isinstance(event, Scanned)}
    assert [seen[side].hashed_files for side in Side] == [0, 0]


@ways
@pytest.mark.parametrize("where", [LEFT, RIGHT])
def test_a_change_on_either_side_travels_and_nothing_else_is_told(
    tmp_path: Path, remote: tuple[Side, ...], where: Side
) -> None:
    pair = FarPair(tmp_path, *remote)
    pair.run()
    pair.told()
    pair.put(where, "d/b", b"two, changed")
    os.unlink(pair.at(where, "a"))
    outcome = pair.run()
    assert [ended.receipt.detail for ended in outcome.not_done] == []
    assert sorted(action for side, action, _ in outcome.counts) == ["delete", "update"]
    assert pair.told() == (2 if where in remote else 0)
    assert pair.content(where.other)[b"d/b"] == b"f:two, changed"
    assert b"a" not in pair.content(where.other)
    pair.assert_equal()
    assert pair.told() == 0


@ways
def test_what_went_is_not_remembered_below_its_name(
    tmp_path: Path, remote: tuple[Side, ...]
) -> None:
    pair = FarPair(tmp_path, *remote)
    pair.run()
    for side in (LEFT, RIGHT):
        os.unlink(pair.at(side, "d/e/c"))
        os.rmdir(pair.at(side, "d/e"))
        os.unlink(pair.at(side, "d/b"))
        os.rmdir(pair.at(side, "d"))
        pair.put(side, "d", b"a file now")
    pair.run()
    pair.put(LEFT, "x", b"new")
    pair.run()
    pair.assert_equal()


@ways
def test_a_time_alone_is_told(tmp_path: Path, remote: tuple[Side, ...]) -> None:
    pair = FarPair(tmp_path, *remote)
    pair.run()
    pair.told()
    for side in remote:
        os.utime(pair.at(side, "a"), ns=(T0 + 5, T0 + 5))
    planning = pair.plan()
    assert planning.plan.is_empty
    assert pair.told() == len(remote)
    for side in remote:
        pair.put(side.other, "a", b"new content", T0 + 7 * 10**9)
    assert all(step.action is Action.UPDATE for step in pair.plan().plan.steps)


def test_receipts_come_back_for_every_step(tmp_path: Path) -> None:
    pair = FarPair(tmp_path, RIGHT)
    outcome = pair.run()
    assert outcome.done == len(pair.content(LEFT))
    assert not [ended for ended in outcome.not_done if ended.receipt.status is not Status.DONE]
