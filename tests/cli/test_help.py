"""Help comes from the table, and fits a page."""

from pathlib import Path

import pytest

from reconcile.cli import options_guards
from reconcile.cli.main import main
from reconcile.cli.options import OPTIONS, options_of
from reconcile.cli.table import Verb
from reconcile.cli.top_help import FAMILIES, lines
from reconcile.cli.verb_help import verb_lines
from reconcile.cli.verb_table import VERBS, verb_named
from reconcile.decide import settle
from tests.cli.test_startup import HEAVY, imported


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_the_help_of_every_verb(verb: Verb, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*verb.name.split(), "--help-all"]) == 0
    page = capsys.readouterr().out
    assert max(len(line) for line in page.splitlines()) <= 80
    assert all(option.name in page for option in options_of(verb.name) if not option.hidden)
    assert len(verb.examples) >= 2
    assert all(example in page for example in verb.examples)


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_a_newcomer_sees_three_commands(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    page = capsys.readouterr().out
    assert all(f"reconcile {verb}" in page for verb in ("diff", "apply", "status"))
    assert max(len(line) for line in page.splitlines()) <= 80


def test_a_group_alone_shows_its_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["baseline"]) == 0
    assert "adopt" in capsys.readouterr().out


def test_help_may_stand_before_the_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help", "show"]) == 0
    assert "Usage: reconcile show" in capsys.readouterr().out


def test_the_first_page_names_every_command_once() -> None:
    page = lines(80)
    said = [line.split()[0] for line in page if line.startswith("  ") and line[2] != " "]
    for name in {verb.name.split()[0] for verb in VERBS}:
        assert said.count(name) == 1, name
    assert "More:" not in page, "give the command a group in cli/top_help.py"
    assert {verb.name.split()[0] for verb in VERBS if " " in verb.name} == set(FAMILIES)


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_the_first_page_fits_and_cuts_no_sentence_short(columns: int) -> None:
    page = lines(columns)
    assert max(map(len, page)) <= min(columns, 80)
    whole = " ".join(" ".join(page).split())
    assert all(verb.help in whole for verb in VERBS if " " not in verb.name)
    assert "..." not in whole.replace("r-...", "")


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_the_first_page_imports_no_typer(
    words: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    assert not imported(words, environment, tmp_path) & HEAVY


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
@pytest.mark.parametrize("columns", [40, 80])
def test_the_first_step_of_help_fits_a_screen_and_leads_to_the_second(
    verb: Verb, columns: int
) -> None:
    page, whole = (verb_lines(verb, columns, whole=step) for step in (False, True))
    typed = {f"  {example}" for example in verb.examples}
    assert max(len(line) for line in page if line not in typed) <= columns
    assert columns < 80 or len(page) <= 55
    assert set(verb.examples) <= {line.strip() for line in page}
    if len(page) < len(whole) - 1:
        assert f"reconcile {verb.name} --help-all" in " ".join(" ".join(page).split())


def test_help_is_asked_for_anywhere_and_with_the_rest_unfinished(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for line in (
        "restore -h",
        "-h restore",
        "restore --of x --help",
        "restore a -qh",
        "-h -q restore",
    ):
        assert main(line.split()) == 0, line
        assert capsys.readouterr().out.startswith("Usage: reconcile restore "), line
    assert main(["restore", "--", "-h"]) != 0
    assert main(["restore", "--of", "-h", "nowhere"]) != 0
    assert "Usage:" not in capsys.readouterr().out


def test_help_says_what_may_be_repeated_and_what_a_word_stands_for() -> None:
    verb = verb_named("diff")
    assert verb is not None
    page = " ".join(" ".join(verb_lines(verb, 80, whole=True)).split())
    assert "[JOB | LEFT RIGHT]" in page
    assert "all, none, or some of create,edit,delete" in page
    assert "Leave out what GLOB matches. [may be repeated]" in page
    assert "list[str]" not in page


@pytest.mark.parametrize("words", [["diff", "-h"], ["baseline"], ["apply", "--help-all"]])
def test_the_help_of_a_command_imports_no_typer(
    words: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    assert not imported(words, environment, tmp_path) & HEAVY


def test_no_option_is_hidden_yet() -> None:
    assert [option.name for option in OPTIONS if option.hidden] == []


def test_the_guards_that_may_be_allowed_are_those_that_are_understood() -> None:
    assert options_guards.ALLOWED == settle.ALLOWED
