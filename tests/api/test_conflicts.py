"""Conflicts from Python: looked at, decided one by one or all at once, never behind one's back."""

import pytest

from reconcile import Answer, Conflict, Ending, NotFound, Planning, UsageError
from tests.api.conftest import Sides


def three_conflicts(sides: Sides) -> None:
    """a.txt, b.txt and c.txt, edited apart; the base of all is known."""
    for name in "abc":
        sides.fill(
            **{f"left_{name}__txt": "1\n2\n3\n4\n5\n", f"right_{name}__txt": "1\n2\n3\n4\n5\n"}
        )
    sides.pair().apply()
    for name in "abc":
        sides.fill(**{f"left_{name}__txt": "left\n2\n3\n4\n5\n"})
        sides.fill(**{f"right_{name}__txt": "1\n2\n3\n4\nright\n"})
    sides.pair().plan()


def test_what_stands_is_told_with_its_texts(sides: Sides) -> None:
    three_conflicts(sides)
    pair = sides.pair()
    found = pair.conflicts()
    assert [each.conflict.path for each in found] == [b"a.txt", b"b.txt", b"c.txt"]
    behind = pair.texts(found[0].conflict)
    assert (behind.base, behind.left) == (b"1\n2\n3\n4\n5\n", b"left\n2\n3\n4\n5\n")
    assert (behind.merged, behind.is_clean) == (b"left\n2\n3\n4\nright\n", True)


def test_one_word_decides_all_that_a_pattern_matches(sides: Sides) -> None:
    three_conflicts(sides)
    resolved = sides.pair().resolve("left", only=["a.*", "c.*"])
    assert [each.ending for each in resolved.answers] == [Ending.DONE] * 2
    assert (resolved.done, resolved.outcome.done) == (2, 2)
    left, right = sides.read()
    assert [left[name] == right[name] for name in sorted(left)] == [True, False, True]
    assert [each.conflict.path for each in sides.pair().conflicts()] == [b"b.txt"]


def test_each_conflict_can_be_decided_by_itself(sides: Sides) -> None:
    three_conflicts(sides)

    def decide(conflict: Conflict) -> str | bytes | None:
        if conflict.path == b"a.txt":
            return "merge"
        return b"mine\n" if conflict.path == b"b.txt" else None

    resolved = sides.pair().resolve(decide)
    assert resolved.done == 2
    left, right = sides.read()
    assert left["a.txt"] == right["a.txt"] == "left\n2\n3\n4\nright\n"
    assert left["b.txt"] == right["b.txt"] == "mine\n"
    assert left["c.txt"] != right["c.txt"], "None: it stays"


def test_an_answer_holds_for_what_was_seen(sides: Sides) -> None:
    three_conflicts(sides)
    sides.fill(right_a__txt="later still\n")
    (answer,) = sides.pair().resolve("left", only="a.txt").answers
    assert isinstance(answer, Answer)
    assert answer.ending is Ending.CHANGED
    assert sides.read()[1]["a.txt"] == "later still\n"


def test_a_plan_that_is_not_approved_decides_nothing(sides: Sides) -> None:
    three_conflicts(sides)
    before = sides.read()
    shown: list[Planning] = []

    def approve(planning: Planning) -> bool:
        shown.append(planning)
        return False

    sides.pair().resolve("left", approve=approve)
    assert len(shown[0].plan.steps) == 3
    assert sides.read() == before


def test_conflicts_are_named_by_their_ids(sides: Sides) -> None:
    three_conflicts(sides)
    pair = sides.pair()
    name = pair.conflicts()[1].conflict.id
    pair.resolve("right", ids=[name])
    assert [each.conflict.path for each in pair.conflicts()] == [b"a.txt", b"c.txt"]
    with pytest.raises(NotFound):
        pair.resolve("right", ids=["c-none"])
    with pytest.raises(UsageError, match="`mine` answers no conflict"):
        pair.resolve("mine")
