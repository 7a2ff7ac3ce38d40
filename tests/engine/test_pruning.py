"""Pruning: what goes, what never goes, and that a crash leaves nothing behind that is not found."""

import os
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.engine.history import kept_versions, path_history
from reconcile.engine.outcome import Planning
from reconcile.engine.pruning import Pruning, everything, look, needed, prune
from reconcile.engine.undoing import undo_maker
from reconcile.model.errors import Locked, Unreachable
from reconcile.model.job import Job, Retention
from reconcile.model.plan import Plan, Side
from reconcile.model.treepath import TreePath
from reconcile.store.lock import PairLock
from reconcile.store.state import Store, pair_directory
from reconcile.trees.local import LocalTree
from tests.engine.far_pair import FarPair
from tests.engine.kept_pair import KeptPair
from tests.trees.looking import snapshot
from tests.trees.systems import Counting, Stopped, Stopping

LEFT, RIGHT = Side


def go(job: Job, **options: object) -> Pruning:
    return prune(job, silent, lambda pruning: True, **options)  # type: ignore[arg-type]


def is_consistent(pair: KeptPair) -> None:
    """Every row has its content, every content its row."""
    rows = {os.fsencode(place).removeprefix(b".reconcile/versions/") for _, place in pair.rows()}
    assert rows == set(pair.kept(LEFT)) | set(pair.kept(RIGHT))


@pytest.fixture
def pair(tmp_path: Path) -> KeptPair:
    return KeptPair(tmp_path)


def test_the_newest_of_each_path_stay_and_the_others_go_from_side_and_state(
    pair: KeptPair,
) -> None:
    runs = pair.change("a", "1", "2", "3", "4", "5")
    pair.change("d__b", "1", "2")
    done = go(pair.keeping(2))
    assert (done.count, done.removed, len(done.going), done.problems) == (5, 2, 2, ())
    assert set(pair.kept().values()) == {b"3", b"4", b"1"}
    is_consistent(pair)
    assert not os.path.exists(f"{pair.job.right}/.reconcile/versions/{runs[1]}")
    assert go(pair.keeping(2)).going == ()


def test_looking_removes_nothing(pair: KeptPair) -> None:
    pair.change("a", "1", "2", "3", "4")
    before = pair.kept()
    seen = look(pair.keeping(1), silent, everything)
    assert [each.kept.number for each in seen.going] == [1, 2]
    assert seen.going_bytes == 2
    assert prune(pair.keeping(1), silent, lambda pruning: False) == seen
    assert pair.kept() == before
    assert go(pair.keeping(1)).going == seen.going


def test_without_a_limit_everything_stays(pair: KeptPair) -> None:
    pair.change("a", "1", "2", "3")
    assert go(pair.job).going == ()
    assert len(pair.kept()) == 2


def test_only_paths_that_take_part_go(pair: KeptPair) -> None:
    pair.change("a", "1", "2", "3")
    pair.change("b", "1", "2", "3")
    go(pair.keeping(0), takes_part=lambda path: path == b"a")
    assert {place.rpartition(b"/")[2] for place in pair.kept()} == {b"b"}


def test_the_last_run_can_be_undone_after_everything_was_pruned(pair: KeptPair) -> None:
    runs = pair.change("a", "1", "2", "3", None)
    go(pair.keeping(0, 0, 0))
    assert set(pair.kept().values()) == {b"3"}
    outcome = pair.run(undo_maker(runs[-1]))
    assert not outcome.not_done
    assert (pair.place / "right/a").read_text() == "3"


def test_what_a_run_that_has_not_ended_superseded_stays(pair: KeptPair) -> None:
    runs = pair.change("a", "1", "2", "3", "4")

    def reopen(store: Store) -> None:
        with store.transaction():
            run = store.runs.get(runs[1])
            assert run is not None
            store.runs.begin(replace(run, ended_ns=0))

    pair.store(reopen)
    go(pair.keeping(0))
    assert set(pair.kept().values()) == {b"1", b"3"}


def test_the_last_run_stays_undoable_also_when_it_was_cut_off_and_so_does_the_one_before_it(
    pair: KeptPair,
) -> None:
    runs = pair.change("a", "1", "2", "3", "4")

    def cut_off(store: Store) -> None:
        run = store.runs.get(runs[-1])
        assert run is not None
        with store.transaction():
            store.runs.end(replace(run, counts=(), result="interrupted"))

    pair.store(cut_off)
    go(pair.keeping(0))
    assert set(pair.kept().values()) == {b"3", b"2"}


