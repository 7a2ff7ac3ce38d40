"""Moves: presentation only. Each case says which steps come out; the trees are the laws' matter."""

import pytest

from reconcile.model.policy import Rules
from tests.decide.cases import Literal, outcome

CASES: list[tuple[str, Literal, Literal, list[str]]] = [
    ("a rename", {"p": "x"}, {"q": "x"}, ["right move p > q"]),
    (
        "a rename into a new directory",
        {"p": "x"},
        {"d/": {"p": "x"}},
        ["right mkdir d", "right move p > d/p"],
    ),
    (
        "a directory renamed is its files moved",
        {"d/": {"a": "1", "b": "2"}},
        {"e/": {"a": "1", "b": "2"}},
        ["right mkdir e", "right move d/a > e/a", "right move d/b > e/b", "right rmdir d"],
    ),
    ("empty files are noise", {"p": ""}, {"q": ""}, ["right create q", "right delete p"]),
    ("links are not paired", {"p->": "x"}, {"q->": "x"}, ["right create q", "right delete p"]),
    (
        "a rename with chmod is two changes",
        {"p": "x"},
        {"q*": "x"},
        ["right create q", "right delete p"],
    ),
    (
        "of twins the one with the same basename",
        {"a/": {"n": "x", "m": "x"}},
        {"a/": ..., "b/": {"n": "x", "m": "x"}},
        ["right mkdir b", "right move a/m > b/m", "right move a/n > b/n"],
    ),
    (
        "of twins the one in the same directory",
        {"a/": {"p": "x"}, "b/": {"q": "x"}},
        {"a/": {"p2": "x"}, "b/": {"q2": "x"}},
        ["right move a/p > a/p2", "right move b/q > b/q2"],
    ),
    (
        "twins that nothing tells apart are no moves",
        {"p": "x", "q": "x"},
        {"r": "x", "s": "x"},
        ["right create r", "right create s", "right delete q", "right delete p"],
    ),
    (
        "a swap is two updates",
        {"p": "1", "q": "2"},
        {"p": "2", "q": "1"},
        ["right update p", "right update q"],
    ),
    (
        "a chain moves nothing onto a name in use",
        {"p": "1", "q": "2"},
        {"q": "1", "r": "2"},
        ["right create r", "right update q", "right delete p"],
    ),
    (
        "a cycle is updates",
        {"p": "1", "q": "2", "r": "3"},
        {"p": "3", "q": "1", "r": "2"},
        ["right update p", "right update q", "right update r"],
    ),
    (
        "out of a directory before a file takes its name",
        {"d/": {"a": "1"}},
        {"d": "file", "e": "1"},
        ["right move d/a > e", "right update d"],
    ),
]


@pytest.mark.parametrize(
    ("base", "left", "steps"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_moves(base: Literal, left: Literal, steps: list[str]) -> None:
    assert outcome(base, left, base).steps == steps


def test_a_file_that_right_edited_is_not_moved_but_noted() -> None:
    result = outcome({"p": "x"}, {"q": "x"}, {"p": "edited"})

    assert result.steps == ["right create q"]
    assert result.conflicts == [("delete-edit", "p")]
    assert result.plan.conflicts[0].note == "moved_to: q"


def test_a_name_that_right_has_already_is_not_moved_onto() -> None:
    result = outcome({"p": "x"}, {"q": "x"}, {"p": "x", "q": "x"})

    assert result.steps == ["right delete p"]
    assert result.agreements == ["q"]


def test_both_renamed_alike_is_agreed() -> None:
    result = outcome({"p": "x"}, {"q": "x"}, {"q": "x"})

    assert result.steps == []
    assert result.base == {"q": "x"}


def test_detection_can_be_off() -> None:
    result = outcome({"p": "x"}, {"q": "x"}, {"p": "x"}, Rules(detect_moves=False))

    assert result.steps == ["right create q", "right delete p"]


def test_each_sides_moves_are_their_own() -> None:
    result = outcome({"p": "1", "q": "2"}, {"p2": "1", "q": "2"}, {"p": "1", "q2": "2"})

    assert result.steps == ["right move p > p2", "left move q > q2"]
