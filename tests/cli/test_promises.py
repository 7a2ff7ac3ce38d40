"""What a reviewer checks of the command line, each promise with one command or two.

Every one stands in the documentation: docs/exit-codes.md, events.md, reports.md, commands.md,
explanation/guarantees.md. That `--json` is JSON and nothing else is tried of every verb in
test_every_verb.py; what it costs to start is counted in modules in test_startup.py.
"""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from reconcile.cli.options import HELPING, options_of
from reconcile.cli.table import Verb
from reconcile.cli.verb_help import verb_lines
from reconcile.cli.verb_table import VERBS
from tests.cli.hostile import NAMES, World
from tests.cli.terminal import Terminal
from tests.cli.test_every_verb import assert_inert
from tests.cli.test_every_verb import run as run_in_world

Environment = dict[str, str]
Answer = subprocess.CompletedProcess[bytes]
Ask = Callable[..., Answer]
COMMANDS = (Path(__file__).resolve().parents[2] / "docs/commands.md").read_text(encoding="utf-8")


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """`left` with 40 files, `right` empty."""
    place = tmp_path / "pair"
    (place / "left").mkdir(parents=True)
    (place / "right").mkdir()
    for number in range(40):
        (place / f"left/file-{number:02}").write_text(f"content {number}\n")
    return place


@pytest.fixture
def ask(pair: Path, environment: Environment) -> Ask:
    """Run one line there, nobody at the terminal."""

    def ask(line: str, *more: str, **env: str) -> Answer:
        return subprocess.run(
            ["reconcile", *line.split(), *more],
            cwd=pair,
            env={**environment, **env},
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return ask


def held(root: Path) -> dict[str, bytes]:
    """Every file below a root, without what is ours."""
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in root.rglob("*")
        if file.is_file() and ".reconcile" not in file.parts
    }


def test_2_colour_is_for_those_who_can_see_it(
    ask: Ask, pair: Path, environment: Environment
) -> None:
    plain = ask("diff left right").stdout
    assert b"\x1b" not in plain
    assert b"\r" not in plain
    assert b"\x1b[" in ask("diff left right --color always").stdout
    for more in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        with Terminal(["diff", "left", "right"], pair, environment | more) as terminal:
            assert terminal.ends() == 0
        assert not re.search(r"\x1b\[[0-9;]*m", terminal.seen)


def test_3_a_scheduled_run_in_sync_prints_nothing_at_all(ask: Ask) -> None:
    assert ask("apply left right --yes").returncode == 0
    answer = ask("apply left right --yes --quiet")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, b"", b"")


def test_4_codes_tell_what_a_script_must_know(ask: Ask, pair: Path) -> None:
    assert ask("diff left right --nonsense").returncode == 64
    (pair / "reconcile.toml").write_text("version = 1\n[job.x]\nleft = 3\n")
    assert ask("diff x").returncode == 78
    (pair / "reconcile.toml").unlink()
    assert ask("diff left right --exit-code").returncode == 2
    ask("apply left right --yes")
    assert ask("diff left right --exit-code").returncode == 0
    (pair / "left/file-00").write_text("left's\n")
    (pair / "right/file-00").write_text("the right's\n")
    assert ask("diff left right --exit-code").returncode == 3


