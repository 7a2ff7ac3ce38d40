"""What a far root can hold is tried by its agent before the first write, where it knows how."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconcile.model.entry import Tracked
from reconcile.model.job import FilterSpec
from reconcile.model.manifest import Header
from reconcile.model.policy import Abilities
from reconcile.trees.agent_tree import AgentTree
from reconcile.trees.looking import Looking, Settings
from reconcile.wire.fields import TRY
from tests.agent.liar import OPENED, WELCOME, liar
from tests.agent.lies import refused
from tests.agent.pipes import agent_tree
from tests.trees.mounts import folding

KNOWING = replace(WELCOME, words=(TRY,))


@pytest.fixture
def far(tmp_path: Path, trees: list[Any]) -> Iterator[tuple[Path, AgentTree]]:
    """A folding directory without modes, and a tree whose agent serves it."""
    with folding(tmp_path / "far", "modes") as root:
        tree = agent_tree(os.fsencode(root), str(tmp_path / "cache"))
        yield root, tree
        tree.close()


def test_a_look_does_not_know_and_leaves_no_trace(far: tuple[Path, AgentTree]) -> None:
    root, tree = far
    assert not tree.abilities.tried
    assert os.listdir(root) == []


def test_what_folds_there_is_tried_there(far: tuple[Path, AgentTree]) -> None:
    root, tree = far
    found = tree.try_abilities()
    assert found.tried
    assert found.folds_case
    assert not found.modes
    assert tree.abilities == found
    assert os.listdir(root) == []


def test_an_older_agent_is_asked_for_nothing(tmp_path: Path, trees: list[Any]) -> None:
    tree = liar(tmp_path)
    trees.append(tree)
    assert tree.try_abilities() == OPENED.abilities


def test_a_root_of_a_known_kind_is_not_tried(tmp_path: Path, trees: list[Any]) -> None:
    known = replace(OPENED, abilities=Abilities(file_system="ext4"))
    tree = liar(tmp_path, welcome=KNOWING, opened=known)
    trees.append(tree)
    assert tree.try_abilities() == known.abilities


@pytest.mark.parametrize(
    "told",
    [
        Abilities(file_system="\x1b]0;owned\x07"),
        Abilities(forbidden_last="x" * 257),
        Abilities(least_mtime_ns=1, most_mtime_ns=0),
    ],
    ids=["words", "characters", "times"],
)
def test_abilities_that_nothing_has_are_refused(
    tmp_path: Path, trees: list[Any], told: Abilities
) -> None:
    tree = liar(tmp_path, replace(OPENED, abilities=told), welcome=KNOWING)
    trees.append(tree)
    refused(tree.try_abilities)


def test_a_look_on_its_way_is_asked_for_again(far: tuple[Path, AgentTree]) -> None:
    root, tree = far
    (root / "a").write_text("a")
    want = Looking(Settings(Header("sha256", Tracked())), FilterSpec(), b"", True, False)
    tree.start_look(want)
    assert tree.try_abilities().tried
    taken: list[Any] = []

    class Taking:
        def forget(self, keys: Any, prefixes: Any) -> None: ...

        def write(self, rows: Any) -> None:
            taken.extend(rows)

    seen = tree.look(want, None, Taking(), lambda tally: None)
    assert seen.tally.files == 1
    assert len(taken) == 1
