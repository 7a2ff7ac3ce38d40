"""Which run `undo` takes back: never another pair's, never an undo, never a guess."""

import os
from pathlib import Path

import pytest

from reconcile.api import Pair
from reconcile.model.errors import ExitCode, NotFound
from tests.cli.terminal import Terminal
from tests.cli.test_schemas import Shell


@pytest.fixture
def shell(tmp_path: Path, environment: dict[str, str]) -> Shell:
    """Pair `l r`: three runs, `a` is one, two, three."""
    found = Shell(tmp_path, environment)
    runs(found, "l", "r", "one", "two", "three")
    return found


def runs(shell: Shell, left: str, right: str, *texts: str) -> None:
    for side in (left, right):
        (shell.where / side).mkdir(exist_ok=True)
    for text in texts:
        (shell.where / left / "a").write_text(text)
        assert shell.run("apply", left, right, "--yes")[0] == 0


def right(shell: Shell, name: str = "r") -> str:
    return (shell.where / name / "a").read_text()


def error(shell: Shell, *words: str) -> dict[str, str]:
    [found] = [event for event in shell.events(*words) if event["type"] == "error"]
    return found


def test_each_undo_goes_one_run_further_back(shell: Shell) -> None:
    """Said twice, it took the undo back."""
    for expected in ("two", "one"):
        assert shell.run("undo", "l", "r", "--yes")[0] == 0
        assert right(shell) == expected
    assert shell.run("undo", "l", "r", "--yes")[0] == 0
    assert not (shell.where / "r/a").exists()
    assert error(shell, "undo", "l", "r", "--yes")["code"] == "E_NOT_FOUND"


def test_a_run_whose_undo_is_undone_is_the_newest_again(shell: Shell) -> None:
    assert shell.run("undo", "--yes")[0] == 0
    undo = shell.document("history.json", "history")["runs"][0]["run"]
    assert shell.run("undo", undo, "--yes")[0] == 0
    assert right(shell) == "three"
    assert shell.run("undo", "--yes")[0] == 0
    assert right(shell) == "two"


def test_another_pairs_later_run_is_not_taken_back(shell: Shell) -> None:
    runs(shell, "timer-l", "timer-r", "tick", "tock")
    assert shell.run("undo", "l", "r", "--yes")[0] == 0
    assert (right(shell), right(shell, "timer-r")) == ("two", "tock")


@pytest.mark.parametrize("words", [(), ("last",)])
def test_where_several_pairs_could_be_meant_nothing_is_guessed(
    shell: Shell, words: tuple[str, ...]
) -> None:
    runs(shell, "timer-l", "timer-r", "tick", "tock")
    found = error(shell, "undo", *words, "--yes")
    assert found["code"] == "E_USAGE"
    assert "timer-l" in found["where"]
    assert str(shell.where / "l") in found["where"]
    assert (right(shell), right(shell, "timer-r")) == ("three", "tock")


def test_a_job_is_undone_by_its_name(shell: Shell) -> None:
    book = 'version = 1\n[job.mine]\nleft = "l"\nright = "r"\n'
    (shell.where / "reconcile.toml").write_text(book)
    runs(shell, "timer-l", "timer-r", "tick")
    assert shell.run("undo", "mine", "--yes")[0] == 0
    assert right(shell) == "two"


def test_a_damaged_pair_is_named_and_not_skipped(shell: Shell) -> None:
    """The next older run, of another pair, was taken back without a word."""
    runs(shell, "other-l", "other-r", "x", "y")
    newest = max((shell.where / "state/pairs").iterdir(), key=lambda p: p.stat().st_mtime_ns)
    (newest / "state.db").write_bytes(b"no database" * 1000)
    found = error(shell, "undo", "--yes")
    assert newest.name in found["where"]
    assert right(shell) == "three"
    assert shell.run("undo", "l", "r", "--yes")[0] == 0
    assert error(shell, "undo", "other-l", "other-r", "--yes")["code"] == "E_STATE_CORRUPT"


def test_after_a_run_that_changed_nothing_the_last_that_did_is_named(shell: Shell) -> None:
    for side in ("l", "r"):
        (shell.where / side / "same").write_text("equal on both")
        os.utime(shell.where / side / "same", (1, 1))
    assert shell.run("apply", "l", "r", "--yes")[0] == 0
    listed = shell.document("history.json", "history")["runs"]
    assert listed[0]["kind"] == "adopt"
    with Terminal(["undo", "l", "r"], shell.where, shell.environment) as child:
        child.wait_for(f"run {listed[0]['run']} changed nothing")
        child.wait_for("Undo run")
        child.type("n\n")
        assert child.ends() == ExitCode.DECLINED
        assert listed[1]["run"] in child.seen


def test_the_question_names_the_pair_and_the_run(shell: Shell) -> None:
    run = shell.document("history.json", "history")["runs"][0]["run"]
    with Terminal(["undo"], shell.where, {**shell.environment, "COLUMNS": "300"}) as child:
        child.wait_for(f"Undo run {run} of {shell.where}/l and {shell.where}/r: apply 1 change?")
        child.type("n\n")
        child.ends()


def test_it_says_that_the_next_run_carries_the_same_over_again(shell: Shell) -> None:
    """A timer puts back what an undo took away; nobody was told."""
    warned = [e for e in shell.events("undo", "-n") if e.get("code") == "E_COMES_AGAIN"]
    assert len(warned) == 1
    (shell.where / "l/a").write_text("two")
    assert shell.run("undo", "l", "r", "--yes", "--skip-changed")[0] == 0
    assert not [e for e in shell.events("diff", "l", "r") if e.get("type") == "step"]


def test_the_pair_of_the_python_api_undoes_and_tells_its_history(shell: Shell) -> None:
    runs(shell, "timer-l", "timer-r", "tick", "tock")
    pair = Pair(shell.where / "l", shell.where / "r", state_dir=shell.where / "state")
    pair.undo()
    assert right(shell) == "two"
    pair.undo()
    assert right(shell) == "one"
    assert [entry.kind for entry in pair.history()] == ["undo", "undo", "sync", "sync", "sync"]
    timer = Pair(shell.where / "timer-l", shell.where / "timer-r", state_dir=shell.where / "state")
    with pytest.raises(NotFound):
        pair.undo(timer.history()[0].id)
    assert right(shell, "timer-r") == "tock"
