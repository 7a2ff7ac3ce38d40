"""Which file a new one is rebuilt from: a table, and that a hint is all it ever is."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.decide.basis import LEAST_BYTES, choose_bases
from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Action, Side, Source, Step
from reconcile.model.treepath import TreePath

MIB = 1 << 20


def entry(size: int, kind: Kind = Kind.FILE) -> Entry:
    """A file of a size."""
    return Entry(b"", kind, size, 0, 0o644, bytes(32))


def step(number: int, action: Action, path: str, size: int, old: str = "") -> Step:
    """A step of the right side; `old` is where a MOVE, or a copy, comes from."""
    at = TreePath(path.encode())
    expect = entry(size) if action in (Action.DELETE, Action.UPDATE) else None
    want = entry(size) if action in (Action.CREATE, Action.UPDATE, Action.MOVE) else None
    source = Source(Side.RIGHT, TreePath(old.encode()), entry(size)) if old else None
    if action is Action.CREATE and not old:
        source = Source(Side.LEFT, at, entry(size))
    return Step(number, Side.RIGHT, action, at, at, expect, want, source)


def create(path: str, size: int = MIB, old: str = "") -> Step:
    """The step 1, which is new."""
    return step(1, Action.CREATE, path, size, old)


def delete(path: str, size: int = MIB) -> Step:
    """Something that goes."""
    return step(2, Action.DELETE, path, size)


CASES: dict[str, tuple[Step, Sequence[Step], str | None]] = {
    "the same name elsewhere": (
        create("b/x.bin"),
        [delete("a/x.bin"), delete("b/y.bin")],
        "a/x.bin",
    ),
    "the same name, grown to eight times": (create("b/x", 8 * MIB), [delete("a/x")], "a/x"),
    "the same name, grown to nine times": (create("b/x.a", 9 * MIB), [delete("c/x.a")], None),
    "the same name, shrunk to an eighth": (create("b/x", MIB), [delete("a/x", 8 * MIB)], "a/x"),
    "the same name, shrunk to a ninth": (create("b/x.a"), [delete("c/x.a", 9 * MIB)], None),
    "the same name twice: nearer in size": (
        create("c/x", MIB),
        [delete("a/x", 3 * MIB), delete("b/x", MIB + 5)],
        "b/x",
    ),
    "the same name and size twice: first by path": (
        create("c/x"),
        [delete("b/x"), delete("a/x")],
        "a/x",
    ),
    "the same directory and ending": (
        create("a/v2.bin"),
        [delete("b/v0.bin"), delete("a/v1.bin", MIB + 99)],
        "a/v1.bin",
    ),
    "the same ending and nearly the size": (create("a/v2.bin"), [delete("b/v1.bin")], "b/v1.bin"),
    "the same ending, another size": (create("a/v2.bin"), [delete("b/v1.bin", 2 * MIB)], None),
    "another ending": (create("a/v2.bin"), [delete("b/v1.txt")], None),
    "no ending is one too": (create("a/v2"), [delete("b/v1")], "b/v1"),
    "a hidden name has no ending": (create("a/.bin"), [delete("b/v1.bin")], None),
    "what moves away": (create("b/x"), [step(2, Action.MOVE, "c/z.q", MIB, "a/x")], "a/x"),
    "what is overwritten": (create("d/log.1"), [step(2, Action.UPDATE, "d/log", MIB)], "d/log"),
    "the same beginning elsewhere": (create("d/log.1"), [delete("e/log")], None),
    "too small to matter": (create("b/x", LEAST_BYTES - 1), [delete("a/x")], None),
    "what goes is too small": (
        create("b/x", LEAST_BYTES),
        [delete("a/x", LEAST_BYTES // 2 - 1)],
        None,
    ),
    "a copy on the same side": (create("b/x", old="c/x"), [delete("a/x")], None),
    "nothing goes": (create("b/x"), [], None),
}


@pytest.mark.parametrize(("new", "others", "basis"), CASES.values(), ids=CASES.keys())
def test_the_likeliest_file_is_chosen(new: Step, others: Sequence[Step], basis: str | None) -> None:
    wanted = {} if basis is None else {1: basis.encode()}
    assert choose_bases([new, *others], Side.RIGHT) == wanted
    assert choose_bases([*reversed(others), new], Side.RIGHT) == wanted
    assert choose_bases([new, *others], Side.LEFT) == {}


steps = st.lists(
    st.tuples(
        st.sampled_from([Action.CREATE, Action.DELETE, Action.UPDATE, Action.MOVE]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["x", "y", "x.bin", "y.bin", ".bin"]),
        st.integers(0, 40).map(lambda n: n * LEAST_BYTES // 4),
    ),
    max_size=30,
)


@given(steps, st.randoms(use_true_random=False))
def test_a_hint_names_a_file_that_goes_and_does_not_depend_on_order(drawn, random) -> None:  # type: ignore[no-untyped-def]
    plan = [
        step(number, action, f"{above}/{name}", size, f"o{above}/{name}" * (action is Action.MOVE))
        for number, (action, above, name, size) in enumerate(drawn)
    ]
    chosen = choose_bases(plan, Side.RIGHT)
    gone = {
        one.source.path if one.action is Action.MOVE and one.source else one.at
        for one in plan
        if one.action is not Action.CREATE
    }
    assert set(chosen.values()) <= gone
    assert all(plan[number].action is Action.CREATE for number in chosen)
    random.shuffle(plan)
    assert choose_bases(plan, Side.RIGHT) == chosen


def test_a_large_plan_is_cheap() -> None:
    plan = [
        step(n, (Action.CREATE, Action.DELETE)[n % 2], f"d{n}/f{n}.bin", MIB + n)
        for n in range(100_000)
    ]
    assert len(choose_bases(plan, Side.RIGHT)) == 50_000
