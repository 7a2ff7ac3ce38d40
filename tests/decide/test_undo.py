"""Undo, judged: what is taken back, in which order, what is left out, what the baseline gets."""

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from reconcile.decide.undo import Past, Present, TakenBack, take_back
from reconcile.decide.undo_base import reverts_of
from reconcile.model.entry import Entry
from reconcile.model.manifest import ABSENT, Manifest, build
from reconcile.model.plan import Action, Plan, Side, Step
from reconcile.model.policy import Policy, Rules
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath, parse
from tests.decide.simulate import World, run
from tests.trees_by_hand import content_of, things, tree

L, R = Side.LEFT, Side.RIGHT
BASE = {"f": "text", "d/": {"a": "A", "e/": {"b": "B"}}, "l->": "f"}


def kept(step: Step, receipt: Receipt) -> TreePath | None:
    """A version area that loses nothing."""
    del receipt
    return parse(b".reconcile/versions/r-1/" + step.at)


def nothing_kept(step: Step, receipt: Receipt) -> TreePath | None:
    del step, receipt
    return None


class Ran:
    """A run over trees written by hand, and what there is after it."""

    def __init__(self, left: Mapping[str, Any], right: Mapping[str, Any], rules: Rules = Rules()):  # noqa: B008
        self.before = World(things(BASE), things(left), things(right))
        self.after, self.plan = run(self.before, rules)

    def journal(self, done: int | None = None) -> list[tuple[Step, Receipt]]:
        count = len(self.plan.steps) if done is None else done
        return [
            (
                step,
                Receipt(step.id, Status.DONE, entry=step.want)
                if step.id <= count
                else Receipt(step.id, Status.FAILED, "E_IO"),
            )
            for step in self.plan.steps
        ]

    def undo(self, world: World | None = None, done: int | None = None, **how: Any) -> TakenBack:
        now = world or self.after
        base = tree_of(now.base)
        present = Present(base, tree_of(now.left), tree_of(now.right), how.get("kept", kept))
        return take_back(Past(self.journal(done), tree_of(self.before.base)), present)


def tree_of(found: Mapping[TreePath, Entry] | None) -> Manifest:
    return ABSENT if found is None else build(found)


def told(taken: TakenBack) -> list[tuple[str, str, str]]:
    return [(s.side.value, s.action.sign, s.path.decode()) for s in taken.steps]


def test_steps_come_in_the_opposite_order_and_needs_turn_round() -> None:
    ran = Ran({"f": "text", "l->": "f"}, BASE)  # `d` and all in it went
    taken = ran.undo()
    assert told(taken) == [
        ("right", "+", "d"), ("right", "+", "d/a"), ("right", "+", "d/e"), ("right", "+", "d/e/b"),
    ]  # fmt: skip
    assert [step.id for step in taken.steps] == [1, 2, 3, 4]
    needs = {step.path: step.needs for step in taken.steps}
    assert needs == {b"d": (), b"d/a": (1,), b"d/e": (1,), b"d/e/b": (3,)}
    assert not taken.changed


def test_content_comes_from_where_it_was_kept() -> None:
    ran = Ran({**BASE, "f": "edited"}, BASE)
    [step] = ran.undo().steps
    assert step.want is not None
    assert step.expect is not None
    assert (step.action, content_of(step.expect), content_of(step.want)) == (
        Action.UPDATE, "edited", "text",
    )  # fmt: skip
    assert step.source is not None
    assert (step.source.side, step.source.path) == (R, b".reconcile/versions/r-1/f")
    assert content_of(step.source.entry) == "text"


def test_a_move_goes_back_and_needs_no_version() -> None:
    ran = Ran({"g": "text", "d/": BASE["d/"], "l->": "f"}, BASE)
    taken = ran.undo(kept=nothing_kept)
    [step] = taken.steps
    assert (step.action, step.path, step.source and step.source.path) == (Action.MOVE, b"f", b"g")
    assert not taken.changed


def test_the_baseline_gets_what_it_held_before() -> None:
    ran = Ran({**BASE, "f": "edited", "n": "new"}, {"f": "text", "l->": "f"})
    reverts = {each.path: each.entry for each in ran.undo().reverts}
    before = things(BASE)
    assert set(reverts) == {b"f", b"n", b"d", b"d/a", b"d/e", b"d/e/b"}
    assert reverts[TreePath(b"n")] is None
    found = reverts[TreePath(b"f")]
    assert found is not None
    assert found.id == before[TreePath(b"f")].id
    assert reverts[TreePath(b"d/a")] is not None


def reverted(then: Manifest, now: Manifest, path: bytes) -> dict[bytes, int | None]:
    """Path -> mode, or None where the baseline forgets it."""
    place = TreePath(path)
    step = Step(1, R, Action.META, place, place, None, None)
    return {
        bytes(each.path): each.entry.mode if each.entry else None
        for each in reverts_of([step], then, now, is_newer=lambda path: not path)
    }


def test_the_baseline_gets_a_directory_back_by_its_mode() -> None:
    then, now = things({"d/": {"a": "A"}}), things({"d/": {"a": "A"}})
    assert reverted(build(then), build(now), b"d") == {}
    then[TreePath(b"d")] = replace(then[TreePath(b"d")], mode=0o700)
    assert reverted(build(then), build(now), b"d") == {b"d": 0o700}


def test_the_baseline_gets_the_directories_above_too() -> None:
    assert reverted(tree(BASE), tree({"f": "text"}), b"d/e/b") == {
        b"d": 0o755, b"d/e": 0o755, b"d/e/b": 0o644,
    }  # fmt: skip


