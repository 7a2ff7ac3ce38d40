"""What a side cannot hold: told, not mangled, not agreed on; and nothing else is held up."""

from typing import Any

import pytest

from reconcile.model.plan import Side
from reconcile.model.policy import Abilities, Policy, Rules
from tests.decide.cases import Literal, flat, outcome

ODD = b"\xff".decode("utf-8", "surrogateescape")

MISFITS: list[tuple[str, Abilities, Literal, str]] = [
    ("a link", Abilities(links=False), {"n->": "a"}, "E_LINK_UNREPRESENTABLE"),
    ("a name that is no text", Abilities(text_names=True), {ODD: "x"}, "E_NAME_UNREPRESENTABLE"),
    ("a colon", Abilities(forbidden=':"'), {"a:b": "x"}, "E_NAME_UNREPRESENTABLE"),
    ("a long name", Abilities(max_name_bytes=10), {"n" * 11: "x"}, "E_NAME_UNREPRESENTABLE"),
    ("a device", Abilities(reserved_names=True), {"nul.txt": "x"}, "E_NAME_UNREPRESENTABLE"),
    ("a port", Abilities(reserved_names=True), {"Com9": "x"}, "E_NAME_UNREPRESENTABLE"),
    ("a large file", Abilities(max_file_bytes=3), {"n": "1234"}, "E_TOO_LARGE"),
    ("a directory's name", Abilities(forbidden=":"), {"d:/": {"a": "1"}}, "E_NAME_UNREPRESENTABLE"),
]


@pytest.mark.parametrize(
    ("abilities", "left", "code"), [c[1:] for c in MISFITS], ids=[c[0] for c in MISFITS]
)
@pytest.mark.parametrize("policy", list(Policy))
def test_what_does_not_fit_is_told_and_the_rest_goes_on(
    abilities: Abilities, left: Literal, code: str, policy: Policy
) -> None:
    rules = Rules(right=abilities, policies=(policy,))
    result = outcome({}, {**left, "ok": "1"}, {}, rules)

    assert result.right == {"ok": "1"}
    assert result.base == {"ok": "1"}
    assert [code for code, _ in result.problems] == [code]


def test_it_is_told_again_until_it_fits() -> None:
    rules = Rules(right=Abilities(links=False))
    first = outcome({}, {"n->": "a"}, {}, rules)
    second = outcome(first.base, first.left, first.right, rules)

    assert second.problems == first.problems
    assert outcome(second.base, second.left, second.right).right == {"n->": "a"}


def test_the_target_keeps_what_the_misfit_would_replace() -> None:
    rules = Rules(right=Abilities(links=False))
    base = {"d/": {"a": "1"}, "f": "x"}
    result = outcome(base, {"d->": "a", "f->": "a"}, base, rules)

    assert result.right == flat(base)
    assert result.base == flat(base)


def test_a_name_the_target_has_already_may_be_updated() -> None:
    rules = Rules(right=Abilities(max_name_bytes=1))
    assert outcome({"nn": "x"}, {"nn": "y"}, {"nn": "x"}, rules).right == {"nn": "y"}


def test_a_new_directory_leaves_out_what_does_not_fit() -> None:
    rules = Rules(right=Abilities(max_file_bytes=3))
    result = outcome({}, {"d/": {"small": "1", "large": "1234"}}, {}, rules)

    assert result.right == {"d/small": "1"}
    assert result.problems == [("E_TOO_LARGE", "d/large")]


@pytest.mark.parametrize("side", list(Side))
def test_a_side_that_cannot_be_written_is_only_read(side: Side) -> None:
    read_only = Abilities(writable=False)
    rules = Rules(left=read_only) if side is Side.LEFT else Rules(right=read_only)
    result = outcome({"a": "1", "b": "1"}, {"a": "2", "b": "1"}, {"a": "1", "b": "2"}, rules)

    kept = result.left if side is Side.LEFT else result.right
    changed = result.right if side is Side.LEFT else result.left
    assert kept == ({"a": "2", "b": "1"} if side is Side.LEFT else {"a": "1", "b": "2"})
    assert changed == {"a": "2", "b": "2"}
    assert [code for code, _ in result.problems] == ["E_READ_ONLY"]


MODELESS = Rules(right=Abilities(modes=False))
INHERITED: list[tuple[str, Any, Any, Any, Any, Any]] = [
    ("an executable file stays one", {"f*": "x"}, {"f*": "x"}, {"f": "x"}, {"f*": "x"}, []),
    (
        "an edit there keeps the bit",
        {"f*": "x"},
        {"f*": "x"},
        {"f": "y"},
        {"f*": "y"},
        ["left update f"],
    ),
    ("chmod here is agreed on", {"f": "x"}, {"f*": "x"}, {"f": "x"}, {"f*": "x"}, []),
    ("both created", {}, {"f*": "x"}, {"f": "x"}, {"f*": "x"}, []),
    (
        "chmod here and an edit there",
        {"f": "x"},
        {"f*": "x"},
        {"f": "y"},
        {"f*": "y"},
        ["left update f"],
    ),
]


@pytest.mark.parametrize(
    ("base", "left", "right", "after", "steps"),
    [c[1:] for c in INHERITED],
    ids=[c[0] for c in INHERITED],
)
def test_a_side_without_modes_inherits_them(
    base: Literal, left: Literal, right: Literal, after: Literal, steps: list[str]
) -> None:
    result = outcome(base, left, right, MODELESS)

    assert result.left == result.base == after
    assert result.steps == steps
    assert result.conflicts == []
    assert outcome(result.base, result.left, result.right, MODELESS).steps == []


def test_the_expectation_is_what_the_side_without_modes_really_has() -> None:
    result = outcome({"f*": "x"}, {"f*": "y"}, {"f": "x"}, MODELESS)

    (step,) = result.plan.steps
    assert step.expect is not None
    assert not step.expect.is_exec


IMPLIED = Rules(right=Abilities(directories=False))


def test_implied_directories_are_judged_file_by_file() -> None:
    base = {"d/": {"a": "1", "b": "2"}}
    result = outcome(base, {}, {"d/": {"a": "1", "b": "changed"}}, IMPLIED)

    assert result.conflicts == [("delete-edit", "d/b")]
    assert "right delete d/a" in result.steps


def test_an_empty_directory_is_not_sent_where_directories_are_implied() -> None:
    result = outcome({}, {"d/": ..., "e/": {"f": "1"}}, {"e/": ...}, IMPLIED)

    assert result.steps == ["right create e/f"]


def test_a_directory_is_made_for_what_comes_out_of_an_implied_one() -> None:
    result = outcome({}, {}, {"d/": {"e/": {"f": "1"}}}, IMPLIED)

    assert result.steps == ["left mkdir d", "left mkdir d/e", "left create d/e/f"]
    assert result.left == {"d/e/f": "1"}


def test_a_directory_stays_when_its_files_are_gone_from_where_it_was_implied() -> None:
    base = {"d/": {"a": "1"}}
    result = outcome(base, base, {}, IMPLIED)

    assert result.left == {"d/": ...}
    assert outcome(result.base, result.left, result.right, IMPLIED).steps == []
