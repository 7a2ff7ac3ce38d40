"""Pairs with a remote side: what is told, what is remembered, and what a lost connection costs."""

import os
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconcile.engine.events import Scanned, silent
from reconcile.engine.manifests import build_manifest, compare_directory, compare_manifests
from reconcile.model.errors import Refused, RootMissing, UsageError
from reconcile.model.plan import Problem, Side
from reconcile.model.policy import Policy
from reconcile.model.treepath import ROOT
from tests.engine.far_pair import LEFT, RIGHT, THINGS, FarPair
from tests.trees.looking import T0

WAYS = [(RIGHT,), (LEFT,), (LEFT, RIGHT)]
ways = pytest.mark.parametrize("remote", WAYS, ids="+".join)


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


def test_sources_are_announced_before_they_are_read(tmp_path: Path) -> None:
    pair = FarPair(tmp_path, LEFT, RIGHT)
    pair.run()
    steps = pair.fars[LEFT].fetched
    assert len(steps) == 3
    assert steps == sorted(steps)
    assert pair.fars[RIGHT].fetched == []


def test_what_the_connection_has_to_say_stands_in_the_plan(tmp_path: Path) -> None:
    pair = FarPair(tmp_path, RIGHT)
    note = Problem(ROOT, None, "E_CARRIED", "the far side's ids are sha256", "note")
    pair.fars[RIGHT].notes = (note,)
    assert pair.plan().plan.problems == (replace(note, side=RIGHT),)


@pytest.mark.parametrize("where", [LEFT, RIGHT])
def test_newer_does_not_decide_when_the_clocks_differ(tmp_path: Path, where: Side) -> None:
    pair = FarPair(tmp_path, where)
    pair.run()
    pair.put(LEFT, "a", b"older", T0 + 10 * 10**9)
    pair.put(RIGHT, "a", b"newer", T0 + 20 * 10**9)
    rules = replace(pair.job.rules, policies=(Policy.NEWER,))
    assert [step.side for step in pair.plan(rules=rules).plan.steps] == [LEFT]
    pair.fars[where].skew_ns = -5 * 10**9
    [conflict] = pair.plan(rules=rules).plan.conflicts
    assert "clocks" in conflict.note


def test_both_far_sides_look_before_either_is_waited_for(tmp_path: Path) -> None:
    pair = FarPair(tmp_path, LEFT, RIGHT)
    order: list[str] = []
    for side, far in pair.fars.items():
        far.trouble = lambda call, side=side: order.append(f"{call} {side}")  # type: ignore[misc]
    pair.plan()
    starts = [
        "connect left", "connect right", "start_look left", "start_look right",
        "look left", "look right",
    ]  # fmt: skip
    assert order == starts


def test_a_missing_far_root_is_said_with_its_place(tmp_path: Path) -> None:
    pair = FarPair(tmp_path, RIGHT)
    pair.run()
    os.rename(pair.roots[RIGHT], pair.roots[RIGHT] + b".away")
    with pytest.raises(RootMissing) as missing:
        pair.run()
    assert missing.value.changed.startswith("nothing")
    assert pair.content(LEFT)


def test_another_far_root_is_refused(tmp_path: Path) -> None:
    pair = FarPair(tmp_path, RIGHT)
    pair.run()
    shutil.rmtree(pair.roots[RIGHT])
    os.mkdir(pair.roots[RIGHT])
    with pytest.raises(Refused):
        pair.run()
    assert pair.content(LEFT)[b"a"] == b"f:one"


def test_a_manifest_is_built_and_checked_over_there(tmp_path: Path) -> None:
    pair = FarPair(tmp_path, RIGHT, right=THINGS)
    url = pair.fars[RIGHT].url
    here, there = (str(tmp_path / name) for name in ("here.rman", "there.rman"))
    built = build_manifest(pair.job, here, silent, created_ns=1)
    far_job = replace(pair.job, left=url)
    assert build_manifest(far_job, there, silent, created_ns=1).root == built.root
    assert compare_manifests(here, there).equal
    assert compare_directory(here, far_job, silent).equal
    pair.put(RIGHT, "a", b"changed over there")
    assert [one.path for one in compare_directory(here, far_job, silent).differences] == [b"a"]


def test_a_manifest_of_a_hash_the_far_side_cannot_do_is_not_compared(tmp_path: Path) -> None:
    pair = FarPair(tmp_path, RIGHT, right=THINGS)
    here = str(tmp_path / "here.rman")
    build_manifest(pair.job, here, silent, created_ns=1)
    pair.fars[RIGHT].hash_names = ("sha256",)
    with pytest.raises(UsageError):
        compare_directory(here, replace(pair.job, left=pair.fars[RIGHT].url), silent)


@ways
def test_a_real_agent_does_the_same(tmp_path: Path, remote: tuple[Side, ...]) -> None:
    pair = FarPair(tmp_path, right={"mine": b"right's own"})
    urls = {side: f"pipe://{tmp_path}/cache!{tmp_path}/{side}" for side in remote}
    pair.job = replace(pair.job, **urls)
    assert not pair.run().not_done
    pair.assert_equal()
    pair.put(LEFT, "d/b", b"edited at left")
    pair.put(RIGHT, "d/e/c", b"edited at right" * 100_000)
    os.unlink(pair.at(RIGHT, "a"))
    outcome = pair.run()
    assert (outcome.done, outcome.not_done) == (3, ())
    pair.assert_equal()
    seen = {event.side: event.tally for event in pair.events if isinstance(event, Scanned)}
    assert [seen[side].hashed_files for side in Side] == [0, 0]
