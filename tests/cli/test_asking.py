"""Deciding conflicts at a real terminal: the keys, the screen, and how it is left."""

import os
import shutil
import signal
import stat
from pathlib import Path

import pytest

from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.engine.planning import make_plan
from reconcile.model.errors import ExitCode
from reconcile.model.job import Job
from tests.cli.terminal import Terminal

Environment = dict[str, str]
BASE = "one\n\n\n\n\ntwo\n"
ONE, TWO = BASE.replace("one", "1"), BASE.replace("two", "2")
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="`git merge-file` merges")


@pytest.fixture
def pair(tmp_path: Path, environment: Environment) -> Path:
    """Two conflicts: `a` merges, `b` does not."""
    environment["COLUMNS"] = "80"
    job = Job(str(tmp_path / "left"), str(tmp_path / "right"), str(tmp_path / "state"))
    for text, texts in ((BASE, None), (None, ((ONE, "B1\n"), (TWO, "B2\n")))):
        for number, side in enumerate(("left", "right")):
            (tmp_path / side).mkdir(exist_ok=True)
            for place, name in enumerate("ab"):
                content = text if texts is None else texts[number][place]
                (tmp_path / side / name).write_text(content or "")
        if texts is None:
            apply_job(job, silent, lambda planning: planning.plan)
        else:
            make_plan(job, silent)
    return tmp_path


def resolving(where: Path, environment: Environment, *more: str) -> Terminal:
    return Terminal(["conflicts", "resolve", *more], where, environment)


def held(pair: Path) -> list[str]:
    return [(pair / side / name).read_text() for name in "ab" for side in ("left", "right")]


UNTOUCHED = [ONE, TWO, "B1\n", "B2\n"]
MERGED = ONE.replace("two", "2")


