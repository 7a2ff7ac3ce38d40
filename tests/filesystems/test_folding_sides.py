"""A side that does not tell letter case or Unicode forms apart: nobody's file goes."""

import os
from pathlib import Path

import pytest

from tests.filesystems.program import Pair, names, slowly

pytestmark = pytest.mark.root

NFC, NFD = "café.txt", "cafe\u0301.txt"


@pytest.fixture(params=["exfat", *slowly("ntfs", "fold")])
def side(request: pytest.FixtureRequest) -> Path:
    """Three that fold, or (NTFS through FUSE) do not."""
    place: Path = request.getfixturevalue(request.param)
    return place


def test_a_change_of_case_only_deletes_nothing_anywhere(tmp_path: Path, side: Path) -> None:
    pair = Pair(tmp_path, right=side)
    for number in range(5):
        (pair.left / f"k{number}").write_text(str(number))
    (pair.left / "Pkg").mkdir()
    (pair.left / "Pkg/__init__.py").touch()
    (pair.left / "Readme").write_text("same")
    (pair.left / "Licence").write_text("same")
    (pair.left / "Report.txt").write_text("only one")
    assert pair.apply().code == 0
    for old, new in (("Pkg", "pkg"), ("Readme", "README"), ("Licence", "LICENCE")):
        os.rename(pair.left / old, pair.left / new)
    os.rename(pair.left / "Report.txt", pair.left / "report.txt")
    before = names(pair.left)
    for _ in range(3):
        ran = pair.apply()
        assert names(pair.left) == before
    assert ran.code == 0, ran.text
    folded = {path.casefold(): content for path, content in names(side).items()}
    assert folded == {path.casefold(): content for path, content in before.items()}


@pytest.mark.parametrize("kind", ["exfat", *slowly("fold")])
def test_two_names_that_the_other_side_folds_are_told_and_both_stay(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    pair = Pair(tmp_path, right=request.getfixturevalue(kind))
    (pair.left / "Makefile").write_text("one")
    (pair.left / "makefile").write_text("two")
    (pair.left / "other").write_text("goes")
    for _ in range(2):
        ran = pair.apply()
        assert ran.code not in (0, 1), ran.text
        assert "akefile" in ran.text
    assert names(pair.left) == {"Makefile": "one", "makefile": "two", "other": "goes"}
    assert names(pair.right) == {"other": "goes"}


def test_a_file_renamed_in_case_on_the_folding_side_is_renamed_or_stays(
    tmp_path: Path, fold: Path
) -> None:
    pair = Pair(tmp_path, right=fold)
    (pair.left / "Readme").write_text("text")
    assert pair.apply().code == 0
    os.rename(fold / "Readme", fold / "README")
    for _ in range(2):
        assert pair.apply().code == 0
        assert list(names(pair.left).values()) == ["text"]
        assert names(fold) == {"README": "text"}


def test_a_second_unicode_spelling_takes_nobodys_place(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    (pair.left / NFC).write_text("document")
    (pair.right / NFD).write_text("document")
    assert pair.apply().code == 0
    (pair.left / NFD).write_text("another document")
    for _ in range(3):
        pair.apply("--on-conflict", "newer")
        assert names(pair.left) == {NFC: "document", NFD: "another document"}
    assert "document" in names(pair.right).values()


@pytest.mark.slow
def test_where_unicode_forms_fold_a_second_spelling_is_told(tmp_path: Path, fold: Path) -> None:
    pair = Pair(tmp_path, right=fold)
    (pair.left / NFC).write_text("document")
    assert pair.apply().code == 0
    (pair.left / NFD).write_text("another document")
    for _ in range(2):
        ran = pair.apply("--on-conflict", "newer")
        assert ran.code not in (0, 1), ran.text
        assert names(pair.left) == {NFC: "document", NFD: "another document"}
        assert list(names(fold).values()) == ["document"]
