"""At a terminal it asks, and the answer it takes for granted is no."""

from pathlib import Path

import pytest

from reconcile.model.errors import ExitCode
from tests.cli.terminal import Terminal

Environment = dict[str, str]


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    for side in ("left", "right"):
        (tmp_path / side).mkdir()
    (tmp_path / "left/a.txt").write_text("a\n")
    return tmp_path


def terminal(words: str, where: Path, environment: Environment) -> Terminal:
    return Terminal(words.split(), where, environment)


def was_applied(pair: Path) -> bool:
    return (pair / "right/a.txt").exists()


def test_yes_applies(pair: Path, environment: Environment) -> None:
    with terminal("apply left right", pair, environment) as child:
        child.wait_for("Apply 1 change?")
        child.type("y\n")
        assert child.ends() == 0
        assert "1 created" in child.seen
    assert was_applied(pair)


@pytest.mark.parametrize("answer", ["\n", "n\n", "x\nno\n", "\x04"], ids=["empty", "n", "x", "end"])
def test_nothing_but_yes_applies_and_declining_has_its_own_code(
    answer: str, pair: Path, environment: Environment
) -> None:
    with terminal("apply left right", pair, environment) as child:
        child.wait_for("Apply 1 change?")
        child.type(answer)
        assert child.ends() == ExitCode.DECLINED
        assert "nothing was changed" in child.seen
    assert not was_applied(pair)


def test_ctrl_c_is_130_and_nothing_was_changed(pair: Path, environment: Environment) -> None:
    with terminal("apply left right", pair, environment) as child:
        child.wait_for("Apply 1 change?")
        child.type("\x03")
        assert child.ends() == 130
        assert "E_INTERRUPTED" in child.seen
        assert "changed   nothing" in child.seen
        assert "Traceback" not in child.seen
    assert not was_applied(pair)


def test_details_are_shown_and_it_asks_again(pair: Path, environment: Environment) -> None:
    with terminal("apply left right --summary", pair, environment) as child:
        child.wait_for("Apply 1 change?")
        assert "a.txt" not in child.seen
        child.type("d\n")
        child.wait_for("a.txt")
        child.type("n\n")
        assert child.ends() == ExitCode.DECLINED


def test_the_plan_can_be_saved_instead(pair: Path, environment: Environment) -> None:
    with terminal("apply left right", pair, environment) as child:
        child.wait_for("Apply 1 change?")
        child.type("s\n")
        child.wait_for("Save as")
        child.type("kept.rplan\n")
        assert child.ends() == ExitCode.DECLINED
    assert not was_applied(pair)
    with terminal("apply kept.rplan", pair, environment) as child:
        assert child.ends() == 0
        assert "Apply 1" not in child.seen
    assert was_applied(pair)


def emptied_by_half(pair: Path, environment: Environment) -> None:
    for number in range(20):
        (pair / f"left/{number}").write_text(str(number))
    with terminal("apply left right --yes", pair, environment) as child:
        assert child.ends() == 0
    for number in range(15):
        (pair / f"left/{number}").unlink()


def test_a_guard_is_passed_by_typing_its_number(pair: Path, environment: Environment) -> None:
    emptied_by_half(pair, environment)
    with terminal("apply left right", pair, environment) as child:
        child.wait_for("Type 15 to allow it")
        child.type("15\n")
        child.wait_for("Apply 15 changes")
        child.type("y\n")
        assert child.ends() == 0
    assert not (pair / "right/3").exists()


@pytest.mark.parametrize("answer", ["y", "yes", "14", ""])
def test_a_guard_is_not_passed_by_anything_else(
    answer: str, pair: Path, environment: Environment
) -> None:
    emptied_by_half(pair, environment)
    with terminal("apply left right", pair, environment) as child:
        child.wait_for("Type 15 to allow it")
        child.type(answer + "\n")
        assert child.ends() == 5
        assert "E_MAX_DELETE" in child.seen
    assert (pair / "right/3").exists()


def test_yes_does_not_pass_a_guard(pair: Path, environment: Environment) -> None:
    emptied_by_half(pair, environment)
    with terminal("apply left right --yes", pair, environment) as child:
        assert child.ends() == 5
        assert "Type 15" not in child.seen
    assert (pair / "right/3").exists()


def test_a_baseline_is_not_forgotten_unasked(pair: Path, environment: Environment) -> None:
    with terminal("apply left right --yes", pair, environment) as child:
        assert child.ends() == 0
    with terminal("baseline reset left right", pair, environment) as child:
        child.wait_for("Forget")
        child.type("\n")
        assert child.ends() == ExitCode.DECLINED
        assert "not reset" in child.seen


def test_a_terminal_has_colour_and_no_color_takes_it_away(
    pair: Path, environment: Environment
) -> None:
    with terminal("diff left right", pair, environment) as child:
        assert child.ends() == 0
        assert "\x1b[32m" in child.seen
    with terminal("diff left right", pair, {**environment, "NO_COLOR": "1"}) as child:
        assert child.ends() == 0
        assert "\x1b[" not in child.seen


def test_a_question_too_long_for_the_terminal_is_asked_on_two_lines(
    pair: Path, environment: Environment
) -> None:
    environment["COLUMNS"] = "40"
    with terminal("apply left right --summary", pair, environment) as child:
        child.wait_for("Apply 1 change?\r\n[y]es / [N]o")
        child.type("y\n")
        assert child.ends() == 0
    assert was_applied(pair)
