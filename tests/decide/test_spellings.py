"""A second spelling of a name: who was paired stays paired, and the newcomer is new."""

import msgspec
import pytest

from reconcile.model.policy import Abilities, Mode, Rules
from tests.decide.cases import FIVE, Literal, flat, outcome

NFC, NFD = "caf\u00e9", "cafe\u0301"
RULES = [*FIVE.values(), Rules(mode=Mode.MIRROR)]
FOLDING = Abilities(folds_case=True)


@pytest.mark.parametrize("rules", RULES, ids=str)
@pytest.mark.parametrize("shape", ["{}", "{}/x"], ids=["files", "directories"])
def test_a_newcomer_in_the_other_sides_spelling_takes_nobodys_place(
    rules: Rules, shape: str
) -> None:
    base = {shape.format(NFC): "the first"}
    left = {shape.format(NFC): "the first", shape.format(NFD): ("newcomer", 99)}
    right = {shape.format(NFD): "the first"}
    result = outcome(base, left, right, rules)

    assert result.left[shape.format(NFC)] == result.right[shape.format(NFD)] == "the first"
    assert result.left[shape.format(NFD)] == "newcomer"
    assert result.conflicts == [("case", NFD)]
    assert outcome(result.base, result.left, result.right, rules).steps == []


def test_the_paired_one_is_still_carried_over_beside_the_newcomer() -> None:
    result = outcome({NFC: "1"}, {NFC: "2", NFD: "new"}, {NFD: "1"})

    assert result.right == {NFD: "2"}
    result = outcome({NFC: "1"}, {NFC: "1", NFD: "new"}, {NFD: "2"})
    assert result.left == {NFC: "2", NFD: "new"}


CASES: list[tuple[str, Literal, Literal, Literal]] = [
    ("a second one made", {"a": "1"}, {"a": "1", "A": "2"}, {"a": "1"}),
    ("renamed, and a second one made", {"a": "1"}, {"A": "1", "aa": "2"}, {"a": "1"}),
    ("renamed and edited, and a second one", {"Ab": "1"}, {"AB": "3", "aB": "2"}, {"Ab": "1"}),
    ("another renamed to it", {"a": "1", "b": "2"}, {"a": "1", "A": "2"}, {"a": "1", "b": "2"}),
    ("two directories", {"Pkg/": {"x": "1"}}, {"Pkg/": {"x": "1"}, "pkg/": {"x": "2"}},
     {"Pkg/": {"x": "1"}}),
    ("a directory moved onto its like", {"Pkg/": {"x": "1"}, "o/": {"y": "2"}},
     {"Pkg/": {"x": "1"}, "pkg/": {"y": "2"}}, {"Pkg/": {"x": "1"}, "o/": {"y": "2"}}),
]  # fmt: skip


@pytest.mark.parametrize("rules", RULES, ids=str)
@pytest.mark.parametrize(
    ("base", "left", "right"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_what_a_side_cannot_tell_apart_costs_nobody_a_file(
    base: Literal, left: Literal, right: Literal, rules: Rules
) -> None:
    rules = msgspec.structs.replace(rules, right=FOLDING)
    result = outcome(base, left, right, rules)

    assert set(flat(left).values()) <= set(result.left.values())
    held = set(flat(right).values()) & set(flat(left).values())
    assert held <= set(result.right.values())
    if len(left) > 1 and "aa" not in left:
        assert {kind for kind, _ in result.conflicts} == {"case"}
    assert outcome(result.base, result.left, result.right, rules).steps == []
