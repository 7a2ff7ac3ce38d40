"""Paths as people type them, numbers of versions that stay, and a pruning that was declined."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.cli.test_undo import Shell, text


@pytest.fixture
def shell(tmp_path: Path, environment: dict[str, str]) -> Shell:
    """`only` and `sub/a` written three times each; the right side keeps what they were."""
    for side in ("l", "r"):
        (tmp_path / side).mkdir()
    shell = Shell(tmp_path, environment)
    (tmp_path / "l/sub").mkdir()
    for content in ("one", "two", "three"):
        (tmp_path / "l/only").write_text(content)
        (tmp_path / "l/sub/only").write_text(f"sub {content}")
        (tmp_path / "l/sub/deep").write_text(f"deep {content}")
        assert shell.run("apply", "l", "r", "--yes")[0] == 0
    return shell


def everything(shell: Shell, *words: str) -> tuple[int, str, str]:
    """Code, stdout, stderr."""
    answer = subprocess.run(
        ["reconcile", *words], cwd=shell.where, env=shell.environment, capture_output=True,
        check=False, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return answer.returncode, answer.stdout, answer.stderr


def numbers(shell: Shell, path: str) -> list[int]:
    document = shell.document("path-history.json", "history", "--path", path)
    return [version["number"] for version in document["versions"]]


def test_a_version_keeps_its_number_while_others_come_and_go(shell: Shell) -> None:
    newest, oldest = numbers(shell, "only")
    text(shell, "restore", "only", "--at", f"v{oldest}", "--yes")
    assert (shell.where / "r/only").read_text() == "one"
    assert numbers(shell, "only")[1:] == [newest, oldest]
    text(shell, "restore", "only", "--at", f"v{oldest}", "--yes")
    assert (shell.where / "r/only").read_text() == "one"
    assert shell.run("versions", "prune", "l", "r", "--keep", "2", "--even-last", "--yes")[0] == 0
    assert newest in numbers(shell, "only")


TYPED = [
    (".", "l/only", "only"), (".", "r/sub/deep", "sub/deep"), (".", "sub/deep", "sub/deep"),
    ("l/sub", "deep", "sub/deep"), ("l", "sub/deep", "sub/deep"), ("r/sub", "../only", "only"),
    ("l/sub", "./only", "only"), ("/", "only", "only"),
]  # fmt: skip
"""(the current directory, what is typed, what it means)"""


def test_a_path_is_typed_from_here_or_below_the_roots(shell: Shell) -> None:
    place = shell.where
    sides = [str(place / "l"), str(place / "r")]
    for here, word, path in TYPED:
        shell.where = place / here
        for line in (["restore", word, "-n"], ["history", "--", word], ["explain", word, *sides]):
            code, out, err = everything(shell, *line)
            assert code == 0, (here, line, err)
            assert path in out.replace(":", " ").split(), (here, line, out)


def test_a_path_that_could_be_two_is_asked_about(shell: Shell) -> None:
    shell.where = shell.where / "l/sub"
    code, _, err = everything(shell, "restore", "only", "-n")
    assert code == 64
    assert "./only" in err
    assert os.fspath(shell.where / "only") in err


def test_a_path_outside_both_roots_is_named(shell: Shell) -> None:
    code, _, err = everything(shell, "explain", "/etc/passwd", "l", "r")
    assert code == 64
    assert "`/etc/passwd` lies below neither root" in err


def test_a_pruning_that_was_declined_has_its_own_code(shell: Shell) -> None:
    words = ["versions", "prune", "l", "r", "--keep", "0", "--even-last"]
    with Terminal(words, shell.where, shell.environment) as terminal:
        terminal.wait_for("for good?")
        terminal.type("n\n")
        assert terminal.ends() == 13
    assert len(numbers(shell, "only")) == 2