def editor(place: Path, line: str) -> str:
    """An $EDITOR of one shell line; `$1` is the file."""
    script = place / "editor"
    script.write_text(f"#!/bin/sh\n{line}\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return str(script)


@needs_git
def test_one_is_merged_the_other_kept_and_both_are_applied(
    pair: Path, environment: Environment
) -> None:
    with resolving(pair, environment) as child:
        child.wait_for("? help\r\n> ")
        assert "[1/2] " in child.seen
        assert "L-one" in child.seen
        child.type("m")
        child.wait_for("[2/2] ")
        child.wait_for("u back  q stop")
        child.type("b")
        child.wait_for("Apply 3 changes?")
        child.type("y\n")
        assert child.ends() == 0
        assert "Resolved 2 of 2." in child.seen
    assert held(pair) == [MERGED, MERGED, "B2\n", "B2\n"]


def answered(pair: Path, environment: Environment, last: str) -> str:
    """Both conflicts are answered, and `last` is typed at the question behind them."""
    with resolving(pair, environment) as child:
        child.wait_for("> ")
        child.type("A")
        child.wait_for("Apply 2 changes?")
        child.type(last)
        assert child.ends() == ExitCode.DECLINED
        assert "nothing was changed" in child.seen
    assert held(pair) == UNTOUCHED
    return child.seen


@pytest.mark.parametrize("last", ["l\n", "\nlater\n", "yse\nl\n", "\x04"])
def test_answers_outlive_the_last_question_until_they_are_applied(
    last: str, pair: Path, environment: Environment
) -> None:
    """Enter, a slip of the keys or the end of the terminal threw thirty answers away."""
    seen = answered(pair, environment, last)
    assert "2 answers kept" in seen
    assert ("that is none of" in seen) == (last in ("\nlater\n", "yse\nl\n"))
    with resolving(pair, environment) as child:
        child.wait_for("2 answers given before and not applied")
        child.wait_for("Apply 2 changes?")
        assert "[1/2]" not in child.seen
        child.type("y\n")
        assert child.ends() == 0
    assert held(pair) == [ONE, ONE, "B1\n", "B1\n"]


def test_only_a_no_drops_the_answers(pair: Path, environment: Environment) -> None:
    assert "answers kept" not in answered(pair, environment, "n\n")
    with resolving(pair, environment) as child:
        child.wait_for("[1/2]")
        child.type("q")
        child.ends()
        assert "given before" not in child.seen


def test_what_was_answered_before_ctrl_c_is_asked_no_second_time(
    pair: Path, environment: Environment
) -> None:
    with resolving(pair, environment) as child:
        child.wait_for("> ")
        child.type("a")
        child.wait_for("[2/2]")
        child.wait_for("q stop")
        child.type("\x03")
        assert child.ends() == ExitCode.INT
    with resolving(pair, environment) as child:
        child.wait_for("1 answer given before")
        child.wait_for("[2/2]")
        assert "[1/2]" not in child.seen
        child.type("b")
        child.wait_for("Apply 2 changes?")
        child.type("y\n")
        assert child.ends() == 0
    assert held(pair) == [ONE, ONE, "B2\n", "B2\n"]


def test_an_answer_does_not_hold_for_a_side_that_is_another_by_now(
    pair: Path, environment: Environment
) -> None:
    answered(pair, environment, "l\n")
    (pair / "left/b").write_text("B3\n")
    with Terminal(["diff", "left", "right"], pair, environment) as child:
        child.ends()
    with resolving(pair, environment) as child:
        child.wait_for("1 answer given before")
        child.wait_for("[2/2]")
        child.type("q")
        child.wait_for("Apply 1 change?")
        child.type("y\n")
        child.ends()
    assert held(pair) == [ONE, ONE, "B3\n", "B2\n"]


def test_stopping_offers_what_was_decided_so_far(pair: Path, environment: Environment) -> None:
    with resolving(pair, environment) as child:
        child.wait_for("> ")
        child.type("a")
        child.wait_for("[2/2]")
        child.type("q")
        child.wait_for("Apply 1 change?")
        child.type("y\n")
        assert child.ends() == 0
        assert "1 conflict of this pair left" in child.seen
    assert held(pair) == [ONE, ONE, "B1\n", "B2\n"]


def test_ctrl_c_is_130_changes_nothing_and_leaves_the_terminal_as_it_was(
    pair: Path, environment: Environment
) -> None:
    line = "trap : INT; before=$(stty -g); reconcile conflicts resolve; echo code $?; "
    line += '[ "$(stty -g)" = "$before" ] && echo as found'
    with Terminal.of(["/bin/sh", "-c", line], pair, environment) as child:
        child.wait_for("> ")
        child.type("a")
        child.wait_for("[2/2]")
        child.wait_for("q stop")
        child.type("\x03")
        child.wait_for("code 130")
        child.wait_for("as found")
        assert "changed   nothing" in child.seen
        assert "Traceback" not in child.seen
        child.ends()
    assert held(pair) == UNTOUCHED


@needs_git
def test_the_editor_gets_markers_and_what_it_leaves_is_taken(
    pair: Path, environment: Environment
) -> None:
    line = 'grep -q "<<<<<<< left" "$1" && echo mended > "$1"'
    environment["VISUAL"] = editor(pair, line)
    with resolving(pair, environment, "--only", "b") as child:
        child.wait_for("> ")
        child.type("e")
        child.wait_for("Apply 2 changes?")
        child.type("y\n")
        assert child.ends() == 0
    assert held(pair)[2:] == ["mended\n", "mended\n"]


def test_left_over_markers_are_not_taken_and_the_text_is_not_lost(
    pair: Path, environment: Environment
) -> None:
    line = 'if grep -q mine "$1"; then echo done > "$1"; else echo mine >> "$1"; fi'
    environment["EDITOR"] = editor(pair, line)
    with resolving(pair, environment, "--only", "b") as child:
        child.wait_for("> ")
        child.type("e")
        child.wait_for("markers are left in it")
        child.type("e")
        child.wait_for("Apply 2 changes?")
        child.type("y\n")
        assert child.ends() == 0
    assert held(pair)[2:] == ["done\n", "done\n"]


def test_an_editor_that_fails_answers_nothing(pair: Path, environment: Environment) -> None:
    environment["EDITOR"] = editor(pair, "exit 3")
    with resolving(pair, environment, "--only", "b") as child:
        child.wait_for("> ")
        child.type("e")
        child.wait_for("ended with code 3")
        child.type("q")
        assert child.ends() == 0
    assert held(pair) == UNTOUCHED


@pytest.mark.parametrize("line", ['vi "', " "])
def test_an_editor_that_is_no_command_line_answers_nothing(
    line: str, pair: Path, environment: Environment
) -> None:
    environment["VISUAL"] = line
    with resolving(pair, environment, "--only", "b") as child:
        child.wait_for("> ")
        child.type("e")
        child.wait_for("names no program")
        child.type("b")
        child.wait_for("Apply 1 change?")
        child.type("n\n")
        assert child.ends() == ExitCode.DECLINED


def test_a_pager_that_is_no_command_line_is_done_without(
    pair: Path, environment: Environment
) -> None:
    (pair / "left/b").write_text("".join(f"line {n}\n" for n in range(500)))
    make_plan(Job(str(pair / "left"), str(pair / "right"), str(pair / "state")), silent)
    environment["PAGER"] = "less '"
    with resolving(pair, environment, "--only", "b") as child:
        child.wait_for("> ")
        child.type("d")
        child.wait_for("line 499")
        child.type("q")
        assert child.ends() == 0


@pytest.mark.parametrize("columns", [80, 40])
def test_every_line_fits_the_terminal(columns: int, pair: Path, environment: Environment) -> None:
    long = "w" * 100 + "\x1b[31m" + "\n"
    (pair / "left/b").write_text(long)
    (pair / "right/b").write_text("é" * 90 + "\n")
    job = Job(str(pair / "left"), str(pair / "right"), str(pair / "state"))
    make_plan(job, silent)
    environment["COLUMNS"] = str(columns)
    with resolving(pair, environment) as child:
        for _ in range(2):
            child.wait_for("? help\r\n> ")
            child.type("?")
            child.wait_for("change nothing")
            child.type("d")
            child.type("s")
        assert child.ends() == 0
        assert "nothing was decided" in child.seen
    lines = without_colours(child.seen).replace("\r", "").split("\n")
    assert max(map(len, lines)) <= columns
    assert "\x1b[31mw" not in child.seen


def without_colours(text: str) -> str:
    parts = text.split("\x1b[")
    return parts[0] + "".join(part.partition("m")[2] for part in parts[1:])


def test_a_long_text_goes_to_the_pager_and_the_screen_stays_a_screen(
    pair: Path, environment: Environment
) -> None:
    (pair / "left/b").write_text("".join(f"line {n}\n" for n in range(500)))
    make_plan(Job(str(pair / "left"), str(pair / "right"), str(pair / "state")), silent)
    environment["PAGER"] = f"{shutil.which('grep')} -c line"
    with resolving(pair, environment, "--only", "b") as child:
        child.wait_for("> ")
        assert child.seen.count("\n") <= 24
        assert "more lines (d)" in child.seen
        child.type("d")
        child.wait_for("\n501")
        child.type("q")
        assert child.ends() == 0


def test_arrows_and_what_is_no_key_answer_nothing(pair: Path, environment: Environment) -> None:
    with resolving(pair, environment) as child:
        child.wait_for("> ")
        child.type("\x1b[A")
        child.wait_for("no such key")
        child.type("é")
        child.wait_for("> é")
        child.type("\x04")
        assert child.ends() == 0
    assert held(pair) == UNTOUCHED


def test_without_a_terminal_for_the_keys_it_does_not_ask(
    pair: Path, environment: Environment
) -> None:
    with resolving(pair, environment, "--no-input") as child:
        assert child.ends() == 64
        assert "E_NEEDS_APPROVAL" in child.seen
    assert os.listdir(pair / "left")


def test_sigterm_is_143_and_changes_nothing(pair: Path, environment: Environment) -> None:
    with resolving(pair, environment) as child:
        child.wait_for("> ")
        child.signal(signal.SIGTERM)
        assert child.ends() == 143
        assert "changed   nothing" in child.seen
    assert held(pair) == UNTOUCHED
