"""What stood when: runs are in the order they were begun, and a clock that was ahead lies."""

from reconcile.decide.restore import Happened, Moment, stood
from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Side
from reconcile.model.treepath import TreePath

DAY = 86_400 * 10**9
A = TreePath(b"a")


def version(name: str) -> Entry:
    return Entry(b"a", Kind.FILE, id=name.encode() * 32)


FIRST = Happened("r-1", 100 * DAY, Side.LEFT, A, version("1"), order=1)
"""Begun under a clock that was ten days ahead."""
SECOND = Happened("r-2", 90 * DAY, Side.LEFT, A, version("2"), order=2)


def test_before_a_run_is_after_all_that_were_begun_before_it() -> None:
    found = stood([FIRST, SECOND], Moment(90 * DAY, "r-2", 2))

    assert found is not None
    assert found.happened == SECOND
    after = stood([FIRST], Moment(90 * DAY, "r-2", 2))
    assert after is None


def test_what_the_next_run_changed_tells_what_stood_before_a_run_that_did_not() -> None:
    found = stood([FIRST, SECOND], Moment(95 * DAY, "r-x", 0))

    assert found is not None
    assert found.happened == FIRST
