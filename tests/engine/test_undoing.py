"""Undo: both sides, and what was agreed on, are as before the run; and the undo can be undone."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconcile.engine.cycle import apply_plan, make_plan
from reconcile.engine.events import silent
from reconcile.engine.opened import Opened
from reconcile.engine.planfile import load_plan, save_plan
from reconcile.engine.undoing import ChangedSince, run_to_undo, undo_maker
from reconcile.model.entry import Tracked
from reconcile.model.errors import NotFound, StalePlan, UsageError
from reconcile.model.plan import Action, PlanKind, Side
from reconcile.model.policy import Mode, Policy, Rules
from tests.engine.undone import Undone, edit

L, R = Side.LEFT, Side.RIGHT
Change = Callable[[Undone], None]


def moved(pair: Undone) -> None:
    pair.at(L, "dir").mkdir()
    pair.at(L, "file").rename(pair.at(L, "dir/renamed"))


def swapped(pair: Undone) -> None:
    pair.at(L, "file").rename(pair.at(L, "third"))
    pair.at(L, "other").rename(pair.at(L, "file"))
    pair.at(L, "third").rename(pair.at(L, "other"))


def chained(pair: Undone) -> None:
    pair.at(L, "other").rename(pair.at(L, "last"))
    pair.at(L, "file").rename(pair.at(L, "other"))


def became_directory(pair: Undone) -> None:
    pair.remove(L, "file")
    pair.put(L, {"file/in": b"below", "file/deep/er": b"deeper"})


def became(path: str, thing: bytes | str | None) -> Change:
    def change(pair: Undone) -> None:
        pair.remove(L, path)
        pair.put(L, {path: thing})

    return change


def both_edited(pair: Undone) -> None:
    pair.put(L, {"file": b"of left"})
    pair.put(R, {"file": b"of right!"}, 0o755)


def edited_and_deleted(pair: Undone) -> None:
    pair.put(L, {"sub/b": b"edited"})
    pair.remove(R, "sub")


def edited_in_part(pair: Undone) -> None:
    pair.put(L, {"sub/b": b"edited"})
    pair.remove(L, "sub/c")
    pair.remove(R, "sub")


STEPS: dict[str, tuple[Change, tuple[Policy, ...], set[Action]]] = {
    "create": (lambda p: p.put(L, {"n": b"new", "x/y": b"z"}, 0o640), (), {Action.CREATE}),
    "empty directory": (lambda p: p.put(L, {"x/y": None}), (), {Action.MKDIR}),
    "update": (lambda p: p.put(L, {"file": b"edited"}), (), {Action.UPDATE}),
    "delete": (lambda p: p.remove(L, "file", "link"), (), {Action.DELETE}),
    "delete a directory": (lambda p: p.remove(R, "sub"), (), {Action.DELETE, Action.RMDIR}),
    "move": (moved, (), {Action.MOVE, Action.MKDIR}),
    "swap": (swapped, (), {Action.UPDATE}),
    "chain": (chained, (), {Action.UPDATE, Action.CREATE, Action.DELETE}),
    "mode": (lambda p: p.at(L, "file").chmod(0o750), (), {Action.META}),
    "mode and content": (lambda p: p.put(R, {"file": b"!"}, 0o755), (), {Action.UPDATE}),
    "link": (became("link", "elsewhere"), (), {Action.UPDATE}),
    "file to link": (became("file", "other"), (), {Action.UPDATE}),
    "link to file": (became("link", b"a file"), (), {Action.UPDATE}),
    "file to directory": (became_directory, (), {Action.MKDIR, Action.CREATE}),
    "directory to file": (became("sub", b"a file"), (), {Action.UPDATE, Action.DELETE}),
    "directory to link": (became("sub", "file"), (), {Action.UPDATE, Action.DELETE}),
    "keep both": (both_edited, (Policy.KEEP_BOTH,), {Action.CREATE, Action.UPDATE}),
    "conflict won": (both_edited, (Policy.RIGHT,), {Action.UPDATE}),
    "deletion lost": (edited_and_deleted, (Policy.LEFT,), {Action.MKDIR, Action.CREATE}),
    "a part of it": (edited_in_part, (Policy.LEFT,), {Action.MKDIR, Action.CREATE}),
    "deletion won": (edited_and_deleted, (Policy.RIGHT,), {Action.DELETE, Action.RMDIR}),
}


def agreed(place: Path) -> Undone:
    pair = Undone(place, {"file": b"text", "link": "file", "sub/b": b"below", "sub/c/d": b"deep"})
    pair.put(L, {"other": b"another"}, 0o600)
    pair.run()
    return pair


@pytest.mark.parametrize("name", STEPS)
def test_after_every_kind_of_step_all_is_as_before(tmp_path: Path, name: str) -> None:
    change, policies, actions = STEPS[name]
    pair = agreed(tmp_path)
    change(pair)
    before, found = pair.seen(), pair.differences()

    run = pair.run(*policies)
    after = pair.seen()
    assert actions <= {step.action for step in run.planning.plan.steps}
    undone = pair.undo(run.run)

    assert not undone.not_done
    assert pair.seen() == before
    assert pair.differences() == found
    again = pair.undo(undone.run)
    assert pair.seen() == after
    assert pair.plan().is_empty
    pair.undo(again.run)
    assert pair.seen() == before
    assert pair.differences() == found


POLICIES = (
    (Policy.REPORT,), (Policy.LEFT,), (Policy.RIGHT,), (Policy.KEEP_BOTH,),
    (Policy.NEWER, Policy.LEFT),
)  # fmt: skip


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 2**32), st.sampled_from(POLICIES), st.booleans(), st.booleans())
def test_undo_is_exact_whatever_was_done(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    policies: tuple[Policy, ...],
    by_mode: bool,
    mirror: bool,
) -> None:
    dice = random.Random(seed)
    pair = Undone(tmp_path_factory.mktemp("law"))
    tracked = Tracked(mode=by_mode)
    mode = Mode.MIRROR if mirror else Mode.TWO_WAY
    rules = Rules(policies=policies, mode=mode, tracked=tracked)
    pair.job = replace(pair.job, tracked=tracked, rules=rules)
    edit(pair, L, dice, 8)
    pair.run()
    edit(pair, L, dice, 5)
    edit(pair, R, dice, 5)
    before, found = pair.seen(), pair.differences()

    run = pair.run()
    after = pair.seen()
    if not run.run:
        return
    undone = pair.undo(run.run)
    assert not undone.not_done
    assert pair.seen() == before
    assert pair.differences() == found
    if undone.run:
        pair.undo(undone.run)
        assert pair.seen() == after


def test_permission_bits_that_no_rule_tracks_come_back_too(tmp_path: Path) -> None:
    pair = agreed(tmp_path)
    pair.put(L, {"odd": b"text"}, 0o711)
    pair.run()
    pair.put(L, {"odd": b"no program any more"}, 0o644)
    run = pair.run()
    assert pair.at(R, "odd").stat().st_mode & 0o777 == 0o600
    pair.undo(run.run)
    assert pair.at(R, "odd").stat().st_mode & 0o777 == 0o711


def test_a_first_run_can_be_undone(tmp_path: Path) -> None:
    pair = Undone(tmp_path, {"a": b"1", "d/b": b"2", "same": b"="}, {"same": b"=", "r": b"3"})
    before, found = pair.seen(), pair.differences()
    run = pair.run()
    pair.undo(run.run)
    assert pair.seen() == before
    assert pair.differences() == found


def test_a_run_that_was_undone_is_not_undone_again(tmp_path: Path) -> None:
    pair = agreed(tmp_path)
    pair.put(L, {"file": b"edited"})
    run = pair.run()
    pair.undo(run.run)
    before = pair.seen()
    assert not pair.undo(run.run).run
    assert pair.seen() == before


def test_an_earlier_run_can_be_undone_where_nothing_changed_since(tmp_path: Path) -> None:
    pair = agreed(tmp_path)
    pair.put(L, {"file": b"edited"})
    run = pair.run()
    pair.put(L, {"other": b"edited later"})
    pair.run()
    pair.undo(run.run)
    assert pair.at(R, "file").read_bytes() == b"text"
    assert pair.at(R, "other").read_bytes() == b"edited later"
    [step] = pair.plan().steps
    assert (step.side, step.action, step.path) == (R, Action.UPDATE, b"file")


def became_link_at_right(pair: Undone) -> None:
    pair.remove(R, "file")
    pair.put(R, {"file": "link"})


CHANGES: dict[str, Change] = {
    "edited": lambda p: p.put(R, {"file": b"newer work"}),
    "chmodded": lambda p: p.at(R, "file").chmod(0o600),
    "removed": lambda p: p.remove(R, "file"),
    "another kind": became_link_at_right,
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changed_since_is_refused_whole_or_left_out(tmp_path: Path, name: str) -> None:
    pair = agreed(tmp_path)
    pair.put(L, {"file": b"edited", "other": b"edited too"})
    run = pair.run()
    CHANGES[name](pair)
    before = pair.seen()
    with pytest.raises(ChangedSince, match="1 path") as refused:
        pair.undo(run.run)
    assert "`file` at right" in refused.value.where
    assert pair.seen() == before

    undone = pair.undo(run.run, skip_changed=True)

    assert [step.path for step in undone.planning.plan.steps] == [b"other"]
    assert [problem.path for problem in undone.problems] == [b"", b"file"]
    assert pair.at(R, "other").read_bytes() == b"another"
    assert pair.seen()[R].get("file") == before[R].get("file")


def test_a_path_that_changed_on_one_side_stays_on_both(tmp_path: Path) -> None:
    pair = agreed(tmp_path)
    both_edited(pair)
    run = pair.run(Policy.KEEP_BOTH)
    pair.put(R, {"file": b"work goes on"})
    before = pair.seen()
    pair.undo(run.run, skip_changed=True)
    assert pair.seen() == before


def test_a_directory_with_something_new_in_it_stays(tmp_path: Path) -> None:
    pair = agreed(tmp_path)
    pair.put(L, {"new/a": b"1", "new/deep/b": b"2"})
    run = pair.run()
    pair.put(R, {"new/deep/mine": b"not of the run"})
    undone = pair.undo(run.run)
    assert sorted(pair.seen()[R]) == [
        "file", "link", "new", "new/deep", "new/deep/mine", "other", "sub", "sub/b", "sub/c",
        "sub/c/d",
    ]  # fmt: skip
    notes = [(problem.code, problem.path, problem.severity) for problem in undone.problems]
    assert notes == [
        ("E_COMES_AGAIN", b"", "note"),
        ("E_RESIDUE", b"new", "note"),
        ("E_RESIDUE", b"new/deep", "note"),
    ]
    pair.run()
    assert pair.seen()[L] == pair.seen()[R]


@pytest.mark.parametrize("name", ["sub/b", "sub/old"])
def test_what_somebody_made_in_a_directory_that_comes_back_is_not_deleted_with_it(
    tmp_path: Path, name: str
) -> None:
    pair = agreed(tmp_path)
    pair.put(L, {"sub/old": b"below"})
    pair.run()
    for side in Side:
        pair.remove(side, "sub/old")
    pair.remove(L, "sub")
    run = pair.run()
    pair.put(R, {name: b"below"}, 0o600)

    pair.undo(run.run, skip_changed=True)
    assert "sub/c/d" in pair.seen()[R]
    ran = pair.run()

    assert [conflict.path for conflict in ran.conflicts] == [b"sub"]
    assert pair.at(R, name).read_bytes() == b"below"


def test_what_needs_a_directory_that_cannot_come_back_stays_away(tmp_path: Path) -> None:
    pair = agreed(tmp_path)
    pair.remove(L, "sub")
    run = pair.run()
    pair.put(R, {"sub": b"a file now"})
    with pytest.raises(ChangedSince):
        pair.undo(run.run)
    undone = pair.undo(run.run, skip_changed=True)
    assert undone.planning.plan.is_empty
    assert pair.at(R, "sub").read_bytes() == b"a file now"


def test_a_directory_that_somebody_made_again_is_filled(tmp_path: Path) -> None:
    pair = agreed(tmp_path)
    pair.remove(L, "sub")
    run = pair.run()
    pair.put(R, {"sub": None})
    assert not pair.undo(run.run).not_done
    assert pair.at(R, "sub/c/d").read_bytes() == b"deep"


@pytest.mark.parametrize("where", ["never kept", "pruned"])
def test_content_that_is_not_kept_is_refused(tmp_path: Path, where: str) -> None:
    pair = agreed(tmp_path)
    pair.put(L, {"file": b"edited", "n": b"new"})
    run = pair.run(versions=where == "pruned")
    if where == "pruned":
        os.unlink(pair.at(R, f".reconcile/versions/{run.run}/file"))
    with pytest.raises(ChangedSince) as refused:
        pair.undo(run.run)
    assert "not kept" in refused.value.where
    pair.undo(run.run, skip_changed=True)
    assert not pair.at(R, "n").exists()
    assert pair.at(R, "file").read_bytes() == b"edited"


def test_undoing_a_won_conflict_brings_it_back_with_its_id(tmp_path: Path) -> None:
    pair = agreed(tmp_path)
    both_edited(pair)
    [conflict] = pair.plan().conflicts
    run = pair.run(Policy.LEFT)
    assert not pair.plan().conflicts
    pair.undo(run.run)
    assert [each.id for each in pair.plan().conflicts] == [conflict.id]


def test_a_saved_undo_is_applied_as_any_plan(tmp_path: Path) -> None:
    pair = agreed(tmp_path)
    pair.put(L, {"file": b"edited"})
    pair.remove(L, "other")
    before = pair.seen()
    run = pair.run()
    plan = make_plan(pair.job, silent, undo_maker(run.run)).plan
    location = str(tmp_path / "back.rplan")
    save_plan(
        location, plan, job=pair.job, created_ns=1, expires_ns=2, host="here", version="0"
    )  # fmt: skip
    saved = load_plan(location).saved
    assert (saved.plan.kind, saved.plan.of) == (PlanKind.UNDO, run.run)
    apply_plan(pair.job, saved.plan, saved.id, silent)
    assert pair.seen() == before


def test_a_run_under_another_header_is_refused(tmp_path: Path) -> None:
    pair = agreed(tmp_path)
    pair.put(L, {"file": b"edited"})
    run = pair.run()
    tracked = Tracked(mode=True)
    pair.job = replace(pair.job, tracked=tracked, rules=Rules(tracked=tracked))
    with pytest.raises(StalePlan, match="another hash or metadata set"):
        pair.undo(run.run)


def test_a_run_is_named_by_its_beginning(tmp_path: Path) -> None:
    pair = agreed(tmp_path)
    state = pair.job.state_dir
    with Opened(pair.job, silent, exclusive=False) as opened:
        [run] = opened.store.runs.recent(1)
    _, found, job = run_to_undo(state, run.id[:9])
    assert found.id == run.id
    assert (job.left, job.state_dir) == (pair.job.left, state)
    with pytest.raises(UsageError):
        run_to_undo(state, "")
    with pytest.raises(NotFound):
        run_to_undo(state, "r-nothing")
