"""Documentation does what it says: every shell and Python block runs, and prints what is shown."""

import os
import shutil
from pathlib import Path

import pytest

from tests.house.checkout import ROOT, tracked_files
from tests.house.doc_blocks import (
    TOOLS,
    NotShown,
    Reader,
    blocks,
    is_shown,
    loosened,
    not_run,
    pages,
    run,
    text,
)

PAGES = pages()
NOT_RUN = 12
"""Blocks that need what no test machine has; each says what."""
SHELLS = {"bash", "console", "shell", "shell-session", "zsh", "fish"}
GENERATED = {"docs/commands.md"}
"""Its examples are the command line's own; `tests/cli/test_help.py` parses them."""


def running(name: str) -> bool:
    """The page has a block that runs."""
    return any(block.runs and block.name != "slow" for block in blocks(text(name)))


def test_a_promised_exit_code_is_checked(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin"}
    run("# exit 3\nsh -c 'exit 3'\ntrue\n", tmp_path, environment)
    run("# exit 3\nsh -c \\\n  'exit 3'\ntrue\n", tmp_path, environment)
    for script in ("# exit 3\ntrue\n", "false\ntrue\n", "# exit 3\ntrue \\\n  x\n"):
        with pytest.raises(AssertionError):
            run(script, tmp_path, environment)


def test_shown_output_is_compared_but_for_what_differs_from_run_to_run() -> None:
    shown = loosened("Applied p-0123456789ab in 3 s\n  a\n...\nend 2026-11-21 14:02\n", "/tmp/me")
    said = "Applied p-ba9876543210 in 0.25 s\n   a\nb\nc\nend 2027-01-01 01:02\n"
    assert is_shown(shown, loosened(said, "/tmp/me"))
    assert not is_shown(shown, loosened(said.replace("a\n", "x\n"), "/tmp/me"))
    assert not is_shown(shown, loosened(said + "more\n", "/tmp/me"))
    assert is_shown(["x ... z"], ["x y z"])
    assert not is_shown(["x ... z"], ["x y"])
    assert loosened("/tmp/me/left", "/tmp/me") == ["/home/me/left"]


def test_blocks_are_found_with_what_they_print_and_why_they_are_not_run() -> None:
    page = (
        "```sh\na\n```\n\n```text\nout\n```\n\n```text\nno output\n```\n"
        "<!-- sh\nhidden\n-->\n<!-- not run: why -->\n```sh\nb\n```\n```toml x.toml\nk = 1\n```\n"
    )
    found = [(b.kind, b.body, b.shown, b.reason, b.runs) for b in blocks(page)]
    assert found == [
        ("sh", "a\n", "out\n", "", True),
        ("text", "no output\n", None, "", False),
        ("sh", "hidden\n", None, "", True),
        ("sh", "b\n", None, "why", False),
        ("toml", "k = 1\n", None, "", True),
    ]


@pytest.mark.parametrize("name", [name for name in PAGES if running(name)])
def test_the_blocks_of_a_page_run_in_order_and_print_what_is_shown(
    name: str, tmp_path: Path
) -> None:
    page = text(name)
    with Reader(tmp_path, page) as reader:
        for block in blocks(page):
            if block.runs and block.name != "slow":
                try:
                    reader.type(block)
                except NotShown as other:
                    if not os.environ.get("UPDATE_DOCS"):
                        raise
                    page = page.replace(
                        f"```text\n{other.shown}```", f"```text\n{other.said}```", 1
                    )
                    (ROOT / name).write_text(page, encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name for name in PAGES if any(b.name == "slow" for b in blocks(text(name)))]
)
def test_the_blocks_for_a_checkout_run(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    for path in tracked_files(ROOT):
        place = copy / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place, follow_symlinks=False)
    environment = {"HOME": str(tmp_path), "PATH": f"{TOOLS}:/usr/local/bin:/usr/bin:/bin"}
    for block in blocks(text(name)):
        if block.kind == "sh" and block.name == "slow":
            run(block.body, copy, environment)


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    found = list(not_run())
    assert len(found) <= NOT_RUN, found
    assert all(reason for _, _, reason in found)


@pytest.mark.parametrize("name", PAGES)
def test_no_shell_block_escapes(name: str) -> None:
    found = blocks(text(name))
    assert [b.line for b in found if b.kind in SHELLS] == [], "say `sh`: then it runs"
    if name not in GENERATED:
        looks = [b.line for b in found if b.kind in ("text", "") and _is_a_command(b.body)]
        assert looks == [], "a command that nobody runs: say `sh`, or `<!-- not run: why -->`"


def _is_a_command(body: str) -> bool:
    words = ("reconcile ", "$ ", "# reconcile ", "./", "ssh ", "ssh-", "systemctl ", "sh ")
    return any(line.startswith(words) for line in body.splitlines())
