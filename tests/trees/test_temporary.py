"""Names of our own: which they are, and which of an interrupted run's are of use."""

import pytest

from reconcile.model.errors import PathRefused
from reconcile.model.plan import Action
from reconcile.model.treepath import TreePath
from reconcile.trees.temporary import PART, refuse_ours, step_temp, temp_name, unwanted
from tests.trees.looking import Steps, file


def test_a_temporary_name_is_short_and_depends_on_content_and_path() -> None:
    name = temp_name(b"i" * 32, TreePath(b"d/" + b"n" * 255))
    assert len(name) == len(b".rcn-") + 16
    assert name == temp_name(b"i" * 32, TreePath(b"d/" + b"n" * 255))
    assert name != temp_name(b"i" * 32, TreePath(b"d/n"))
    assert name != temp_name(b"j" * 32, TreePath(b"d/" + b"n" * 255))


@pytest.mark.parametrize(
    "path",
    [b".rcn-0000000000000001", b"a/.rcn-0000000000000001/b", b".reconcile", b".reconcile/versions"],
)
def test_our_own_names_are_refused_to_steps(path: bytes) -> None:
    with pytest.raises(PathRefused):
        refuse_ours(TreePath(path))


@pytest.mark.parametrize(
    "path",
    [
        b"a",
        b"a/.reconcile",
        b".reconcile-me",
        b"x.rcn-1",
        b".rcnot",
        b".rcn-notes",
        b".rcn-0",
        b".rcn-0123456789abcdef.txt",
        b".rcn-0123456789abcdeF",
        b"a/.rcn-/b",
    ],
)
def test_names_that_only_look_like_ours_are_ordinary(path: bytes) -> None:
    refuse_ours(TreePath(path))


def test_a_leftover_is_of_use_only_to_the_step_it_was_made_for() -> None:
    steps = Steps()
    step = steps.add(Action.CREATE, b"d/a", None, file(b"a", b"one"))
    mine = TreePath(b"d/" + step_temp(step))
    part = TreePath(mine + PART)
    elsewhere = TreePath(step_temp(step))
    old = TreePath(mine + b".old")
    assert unwanted([mine, part, elsewhere, old], steps.made) == (elsewhere, old)
    assert unwanted([mine], []) == (mine,)
