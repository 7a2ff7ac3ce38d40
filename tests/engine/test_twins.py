"""A copied file sends no content to a side that has its twin."""

from reconcile.engine.twins import Twins
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import build
from reconcile.model.plan import Action, Side, Source, Step
from reconcile.model.treepath import TreePath

ID = bytes(32)
OTHER = bytes([1] * 32)


def file(name: bytes, size: int = 5000, content_id: bytes = ID) -> Entry:
    return Entry(name, Kind.FILE, size, 7, 0o644, content_id)


HELD = build(
    {
        TreePath(b"d"): Entry(b"d", Kind.DIR),
        TreePath(b"d/a"): file(b"a"),
        TreePath(b"d/z"): file(b"z", 5000, OTHER),
    }
)


def create(at: bytes, want: Entry, number: int = 1) -> Step:
    path = TreePath(at)
    source = Source(Side.LEFT, path, want)
    return Step(number, Side.RIGHT, Action.CREATE, path, path, None, want, source)


def twins(*steps: Step) -> Twins:
    return Twins({Side.LEFT: build({}), Side.RIGHT: HELD}, steps)


def test_a_copy_beside_its_original_is_made_by_its_own_side() -> None:
    step = create(b"d/b", file(b"b"))
    assert twins(step).resourced(step).source == Source(Side.RIGHT, TreePath(b"d/a"), file(b"a"))


def test_other_content_and_other_directories_are_left_alone() -> None:
    for step in (create(b"d/b", file(b"b", 5000, bytes([2] * 32))), create(b"e/b", file(b"b"))):
        assert twins(step).resourced(step) is step


def test_small_files_are_sent() -> None:
    step = create(b"d/b", file(b"b", 100))
    assert twins(step).resourced(step) is step


def test_a_twin_that_the_plan_changes_is_none() -> None:
    step = create(b"d/b", file(b"b"))
    at = TreePath(b"d/a")
    gone = Step(2, Side.RIGHT, Action.DELETE, at, at, file(b"a"), None)
    moved = Step(
        3, Side.RIGHT, Action.MOVE, TreePath(b"x"), TreePath(b"x"), None, file(b"x"),
        Source(Side.RIGHT, at, file(b"a")),
    )  # fmt: skip
    assert twins(step, gone).resourced(step) is step
    assert twins(step, moved).resourced(step) is step
