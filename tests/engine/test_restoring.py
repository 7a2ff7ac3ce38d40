"""Restore: a kept version stands again as an ordinary edit, or becomes a new file."""

import os
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconcile.engine.events import silent
from reconcile.engine.known import known_pairs
from reconcile.engine.opened import Opened
from reconcile.engine.outcome import Outcome
from reconcile.engine.pruning import prune
from reconcile.engine.restoring import Asked, At, NotRestored, pair_of, restore_maker
from reconcile.engine.writing_out import WrittenOut, write_out
from reconcile.model.errors import Denied, NotFound, StalePlan, UsageError
from reconcile.model.job import Retention
from reconcile.model.plan import Action, PlanKind, Side
from reconcile.model.policy import Policy
from reconcile.model.treepath import TreePath
from tests.engine.undone import Undone
from tests.trees.looking import all_contents

L, R = Side.LEFT, Side.RIGHT


def asked(*paths: str, at: At = At(), sides: tuple[Side, ...] = ()) -> Asked:  # noqa: B008
    return Asked(tuple(TreePath(path.encode()) for path in paths), at, sides)


def restore(pair: Undone, *paths: str, at: At = At(), sides: tuple[Side, ...] = ()) -> Outcome:  # noqa: B008
    outcome = pair.run(make=restore_maker(asked(*paths, at=at, sides=sides)))
    assert not outcome.not_done
    return outcome


def thrice(place: Path) -> Undone:
    """`f` was one, two, three; right keeps the first two."""
    pair = Undone(place, {"f": b"one", "d/a": b"A", "d/b": b"B"})
    pair.runs = [pair.run().run]
    for content in (b"two", b"three"):
        pair.put(L, {"f": content})
        pair.runs.append(pair.run().run)
    return pair