def test_what_an_unfinished_plan_would_bring_stays(pair: KeptPair) -> None:
    runs = pair.change("a", "1", "2", "3", "4")
    plans: list[Plan] = []
    pair.run(undo_maker(runs[-1]))

    def begin(store: Store) -> None:
        last = store.runs.recent(1)[0]
        steps = tuple(step for step, _ in store.runs.journal(last.id))
        plan = Plan(last.made_from, steps, kind=last.kind, of=last.of)
        plans.append(plan)
        unfinished = replace(
            last,
            id="r-zzz",
            plan=msgspec.msgpack.encode(plan),
            ended_ns=0,
            result="",
            started_ns=2**62,
        )
        with store.transaction():
            store.runs.begin(unfinished)

    pair.store(begin)
    wanted = pair.store(needed)
    [source] = {step.source.entry.id for step in plans[0].steps if step.source is not None}
    assert source in wanted.bringing
    assert "r-zzz" in wanted.unfinished
    assert runs[-1] in wanted.last


def test_what_an_open_conflict_speaks_of_stays(pair: KeptPair) -> None:
    pair.change("a", "base", "later", "base", "other", "base")
    pair.write(LEFT, a="mine")
    pair.write(RIGHT, a="theirs")
    assert len(pair.run().conflicts) == 1
    pair.change("z", "1", "2")
    go(pair.keeping(0))
    assert set(pair.kept().values()) == {b"base", b"1"}


def test_a_place_that_the_state_does_not_tell_rightly_is_not_touched(pair: KeptPair) -> None:
    pair.change("a", "1", "2", "3")

    def twist(store: Store) -> None:
        with store.transaction():
            found = store.versions.find()
            store.versions.drop(v.id for v in found)
            store.versions.add(
                replace(v, place=".reconcile/versions/../../a") for v in reversed(found)
            )

    pair.store(twist)
    done = go(pair.keeping(0))
    assert [problem.code for problem in done.problems] == ["E_PATH"]
    assert done.removed == 1, "the content itself is found again as what it is"
    assert set(pair.kept().values()) == {b"2"}
    assert (pair.place / "right/a").read_text() == "3"


def test_a_run_of_the_pair_is_waited_for_by_nobody(pair: KeptPair) -> None:
    pair.change("a", "1", "2", "3")
    with PairLock(pair_directory(pair.state_dir, pair.pair), "r-1"), pytest.raises(Locked):
        go(pair.keeping(0))
    assert len(pair.kept()) == 2


def test_a_side_with_nothing_to_go_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = FarPair(tmp_path, RIGHT)
    far.run()
    (tmp_path / "right/a").write_bytes(b"changed")
    far.run()
    (tmp_path / "left/a").write_bytes(b"again")
    far.run()
    far.fars[RIGHT].calls.clear()
    go(replace(far.job, retention=Retention(keep=0)))
    assert "prune" not in far.fars[RIGHT].calls


