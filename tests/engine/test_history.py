"""History: runs newest first, one run whole, one path across runs and versions."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconcile.engine.cycle import adopt_baseline, apply_job
from reconcile.engine.events import silent
from reconcile.engine.history import (
    ADOPT,
    INTERRUPTED,
    RUNNING,
    kept_versions,
    path_history,
    run_detail,
    runs_of,
    versions_of,
)
from reconcile.engine.outcome import Planning
from reconcile.engine.undoing import undo_maker
from reconcile.model.errors import NotFound, UsageError
from reconcile.model.plan import Action, Plan, Side
from reconcile.model.treepath import ROOT, TreePath
from reconcile.store.lock import PairLock
from reconcile.store.state import Store, pair_directory
from tests.engine.kept_pair import KeptPair

LEFT, RIGHT = Side
A = TreePath(b"a")


@pytest.fixture
def pair(tmp_path: Path) -> KeptPair:
    return KeptPair(tmp_path)


def reopened(pair: KeptPair, run: str) -> None:
    """As if its process had been killed."""

    def work(store: Store) -> None:
        found = store.runs.get(run)
        assert found is not None
        with store.transaction():
            store.runs.begin(replace(found, ended_ns=0, result="", counts=(), baseline_after=0))

    pair.store(work)


def test_runs_come_newest_first_with_what_they_did(pair: KeptPair) -> None:
    first, second = pair.change("a", "1", "2")
    new, old = runs_of(pair.state_dir)
    assert (new.id, old.id) == (second, first)
    assert new.counts == (("right", "update", 1),)
    assert old.counts == (("right", "create", 1),)
    assert (new.kind, new.result, new.not_done, new.is_well) == ("sync", "done", 0, True)
    assert (old.baseline_before, old.baseline_after) == (0, 1)
    assert (new.baseline_before, new.baseline_after) == (1, 2)
    assert 0 < new.started_ns <= new.ended_ns
    assert new.pair.left == pair.job.left


def test_every_pair_is_told_or_one(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    one, two = KeptPair(tmp_path / "1"), KeptPair(tmp_path / "2")
    [first] = one.change("a", "1")
    name = one.pair
    two.state_dir = one.state_dir
    two.job = replace(two.job, state_dir=one.state_dir)
    [second] = two.change("a", "1")
    assert [entry.id for entry in runs_of(one.state_dir)] == [second, first]
    assert [entry.id for entry in runs_of(one.state_dir, name)] == [first]


def test_a_run_that_only_agreed_is_told_as_adopted(pair: KeptPair) -> None:
    pair.write(LEFT, a="1", b="2")
    pair.write(RIGHT, a="1")
    adopt_baseline(pair.job, silent)
    [entry] = runs_of(pair.state_dir)
    assert (entry.kind, entry.counts, entry.has_journal) == (ADOPT, (), False)
    assert (entry.baseline_before, entry.baseline_after) == (0, 1)


def test_of_a_run_that_was_stopped_before_its_first_step_it_is_known_that_it_did_none(
    pair: KeptPair,
) -> None:
    [run] = pair.change("a", "1")

    def work(store: Store) -> None:
        found = store.runs.get(run)
        assert found is not None
        later = replace(found, id="r-later", started_ns=found.started_ns + 1, ended_ns=0, counts=())
        with store.transaction():
            store.runs.begin(later)

    pair.store(work)
    entry = run_detail(pair.state_dir, "r-later").entry
    assert (entry.result, entry.counts, entry.has_journal) == (INTERRUPTED, (), True)


def test_an_undo_and_the_run_it_took_back_know_each_other(pair: KeptPair) -> None:
    run = pair.change("a", "1", "2")[-1]
    undo = pair.run(undo_maker(run)).run
    again = pair.run(undo_maker(undo)).run
    entries = {entry.id: entry for entry in runs_of(pair.state_dir)}
    assert entries[run].undone_by == undo
    assert (entries[undo].kind, entries[undo].of) == ("undo", run)
    assert entries[undo].undone_by == again


def test_a_run_that_was_killed_is_told_as_interrupted_with_what_is_known(pair: KeptPair) -> None:
    run = pair.change("a", "1", "2")[-1]
    reopened(pair, run)
    entry = runs_of(pair.state_dir)[0]
    assert (entry.result, entry.is_well) == (INTERRUPTED, False)
    assert entry.counts == (("right", "update", 1),)
    with PairLock(pair_directory(pair.state_dir, pair.pair), run):
        entry = runs_of(pair.state_dir)[0]
        assert (entry.result, entry.is_well) == (RUNNING, True)


def test_one_run_tells_every_step_and_what_it_left_alone(pair: KeptPair) -> None:
    pair.change("a", "1")
    pair.write(LEFT, a="2", b="new", c="mine")
    pair.write(RIGHT, c="theirs")

    def approve(planning: Planning) -> Plan:
        pair.write(LEFT, b="newer")
        return planning.plan

    run = apply_job(pair.job, silent, approve).run
    for name in (run, run[:-1]):
        detail = run_detail(pair.state_dir, name)
        assert detail.entry.id == run
        assert [(step.action, step.path) for step in detail.done] == [(Action.UPDATE, A)]
        [ended] = detail.not_done
        assert (ended.step.path, ended.receipt.code) == (b"b", "E_CHANGED_WHILE_READING")
        assert [conflict.path for conflict in detail.conflicts] == [b"c"]
        assert [each.version.path for each in detail.versions] == [A]
        assert (detail.dropped, detail.not_reached, len(detail.journal)) == (0, (), 2)
        assert (detail.entry.result, detail.entry.not_done) == ("partial", 1)


def test_versions_that_are_gone_are_counted(pair: KeptPair) -> None:
    run = pair.change("a", "1", "2")[-1]

    def drop(store: Store) -> None:
        with store.transaction():
            store.versions.drop(version.id for version in store.versions.find())

    pair.store(drop)
    detail = run_detail(pair.state_dir, run)
    assert (detail.versions, detail.dropped) == ((), 1)


def test_a_run_is_found_by_its_beginning_only_when_that_is_clear(pair: KeptPair) -> None:
    pair.change("a", "1", "2")
    with pytest.raises(UsageError, match="several runs"):
        run_detail(pair.state_dir, "r-")
    with pytest.raises(NotFound):
        run_detail(pair.state_dir, "r-nothing")


def test_one_path_is_told_across_runs_and_versions(pair: KeptPair) -> None:
    runs = pair.change("a", "1", "2", None, "3")
    pair.change("other", "1", "2")
    told = path_history(pair.state_dir, A)
    assert [event.run.id for event in told] == list(reversed(runs))
    assert [event.step.action for event in told] == [
        Action.CREATE, Action.DELETE, Action.UPDATE, Action.CREATE,
    ]  # fmt: skip
    assert [event.kept and event.kept.number for event in told] == [None, 2, 1, None]
    [found] = kept_versions(pair.state_dir, path=A)
    assert [(each.number, each.version.run) for each in found.versions] == [
        (2, runs[2]),
        (1, runs[1]),
    ]
    assert found.versions[0].place == b".reconcile/versions/" + runs[2].encode() + b"/a"


def test_a_move_is_told_at_both_its_names(pair: KeptPair) -> None:
    pair.change("a", "content")
    os.rename(pair.place / "left/a", pair.place / "left/b")
    pair.run()
    [gone, came] = path_history(pair.state_dir, A)
    assert (gone.step.action, gone.step.path) == (Action.MOVE, b"b")
    assert came.step.action is Action.CREATE
    assert [event.step.action for event in path_history(pair.state_dir, TreePath(b"b"))] == [
        Action.MOVE
    ]


def test_a_directory_is_told_by_what_happened_below_it(pair: KeptPair) -> None:
    pair.change("d__a", "1", "2")
    pair.change("dd", "1")
    told = path_history(pair.state_dir, TreePath(b"d/"[:1]))
    assert {event.step.path for event in told} == {b"d"}
    pair.change("e__f", "1")
    below = path_history(pair.state_dir, ROOT)
    assert {event.step.path for event in below} >= {b"d", b"d/a", b"dd", b"e/f"}


def test_a_path_nobody_knows_has_no_history(pair: KeptPair) -> None:
    pair.change("a", "1")
    assert path_history(pair.state_dir, TreePath(b"nothing")) == ()
    assert runs_of(str(pair.place / "no-state")) == ()


def test_numbers_count_both_sides_and_a_side_leaves_the_others_out(pair: KeptPair) -> None:
    pair.change("a", "1", "2")
    pair.write(RIGHT, a="3")
    pair.run()
    pair.change("a", "4")
    numbers = [
        pair.store(lambda s: versions_of(s, A, side))  # noqa: B023
        for side in (None, LEFT, RIGHT)
    ]
    told = [[(each.number, each.version.side) for each in some] for some in numbers]
    assert told[0] == [(3, RIGHT), (2, LEFT), (1, RIGHT)]
    assert told[1] == [(2, LEFT)]
    assert told[2] == [(3, RIGHT), (1, RIGHT)]


def test_reading_history_writes_nothing(pair: KeptPair) -> None:
    run = pair.change("a", "1", "2")[-1]
    directory = pair_directory(pair.state_dir, pair.pair)
    before = {name: os.stat(os.path.join(directory, name)).st_mtime_ns
              for name in os.listdir(directory) if not name.endswith("-shm")}  # fmt: skip
    runs_of(pair.state_dir)
    run_detail(pair.state_dir, run)
    path_history(pair.state_dir, A)
    after = {name: os.stat(os.path.join(directory, name)).st_mtime_ns
             for name in os.listdir(directory) if not name.endswith("-shm")}  # fmt: skip
    assert after == before
