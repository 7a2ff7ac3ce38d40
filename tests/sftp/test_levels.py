"""Steps of one level are independent; what must keep its order keeps it."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from reconcile.model.plan import Action, Side, Source, Step
from reconcile.model.treepath import TreePath, is_under
from reconcile.trees.sftp.levels import levels
from tests.trees.looking import directory, file

PATHS = [b"a", b"b", b"a/x", b"a/y", b"a/x/1", b"b/x", b"ab"]


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    made: list[Step] = []
    for number in range(1, draw(st.integers(0, 9)) + 1):
        path = TreePath(draw(st.sampled_from(PATHS)))
        source = TreePath(draw(st.sampled_from(PATHS)))
        needs = draw(st.sets(st.integers(1, number - 1), max_size=1)) if number > 1 else set()
        action = draw(st.sampled_from([Action.MKDIR, Action.DELETE, Action.MOVE]))
        where = Source(Side.RIGHT, source, file(source, b"x")) if action is Action.MOVE else None
        made.append(
            Step(number, Side.RIGHT, action, path, path, None, None, where, needs=tuple(needs))
        )
    return made


def touched(step: Step) -> list[TreePath]:
    return [step.at, step.source.path] if step.source else [step.at]


@given(steps())
def test_steps_that_meet_keep_their_order(given_steps: list[Step]) -> None:
    at = {step.id: number for number, level in enumerate(levels(given_steps)) for step in level}

    assert sorted(at) == [step.id for step in given_steps], "each once"
    for first, second in combinations(given_steps, 2):
        meet = first.id in second.needs or any(
            is_under(a, b) or is_under(b, a) for a in touched(first) for b in touched(second)
        )
        assert not meet or at[first.id] < at[second.id]


def test_a_thousand_new_files_are_one_level() -> None:
    made = [
        Step(n, Side.RIGHT, Action.MKDIR, TreePath(b"d/%d" % n), TreePath(b"d/%d" % n), None,
             directory(b"d"))
        for n in range(1, 1001)
    ]  # fmt: skip
    assert [len(level) for level in levels(made)] == [1000]
