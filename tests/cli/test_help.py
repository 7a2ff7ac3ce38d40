"""Help comes from the table, and fits a page."""

from pathlib import Path

import pytest

from reconcile.cli.app import understand
from reconcile.cli.options import OPTIONS, options_of
from reconcile.cli.table import Verb
from reconcile.cli.top_help import FAMILIES, lines
from reconcile.cli.verb_table import VERBS
from tests.cli.test_startup import HEAVY, imported


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_the_help_of_every_verb(verb: Verb, capsys: pytest.CaptureFixture[str]) -> None:
    assert understand([*verb.name.split(), "--help"]) == 0
    page = capsys.readouterr().out
    assert max(len(line) for line in page.splitlines()) <= 80
    assert all(option.name in page for option in options_of(verb.name) if not option.hidden)
    assert len(verb.examples) >= 2
    assert all(example in page for example in verb.examples)


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_a_newcomer_sees_three_commands(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert understand(words) == 0
    page = capsys.readouterr().out
    assert all(f"reconcile {verb}" in page for verb in ("diff", "apply", "status"))
    assert max(len(line) for line in page.splitlines()) <= 80


def test_a_group_alone_shows_its_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert understand(["baseline"]) == 0
    assert "adopt" in capsys.readouterr().out


def test_help_may_stand_before_the_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert understand(["--help", "show"]) == 0
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


def test_no_option_is_hidden_yet() -> None:
    assert [option.name for option in OPTIONS if option.hidden] == []
