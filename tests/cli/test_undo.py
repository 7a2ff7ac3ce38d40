"""`undo` and `restore` as a user types them: text off a terminal, JSON, exit codes."""

import os
from pathlib import Path

import pytest

from reconcile.model.errors import ExitCode
from tests.cli.test_schemas import Shell


@pytest.fixture
def shell(tmp_path: Path, environment: dict[str, str]) -> Shell:
    """Two runs: everything was made, then `a` changed and `b` went."""
    found = Shell(tmp_path, environment)
    for side in ("left", "right"):
        (tmp_path / side).mkdir()
    (tmp_path / "left/a").write_text("one")
    (tmp_path / "left/b").write_text("bee")
    assert found.run("apply", "left", "right", "--yes")[0] == 0
    (tmp_path / "left/a").write_text("three")
    (tmp_path / "left/b").unlink()
    assert found.run("apply", "left", "right", "--yes")[0] == 0
    return found


def last_run(shell: Shell) -> str:
    run: str = shell.document("history.json", "history")["runs"][0]["run"]
    return run


def text(shell: Shell, *words: str, code: int = 0) -> str:
    found, out = shell.run(*words)
    assert found == code, out
    return out.decode()


def right(shell: Shell) -> dict[str, str]:
    root = shell.where / "right"
    return {path.name: path.read_text() for path in root.iterdir() if path.is_file()}


def test_a_run_is_undone_and_the_undo_too(shell: Shell) -> None:
    run = last_run(shell)
    out = text(shell, "undo", run[:10], "--yes")
    assert out.startswith(f"To undo run {run}:\n")
    assert right(shell) == {"a": "one", "b": "bee"}
    again = last_run(shell)
    assert f"Undo this run: reconcile undo {again}" in out
    assert text(shell, "undo", run, "--yes").startswith("Nothing to undo: ")
    text(shell, "undo", again, "--yes")
    assert right(shell) == {"a": "three"}


def test_what_an_undo_would_do_is_shown_without_doing_it(shell: Shell) -> None:
    out = text(shell, "undo", last_run(shell), "-n")
    assert [line.split() for line in out.splitlines() if line.endswith("undone")] == [
        ["~", "at", "right", "a", "5", "B", "→", "3", "B", "undone"],
        ["+", "at", "right", "b", "3", "B", "undone"],
    ]
    assert right(shell) == {"a": "three"}


def test_a_saved_undo_is_shown_and_applied(shell: Shell) -> None:
    text(shell, "undo", last_run(shell), "-o", "back.rplan")
    assert "undone" in text(shell, "show", "back.rplan")
    text(shell, "apply", "back.rplan")
    assert right(shell) == {"a": "one", "b": "bee"}


def test_a_plan_that_is_used_is_made_anew_by_the_verb_that_made_it(shell: Shell) -> None:
    run = last_run(shell)
    for words in (("undo", run), ("restore", "a")):
        text(shell, *words, "-o", "back.rplan")
        text(shell, "apply", "back.rplan")
        [error] = [e for e in shell.events("apply", "back.rplan") if e["type"] == "error"]
        again = f"reconcile {words[0]} {run if words[0] == 'undo' else 'PATH'} -o FILE.rplan"
        assert error["hint"] == f"make a new plan: {again}"


def test_what_changed_since_ends_with_6_and_names_it(shell: Shell) -> None:
    (shell.where / "right/a").write_text("edited since")
    events = shell.events("undo", last_run(shell), "--yes")
    assert events[-1]["code"] == ExitCode.STALE
    [error] = [event for event in events if event["type"] == "error"]
    assert error["code"] == "E_CHANGED_SINCE"
    assert "`a` at right" in error["where"]
    events = shell.events("undo", last_run(shell), "--yes", "--skip-changed")
    assert events[-1]["code"] == 0
    assert right(shell) == {"a": "edited since", "b": "bee"}


def test_the_plan_says_what_it_is(shell: Shell) -> None:
    run = last_run(shell)
    [plan] = [event for event in shell.events("undo", run, "-n") if event["type"] == "plan"]
    assert (plan["kind"], plan["of"], plan["reverts"]) == ("undo", run, 2)
    [plan] = [event for event in shell.events("restore", "a", "-n") if event["type"] == "plan"]
    assert (plan["kind"], plan["of"]) == ("restore", "a")


CODES = {
    "no run": (("undo",), ExitCode.USAGE),
    "an unknown run": (("undo", "r-0000"), ExitCode.NOT_FOUND),
    "nobody to ask": (("undo", "r-"), ExitCode.USAGE),
    "an unknown path": (("restore", "nothing", "--yes"), ExitCode.NOT_FOUND),
    "an unknown version": (("restore", "a", "--at", "v9", "--yes"), ExitCode.NOT_FOUND),
    "an unknown time": (("restore", "a", "--at", "yesterday"), ExitCode.USAGE),
    "two files into one": (("restore", "a", "b", "--to", "out"), ExitCode.USAGE),
    "both into one": (("restore", "a", "--side", "both", "--to", "out"), ExitCode.USAGE),
    "outside the roots": (("restore", "/etc/passwd", "--yes"), ExitCode.USAGE),
}


def test_what_cannot_be_is_said_with_its_code(shell: Shell) -> None:
    found = {name: shell.run(*words) for name, (words, _) in CODES.items()}
    assert found == {name: (code, b"") for name, (_, code) in CODES.items()}
    assert right(shell) == {"a": "three"}


def test_a_version_comes_back_by_its_number_or_its_place(shell: Shell) -> None:
    text(shell, "restore", "a", "--at", "v1", "--yes")
    assert right(shell)["a"] == "one"
    text(shell, "restore", str(shell.where / "right/b"), "--yes")
    assert right(shell)["b"] == "bee"


def test_a_directory_comes_back_as_it_was_a_while_ago(shell: Shell) -> None:
    text(shell, "restore", ".", "--at", last_run(shell), "--yes", "--side", "right")
    assert right(shell) == {"a": "one", "b": "bee"}


def test_a_version_is_written_to_a_new_file(shell: Shell) -> None:
    out = text(shell, "restore", "b", "--to", "old b")
    assert out.startswith("Wrote b as right had it (")
    assert (shell.where / "old b").read_text() == "bee"
    [written] = [
        event
        for event in shell.events("restore", "b", "--to", "again")
        if event["type"] == "written"
    ]
    assert (written["path"], written["side"], written["to"]) == ("b", "right", "again")
    assert shell.run("restore", "b", "--to", "again")[0] == ExitCode.USAGE


def test_hostile_names_are_inert(shell: Shell) -> None:
    name = b"\x1b[31m\n\xff"
    location = os.fsencode(shell.where / "left") + b"/" + name
    with open(location, "wb") as file:
        file.write(b"content")
    text(shell, "apply", "left", "right", "--yes")
    os.unlink(location)
    text(shell, "apply", "left", "right", "--yes")
    out = text(shell, "restore", os.fsdecode(name), "--yes")
    assert "\x1b" not in out
    assert "To restore \\e[31m\\n\\xff:" in out
    assert os.path.exists(os.fsencode(shell.where / "right") + b"/" + name)


def test_several_pairs_are_told_apart(shell: Shell) -> None:
    (shell.where / "third").mkdir()
    text(shell, "apply", "left", "third", "--yes")
    (shell.where / "left/a").write_text("fourth")
    text(shell, "apply", "left", "third", "--yes")
    assert shell.run("restore", "a", "--yes")[0] == ExitCode.USAGE
    text(shell, "restore", "a", "--of", "left", "--of", "third", "--yes")
    assert (shell.where / "third/a").read_text() == "three"