def test_the_newest_version_comes_back_as_an_edit_that_travels(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    then = pair.seen()
    outcome = restore(pair, "f")
    assert outcome.planning.plan.kind is PlanKind.RESTORE
    assert outcome.baseline_after == outcome.baseline_before
    assert pair.at(R, "f").read_bytes() == b"two"
    [step] = pair.plan().steps
    assert (step.side, step.action, step.path) == (L, Action.UPDATE, b"f")
    pair.run()
    assert pair.at(L, "f").read_bytes() == b"two"

    pair.undo(outcome.run, skip_changed=True)
    assert pair.at(R, "f").read_bytes() == then[R]["f"][0] == b"three"
    [step] = pair.plan().steps
    assert (step.side, step.action, step.path) == (L, Action.UPDATE, b"f")


@pytest.mark.parametrize(("number", "content"), [(2, b"two"), (1, b"one")])
def test_a_version_is_named_by_its_number(tmp_path: Path, number: int, content: bytes) -> None:
    pair = thrice(tmp_path)
    restore(pair, "f", at=At(version=number))
    assert pair.at(R, "f").read_bytes() == content


def test_a_run_that_kept_nothing_does_not_make_restore_destroy(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    pair.put(L, {"new": b"1"})
    pair.run(versions=False)
    pair.put(R, {"f": b"nowhere else"})
    [known] = known_pairs(pair.job.state_dir)
    assert known.job is not None
    pair.job = known.job
    restore(pair, "f")
    assert b"nowhere else" in all_contents(os.fsencode(pair.roots[R]))


def test_a_number_that_is_not_kept_is_not_found(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    with pytest.raises(NotFound, match="no version v3 of `f` is kept; kept of it: v2, v1"):
        restore(pair, "f", at=At(version=3))


@pytest.mark.parametrize(("number", "content"), [(1, b"one"), (2, b"two")])
def test_what_stood_before_a_run(tmp_path: Path, number: int, content: bytes) -> None:
    pair = thrice(tmp_path)
    restore(pair, "f", at=At(run=pair.runs[number]))
    assert pair.at(R, "f").read_bytes() == content


def test_what_was_pruned_is_not_kept_and_not_said_to_have_changed(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    everything_old = replace(pair.job, retention=Retention(keep=0))
    assert prune(everything_old, silent, lambda pruning: True).removed == 1
    with pytest.raises(NotFound, match="is not kept"):
        restore(pair, "f", at=At(run=pair.runs[1]))


def test_a_directory_comes_back_without_what_was_pruned_and_says_so(tmp_path: Path) -> None:
    pair = Undone(tmp_path, {"d/f": b"one", "d/g": b"gee"})
    pair.run()
    pair.put(L, {"d/f": b"two", "d/g": b"newer"})
    run = pair.run().run
    pair.put(L, {"d/f": b"three"})
    pair.run()
    everything_old = replace(pair.job, retention=Retention(keep=0))
    prune(everything_old, silent, lambda pruning: True, lambda path: path == b"d/f")
    outcome = restore(pair, "d", at=At(run=run), sides=(R,))
    assert pair.at(R, "d/g").read_bytes() == b"gee"
    assert pair.at(R, "d/f").read_bytes() == b"three"
    [problem] = outcome.planning.plan.problems
    assert (problem.path, problem.code) == (b"d/f", "E_NOT_RESTORED")


def test_what_was_pruned_comes_back_from_another_version_of_its_content(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    pair.put(L, {"g": b"one"})
    pair.run()
    pair.put(L, {"g": b"other"})
    pair.run()
    prune(replace(pair.job, retention=Retention(keep=0)), silent, lambda pruning: True)
    restore(pair, "f", at=At(run=pair.runs[1]))
    assert pair.at(R, "f").read_bytes() == b"one"


def test_what_stood_at_a_time(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    with Opened(pair.job, silent, exclusive=False) as opened:
        times = [opened.store.runs.get(run).started_ns for run in pair.runs]  # type: ignore[union-attr]
    restore(pair, "f", at=At(time_ns=times[2] - 1))
    assert pair.at(R, "f").read_bytes() == b"two"
    with pytest.raises(NotFound, match="nothing stood there"):
        restore(pair, "f", at=At(time_ns=times[0] - 1))


def test_what_was_changed_by_hand_before_it_could_be_kept_is_not_guessed(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    moment = pair.clock_ns = time.time_ns()
    pair.put(R, {"f": b"by hand"})
    pair.run()
    pair.put(L, {"f": b"five"})
    pair.run()
    with pytest.raises(NotFound, match="by hand"):
        restore(pair, "f", at=At(time_ns=moment), sides=(R,))


def test_a_deleted_directory_comes_back_with_its_modes(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    pair.put(L, {"d/deep/run": b"#!"}, 0o750)
    pair.at(L, "d").chmod(0o750)
    pair.run()
    pair.at(R, "d").chmod(0o750)
    pair.remove(L, "d")
    before = pair.seen()[R]
    pair.run()
    assert "d/a" not in pair.seen()[R]
    restore(pair, "d")
    assert pair.seen()[R] == before


def test_a_directory_that_stands_gets_what_it_lacks_and_nothing_else(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    pair.put(L, {"d/a": b"edited"})
    pair.remove(L, "d/b")
    pair.run()
    restore(pair, "d")
    assert pair.at(R, "d/a").read_bytes() == b"edited"
    assert pair.at(R, "d/b").read_bytes() == b"B"


def test_a_directory_as_it_was_before_a_run(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    pair.put(L, {"d/a": b"edited", "d/new": b"stays"})
    pair.remove(L, "d/b")
    run = pair.run()
    restore(pair, "d", at=At(run=run.run))
    found = {path: thing[0] for path, thing in pair.seen()[R].items() if path.startswith("d/")}
    assert found == {"d/a": b"A", "d/b": b"B", "d/new": b"stays"}


def test_what_moved_away_is_copied_back(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    pair.at(L, "d/a").rename(pair.at(L, "d/z"))
    run = pair.run()
    restore(pair, "d/a", at=At(run=run.run))
    assert pair.at(R, "d/a").read_bytes() == pair.at(R, "d/z").read_bytes() == b"A"


def test_a_link_comes_back(tmp_path: Path) -> None:
    pair = Undone(tmp_path, {"l": "target", "keep": b"k"})
    pair.run()
    pair.remove(L, "l")
    before = pair.seen()[R]
    pair.run()
    restore(pair, "l")
    assert pair.seen()[R] == before


def both_keep(place: Path) -> Undone:
    pair = thrice(place)
    pair.put(R, {"f": b"right's"})
    pair.run()
    return pair


def test_two_sides_that_keep_different_content_are_asked_about(tmp_path: Path) -> None:
    pair = both_keep(tmp_path)
    with pytest.raises(UsageError, match="both sides keep other content"):
        restore(pair, "f")
    restore(pair, "f", sides=(L,))
    assert pair.at(L, "f").read_bytes() == b"three"
    assert pair.at(R, "f").read_bytes() == b"right's"


def test_both_sides_get_it(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    restore(pair, "f", at=At(version=1), sides=(L, R))
    assert pair.at(L, "f").read_bytes() == pair.at(R, "f").read_bytes() == b"one"
    assert not pair.plan().steps


def test_both_sides_get_what_only_one_kept_where_nothing_is(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    pair.remove(L, "d")
    pair.run()
    outcome = restore(pair, "d", sides=(L, R))
    assert pair.at(L, "d/a").read_bytes() == pair.at(R, "d/a").read_bytes() == b"A"
    steps = {(step.side, step.path): step for step in outcome.planning.plan.steps}
    assert steps[R, TreePath(b"d/a")].id in steps[L, TreePath(b"d/a")].needs
    assert not pair.plan().steps


def test_a_side_that_does_not_keep_the_version_is_refused(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    with pytest.raises(UsageError, match="is kept at right"):
        restore(pair, "f", at=At(version=1), sides=(L,))
    with pytest.raises(NotFound, match="at left"):
        restore(pair, "f", sides=(L,))


def test_what_stands_there_already_needs_nothing(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    restore(pair, "f")
    assert not restore(pair, "f", at=At(version=2)).run


def test_a_directory_never_makes_room(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    pair.remove(R, "f")
    pair.put(R, {"f/in": b"a directory now"})
    with pytest.raises(NotRestored) as refused:
        restore(pair, "f", at=At(version=1))
    assert "a directory has its name now" in refused.value.where


def test_a_files_version_is_told_apart_from_the_directory_with_its_name(tmp_path: Path) -> None:
    pair = Undone(tmp_path, {"f": b"file"})
    pair.run()
    pair.remove(L, "f")
    pair.put(L, {"f/in": b"below"})
    pair.run()
    with pytest.raises(NotRestored, match="1 path"):
        restore(pair, "f", at=At(version=1))
    assert to_file(pair, "f", tmp_path / "out", At(version=1)).found.entry.size == 4


def test_the_superseded_content_is_kept_and_restore_is_undone(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    before = pair.seen()
    outcome = restore(pair, "f", at=At(version=2))
    pair.undo(outcome.run)
    assert pair.seen() == before
    assert not pair.plan().steps


def test_the_pair_is_found_by_its_paths(tmp_path: Path) -> None:
    first, second = thrice(tmp_path / "1"), thrice(tmp_path / "2")
    f = (TreePath(b"f"),)
    assert pair_of(first.job.state_dir, f).left == first.job.left
    second.job = replace(second.job, state_dir=first.job.state_dir)
    second.run()
    second.put(L, {"f": b"four"})
    second.run()
    with pytest.raises(UsageError, match="several pairs know `f`") as several:
        pair_of(first.job.state_dir, f)
    assert "--of" in several.value.hint
    with pytest.raises(NotFound, match="nothing is kept"):
        pair_of(first.job.state_dir, (TreePath(b"unheard-of"),))


def to_file(pair: Undone, path: str, location: Path, at: At = At()) -> WrittenOut:  # noqa: B008
    with Opened(pair.job, silent, exclusive=False, keeps=False) as opened:
        return write_out(opened, asked(path, at=at), os.fsencode(location))


def test_a_version_becomes_a_new_file_and_no_side_changes(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    before = pair.seen()
    to_file(pair, "f", tmp_path / "out", At(version=1))
    assert (tmp_path / "out").read_bytes() == b"one"
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o644
    assert pair.seen() == before
    with pytest.raises(UsageError, match="exists; it was left as it is"):
        to_file(pair, "f", tmp_path / "out", At(version=1))
    assert (tmp_path / "out").read_bytes() == b"one"


def test_a_directory_is_not_written_to_one_file(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    pair.put(L, {"d/a": b"AA"})
    pair.run()
    with pytest.raises(UsageError, match="`d` is a directory, and --to writes one file"):
        to_file(pair, "d", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_version_that_cannot_be_read_is_not_told_of_the_new_file(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    place = pair.at(R, f".reconcile/versions/{pair.runs[2]}")
    place.rename(tmp_path / "aside")
    place.symlink_to(place.name)  # a loop: no rights of root's lead through
    with pytest.raises(Denied, match="the version of `f` cannot be read"):
        to_file(pair, "f", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_version_that_was_changed_is_not_passed_off_as_what_was_kept(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    kept = pair.at(R, f".reconcile/versions/{pair.runs[2]}/f")
    kept.write_bytes(b"TWO")
    with pytest.raises(StalePlan, match="no longer what was kept"):
        to_file(pair, "f", tmp_path / "out")
    outcome = pair.run(make=restore_maker(asked("f")))
    assert [ended.receipt.code for ended in outcome.not_done] == ["E_CHANGED_WHILE_READING"]
    assert sorted(os.listdir(tmp_path)) == ["left", "right", "state"]


def test_a_conflict_that_was_decided_leaves_the_loser_to_be_restored(tmp_path: Path) -> None:
    pair = thrice(tmp_path)
    pair.put(L, {"f": b"of left"})
    pair.put(R, {"f": b"of right"})
    pair.run(Policy.LEFT)
    restore(pair, "f")
    assert pair.at(R, "f").read_bytes() == b"of right"