def test_only_what_was_done_is_taken_back() -> None:
    ran = Ran({**BASE, "n": "1", "o": "2"}, BASE)
    half = ran.after.copy()
    del half.right[TreePath(b"o")]
    taken = ran.undo(half, done=1)
    assert told(taken) == [("right", "-", "n")]


def changed(world: World, side: Side, literal: Mapping[str, Any], *gone: str) -> World:
    found = world.copy()
    held = found.side(side)
    for path in gone:
        del held[TreePath(path.encode())]
    held.update(things(literal))
    return found


CHANGED: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "edited": ({"f": "newer"}, (), "it was changed since"),
    "made executable": ({"f*": "edited"}, (), "it was changed since"),
    "removed": ({}, ("f",), "it is gone since"),
    "another kind": ({"f->": "x"}, (), "it was changed since"),
    "unreadable": ({"f?": "EACCES"}, (), "it is excluded, or cannot be read"),
    "excluded": ({"f~": ...}, (), "it is excluded, or cannot be read"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_changed_since_is_left_out_and_told(name: str) -> None:
    literal, gone, why = CHANGED[name]
    ran = Ran({**BASE, "f": "edited", "n": "new"}, BASE)
    taken = ran.undo(changed(ran.after, R, literal, *gone))
    assert told(taken) == [("right", "-", "n")]
    assert [(each.side, each.path, each.why) for each in taken.changed] == [(R, b"f", why)]
    assert [each.path for each in taken.reverts] == [b"n"]


def test_what_was_taken_back_already_is_no_change() -> None:
    ran = Ran({**BASE, "f": "edited", "n": "new"}, BASE)
    taken = ran.undo(changed(ran.after, R, {"f": "text"}))
    assert told(taken) == [("right", "-", "n")]
    assert not taken.changed
    assert [each.path for each in taken.reverts] == [b"f", b"n"]


def test_a_touch_is_no_change() -> None:
    ran = Ran({**BASE, "f": "edited"}, BASE)
    assert told(ran.undo(changed(ran.after, R, {"f": ("edited", 99)}))) == [("right", "~", "f")]


def test_both_sides_of_a_path_are_taken_back_or_neither() -> None:
    rules = Rules(policies=(Policy.KEEP_BOTH,))
    ran = Ran({**BASE, "f": "of left"}, {**BASE, "f": "of right"}, rules)
    copy = next(step.path for step in ran.plan.steps if step.path != b"f")
    assert {step.path for step in ran.undo().steps} == {b"f", copy}
    now = changed(ran.after, R, {"f": "newer"})
    taken = ran.undo(now)
    assert told(taken) == []
    assert {each.path for each in taken.changed} == {b"f", copy}


def test_content_that_is_not_kept_is_told() -> None:
    ran = Ran({**BASE, "f": "edited", "l->": "elsewhere"}, BASE)
    taken = ran.undo(kept=nothing_kept)
    assert told(taken) == [("right", "~", "l")]
    [left] = taken.changed
    assert (left.path, left.why) == (b"f", "what was there before the run is not kept")


def test_a_directory_with_something_else_in_it_stays_with_those_above_it() -> None:
    ran = Ran({**BASE, "n/": {"x/": {"y": "Y"}, "z": "Z"}}, BASE)
    taken = ran.undo(changed(ran.after, R, {"n/x/mine": "M"}))
    assert told(taken) == [("right", "-", "n/z"), ("right", "-", "n/x/y")]
    assert [(each.path, each.why) for each in taken.residue] == [
        (b"n", "a directory in it stays"), (b"n/x", "something else is in it"),
    ]  # fmt: skip
    assert [each.path for each in taken.reverts] == [b"n/x/y", b"n/z"]
    assert not taken.changed


def test_what_stood_in_a_directory_that_is_gone_cannot_come_back() -> None:
    ran = Ran({"f": "text", "l->": "f", "d/": {"e/": {"b": "B"}}}, BASE)  # `d/a` went
    taken = ran.undo(changed(ran.after, R, {}, "d/e/b", "d/e", "d"))
    [left] = taken.changed
    assert (left.path, left.why) == (b"d/a", "the directory it was in is not there")


def test_a_file_cannot_take_its_name_back_from_a_directory_in_use() -> None:
    ran = Ran({**{k: v for k, v in BASE.items() if k != "f"}, "f/": {"in": "I"}}, BASE)
    assert told(ran.undo()) == [("right", "-", "f/in"), ("right", "~", "f")]
    taken = ran.undo(changed(ran.after, R, {"f/mine": "M"}))
    assert [(each.path, each.why) for each in taken.changed] == [
        (b"f", "something else is in it since")
    ]


def test_the_undo_of_an_undo_is_what_the_run_did() -> None:
    ran = Ran({**BASE, "f": "edited", "n/": {"m": "new"}}, BASE)
    first = ran.undo()
    plan = Plan(ran.plan.made_from, first.steps)
    journal = [(s, Receipt(s.id, Status.DONE, entry=s.want)) for s in plan.steps]
    base = things(BASE)
    present = Present(tree_of(base), tree_of(ran.before.left), tree_of(ran.before.right), kept)
    again = take_back(Past(journal, tree_of(ran.after.base)), present)
    did = [(s.side, s.action, s.path, s.want and s.want.id) for s in ran.plan.steps]
    assert [(s.side, s.action, s.path, s.want and s.want.id) for s in again.steps] == did
    assert {each.path for each in again.reverts} == {b"f", b"n", b"n/m"}


def test_an_empty_journal_takes_nothing_back() -> None:
    empty = tree({})
    assert take_back(Past((), ABSENT), Present(empty, empty, empty, kept)) == TakenBack(
        (), (), (), ()
    )
