"""Retention: which superseded content is too much. A table for each limit, then the laws."""

from itertools import count
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.decide.retention import Kept, Needed, Superfluous, is_outlived, superfluous
from reconcile.model.job import KEEP_ALL, Retention
from reconcile.model.plan import Side
from reconcile.model.treepath import TreePath

DAY_NS = 86_400 * 10**9
NOW_NS = 1_000 * DAY_NS
NOTHING = Needed()
LAST = Needed(last=frozenset(("r-9",)))


def history(*told: str) -> list[Kept]:
    """`left:path:run:size:days`, oldest first: superseded so many days ago."""
    found = []
    for number, line in zip(count(1), told, strict=False):
        side, path, run, size, days = line.split(":")
        time_ns = NOW_NS - int(days) * DAY_NS
        place = TreePath(path.encode())
        content = f"{number}".encode()
        found.append(Kept(number, Side(side), place, run, content, int(size), time_ns))
    return found


THREE = history("left:a:r-1:10:30", "left:a:r-2:10:20", "left:a:r-9:10:1")
MIXED = history(
    "left:a:r-1:10:90", "right:a:r-1:10:90", "left:b:r-2:50:40", "left:a:r-3:10:10",
    "right:a:r-9:10:1",
)  # fmt: skip

TABLE: list[tuple[str, list[Kept], Retention, Needed, list[tuple[int, str]]]] = [
    ("nothing is given: nothing goes", MIXED, KEEP_ALL, NOTHING, []),
    ("nothing is kept: nothing goes", [], Retention(0, 0, 0), NOTHING, []),
    ("the newest two of a path stay", THREE, Retention(keep=2), NOTHING, [(1, "count")]),
    (
        "none stays, where none is to stay",
        THREE, Retention(keep=0), NOTHING, [(1, "count"), (2, "count"), (3, "count")],
    ),
    (
        "each side counts for itself",
        MIXED, Retention(keep=1), NOTHING, [(1, "count"), (2, "count")],
    ),
    (
        "older than the age",
        MIXED, Retention(max_age_ns=40 * DAY_NS), NOTHING, [(1, "age"), (2, "age")],
    ),
    ("exactly of the age stays", THREE, Retention(max_age_ns=30 * DAY_NS), NOTHING, []),
    (
        "the oldest go until the size is met",
        MIXED, Retention(max_size_bytes=70), NOTHING, [(1, "size"), (2, "size")],
    ),
    ("exactly the size is no more than the size", MIXED, Retention(max_size_bytes=90), NOTHING, []),
    (
        "one large content does not let older small ones pass",
        MIXED, Retention(max_size_bytes=30), NOTHING, [(1, "size"), (2, "size"), (3, "size")],
    ),
    (
        "the last run's content stays whatever is asked",
        THREE, Retention(0, 0, 0), LAST, [(1, "count"), (2, "count")],
    ),
    (
        "what an open conflict speaks of stays",
        THREE, Retention(keep=0), Needed(conflicts=frozenset((b"2",))),
        [(1, "count"), (3, "count")],
    ),
    (
        "needed content takes the place of other content",
        history("left:n:r-9:60:50", "left:a:r-1:60:1"),
        Retention(max_size_bytes=100), LAST, [(2, "size")],
    ),
    (
        "needed content counts as one of the newest",
        THREE, Retention(keep=1), LAST, [(1, "count"), (2, "count")],
    ),
    (
        "limits add up",
        MIXED, Retention(1, 30 * DAY_NS, 15), NOTHING,
        [(1, "count"), (2, "count"), (3, "age"), (4, "size")],
    ),
    (
        "a clock that went back does not keep the older version of a path",
        history("left:a:r-1:1:1", "left:a:r-2:1:50"),
        Retention(max_age_ns=10 * DAY_NS), NOTHING, [(1, "age"), (2, "age")],
    ),
    (
        "a time to come is not old",
        history("left:a:r-1:1:-5"), Retention(max_age_ns=0), NOTHING, [],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "retention", "needed", "gone"), [c[1:] for c in TABLE], ids=[c[0] for c in TABLE]
)
def test_what_goes(
    kept: list[Kept], retention: Retention, needed: Needed, gone: list[tuple[int, str]]
) -> None:
    found = superfluous(kept, retention, needed, NOW_NS)
    assert [(each.kept.number, each.why) for each in found] == gone


