"""Man pages: made of the tables and the manual, clean for groff and man, safe for any text."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reconcile.cli import roff
from reconcile.cli.manpages import PAGES, ManPage, page_named, source_of
from reconcile.cli.markdown import blocks_of
from reconcile.cli.options import options_of
from reconcile.cli.verb_table import VERBS
from tests.cli.terminal import Terminal
from tests.cli.test_schemas import validator

Environment = dict[str, str]
IDS = [page.file for page in PAGES]
needs_groff = pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
needs_man = pytest.mark.skipif(not shutil.which("man"), reason="man is not installed")


def shown(source: str) -> str:
    """The page as a reader sees it, 80 columns wide, without overstrikes."""
    answer = subprocess.run(
        ["groff", "-man", "-Tutf8", "-P-c", "-rLL=78n"], input=source.encode(), capture_output=True,
        check=True,
    )  # fmt: skip
    return re.sub(r".\x08", "", answer.stdout.decode())


def words(text: str) -> str:
    return " ".join(text.split())


@needs_groff
@pytest.mark.parametrize("device", ["utf8", "ascii"])
def test_groff_has_nothing_to_complain_of(device: str) -> None:
    for page in PAGES:
        answer = subprocess.run(
            ["groff", "-man", "-ww", "-z", f"-T{device}"], input=source_of(page).encode(),
            capture_output=True, check=True,
        )  # fmt: skip
        assert answer.stderr == b"", page.file


@needs_man
def test_man_has_nothing_to_complain_of(tmp_path: Path, environment: Environment) -> None:
    environment["MANWIDTH"] = "80"
    for page in PAGES:
        (tmp_path / page.file).write_text(source_of(page), encoding="ascii")
        answer = subprocess.run(
            ["man", "--warnings", "-l", page.file], cwd=tmp_path, env=environment,
            stdin=subprocess.DEVNULL, capture_output=True, check=True,
        )  # fmt: skip
        assert answer.stderr == b"", page.file


def test_there_is_a_page_for_every_command_and_the_sections_5_and_7() -> None:
    names = {page.name for page in PAGES}
    assert {f"reconcile-{verb.name.replace(' ', '-')}" for verb in VERBS} <= names
    assert len(names) == len(PAGES)
    assert {"reconcile.toml.5", "reconcile-plan.5", "reconcile-exit-codes.7"} <= set(IDS)


@needs_groff
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_a_command_s_page_says_what_its_help_says(verb: object) -> None:
    one = next(v for v in VERBS if v is verb)
    page = page_named(one.name.split())
    assert page is not None
    text = words(shown(source_of(page)))
    assert words(one.help.replace("`", "")) in text
    for option in options_of(one.name):
        assert option.hidden or option.name in text
        assert option.hidden or words(
            option.help.replace("`", "").replace("*", "")
        ) in text.replace("*", "")
    assert all(words(example) in text for example in one.examples)


@needs_groff
def test_what_is_to_be_copied_can_be_copied() -> None:
    """Hyphens, quotes, tildes and backslashes are what is typed, not what is typeset."""
    page = roff.head("x", 1, "0") + roff.listing(["a -b --c 'd' \"e\" ~/f `g` ^h \\n $i"])
    assert "a -b --c 'd' \"e\" ~/f `g` ^h \\n $i" in shown(page)


@needs_groff
def test_text_is_never_a_request() -> None:
    lines = [".so /etc/passwd", "'br", "\\fBx", ".", "'", "...", "a\x1b[31mb"]
    page = roff.head("x", 1, "0") + roff.listing(lines)
    page += "".join(roff.page_body(blocks_of(".so `.so x` \\*x\n\n`.so y`\n")))
    text = shown(page)
    assert all(line.replace("\x1b", " ") in text for line in lines)
    assert ".so .so x \\*x" in text
    assert ".so y" in text
    assert "\x1b" not in page


def test_a_page_is_ascii_and_no_line_of_it_is_a_stray_request() -> None:
    known = {"TH", "SH", "SS", "PP", "TP", "IP", "RS", "RE", "nf", "fi", "ad", "nh", '\\"', "PD"}
    for page in PAGES:
        source = source_of(page)
        assert source.isascii()
        for line in source.splitlines():
            if line.startswith((".", "'")):
                assert line[1:].split(" ")[0] in known, line


def test_the_same_version_gives_the_same_page() -> None:
    assert all(source_of(page) == source_of(page) for page in PAGES)
    assert not re.search(r"\b20\d\d\b", source_of(PAGES[0]).split("\n")[1])


NAMES = [
    ("diff", "reconcile-diff.1"),
    ("manifest build", "reconcile-manifest-build.1"),
    ("reconcile-manifest-build", "reconcile-manifest-build.1"),
    ("reconcile", "reconcile.1"),
    ("reconcile.toml", "reconcile.toml.5"),
    ("plan.5", "reconcile-plan.5"),
    ("exit-codes", "reconcile-exit-codes.7"),
]


@pytest.mark.parametrize(("name", "file"), NAMES)
def test_a_page_has_several_names(name: str, file: str) -> None:
    page = page_named(name.split())
    assert isinstance(page, ManPage)
    assert page.file == file


def run(line: str, where: Path, environment: Environment) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["reconcile", *line.split()], cwd=where, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_off_a_terminal_the_source_is_printed(tmp_path: Path, environment: Environment) -> None:
    answer = run("man diff", tmp_path, environment)
    assert answer.returncode == 0
    page = page_named(["diff"])
    assert page is not None
    assert answer.stdout == source_of(page)


@needs_man
def test_on_a_terminal_that_wants_no_colours_the_page_is_plain_text(
    tmp_path: Path, environment: Environment
) -> None:
    with Terminal(["man", "diff"], tmp_path, {**environment, "NO_COLOR": "1"}) as terminal:
        assert terminal.ends() == 0
    assert "\x1b" not in terminal.seen
    assert "reconcile diff [OPTIONS]" in terminal.seen


@needs_man
def test_on_a_terminal_it_is_shown_by_man(tmp_path: Path, environment: Environment) -> None:
    with Terminal(["man", "diff"], tmp_path, {**environment, "PAGER": "cat"}) as terminal:
        assert terminal.ends() == 0
    assert "RECONCILE-DIFF(1)" in terminal.seen
    assert "reconcile" in terminal.seen


def test_without_a_page_all_are_listed(tmp_path: Path, environment: Environment) -> None:
    answer = run("man", tmp_path, environment)
    assert all(f"{page.name}({page.section})" in answer.stdout for page in PAGES)


def test_a_mistake_is_answered_with_what_was_meant(
    tmp_path: Path, environment: Environment
) -> None:
    answer = run("man difff", tmp_path, environment)
    assert answer.returncode == 64
    assert "reconcile man diff" in answer.stderr


def test_pages_are_written_and_never_over_a_stranger(
    tmp_path: Path, environment: Environment
) -> None:
    assert run("man --dir there", tmp_path, environment).returncode == 0
    found = sorted(path.name for path in (tmp_path / "there").rglob("*.*"))
    assert found == sorted(IDS)
    assert os.access(tmp_path / "there/man5/reconcile.toml.5", os.R_OK)
    assert run("man --dir there -q", tmp_path, environment).stdout == ""
    foreign = tmp_path / "there/man1/reconcile-diff.1"
    foreign.write_text("mine\n")
    (tmp_path / "there/man1/reconcile.1").unlink()
    answer = run("man --dir there", tmp_path, environment)
    assert answer.returncode == 64
    assert foreign.read_text() == "mine\n"
    assert not (tmp_path / "there/man1/reconcile.1").exists()
    assert run("man apply --dir other", tmp_path, environment).returncode == 0
    assert len(list((tmp_path / "other").rglob("*.1"))) == 1


def test_in_json(tmp_path: Path, environment: Environment) -> None:
    document = json.loads(run("man --json", tmp_path, environment).stdout)
    validator("man.json").validate(document)
    assert len(document["pages"]) == len(PAGES)
    document = json.loads(run("man diff --json", tmp_path, environment).stdout)
    assert document["source"].startswith('.\\" Made by')
