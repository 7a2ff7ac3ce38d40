"""Help and completion come from the table, and fit a page."""

import subprocess
from pathlib import Path

import pytest

from reconcile.cli.app import understand
from reconcile.cli.options import OPTIONS, options_of
from reconcile.cli.table import Verb
from reconcile.cli.verb_table import VERBS


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


COMPLETIONS = [
    ("reconcile di", 1, {"diff"}),
    ("reconcile manifest ", 2, {"build", "show", "verify", "diff"}),
    ("reconcile diff --mode ", 3, {"two-way", "mirror", "update"}),
    ("reconcile diff --tie r", 3, {"report", "right"}),
]


@pytest.mark.parametrize(("line", "place", "offered"), COMPLETIONS, ids=[c[0] for c in COMPLETIONS])
def test_the_shell_completes(
    line: str, place: int, offered: set[str], environment: dict[str, str], tmp_path: Path
) -> None:
    wishes = {
        "_RECONCILE_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(place),
    }
    answer = subprocess.run(
        ["reconcile"],
        env={**environment, **wishes},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(answer.stdout.split()) == offered


def test_no_option_is_hidden_yet() -> None:
    assert [option.name for option in OPTIONS if option.hidden] == []
