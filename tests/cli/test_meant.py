"""What other tools call otherwise is answered with what to type here."""

import shlex
from pathlib import Path

import pytest

from reconcile.cli.app import understand
from reconcile.cli.meant import LETTERS_MEANT, LONG_MEANT, VERBS_MEANT, suggestions
from reconcile.cli.parse import parse

MEANT = [
    ("l r", ["diff l r", "apply l r"]),
    ("sync l r", ["apply l r", "apply --mode mirror l r"]),
    ("sync", ["apply", "apply --mode mirror"]),
    ("bisync l r", ["apply l r"]),
    ("copy l r", ["apply --mode update l r"]),
    ("cp l r", ["apply --mode update l r"]),
    ("mirror l r", ["apply --mode mirror l r"]),
    ("mirror -n l r", ["diff --mode mirror l r"]),
    ("ls l", ["status"]),
    ("-avn l r", ["diff l r --verbose"]),
    ("-n l r", ["diff l r"]),
    ("-a l r", ["diff l r", "apply l r"]),
    ("-av --delete l r", ["diff l r --mode mirror --verbose", "apply l r --mode mirror --verbose"]),
    ("--delete l r", ["diff l r --mode mirror", "apply l r --mode mirror"]),
    ("apply --checksum l r", ["apply l r --paranoid"]),
    ("apply -P l r", ["apply l r"]),
    ("apply -u l r", ["apply l r --mode update"]),
    ("apply -azn l r", ["diff l r --compress"]),
    ("diff --stats l r", ["diff l r --summary"]),
    ("diff -n l r", ["diff l r"]),
    ("diff --dry-run l r", ["diff l r"]),
    ("diff -a --exclude x l r", ["diff l r --exclude x"]),
    ("sync 'l b' r", ["apply 'l b' r", "apply --mode mirror 'l b' r"]),
    ("sync ssh://me:secret@h/x r", ["apply 'ssh://me:•••@h/x' r",
                                    "apply --mode mirror 'ssh://me:•••@h/x' r"]),
    ("-V", ["--version"]),
    ("--frobnicate l r", []),
    ("-Q l r", []),
    ("nope r", []),
    ("diff l r --checksum --mode", []),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "said"), MEANT)
def test_what_was_meant(typed: str, said: list[str]) -> None:
    found = suggestions(shlex.split(typed), lambda word: word == "l")
    assert [line.partition(": reconcile ")[2] for line in found] == said


@pytest.mark.parametrize("word", sorted(VERBS_MEANT))
def test_every_word_that_is_known_leads_somewhere(word: str) -> None:
    found = [line.partition(": reconcile ")[2] for line in suggestions([word], bool)]
    assert len(found) == len(VERBS_MEANT[word])
    assert all(parse(shlex.split(line)) is not None for line in found)


@pytest.mark.parametrize("option", [*LONG_MEANT, *("-" + letter for letter in LETTERS_MEANT)])
def test_every_option_that_is_known_leads_somewhere(option: str) -> None:
    found = suggestions(["apply", option, "l", "r"], bool)
    assert found, option
    assert all(parse(shlex.split(line.partition(": reconcile ")[2])) for line in found)


def test_the_error_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "l").mkdir()
    monkeypatch.chdir(tmp_path)
    assert understand(["-avn", "l", "r"]) == 64
    assert "reconcile diff l r --verbose" in capsys.readouterr().err
    assert understand(["diff", "--checksum", "l", "r"]) == 64
    said = capsys.readouterr().err
    assert "reconcile diff l r --paranoid" in said
    assert "--space-check" not in said  # which resembles it in letters only
