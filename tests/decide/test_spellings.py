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
    first = outcome(None, {shape.format(NFC): "the first"}, {shape.format(NFD): "the first"})
    left = {shape.format(NFC): "the first", shape.format(NFD): ("newcomer", 99)}
    result = first.then(left, rules=rules)

    assert result.left[shape.format(NFC)] == result.right[shape.format(NFD)] == "the first"
    assert result.left[shape.format(NFD)] == "newcomer"
    assert result.conflicts == [("case", NFD)]
    assert result.then(rules=rules).steps == []


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_newcomers_that_cross_take_nobodys_place(rules: Rules) -> None:
    first = outcome(None, {NFC: "doc"}, {NFD: "doc"})
    result = first.then({NFC: "doc", NFD: "lefts"}, {NFC: "rights", NFD: "doc"}, rules)

    assert result.left[NFC] == result.right[NFD] == "doc"
    assert result.conflicts or result.left[NFD] == result.right[NFC]


def test_a_respelled_file_is_not_replaced_by_a_newcomer_in_its_old_spelling() -> None:
    composing = Rules(right=Abilities(folds_unicode=True))
    first = outcome({NFC: "doc"}, {NFC: "doc"}, {NFC: "doc"}, composing)
    second = first.then({NFD: "doc"}, rules=composing)
    assert second.steps == []
    third = second.then({NFD: "doc", NFC: "new"}, rules=composing)

    assert third.left == {NFD: "doc", NFC: "new"}
    assert third.right == {NFC: "doc"}
    assert third.conflicts == [("case", NFC), ("case", NFC)]


RENAMES: list[tuple[str, Literal, Literal, Literal, Rules, list[str], Literal]] = [
    ("case, at the right that folds it", {"Readme": "x"}, {"README": "x"}, {"Readme": "x"},
     Rules(right=FOLDING), ["right move Readme > README"], {"README": "x"}),
    ("case, at the left that folds it", {"Readme": "x"}, {"Readme": "x"}, {"README": "x"},
     Rules(right=FOLDING), ["left move Readme > README"], {"README": "x"}),
    ("form", {NFC: "x"}, {NFD: "x"}, {NFC: "x"}, Rules(),
     [f"right move {NFC} > {NFD}"], {NFD: "x"}),
    ("both alike", {"a": "x"}, {"A": "x"}, {"A": "x"}, Rules(right=FOLDING), [], {"A": "x"}),
    ("two that swap their case", {"Ab": "1", "cD": "2"}, {"aB": "1", "Cd": "2"},
     {"Ab": "1", "cD": "2"}, Rules(right=FOLDING),
     ["right move cD > Cd", "right move Ab > aB"], {"aB": "1", "Cd": "2"}),
    ("mirror takes the right's back", {"a": "x"}, {"a": "x"}, {"A": "x"},
     Rules(mode=Mode.MIRROR, right=FOLDING), ["right move A > a"], {"a": "x"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("base", "left", "right", "rules", "steps", "both"),
    [row[1:] for row in RENAMES],
    ids=[row[0] for row in RENAMES],
)
def test_a_new_spelling_is_a_rename_and_travels(
    base: Literal, left: Literal, right: Literal, rules: Rules, steps: list[str], both: Literal
) -> None:
    result = outcome(base, left, right, rules)

    assert sorted(result.steps) == sorted(steps)
    assert result.left == result.right == result.base == both
    again = result.then(rules=rules)
    assert again.steps == again.agreements == []


def test_what_was_paired_under_two_spellings_is_renamed_from_either() -> None:
    rules = Rules(right=FOLDING)
    first = outcome(None, {"readme": "x"}, {"Readme": "x"}, rules)
    assert first.then(rules=rules).steps == []
    second = first.then({"README": "x"}, rules=rules)

    assert second.steps == ["right move Readme > README"]
    assert second.left == second.right == second.base == {"README": "x"}


def test_a_renamed_and_edited_file_gets_its_name_after_its_content() -> None:
    rules = Rules(right=FOLDING)
    first = outcome({"Readme": "1"}, {"README": "2"}, {"Readme": "1"}, rules)
    assert first.right == {"Readme": "2"}
    second = first.then(rules=rules)

    assert second.steps == ["right move Readme > README"]
    assert second.right == second.base == {"README": "2"}
    assert second.then(rules=rules).steps == []


def test_a_form_that_a_side_chose_itself_renames_nothing() -> None:
    rules = Rules(right=Abilities(folds_unicode=True))
    assert outcome({NFC: "x"}, {NFC: "x"}, {NFD: "x"}, rules).steps == []


def test_the_paired_one_is_still_carried_over_beside_the_newcomer() -> None:
    first = outcome(None, {NFC: "1"}, {NFD: "1"})
    result = first.then({NFC: "2", NFD: "new"})

    assert result.right == {NFD: "2"}
    result = first.then({NFC: "1", NFD: "new"}, {NFD: "2"})
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
    assert result.then(rules=rules).steps == []
