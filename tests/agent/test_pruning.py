"""Pruning over the wire: neither end makes the other remove, or believe, anything else."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconcile.model.errors import UsageError
from reconcile.model.plan import Problem
from reconcile.model.treepath import MAX_PATH_BYTES, TreePath
from reconcile.trees import agent_tree
from reconcile.trees.base import RunOptions
from reconcile.wire import messages as m
from reconcile.wire.fields import PRUNE
from tests.agent.liar import WELCOME, liar
from tests.agent.lies import refused
from tests.agent.near import Near
from tests.trees.looking import fill, snapshot

A = TreePath(b".reconcile/versions/r-1/a")
B = TreePath(b".reconcile/versions/r-1/b")
KNOWING = replace(WELCOME, words=(PRUNE,))


def still(place: bytes) -> Problem:
    return Problem(TreePath(place), None, "E_DENIED", "it could not be removed")


def test_an_older_agent_is_asked_for_nothing(tmp_path: Path, trees: list[Any]) -> None:
    tree = liar(tmp_path, m.Notes(()))
    trees.append(tree)
    tree.begin(RunOptions("r-2"), ())
    with pytest.raises(UsageError) as caught:
        tree.prune([A])
    assert caught.value.code == "E_UNSUPPORTED"
    assert caught.value.changed == "nothing"


@pytest.mark.parametrize("told", [(still(B),), (still(A), still(A)), (still(b"../a"),)], ids=repr)
def test_trouble_with_what_was_not_asked_is_refused(
    tmp_path: Path, trees: list[Any], told: tuple[Problem, ...]
) -> None:
    tree = liar(tmp_path, m.Notes(()), m.Notes(told), welcome=KNOWING)
    trees.append(tree)
    tree.begin(RunOptions("r-2"), ())
    refused(tree.prune, [A])


def test_many_places_are_asked_for_in_portions(
    tmp_path: Path, trees: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_tree, "_PLACES_BYTES", 2 * len(A) + 1)
    tree = liar(tmp_path, m.Notes(()), m.Notes((still(B),)), m.Notes((still(A),)), welcome=KNOWING)
    trees.append(tree)
    tree.begin(RunOptions("r-2"), ())
    long = TreePath(A + b"x" * MAX_PATH_BYTES)
    found = tree.prune([TreePath(A + b"0"), long, B, A])
    assert [(problem.path, problem.code) for problem in found] == [
        (long, "E_NAME_UNREPRESENTABLE"), (B, "E_DENIED"), (A, "E_DENIED"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "place",
    [b"a", b".reconcile/versions/r-1", b".reconcile/versions/r-1/../../../a", b"/etc/passwd"],
)
def test_an_agent_removes_nothing_when_one_place_is_none(tmp_path: Path, place: bytes) -> None:
    root = tmp_path / "root"
    root.mkdir()
    fill(bytes(root), {"a": b"one", A.decode(): b"old"})
    with Near(tmp_path) as near:
        near.greet(root).begin()
        before = snapshot(bytes(root), ours=True)
        assert near.answer(m.Prune((A, place))).code == "E_PATH"
        assert snapshot(bytes(root), ours=True) == before
        assert near.ask(m.Prune((A,))) == m.Notes(())
        assert set(snapshot(bytes(root))) == {b"a"}


def test_too_many_places_end_the_connection(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with Near(tmp_path) as near:
        near.greet(root).begin()
        near.say(m.Prune((A,) * (m.MAX_PROBLEMS + 1)))
        assert near.hung_up()