def test_4_a_run_that_is_ended_in_the_midst_is_completed_by_the_next(
    ask: Ask, pair: Path, environment: Environment
) -> None:
    for number in range(3000):
        (pair / f"left/more-{number:04}").write_text(f"{number}")
    words = ["reconcile", "apply", "left", "right", "--yes", "--json", "--durability", "full"]
    with subprocess.Popen(words, cwd=pair, env=environment, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if b'"step_done"' in line:
                child.send_signal(signal.SIGTERM)
                break
        last = child.stdout.read().splitlines()[-1]
    assert child.returncode == 143
    assert json.loads(last)["code"] == 143
    assert 0 < len(held(pair / "right")) < 3040

    assert ask("apply left right --yes").returncode == 0
    assert held(pair / "left") == held(pair / "right")
    assert [name for name in os.listdir(pair / "right") if name.startswith(".rcn-")] == []


def test_5_many_deletions_are_a_question(ask: Ask, pair: Path) -> None:
    ask("apply left right --yes")
    before = held(pair / "right")
    for number in range(12):
        (pair / f"left/file-{number:02}").unlink()
    assert ask("apply left right --yes").returncode == 5
    assert held(pair / "right") == before


def _emptied(pair: Path) -> str:
    for file in (pair / "left").iterdir():
        if file.is_file():
            file.unlink()
    return "apply left right --yes"


def _gone(pair: Path) -> str:
    (pair / "left").rename(pair / "elsewhere")
    return "apply left right --yes"


def _unmounted(pair: Path) -> str:
    """Another directory stands where the disk was mounted, and it holds something else."""
    (pair / "left").rename(pair / "disk")
    (pair / "left").mkdir()
    return "apply left right --yes"


def _first_mirror(pair: Path) -> str:
    (pair / "nothing").mkdir()
    return "apply nothing right --mode mirror --yes"


@pytest.mark.parametrize("happens", [_emptied, _gone, _unmounted, _first_mirror])
def test_6_nothing_is_no_reason_to_delete(
    happens: Callable[[Path], str], ask: Ask, pair: Path
) -> None:
    ask("apply left right --yes")
    before = held(pair / "right")
    assert ask(happens(pair)).returncode in (5, 12)
    assert held(pair / "right") == before


@pytest.mark.parametrize("first", [True, False], ids=["first run", "later run"])
def test_7_a_plan_is_applied_once(first: bool, ask: Ask, pair: Path) -> None:
    if not first:
        ask("apply left right --yes")
        (pair / "left/file-40").write_text("one more\n")
    assert ask("diff left right -o saved.rplan").returncode == 0
    assert ask("apply saved.rplan --yes").returncode == 0
    assert ask("apply saved.rplan --yes").returncode == 6
    assert ask("show saved.rplan").returncode == 0


def test_8_an_undo_brings_both_sides_back(ask: Ask, pair: Path) -> None:
    ask("apply left right --yes")
    (pair / "left/file-00").write_text("changed at left\n")
    (pair / "left/file-01").unlink()
    (pair / "right/file-02").write_text("changed at right\n")
    (pair / "right/file-41").write_text("new at right\n")
    before = held(pair / "left"), held(pair / "right")
    assert ask("apply left right --yes").returncode == 0
    assert (held(pair / "left"), held(pair / "right")) != before
    assert ask("undo left right --yes").returncode == 0
    assert (held(pair / "left"), held(pair / "right")) == before


@pytest.mark.parametrize("form", ["text", "porcelain", "json", "jsonl", "csv", "md", "html"])
def test_9_no_name_does_anything_in_any_form(
    form: str, tmp_path: Path, environment: Environment
) -> None:
    """That each name can be had back from each form is in report/test_formats.py."""
    world = World(tmp_path)
    environment["RECONCILE_STATE_DIR"] = str(tmp_path / "state")
    answer = run_in_world("diff left right --full --format", world, environment, form)
    assert answer.returncode == 0
    assert_inert(answer.stdout.replace(b"\r\n", b"\n") if form == "csv" else answer.stdout)
    assert_inert(answer.stderr)
    if form == "html":
        assert b"<script>alert" not in answer.stdout
    if form == "csv":
        assert not re.search(rb"(^|,)[\"']?=cmd", answer.stdout, re.MULTILINE)


def test_9_a_name_can_be_had_back_byte_by_byte(tmp_path: Path, environment: Environment) -> None:
    world = World(tmp_path)
    environment["RECONCILE_STATE_DIR"] = str(tmp_path / "state")
    answer = run_in_world("diff left right --format porcelain -z", world, environment)
    assert all(name + b"-new" in answer.stdout for name in NAMES)


@pytest.mark.slow
@pytest.mark.parametrize(("more", "seconds"), [((), 3.0), (("--json",), 5.0)])
def test_11_a_plan_of_100_000_steps_is_shown_while_one_waits(
    more: tuple[str, ...], seconds: float, ask: Ask, pair: Path
) -> None:
    """Counted in processor time of the program alone, which another program's load leaves alone."""
    for directory in range(100):
        (pair / f"left/d{directory}").mkdir()
        for number in range(1000):
            (pair / f"left/d{directory}/{number}").write_text("")
    assert ask("diff left right -o saved.rplan --summary").returncode == 0
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = ask("show saved.rplan", *more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert answer.returncode == 0
    assert b"100,0" in answer.stdout or b'"create":1000' in answer.stdout.replace(b" ", b"")
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < seconds


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_12_help_and_documentation_name_the_same(verb: Verb) -> None:
    page = "\n".join(verb_lines(verb, 80, whole=True))
    assert max(map(len, page.splitlines())) <= 80
    assert all(example in page for example in verb.examples)
    section = COMMANDS.split(f"\n## reconcile {verb.name}\n")[1].split("\n## ")[0]
    shared = COMMANDS.split("\n## Every command\n")[1].split("\n## ")[0]
    documented = set(re.findall(r"`(--[a-z][a-z-]*)", "\n".join(_rows(section) + _rows(shared))))
    options = [one for one in (*options_of(verb.name), *HELPING) if not one.hidden]
    named = {name for one in options for name in (one.name, one.negative) if name}
    listed = re.findall(r"^  (?:-\w, )?(--[a-z][a-z-]*)(?:, (--[a-z-]+))?", page, re.MULTILINE)
    assert {name for names in listed for name in names if name} == named == documented


def _rows(section: str) -> list[str]:
    """The first column of its table."""
    return [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]


@pytest.mark.parametrize(("shell", "program"), [("bash", "bash"), ("zsh", "zsh"), ("fish", "fish")])
def test_13_completion_is_well_formed(shell: str, program: str, ask: Ask, pair: Path) -> None:
    """Man pages without a warning are in test_man.py; there are no generated units."""
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    (pair / "script").write_bytes(ask(f"completion {shell}").stdout)
    answer = subprocess.run([program, "-n", "script"], cwd=pair, capture_output=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, b"")


def test_14_the_answer_that_is_shown_as_default_is_no(pair: Path, environment: Environment) -> None:
    with Terminal(["apply", "left", "right"], pair, environment) as terminal:
        terminal.wait_for("[N]o")
        terminal.type("\n")
        assert terminal.ends() == 13
    assert held(pair / "right") == {}


def test_14_ctrl_c_leaves_a_clean_terminal(pair: Path, environment: Environment) -> None:
    with Terminal(["apply", "left", "right"], pair, environment) as terminal:
        terminal.wait_for("[N]o")
        terminal.type("\x03")
        assert terminal.ends() == 130
    assert "Traceback" not in terminal.seen
    assert terminal.seen.endswith("\n")
    assert terminal.seen.count("\x1b[?25l") == terminal.seen.count("\x1b[?25h")
