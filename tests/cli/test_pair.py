"""`pair`: what the state knows is listed, forgotten, and follows a root that was moved."""

from pathlib import Path

import pytest

from reconcile.model.errors import ExitCode
from tests.cli.terminal import Terminal
from tests.cli.test_schemas import Shell


@pytest.fixture
def shell(tmp_path: Path, environment: dict[str, str]) -> Shell:
    """`a b`, applied twice."""
    found = Shell(tmp_path, environment)
    for side in "ab":
        (tmp_path / side).mkdir()
    for text in ("one", "two"):
        (tmp_path / "a/x").write_text(text)
        assert found.run("apply", "a", "b", "--yes")[0] == 0
    return found


def known(shell: Shell) -> list[str]:
    pairs = shell.document("pairs.json", "pair", "list")["pairs"]
    return [f"{pair['left']} {pair['right']}" for pair in pairs]


def test_what_was_agreed_on_follows_a_moved_root(shell: Shell) -> None:
    (shell.where / "b").rename(shell.where / "c")
    assert shell.run("pair", "move", "b", "c")[0] == 0
    assert known(shell) == [f"{shell.where}/a {shell.where}/c"]
    (shell.where / "a/x").unlink()
    steps = [e for e in shell.events("diff", "a", "c") if e["type"] == "step"]
    assert [(e["action"], e["to"]) for e in steps] == [("delete", "right")]


def test_a_run_of_before_the_move_is_undone_where_the_root_is_now(shell: Shell) -> None:
    (shell.where / "b").rename(shell.where / "c")
    assert shell.run("pair", "move", "b", "c")[0] == 0
    assert shell.run("undo", "a", "c", "--yes")[0] == 0
    assert (shell.where / "c/x").read_text() == "one"
    assert not (shell.where / "b").exists()


def test_a_state_that_is_there_already_is_not_overwritten(shell: Shell) -> None:
    (shell.where / "c").mkdir()
    assert shell.run("apply", "a", "c", "--yes")[0] == 0
    before = known(shell)
    assert shell.run("pair", "move", "b", "c")[0] == ExitCode.USAGE
    assert shell.run("pair", "move", "nowhere", "c")[0] == ExitCode.NOT_FOUND
    assert known(shell) == before


def test_a_pair_is_forgotten_and_no_file_is_touched(shell: Shell) -> None:
    assert shell.run("pair", "forget", "a", "b")[0] == ExitCode.USAGE
    assert shell.run("pair", "forget", "a", "b", "--yes")[0] == 0
    assert known(shell) == []
    assert (shell.where / "b/x").read_text() == "two"
    assert list((shell.where / "b/.reconcile/versions").iterdir())
    assert shell.run("status")[1].startswith(b"No job and no pair is known yet.")


def test_forgetting_asks_and_no_is_the_default(shell: Shell) -> None:
    with Terminal(["pair", "forget", "a", "b"], shell.where, shell.environment) as child:
        child.wait_for("[y]es / [N]o")
        child.type("\n")
        assert child.ends() == ExitCode.DECLINED
    assert len(known(shell)) == 1


def test_a_slip_leaves_no_nameless_pair_in_anybodys_way(shell: Shell) -> None:
    """A side that is not there left a pair without names, and prune spoke of blanks."""
    assert shell.run("diff", "a", "nope")[0] == ExitCode.NOT_FOUND
    out = shell.run("versions", "prune", "--keep", "1", "--dry-run")[1].decode()
    assert "left alone" not in out
    assert b"never reached" not in shell.run("status")[1]
    found = shell.document("pairs.json", "pair", "list")["pairs"]
    nameless = [pair["pair"] for pair in found if not pair["left"]]
    for pair in nameless:
        assert shell.run("pair", "forget", pair, "--yes")[0] == 0
    assert len(known(shell)) == 1
