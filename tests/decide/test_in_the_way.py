"""What stands in the way: excluded things where the other side has content, and special files.

Each row was met on real trees: a run said "in sync" over sides that differed.
"""

from typing import Any, NamedTuple

import pytest

from reconcile.model.policy import Mode, Policy, Rules
from tests.decide.cases import FIVE, Literal, flat, outcome

HIDDEN = {"x/": {"out~": ...}}
"""A directory that holds only excluded things."""
MIRROR, UPDATE = Rules(mode=Mode.MIRROR), Rules(mode=Mode.UPDATE)


class Row(NamedTuple):
    """A directory of excluded things against something else of that name."""

    title: str
    base: Literal | None
    left: Literal
    right: Literal
    rules: Rules
    outcome: Any
    """(left, right) afterwards; or what is said, and nothing is touched."""


EXCLUDED = [
    Row("a file made a directory", {"x": "1"}, HIDDEN, {"x": "1"}, Rules(), (HIDDEN, {"x/": {}})),
    Row("a link made a directory", {"x->": "a"}, HIDDEN, {"x->": "a"}, Rules(),
        (HIDDEN, {"x/": {}})),
    Row("mirrored", {}, HIDDEN, {"x": "1"}, MIRROR, (HIDDEN, {"x/": {}})),
    Row("mirrored over a link", None, HIDDEN, {"x->": "1"}, MIRROR, (HIDDEN, {"x/": {}})),
    Row("updated", {"x": "1"}, HIDDEN, {"x": "1"}, UPDATE, (HIDDEN, {"x/": {}})),
    Row("won by left", {}, HIDDEN, {"x": "1"}, FIVE["left"], (HIDDEN, {"x/": {}})),
    Row("both made it", {}, HIDDEN, {"x": "1"}, Rules(), ("type", "x")),
    Row("won by right", {}, HIDDEN, {"x": "1"}, FIVE["right"], ("E_BLOCKED", "x")),
    Row("deeper", {"x": "1"}, {"x/y/": {"out~": ...}}, {"x": "1"}, Rules(),
        ({"x/y/": {"out~": ...}}, {"x/": {}})),
    Row("the file comes over it", {}, {"x": "1"}, HIDDEN, MIRROR, ("E_BLOCKED", "x")),
    Row("deleted elsewhere", {"x": "1"}, HIDDEN, {}, Rules(), (HIDDEN, {})),
]  # fmt: skip


@pytest.mark.parametrize("row", EXCLUDED, ids=lambda row: row.title)
def test_a_directory_of_excluded_things_is_no_reason_to_do_nothing_unsaid(row: Row) -> None:
    result = outcome(row.base, row.left, row.right, row.rules)

    if isinstance(row.outcome[0], str):
        assert row.outcome in [*result.problems, *result.conflicts]
        assert (result.left, result.right) == (flat(row.left), flat(row.right))
        return
    assert (result.left, result.right) == tuple(flat(each) for each in row.outcome)
    assert result.problems == result.conflicts == []
    again = outcome(result.base, result.left, result.right, row.rules)
    assert again.steps == again.problems == again.conflicts == []


@pytest.mark.parametrize("name", FIVE)
def test_keep_both_and_its_like_say_what_they_make_of_it(name: str) -> None:
    result = outcome({}, HIDDEN, {"x": "1"}, FIVE[name])

    assert result.steps or result.problems or result.conflicts


FACING = [
    # base, left, right, severity
    ("a fifo where the other side has a file", {"f": "x"}, {"f!": "fifo"}, {"f": "x"}, "error"),
    ("whose edit waits", {"f": "x"}, {"f!": "socket"}, {"f": "y"}, "error"),
    ("a device against a directory", {"d/": {"a": "1"}}, {"d!": "device"},
        {"d/": {"a": "2"}}, "error"),
    ("against a link", None, {"f!": "fifo"}, {"f->": "a"}, "error"),
    ("alone", None, {"f!": "fifo"}, {}, "note"),
    ("special on both sides", None, {"f!": "fifo"}, {"f!": "fifo"}, "note"),
    ("and deleted elsewhere", {"f": "x"}, {"f!": "fifo"}, {}, "note"),
]  # fmt: skip


@pytest.mark.parametrize("rules", [Rules(), MIRROR, UPDATE, Rules(policies=(Policy.RIGHT,))])
@pytest.mark.parametrize(
    ("base", "left", "right", "severity"), [row[1:] for row in FACING], ids=[r[0] for r in FACING]
)
def test_a_special_file_in_front_of_content_ends_a_run_as_partial(
    base: Literal | None, left: Literal, right: Literal, severity: str, rules: Rules
) -> None:
    result = outcome(base, left, right, rules)

    assert {(p.code, p.severity) for p in result.plan.problems} == {("E_SPECIAL", severity)}
    assert (result.left, result.right) == (flat(left), flat(right))
