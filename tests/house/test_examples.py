"""The examples run, through the same script that a newcomer types."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.checkout import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with scripts and examples, whose `.try/venv` is this interpreter, ready made."""
    top = tmp_path / "checkout"
    for name in ("scripts", "examples"):
        shutil.copytree(ROOT / name, top / name, symlinks=True)
    shutil.copy2(ROOT / "pyproject.toml", top)
    tools = top / ".try/venv/bin"
    tools.mkdir(parents=True)
    here = Path(sys.executable).parent
    for name, words in (("python", sys.executable), ("reconcile", f"{here}/reconcile")):
        (tools / name).write_text(f'#!/bin/sh\nexec "{words}" "$@"\n', encoding="utf-8")
        (tools / name).chmod(0o755)
    stamp = subprocess.run(
        ["sh", "-c", f'printf %s "$(cksum <pyproject.toml) {top}"'],
        cwd=top,
        capture_output=True,
        check=True,
    )
    (top / ".try/venv/installed").write_bytes(stamp.stdout)
    return top


def try_it(checkout: Path, *arguments: Path | str) -> subprocess.CompletedProcess[str]:
    """`scripts/try.sh`, from elsewhere, with nobody at the keyboard."""
    return subprocess.run(
        [checkout / "scripts/try.sh", *arguments],
        cwd=checkout.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def content(top: Path) -> dict[str, tuple[str, bytes]]:
    """Path -> (kind and executable bit, content) of everything but our own folder."""
    found = {}
    for path in sorted(top.rglob("*")):
        name = path.relative_to(top).as_posix()
        if name.split("/")[0] == ".reconcile":
            continue
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()).encode())
        elif path.is_dir():
            found[name] = ("dir", b"")
        else:
            mode = "program" if path.stat().st_mode & 0o100 else "file"
            found[name] = (mode, path.read_bytes())
    return found


@pytest.fixture
def given(tmp_path: Path) -> tuple[Path, Path]:
    """Two directories of a user's, without a conflict."""
    left, right = tmp_path / "left", tmp_path / "right"
    shutil.copytree(ROOT / "examples/first-steps/left", left, symlinks=True)
    shutil.copytree(ROOT / "examples/first-steps/right", right, symlinks=True)
    (right / "notes/todo.md").unlink()
    return left, right


def test_first_steps_ends_in_agreement(checkout: Path) -> None:
    answer = try_it(checkout)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.rstrip().splitlines()[-1].startswith("Done:")
    left, right = (content(checkout / ".try/first-steps" / side) for side in ("left", "right"))
    assert left == right
    assert left["tools/rename.sh"][0] == "program"
    assert left["pictures/cover.png"] == ("link", b"2026/quay.png")
    assert "notes/tides.csv" not in left, "a deletion travels"
    assert b"Harbour bar" in right["notes/routes/north.md"][1], "an edit travels"
    notes = [text for name, (_, text) in left.items() if name.startswith("notes/todo")]
    assert any(b"call the harbour" in text for text in notes), "left's edit is kept"
    assert any(b"renew the domain" in text for text in notes), "right's edit is kept"


def test_first_steps_runs_twice_and_never_changes_the_committed_files(checkout: Path) -> None:
    before = content(checkout / "examples")
    assert try_it(checkout).returncode == 0
    assert try_it(checkout).returncode == 0
    assert content(checkout / "examples") == before


def test_given_directories_are_only_shown_without_an_answer(
    checkout: Path, given: tuple[Path, Path]
) -> None:
    before = [content(top) for top in given]
    answer = try_it(checkout, *given)
    assert answer.returncode == 64, answer.stdout + answer.stderr
    assert "pictures/2026/crane.png" in answer.stdout, "the plan is shown"
    assert answer.stdout.rstrip().splitlines()[-1].startswith("nothing was changed")
    assert [content(top) for top in given] == before


def test_given_directories_agree_after_yes(checkout: Path, given: tuple[Path, Path]) -> None:
    answer = try_it(checkout, *given, "--yes")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.rstrip().splitlines()[-1].startswith("Done:")
    assert content(given[0]) == content(given[1])
    assert "notes/todo.md" in content(given[1])


def test_a_conflict_is_left_alone_and_told(checkout: Path, given: tuple[Path, Path]) -> None:
    (given[1] / "notes/todo.md").write_text("another\n", encoding="utf-8")
    answer = try_it(checkout, *given, "--yes")
    assert answer.returncode == 3, answer.stdout + answer.stderr
    assert answer.stdout.rstrip().splitlines()[-1].startswith("stopped:")
    assert (given[1] / "notes/todo.md").read_text(encoding="utf-8") == "another\n"


@pytest.mark.parametrize("words", [("only-one",), ("a", "b", "c", "d"), (".", ".", "--force")])
def test_wrong_arguments_are_refused(checkout: Path, words: tuple[str, ...]) -> None:
    assert try_it(checkout, *words).returncode == 64