def test_a_side_that_is_lost_in_the_middle_keeps_what_was_not_answered_for(tmp_path: Path) -> None:
    far = FarPair(tmp_path, RIGHT)
    far.run()
    for text in (b"1", b"2", b"3"):
        (tmp_path / "left/a").write_bytes(text)
        far.run()
    job = replace(far.job, retention=Retention(keep=1))
    far.fars[RIGHT].lose_at("prune")
    with pytest.raises(Unreachable):
        go(job)
    [found] = kept_versions(job.state_dir)
    assert len(found.versions) == 3
    far.fars[RIGHT].heal()
    assert go(job).removed == 2


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_crash_at_any_call_loses_no_row_before_its_content(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pair_with(number: int, system: Counting) -> KeptPair:
        place = tmp_path / str(number)
        place.mkdir()
        pair = KeptPair(place)
        pair.change("a", "1", "2", "3")
        pair.change("d__b", "1", "2", "3")
        opened = "reconcile.engine.opened.local_tree"
        monkeypatch.setattr(opened, lambda end: LocalTree(os.fsencode(end), system=system))
        return pair

    counting = Counting()
    assert go(pair_with(0, counting).keeping(1)).removed == 2
    monkeypatch.undo()
    for at in range(1, counting.count + 1):
        pair = pair_with(at, Stopping(at, how))
        with pytest.raises(Stopped):
            go(pair.keeping(1))
        known = {place.removeprefix(".reconcile/versions/") for _, place in pair.rows()}
        assert {os.fsdecode(place) for place in pair.kept()} <= known
        monkeypatch.undo()
        assert not go(pair.keeping(1)).problems
        is_consistent(pair)
        assert len(pair.kept()) == 2


def test_content_whose_row_stayed_is_told_as_what_it_is_until_the_row_goes(
    pair: KeptPair,
) -> None:
    pair.change("a", "1", "2", "3")
    place = next(iter(sorted(pair.kept())))
    os.unlink(os.path.join(os.fsencode(pair.job.right), b".reconcile/versions", place))
    assert len(pair.rows()) == 2
    done = go(pair.keeping(1))
    assert (done.removed, done.problems) == (1, ())
    is_consistent(pair)
    assert [event.kept is not None for event in path_history(pair.state_dir, TreePath(b"a"))] == [
        True, False, False,
    ]  # fmt: skip


def test_old_contents_of_the_state_go_unless_something_can_ask_for_them(pair: KeptPair) -> None:
    pair.change("a", "1", "2")
    folder = pair.place / "state/pairs" / pair.pair / "content"
    before = {place for place in folder.rglob("*") if place.is_file()}
    wanted = {place for place in before if place.read_bytes() == b"2"}
    for place in before:
        os.utime(place, ns=(0, 0))
    assert go(pair.keeping(5)).contents == len(before - wanted)
    assert {place for place in folder.rglob("*") if place.is_file()} == wanted


def test_a_run_that_ended_well_prunes_as_its_job_says(pair: KeptPair) -> None:
    pair.change("a", "1", "2", "3", "4")
    pair.write(LEFT, a="5")
    outcome = pair.run(retention=Retention(keep=1))
    assert (outcome.pruned, outcome.pruned_bytes) == (3, 3)
    assert set(pair.kept().values()) == {b"4"}
    is_consistent(pair)


def test_a_run_that_did_not_end_well_prunes_nothing(pair: KeptPair) -> None:
    pair.change("a", "1", "2", "3")
    pair.write(LEFT, b="new")

    def approve(planning: Planning) -> Plan:
        pair.write(LEFT, b="newer")
        return planning.plan

    outcome = apply_job(pair.keeping(0), silent, approve)
    assert outcome.not_done
    assert len(pair.kept()) == 2


def test_a_run_is_no_worse_because_nothing_could_be_pruned(tmp_path: Path) -> None:
    far = FarPair(tmp_path, RIGHT)
    far.run()
    for text in (b"1", b"2", b"3"):
        (tmp_path / "left/a").write_bytes(text)
        far.run()
    (tmp_path / "left/a").write_bytes(b"4")
    far.fars[RIGHT].lose_at("prune")
    outcome = far.run(retention=Retention(keep=0))
    assert not outcome.not_done
    assert [(note.code, note.severity) for note in outcome.problems] == [("E_UNREACHABLE", "note")]
    [found] = kept_versions(far.job.state_dir)
    assert len(found.versions) == 4


def test_content_that_nobody_noted_is_found_and_goes_like_any_other(pair: KeptPair) -> None:
    pair.change("a", "1", "2", "3", "4")
    (pair.place / "right/.reconcile/versions/theirs").mkdir()
    (pair.place / "right/.reconcile/versions/theirs/x").write_text("nobody's")
    before = pair.store(lambda store: store.versions.find())

    def forget(store: Store) -> None:
        with store.transaction():
            store.versions.drop(version.id for version in before)

    pair.store(forget)
    assert go(pair.keeping(5)).count == 3
    after = pair.store(lambda store: store.versions.find())
    assert {(v.run, v.path, v.place, v.content_id, v.size_bytes) for v in after} == {
        (v.run, v.path, v.place, v.content_id, v.size_bytes) for v in before
    }
    assert go(pair.keeping(0)).removed == 2
    assert set(pair.kept().values()) == {b"3", b"nobody's"}


def test_content_that_was_found_late_is_no_newer_than_it_is(pair: KeptPair) -> None:
    pair.change("a", "1", "2", "3", "4")

    def forget_oldest(store: Store) -> None:
        with store.transaction():
            store.versions.drop([store.versions.find()[-1].id])

    pair.store(forget_oldest)
    assert go(pair.keeping(2)).removed == 1
    assert set(pair.kept().values()) == {b"2", b"3"}


def test_whatever_moment_a_run_is_killed_at_what_it_kept_is_known_after_pruning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(number: int, system: Counting) -> KeptPair:
        place = tmp_path / str(number)
        place.mkdir()
        pair = KeptPair(place)
        pair.change("a", "1", "2")
        pair.write(LEFT, a="3", b="new")
        opened = "reconcile.engine.opened.local_tree"
        monkeypatch.setattr(opened, lambda end: LocalTree(os.fsencode(end), system=system))
        return pair

    counting = Counting()
    changed(0, counting).run()
    monkeypatch.undo()
    orphans = 0
    for at in range(1, counting.count + 1):
        pair = changed(at, Stopping(at, "after"))
        with pytest.raises(Stopped):
            pair.run()
        monkeypatch.undo()
        pair.run()
        orphans += len(pair.kept()) - len(pair.rows())
        go(pair.keeping(9))
        is_consistent(pair)
        area = snapshot(os.fsencode(pair.job.right + "/.reconcile"), ours=True)
        assert {b"f:1", b"f:2"} <= set(area.values()), "kept, or in quarantine"
    assert orphans, "no run was killed between a step and its note"
