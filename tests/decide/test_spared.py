"""What a limit calls too much and stays: by what it is needed."""

import pytest

from reconcile.decide.retention import Kept, Needed, spared
from reconcile.model.job import Retention
from reconcile.model.plan import Side
from reconcile.model.treepath import TreePath

KEPT = [
    Kept(number, Side.RIGHT, TreePath(b"a"), f"r-{number}", b"%d" % number, 10, number)
    for number in (1, 2, 3)
]


@pytest.mark.parametrize(
    ("needed", "expected"),
    [
        (Needed(), []),
        (Needed(last=frozenset({"r-3"})), [(3, "last")]),
        (Needed(unfinished=frozenset({"r-2"})), [(2, "unfinished")]),
        (Needed(bringing=frozenset({b"2"})), [(2, "unfinished")]),
        (Needed(conflicts=frozenset({b"1"})), [(1, "conflict")]),
        (Needed(last=frozenset({"r-1"}), conflicts=frozenset({b"1"})), [(1, "conflict")]),
        (Needed(last=frozenset({"r-3"}), numbers=frozenset({3})), []),
    ],
)
def test_each_says_what_needs_it(needed: Needed, expected: list[tuple[int, str]]) -> None:
    found = spared(KEPT, Retention(keep=0), needed, 10)
    assert [(each.kept.number, each.protection) for each in found] == expected


def test_what_no_limit_calls_too_much_is_not_spared() -> None:
    needed = Needed(last=frozenset({"r-1", "r-3"}))
    assert [each.kept.number for each in spared(KEPT, Retention(keep=2), needed, 10)] == [1]
