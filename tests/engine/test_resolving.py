"""Conflicts resolved one by one: just those, just so, and only while they are what was seen."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from reconcile.decide.chosen import Choice, Ending
from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.engine.outcome import Outcome, Planning
from reconcile.engine.planning import make_plan
from reconcile.engine.resolving import (
    Decided,
    OpenConflict,
    Resolution,
    named,
    open_conflicts,
    sides_of,
)
from reconcile.model.errors import NotFound, UsageError
from reconcile.model.job import Job
from reconcile.model.plan import Plan, PlanKind, Side

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="`git merge-file` merges")
SECOND = 1_000_000_000
Files = dict[str, str | None]


class Pair:
    """Two directories, a state, and what is done with them."""

    def __init__(self, place: Path) -> None:
        self.place = place
        for side in ("left", "right"):
            (place / side).mkdir()
        self.job = Job(str(place / "left"), str(place / "right"), str(place / "state"))

    def write(self, side: str, files: Files, mtime_s: int = 0) -> None:
        """Put files there; None deletes; a name ending in `/` is a directory."""
        for name, text in files.items():
            file = self.place / side / name
            if text is None:
                shutil.rmtree(file) if file.is_dir() else file.unlink()
            elif name.endswith("/"):
                file.mkdir(parents=True)
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
                if mtime_s:
                    os.utime(file, ns=(mtime_s * SECOND, mtime_s * SECOND))

    def agree(self, files: Files) -> None:
        for side in ("left", "right"):
            self.write(side, files, 1_000)
        self.apply()

    def apply(self) -> Outcome:
        return apply_job(self.job, silent, lambda planning: planning.plan)

    def conflicts(self) -> Sequence[OpenConflict]:
        """What `diff` finds and notes."""
        make_plan(self.job, silent)
        return open_conflicts(self.job.state_dir)

    def resolve(
        self, choice: Choice, found: Sequence[OpenConflict] | None = None, content: bytes = b""
    ) -> tuple[Resolution, Outcome]:
        standing = self.conflicts() if found is None else found
        resolution = Resolution(Decided(each.conflict, choice, content) for each in standing)
        outcome = apply_job(self.job, silent, lambda planning: planning.plan, resolution)
        resolution.settle(outcome)
        return resolution, outcome

    def tree(self, side: str) -> dict[str, str]:
        top = self.place / side
        return {
            str(file.relative_to(top)): file.read_text()
            for file in sorted(top.rglob("*"))
            if file.is_file() and ".reconcile" not in file.parts
        }


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def endings(resolution: Resolution) -> list[Ending]:
    return [answer.ending for answer in resolution.answers]


def notes(resolution: Resolution) -> list[str]:
    return [answer.note for answer in resolution.answers]


BASE = "one\n\n\n\n\ntwo\n"
ONE, TWO = BASE.replace("one", "1"), BASE.replace("two", "2")
COPY = "a.conflict-right-"


@needs_git
@pytest.mark.parametrize(
    ("choice", "both_hold"),
    [
        (Choice.LEFT, {"a": ONE}),
        (Choice.RIGHT, {"a": TWO}),
        (Choice.NEWER, {"a": TWO}),
        (Choice.OLDER, {"a": ONE}),
        (Choice.MERGE, {"a": ONE.replace("two", "2")}),
        (Choice.BASE, {"a": BASE}),
        (Choice.CONTENT, {"a": "given"}),
    ],
)
def test_both_sides_hold_what_was_chosen_and_agree_on_it(
    choice: Choice, both_hold: dict[str, str], pair: Pair
) -> None:
    pair.agree({"a": BASE})
    pair.write("left", {"a": ONE}, 2_000)
    pair.write("right", {"a": TWO}, 3_000)
    resolution, outcome = pair.resolve(choice, content=b"given")
    assert (endings(resolution), outcome.not_done) == ([Ending.DONE], ())
    assert pair.tree("left") == pair.tree("right") == both_hold
    again = pair.apply()
    assert (again.run, again.conflicts) == ("", ())
    assert open_conflicts(pair.job.state_dir) == ()


def test_an_empty_base_needs_no_keeping(pair: Pair) -> None:
    pair.agree({"a": ""})
    pair.write("left", {"a": ONE})
    pair.write("right", {"a": TWO})
    resolution, _ = pair.resolve(Choice.BASE)
    assert endings(resolution) == [Ending.DONE]
    assert pair.tree("left") == pair.tree("right") == {"a": ""}


def test_both_are_kept_side_by_side(pair: Pair) -> None:
    pair.agree({"a": BASE})
    pair.write("left", {"a": ONE})
    pair.write("right", {"a": TWO})
    pair.resolve(Choice.BOTH)
    tree = pair.tree("left")
    assert tree == pair.tree("right")
    assert sorted(tree.values()) == [ONE, TWO]
    assert tree["a"] == ONE
    assert any(name.startswith(COPY) for name in tree)
    assert pair.apply().run == ""


@pytest.mark.parametrize(
    ("choice", "both_hold"),
    [(Choice.LEFT, {}), (Choice.RIGHT, {"d/x": "x", "d/y": "edited"}), (Choice.BOTH, None)],
)
def test_a_deleted_directory_against_an_edit_below_it(
    choice: Choice, both_hold: dict[str, str] | None, pair: Pair
) -> None:
    pair.agree({"d/x": "x", "d/y": "y", "other": "o", "more": "m", "third": "t"})
    pair.write("left", {"d": None})
    pair.write("right", {"d/y": "edited"})
    resolution, _ = pair.resolve(choice)
    rest = {"other": "o", "more": "m", "third": "t"}
    expected = {"d/x": "x", "d/y": "edited"} if both_hold is None else both_hold
    assert endings(resolution) == [Ending.DONE]
    assert pair.tree("left") == pair.tree("right") == expected | rest
    assert pair.apply().run == ""


@pytest.mark.parametrize("choice", [Choice.LEFT, Choice.RIGHT, Choice.BOTH, Choice.CONTENT])
def test_a_directory_against_an_edited_file(choice: Choice, pair: Pair) -> None:
    pair.agree({"a": "base"})
    pair.write("left", {"a": None})
    pair.write("left", {"a/x": "in it"})
    pair.write("right", {"a": "edited"})
    resolution, _ = pair.resolve(choice, content=b"given")
    left, right = pair.tree("left"), pair.tree("right")
    assert endings(resolution) == [Ending.DONE]
    assert left == right
    expected = {
        Choice.LEFT: ["in it"],
        Choice.RIGHT: ["edited"],
        Choice.BOTH: ["edited", "in it"],
        Choice.CONTENT: ["given"],
    }
    assert sorted(left.values()) == expected[choice]
    assert pair.apply().run == ""


def test_other_conflicts_and_other_differences_wait(pair: Pair) -> None:
    pair.agree({"a": "a", "b": "b", "c": "c"})
    pair.write("left", {"a": "a1", "b": "b1", "c": "c1", "new": "n"})
    pair.write("right", {"a": "a2", "b": "b2"})
    first, second = pair.conflicts()
    _, outcome = pair.resolve(Choice.RIGHT, [first])
    assert [c.path for c in outcome.conflicts] == [second.conflict.path]
    (still,) = open_conflicts(pair.job.state_dir)
    assert still.conflict == second.conflict
    assert still.standing.first_time_ns == second.standing.first_time_ns
    assert pair.tree("left")["a"] == "a2"
    assert pair.tree("right") == {"a": "a2", "b": "b2", "c": "c"}
    pair.apply()
    assert pair.tree("right") == {"a": "a2", "b": "b2", "c": "c1", "new": "n"}


def test_a_choice_holds_for_what_was_seen(pair: Pair) -> None:
    pair.agree({"a": "a", "b": "b"})
    pair.write("left", {"a": "a1", "b": "b1"})
    pair.write("right", {"a": "a2", "b": "b2"})
    found = pair.conflicts()
    pair.write("left", {"a": "something newer"})
    resolution, outcome = pair.resolve(Choice.RIGHT, found)
    assert endings(resolution) == [Ending.CHANGED, Ending.DONE]
    assert notes(resolution)[0] == "left changed since it was shown"
    assert pair.tree("left") == {"a": "something newer", "b": "b2"}
    assert [c.path for c in outcome.conflicts] == [b"a"]
    resolution, _ = pair.resolve(Choice.RIGHT, open_conflicts(pair.job.state_dir))
    assert endings(resolution) == [Ending.DONE]


def test_where_times_decide_a_touch_counts_as_a_change(pair: Pair) -> None:
    pair.agree({"a": "a"})
    pair.write("left", {"a": "a1"}, 2_000)
    pair.write("right", {"a": "a2"}, 3_000)
    found = pair.conflicts()
    pair.write("left", {"a": "a1"}, 4_000)
    assert endings(pair.resolve(Choice.NEWER, found)[0]) == [Ending.CHANGED]


def test_a_conflict_that_has_gone_needs_nothing(pair: Pair) -> None:
    pair.agree({"a": "a"})
    pair.write("left", {"a": "a1"})
    pair.write("right", {"a": "a2"})
    found = pair.conflicts()
    pair.write("left", {"a": "a2"})
    resolution, outcome = pair.resolve(Choice.LEFT, found)
    assert (endings(resolution), outcome.run) == ([Ending.GONE], "")
    assert open_conflicts(pair.job.state_dir) == ()


@pytest.mark.parametrize(
    ("choice", "note"),
    [
        (Choice.NEWER, "the times are too close"),
        (Choice.MERGE, "both made it: there is no base"),
        (Choice.BASE, "there is no base"),
    ],
)
def test_what_cannot_be_done_stays_and_says_why(choice: Choice, note: str, pair: Pair) -> None:
    pair.agree({"z": "z"})
    pair.write("left", {"a": "a1"}, 2_000)
    pair.write("right", {"a": "a2"}, 2_001)
    resolution, outcome = pair.resolve(choice)
    assert endings(resolution) == [Ending.STAYS]
    assert notes(resolution)[0].startswith(note)
    assert (outcome.run, len(outcome.conflicts)) == ("", 1)


def test_the_version_that_a_run_superseded_may_be_the_base(pair: Pair) -> None:
    pair.agree({"a": BASE})
    for text in (ONE, BASE):
        pair.write("left", {"a": text})
        pair.apply()
    (state,) = (pair.place / "state/pairs").iterdir()
    shutil.rmtree(state / "content")
    pair.write("left", {"a": ONE})
    pair.write("right", {"a": TWO})
    (found,) = pair.conflicts()
    with sides_of(pair.job) as sides:
        assert sides.base(found.conflict) == BASE.encode()
        for kept in (pair.place / "right/.reconcile/versions").glob("*/a"):
            kept.write_text("x" * len(BASE))
        assert sides.base(found.conflict) == "its content is not kept"


def test_the_texts_behind_a_conflict(pair: Pair) -> None:
    pair.agree({"a": BASE})
    pair.write("left", {"a": ONE})
    pair.write("right", {"a": "\0"})
    conflict = pair.conflicts()[0].conflict
    with sides_of(pair.job) as sides:
        assert sides.base(conflict) == BASE.encode()
        assert sides.side(conflict, Side.LEFT) == ONE.encode()
        assert isinstance(sides.side(conflict, Side.RIGHT), str)
        pair.write("left", {"a": BASE + "more"})
        assert isinstance(sides.side(conflict, Side.LEFT), str)


def test_what_changed_below_a_directory(pair: Pair) -> None:
    pair.agree({"d/x": "x", "d/y": "y", "d/z": "z", "other": "o"})
    pair.write("left", {"d": None})
    pair.write("right", {"d/y": "edited", "d/z": None, "d/e/new": "n", "other": "changed"})
    (found,) = pair.conflicts()
    with sides_of(pair.job) as sides:
        below = sides.below(found.conflict)
        behind = sides.behind(found.conflict)
    assert [(each.side.value, each.sign, each.path) for each in below] == [
        ("right", "+", b"d/e/new"),
        ("right", "~", b"d/y"),
        ("right", "-", b"d/z"),
    ]
    assert behind == ("a directory", "deleted", "a directory")


def test_beside_a_deletion_stands_what_the_other_side_made_of_the_base(pair: Pair) -> None:
    pair.agree({"a": BASE})
    pair.write("left", {"a": None})
    pair.write("right", {"a": TWO})
    (found,) = pair.conflicts()
    with sides_of(pair.job) as sides:
        behind = sides.behind(found.conflict)
    assert behind.compared == (BASE.encode(), BASE.encode(), TWO.encode())
    assert behind.sides is None


def test_a_saved_resolution_notes_nothing_before_it_is_applied(pair: Pair) -> None:
    pair.agree({"a": "a"})
    pair.write("left", {"a": "a1"})
    pair.write("right", {"a": "a2"})
    found = pair.conflicts()
    plan = make_plan(pair.job, silent, Resolution([Decided(found[0].conflict, Choice.LEFT)])).plan
    assert (plan.kind, plan.of) == (PlanKind.RESOLVE, found[0].conflict.id)
    assert open_conflicts(pair.job.state_dir) == found


def test_what_changes_under_the_run_is_not_done_and_still_stands(pair: Pair) -> None:
    pair.agree({"a": "a", "b": "b"})
    pair.write("left", {"a": "a1", "b": "b1"})
    pair.write("right", {"a": "a2", "b": "b2"})
    found = pair.conflicts()

    def approve(planning: Planning) -> Plan:
        pair.write("right", {"a": "written meanwhile"})
        return planning.plan

    resolution = Resolution(Decided(each.conflict, Choice.LEFT) for each in found)
    outcome = apply_job(pair.job, silent, approve, resolution)
    resolution.settle(outcome)
    assert endings(resolution) == [Ending.FAILED, Ending.DONE]
    assert notes(resolution)[0].startswith("E_")
    assert pair.tree("right") == {"a": "written meanwhile", "b": "b1"}
    (still,) = open_conflicts(pair.job.state_dir)
    assert still.standing.first_time_ns == found[0].standing.first_time_ns
    assert still.conflict.path == b"a"


def test_an_id_may_be_shortened_and_is_told_apart(pair: Pair) -> None:
    pair.agree({"z": "z"})
    pair.write("left", {"a": "a1", "b": "b1"})
    pair.write("right", {"a": "a2", "b": "b2"})
    found = pair.conflicts()
    for each in found:
        assert named(found, each.conflict.id[:-1]) == each
    with pytest.raises(UsageError, match="several"):
        named(found, "c-")
    with pytest.raises(NotFound, match="stands"):
        named(found, "c-zzzzz")


def test_a_thousand_conflicts_in_one_plan(pair: Pair) -> None:
    names = [f"d{number % 10}/{number}" for number in range(1_000)]
    pair.agree(dict.fromkeys(names, "base"))
    pair.write("left", dict.fromkeys(names, "left"), 2_000)
    pair.write("right", dict.fromkeys(names, "right"), 3_000)
    resolution, outcome = pair.resolve(Choice.NEWER)
    assert set(endings(resolution)) == {Ending.DONE}
    assert (outcome.done, outcome.conflicts) == (1_000, ())
    assert set(pair.tree("left").values()) == {"right"}
