"""Documentation: complete, current, and every shell block in it runs.

A block marked ```sh runs, all blocks of a page in order in one directory that
holds `left` and `right`, copies of examples/first-steps. `sh slow` runs in a
copy of the checkout, with `just slow`. Anything else is not a promise: ```text.
A line `# exit N` right before a command's line says how it ends; otherwise 0.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconcile.cli.options import OPTIONS
from reconcile.cli.verb_table import VERBS
from reconcile.model.errors import ExitCode
from tests.house.checkout import ROOT, modules, tracked_files
from tests.house.commands_page import page

PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in tracked_files(ROOT)
    if path.suffix == ".md" and "tests" not in path.parts
]
FIX = "UPDATE_DOCS=1 python -m pytest -q tests/house/test_docs.py"
BLOCK = re.compile(r"^```(\S*)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)(?:#[^)]*)?\)")
ERROR = re.compile(r"\bE_[A-Z][A-Z0-9_]+\b")


def text(name: str) -> str:
    """A page."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, wanted: str) -> list[str]:
    """The shell blocks of a page: `wanted` is `""` or `slow`."""
    return [
        body for kind, mark, body in BLOCK.findall(text(name)) if kind == "sh" and mark == wanted
    ]


def commands(script: str) -> str:
    """The block as a script that stops at the first command with another code than promised."""
    lines = ["set -eu"]
    promised = ""
    for line in script.splitlines():
        found = re.fullmatch(r"# exit (\d+)", line)
        if found:
            promised = found[1]
        elif promised:
            lines += ["code=0", f"{line} || code=$?", f"[ $code = {promised} ]"]
            promised = ""
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def run(script: str, where: Path, home: Path) -> None:
    """Run one block. Fails with what it said."""
    environment = {
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "LC_ALL": "C.UTF-8",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    answer = subprocess.run(
        ["sh", "-xc", commands(script)],
        stdin=subprocess.DEVNULL,
        cwd=where,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, f"{script}\n{answer.stdout}\n{answer.stderr}"


def test_a_promised_exit_code_is_checked(tmp_path: Path) -> None:
    run("# exit 3\nsh -c 'exit 3'\ntrue\n", tmp_path, tmp_path)
    with pytest.raises(AssertionError):
        run("# exit 3\ntrue\n", tmp_path, tmp_path)
    with pytest.raises(AssertionError):
        run("false\ntrue\n", tmp_path, tmp_path)


@pytest.mark.parametrize("name", [name for name in PAGES if blocks(name, "")])
def test_the_shell_blocks_run(name: str, tmp_path: Path) -> None:
    where = tmp_path / "work"
    where.mkdir()
    for side in ("left", "right"):
        shutil.copytree(ROOT / "examples/first-steps" / side, where / side, symlinks=True)
    for block in blocks(name, ""):
        run(block, where, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PAGES if blocks(name, "slow")])
def test_the_blocks_for_a_checkout_run(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    for path in tracked_files(ROOT):
        place = copy / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place, follow_symlinks=False)
    for block in blocks(name, "slow"):
        run(block, copy, tmp_path)


@pytest.mark.parametrize("name", PAGES)
def test_the_links_lead_somewhere(name: str) -> None:
    where = (ROOT / name).parent
    dead = [link for link in LINK.findall(text(name)) if not (where / link).exists()]
    assert not dead


def test_the_commands_page_is_current() -> None:
    place = ROOT / "docs/commands.md"
    if os.environ.get("UPDATE_DOCS"):
        place.write_text(page(), encoding="utf-8")
    assert place.read_text(encoding="utf-8") == page(), f"after reading the difference: {FIX}"


def test_every_verb_and_option_is_documented() -> None:
    said = text("docs/commands.md")
    names = [f"reconcile {verb.name}" for verb in VERBS] + [option.name for option in OPTIONS]
    assert [name for name in names if name not in said] == []


@pytest.mark.parametrize("code", list(ExitCode), ids=lambda code: code.name)
def test_every_exit_code_is_documented(code: ExitCode) -> None:
    row = re.compile(rf"^\| {code.value} \| {code.name} \| \S", re.MULTILINE)
    assert row.search(text("docs/exit-codes.md"))


def test_every_error_code_is_documented_and_every_documented_one_exists() -> None:
    sources = "\n".join(text(name) for name, _ in modules(ROOT, "reconcile"))
    used, said = set(ERROR.findall(sources)), set(ERROR.findall(text("docs/exit-codes.md")))
    assert sorted(used - said) == [], "in the code, not in docs/exit-codes.md"
    assert sorted(said - used) == [], "in docs/exit-codes.md, not in the code"
