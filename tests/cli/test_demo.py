"""`reconcile demo`: an example with every kind of change, and commands that work as printed."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconcile.cli.verbs.demo import TYPED
from reconcile.engine.demo_tree import ODD
from tests.cli.shells import PROMPT, ShellTerminal
from tests.cli.test_schemas import Shell, validator
from tests.trees.looking import snapshot

Environment = dict[str, str]


@pytest.fixture
def shell(tmp_path: Path, environment: Environment) -> Shell:
    del environment["RECONCILE_STATE_DIR"]
    return Shell(tmp_path, environment)


def sides(directory: Path) -> list[dict[bytes, bytes]]:
    return [snapshot(os.fsencode(directory / side)) for side in ("left", "right")]


def modes(directory: Path) -> list[tuple[str, int, int]]:
    """(name, mode, time) of every file of both sides."""
    found = []
    for side in ("left", "right"):
        for top, names, files in os.walk(directory / side):
            names[:] = [name for name in names if name != ".reconcile"]
            for name in files:
                status = os.lstat(os.path.join(top, name))
                found.append((os.path.join(top, name), status.st_mode, status.st_mtime_ns))
    return sorted(found)


def plan_of(shell: Shell, directory: str) -> list[dict[str, Any]]:
    shell.environment["RECONCILE_STATE_DIR"] = str(shell.where / directory / "state")
    return shell.events("-C", directory, "diff")


def test_it_holds_every_kind_of_change(shell: Shell) -> None:
    assert shell.run("demo")[0] == 0
    events = plan_of(shell, "reconcile-demo")
    actions = {(e["action"], e["to"]) for e in events if e["type"] == "step"}
    assert {
        ("create", "left"), ("create", "right"), ("update", "right"), ("move", "right"),
        ("meta", "right"), ("delete", "left"),
    } <= actions  # fmt: skip
    conflicts = {e["path"]: e for e in events if e["type"] == "conflict"}
    assert set(conflicts) == {"notes/todo.txt", "photos/cover.png"}
    assert conflicts["photos/cover.png"]["left"] is None
    (plan,) = [e for e in events if e["type"] == "plan"]
    assert (plan["first_run"], plan["baseline"]) == (False, 1)
    odd = [os.fsencode(shell.where / "reconcile-demo/right") + b"/" + file.path for file in ODD]
    assert all(map(os.path.exists, odd))


def test_the_same_example_each_time(shell: Shell) -> None:
    shell.run("demo", "one")
    shell.run("demo", "two")
    assert sides(shell.where / "one") == sides(shell.where / "two")


@pytest.mark.parametrize("there", ["a file", "a full directory"])
def test_what_is_there_is_left_as_it_is(shell: Shell, there: str) -> None:
    place = shell.where / "reconcile-demo"
    if there == "a file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "mine").write_text("mine")
    assert shell.run("demo")[0] == 64
    assert [p.name for p in shell.where.rglob("*")] in (["reconcile-demo"],
                                                        ["reconcile-demo", "mine"])  # fmt: skip


def test_an_empty_directory_will_do(shell: Shell) -> None:
    (shell.where / "here").mkdir()
    assert shell.run("demo", "here")[0] == 0
    assert shell.run("-C", "here", "demo", ".")[0] == 64


def test_nothing_is_remembered_elsewhere(shell: Shell) -> None:
    shell.run("demo")
    assert {p.name for p in shell.where.iterdir()} == {"reconcile-demo"}


def test_a_place_that_cannot_be_made_is_told(shell: Shell) -> None:
    (shell.where / "file").write_text("")
    answer = subprocess.run(
        ["reconcile", "demo", "file/below"], cwd=shell.where, env=shell.environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 9
    assert "E_DENIED" in answer.stderr


def test_run_goes_all_the_way_and_back(shell: Shell) -> None:
    shell.run("demo", "before")
    shell.environment["RECONCILE_MODE"] = "mirror"  # a user's habit is not the example's
    code, out = shell.run("demo", "after", "--run")
    assert code == 0
    text = out.decode()
    assert "$ reconcile apply --yes" in text
    assert text.count("$ reconcile undo r-") == 3
    assert "merged" in text
    assert b"\x1b" not in out
    assert b"\r" not in out
    assert sides(shell.where / "after") == sides(shell.where / "before")
    pairs = list(zip(modes(shell.where / "after"), modes(shell.where / "before"), strict=True))
    assert all(after[1] == before[1] for after, before in pairs)
    later = {after[2] - before[2] for after, before in pairs}
    assert len(later) == 1, "each demo counts its times from when it is made"


def test_in_json(shell: Shell) -> None:
    code, out = shell.run("demo", "one", "--json")
    document = json.loads(out)
    validator("demo.json").validate(document)
    assert code == 0
    said = [c["command"] for c in document["commands"]]
    assert said[:2] == ["cd one", 'export RECONCILE_STATE_DIR="$PWD/state"']
    code, out = shell.run("demo", "two", "--json", "--run")
    document = json.loads(out)
    validator("demo.json").validate(document)
    assert {c["code"] for c in document["commands"]} == {0, 3}
    assert "baseline is now" in document["commands"][1]["output"]


def printed(shell: Shell, *words: str) -> list[str]:
    """The commands that `demo` says are to be typed."""
    _, out = shell.run("demo", *words)
    *lines, removal = [li[2:] for li in out.decode().splitlines() if li.startswith("  ")]
    assert removal.startswith("rm -r ")
    return lines


SHELLS = {
    "bash": (["bash", "--noprofile", "--norc"], f"PS1='{PROMPT}'"),
    "zsh": (["zsh", "-f"], f"PS1='{PROMPT}'"),
    "fish": (["fish", "--no-config"], f"function fish_prompt; echo -n '{PROMPT}'; end"),
}


@pytest.mark.parametrize("name", SHELLS)
def test_the_commands_work_as_they_are_printed(shell: Shell, name: str) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    lines = printed(shell, "it's a [try] $x")
    assert lines[2:] == [f"reconcile {command.words}" for command in TYPED]
    place = shell.where / "it's a [try] $x"
    before = sides(place)
    command, prompt = SHELLS[name]
    with ShellTerminal(command, shell.where, shell.environment) as terminal:
        terminal.run(prompt)
        for line in lines[:2]:
            terminal.run(line)
        terminal.type(f"{lines[2]}\n")
        terminal.wait_for("2 conflicts")
        terminal.run("true")
        terminal.type(f"{lines[3]}\n")
        terminal.wait_for("Apply")
        terminal.type("y\n")
        terminal.wait_for("baseline is now #2")
        after = sides(place)
        terminal.type(f"{lines[4]}\n")
        _decide(terminal)
        terminal.wait_for("baseline is now #3")
        assert b"36 exposures" in (place / "right/notes/todo.txt").read_bytes()
        assert b"domain" in (place / "left/notes/todo.txt").read_bytes()
        terminal.type(f"{lines[5]}\n")
        terminal.wait_for("apply 3 changes")
        terminal.type("y\n")
        terminal.wait_for("baseline is now #4")
    assert sides(place) == after != before


def _decide(terminal: ShellTerminal) -> None:
    """Merge the text, take the right picture, and yes."""
    terminal.wait_for("[1/2]")
    terminal.wait_for("> ")
    terminal.type("m")
    terminal.wait_for("[2/2]")
    terminal.wait_for("> ")
    terminal.type("b")
    terminal.wait_for("Apply")
    terminal.type("y\n")
