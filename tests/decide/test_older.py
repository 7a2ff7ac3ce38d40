"""Which changes of a side are a return to what the pair has left behind."""

import pytest

from reconcile.decide.older import MANY, Known, went_back
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import DEFAULT_HEADER, Manifest, build
from reconcile.model.plan import Action, MadeFrom, Plan, Side, Source, Step
from reconcile.model.treepath import TreePath

SETTLED = 1_000
OLD, TODAY = 10, 2_000
MADE_FROM = MadeFrom("p", "/l", "/r", 3, b"", b"", b"", DEFAULT_HEADER)


def tree(**contents: str) -> Manifest:
    return build({TreePath(name.encode()): file(name, what) for name, what in contents.items()})


def file(name: str, content: str, time: int = OLD) -> Entry:
    return Entry(name.encode(), Kind.FILE, size=1, mtime_ns=time, id=content.encode() * 32)


PAST = [tree(a="2", b="1", c="1"), tree(a="1", b="1", gone="9", gone2="9")]
BASE = tree(a="3", b="2", c="1", d="1", x="7")


def step(name: str, content: str, time: int = OLD, *, merged: bool = False) -> Step:
    """What the right has, on its way to the left; no content: it is gone there."""
    path = TreePath(name.encode())
    want = file(name, content, time) if content else None
    source = Source(None if merged else Side.RIGHT, path, want) if want else None
    action = Action.UPDATE if content else Action.DELETE
    was = {"a": "3", "b": "2", "c": "1", "d": "1", "x": "7"}.get(name)
    return Step(1, Side.LEFT, action, path, path, file(name, was) if was else None, want, source)


ROWS: list[tuple[str, list[Step], Known, int]] = [
    # what it shows, what is carried to the left, what is known, how many files went back
    ("nothing is no return", [], Known(SETTLED), 0),
    ("one file of last week", [step("a", "1")], Known(SETTLED), 1),
    ("also one of an earlier week", [step("a", "1"), step("b", "1")], Known(SETTLED), 2),
    ("with what was not there yet", [step("a", "2"), step("d", "")], Known(SETTLED), 1),
    ("a deletion alone is ordinary", [step("d", ""), step("c", "")], Known(SETTLED), 0),
    ("work of today beside it", [step("a", "2"), step("d", "5")], Known(SETTLED), 0),
    ("what was there at all times is gone", [step("a", "2"), step("x", "5")], Known(SETTLED), 0),
    ("an editor's undo", [step("a", "2", TODAY)], Known(SETTLED), 0),
    ("the same under another root", [step("a", "2", TODAY)], Known(SETTLED, (), True), 1),
    ("one out of the waste bin", [step("gone", "9")], Known(SETTLED), 0),
    ("two that were deleted", [step("gone", "9"), step("gone2", "9")], Known(SETTLED), 2),
    ("our own restore", [step("a", "2")], Known(SETTLED, (TreePath(b"a"),)), 0),
    ("a merge", [step("a", "2", merged=True)], Known(SETTLED), 0),
    ("a policy that keeps the base", [step("a", "3")], Known(SETTLED), 0),
    ("a copy put in its place, as `mv x a`", [step("a", "7"), step("x", "")], Known(SETTLED), 0),
]


@pytest.mark.parametrize(("shows", "steps", "known", "files"), ROWS, ids=[row[0] for row in ROWS])
def test_what_is_a_return(shows: str, steps: list[Step], known: Known, files: int) -> None:
    plan = Plan(MADE_FROM, tuple(steps))
    found = went_back(plan, Side.RIGHT, BASE, lambda: PAST, known)
    assert (found.files if found else 0) == files, shows
    assert went_back(plan, Side.LEFT, BASE, lambda: PAST, known) is None


@pytest.mark.parametrize("count", [MANY - 1, MANY])
def test_many_files_need_no_old_times(count: int) -> None:
    names = [f"f{number}" for number in range(count)]
    steps = tuple(step(name, "1", TODAY) for name in names)
    base, before = (tree(**dict.fromkeys(names, content)) for content in "21")
    found = went_back(Plan(MADE_FROM, steps), Side.RIGHT, base, lambda: [before], Known(SETTLED))
    assert (found is not None) == (count >= MANY)


def test_new_work_looks_into_no_earlier_generation() -> None:
    def never() -> list[Manifest]:
        raise AssertionError("asked for the past")

    plan = Plan(MADE_FROM, (step("a", "1"), step("b", "8", TODAY)))
    assert went_back(plan, Side.RIGHT, BASE, never, Known(SETTLED)) is None