kepts = st.lists(
    st.tuples(
        st.sampled_from(list(Side)),
        st.sampled_from([TreePath(b"a"), TreePath(b"b"), TreePath(b"\xff")]),
        st.sampled_from(["r-1", "r-2", "r-3"]),
        st.integers(0, 20),
        st.integers(NOW_NS - 60 * DAY_NS, NOW_NS),
    ),
    max_size=14,
).map(
    lambda rows: [
        Kept(number, side, path, run, b"%d" % (number % 5), size, time)
        for number, (side, path, run, size, time) in enumerate(rows, 1)
    ]
)
retentions = st.builds(
    Retention,
    st.none() | st.integers(0, 4),
    st.none() | st.integers(0, 60 * DAY_NS),
    st.none() | st.integers(0, 120),
)
needs = st.builds(
    Needed,
    st.frozensets(st.sampled_from(["r-1", "r-2", "r-3"])),
    st.frozensets(st.sampled_from([b"0", b"1", b"2"])),
)
law = settings(max_examples=120, deadline=None)


def rest(kept: list[Kept], found: "list[Superfluous] | tuple[Superfluous, ...]") -> list[Kept]:
    gone = {each.kept.number for each in found}
    return [each for each in kept if each.number not in gone]


@law
@given(kepts, retentions, needs)
def test_needed_content_never_goes(kept: list[Kept], asked: Retention, needed: Needed) -> None:
    for each in superfluous(kept, asked, needed, NOW_NS):
        assert not needed.includes(each.kept)


@law
@given(kepts, retentions, needs)
def test_what_stays_is_not_too_much(kept: list[Kept], asked: Retention, needed: Needed) -> None:
    stays = rest(kept, tuple(superfluous(kept, asked, needed, NOW_NS)))
    assert not superfluous(stays, asked, needed, NOW_NS)
    free = [each for each in stays if not needed.includes(each)]
    if asked.max_size_bytes is not None and free:
        assert sum(each.size_bytes for each in stays) <= asked.max_size_bytes
    if asked.max_age_ns is not None:
        assert all(NOW_NS - each.time_ns <= asked.max_age_ns for each in free)
    for side, path in {(each.side, each.path) for each in free}:
        of_path = [each for each in stays if (each.side, each.path) == (side, path)]
        is_free = not all(needed.includes(each) for each in of_path)
        older = [each for each in of_path if not needed.includes(each)]
        if asked.keep is not None and is_free:
            newer = [each for each in of_path if each.number >= min(o.number for o in older)]
            assert len(newer) <= asked.keep


@law
@given(kepts, retentions, needs)
def test_a_newer_version_never_goes_before_an_older_one(
    kept: list[Kept], asked: Retention, needed: Needed
) -> None:
    found = tuple(superfluous(kept, asked, needed, NOW_NS))
    for stays in rest(kept, found):
        if needed.includes(stays):
            continue
        for gone in found:
            same = (gone.kept.side, gone.kept.path) == (stays.side, stays.path)
            assert not (same and gone.kept.number > stays.number)


@law
@given(kepts, retentions, needs, st.randoms())
def test_the_order_in_which_it_is_told_does_not_matter(
    kept: list[Kept], asked: Retention, needed: Needed, dice: Random
) -> None:
    found = superfluous(kept, asked, needed, NOW_NS)
    assert [each.kept.number for each in found] == sorted(each.kept.number for each in found)
    shuffled = list(kept)
    dice.shuffle(shuffled)
    assert superfluous(shuffled, asked, needed, NOW_NS) == found


@law
@given(kepts, retentions, needs)
def test_a_limit_more_lets_nothing_stay_that_went(
    kept: list[Kept], asked: Retention, needed: Needed
) -> None:
    both = {each.kept for each in superfluous(kept, asked, needed, NOW_NS)}
    for alone in (Retention(keep=asked.keep), Retention(max_age_ns=asked.max_age_ns)):
        assert {each.kept for each in superfluous(kept, alone, needed, NOW_NS)} <= both


@law
@given(kepts, needs)
def test_without_a_limit_nothing_goes(kept: list[Kept], needed: Needed) -> None:
    assert not superfluous(kept, KEEP_ALL, needed, NOW_NS)


@pytest.mark.parametrize(
    ("days", "run", "retention", "goes"),
    [
        (90, "r-1", Retention(max_age_ns=30 * DAY_NS), True),
        (30, "r-1", Retention(max_age_ns=30 * DAY_NS), False),
        (-1, "r-1", Retention(max_age_ns=0), False),
        (90, "r-1", Retention(keep=0, max_size_bytes=0), False),
        (90, "r-1", KEEP_ALL, False),
        (90, "r-8", Retention(max_age_ns=0), False),
    ],
)
def test_what_lies_in_quarantine_goes_by_age_alone(
    days: int, run: str, retention: Retention, goes: bool
) -> None:
    """And what a run left that has not ended stays."""
    needed = Needed(unfinished=frozenset(("r-8",)))
    assert is_outlived(NOW_NS - days * DAY_NS, run, retention, needed, NOW_NS) is goes
