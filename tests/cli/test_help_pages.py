"""`reconcile help`: every code has its four facts, every page can be shown, offline."""

import json
import re
import shlex
import subprocess
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from reconcile.cli import manual_pages
from reconcile.cli.look import Look
from reconcile.cli.manpages import PAGES
from reconcile.cli.manual_pages import TOPICS, error_blocks, error_codes, topic_blocks
from reconcile.cli.markdown import Code, Item, Paragraph, Table, blocks_of, plain, section, spans_of
from reconcile.cli.options import OPTIONS
from reconcile.cli.parse import parse
from reconcile.cli.render_manual import page_lines
from tests.cli.conftest import face_of
from tests.house.checkout import ROOT, modules

FACTS = ["What happened", "Untouched", "Why", "What to do"]
ERROR = re.compile(r"\bE_[A-Z][A-Z0-9_]+\b")
WIDTHS = (40, 80, 200)


def codes_in(name: str) -> set[str]:
    return set(ERROR.findall((ROOT / name).read_text(encoding="utf-8")))


def raised() -> set[str]:
    """Every code that stands in the package's own code, comments apart."""
    sources = (ROOT / name for name, _ in modules(ROOT, "reconcile"))
    return {code for place in sources for code in ERROR.findall(place.read_text(encoding="utf-8"))}


def test_every_code_that_can_be_raised_has_a_section() -> None:
    assert sorted(raised() - set(error_codes())) == [], "write their sections in docs/errors.md"


def test_every_section_is_of_a_code_that_exists_and_stands_in_the_table() -> None:
    assert sorted(set(error_codes()) - raised()) == []
    assert set(error_codes()) == codes_in("docs/exit-codes.md")
    assert len(error_codes()) == len(set(error_codes()))


@pytest.mark.parametrize("code", error_codes())
def test_a_section_has_a_headline_and_four_facts(code: str) -> None:
    first, *facts = error_blocks(code)
    assert isinstance(first, Paragraph)
    assert first.text.endswith(".")
    titles = [plain(item.text).partition(":")[0] for item in facts if isinstance(item, Item)]
    assert titles == FACTS
    assert all(isinstance(item, Item) for item in facts)


def commands_in(code: str) -> list[str]:
    spans = [
        s for b in error_blocks(code) if not isinstance(b, Code | Table) for s in spans_of(b.text)
    ]
    return [s.text for s in spans if s.style == "code" and s.text.startswith("reconcile ")]


@pytest.mark.parametrize("code", [code for code in error_codes() if commands_in(code)])
def test_every_command_in_a_section_can_be_typed(code: str) -> None:
    for command in commands_in(code):
        words = shlex.split(command)[1:]
        if "--help" not in words:
            assert parse(words) is not None, command


def test_every_option_in_a_section_exists() -> None:
    known = {name for o in OPTIONS for name in (o.name, o.short, o.negative)} | {"--help"}
    text = manual_pages.read_page("errors.md")
    said = set(re.findall(r"(?<=`)(--[a-z-]+)", text))
    assert said - known == set()


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("columns", WIDTHS)
def test_a_page_fits_its_terminal(topic: str, columns: int) -> None:
    widest = min(columns, 80)
    code = {f"    {line}" for b in topic_blocks(topic) if isinstance(b, Code) for line in b.lines}
    for line in page_lines(topic_blocks(topic), Look(columns=columns, is_terminal=True)):
        alone = " " not in line.strip().lstrip("0123456789.- ")  # a word that cannot be cut
        assert len(line) <= widest or line in code or alone, line
        assert "](" not in line


def test_markdown_becomes_blocks() -> None:
    text = "# A `b`\n\none\ntwo\n- x\n  y\n- z\n1. n\n\n```sh\n- c\n```\n"
    page = text + "| h | i |\n|---|---|\n| a \\| b | |\n"
    assert blocks_of(page) == (
        (1, "A `b`"), ("one two",), ("-", "x y"), ("-", "z"), ("1.", "n"), (("- c",),),
        (("h", "i"), (("a | b", ""),)),
    )  # fmt: skip


def test_styles_within_a_line() -> None:
    text = "a **b `c`** *d* [e `f`](g.md) `*h*` 2*3*4 **/x"
    assert [tuple(span) for span in spans_of(text)] == [
        ("", "a "), ("bold", "b "), ("code", "c"), ("", " "), ("italic", "d"), ("", " "),
        ("", "e "), ("code", "f"), ("", " "), ("code", "*h*"), ("", " 2*3*4 **/x"),
    ]  # fmt: skip


def test_a_section_ends_at_the_next_heading_of_its_level() -> None:
    blocks = blocks_of("# t\n\n## a\n\none\n\n### in a\n\ntwo\n\n## b\n\nthree\n")
    assert [getattr(block, "text", "") for block in section(blocks, "a")] == ["one", "in a", "two"]
    assert section(blocks, "c") == ()


def run(words: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["reconcile", *words.split()], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("word", ["E_HOSTKEY_CHANGED", "e_hostkey_changed", "hostkey-changed"])
def test_a_code_is_explained_offline(word: str, environment: dict[str, str]) -> None:
    answer = run(f"help {word}", environment)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith("E_HOSTKEY_CHANGED\n\nThe server shows another host key")
    assert "reconcile endpoint trust HOST --replace" in answer.stdout
    assert "E_NO_SFTP" not in answer.stdout


MISTAKES = [
    ("E_LOKED", "reconcile help E_LOCKED"),
    ("hostkeychanged", "reconcile help E_HOSTKEY_CHANGED"),
    ("filter", "reconcile help filters"),
    ("aply", "reconcile help apply"),
    ("xyzzy", "reconcile help lists all"),
]


@pytest.mark.parametrize(("word", "said"), MISTAKES)
def test_a_mistake_is_answered_with_what_was_meant(
    word: str, said: str, environment: dict[str, str]
) -> None:
    answer = run(f"help {word}", environment)
    assert answer.returncode == 64
    assert answer.stdout == ""
    assert said in answer.stderr


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        ("", "index", "Which files take part."),
        ("apply", "command", "Usage: reconcile apply"),
        ("manifest", "command", "build"),
        ("manifest build", "command", "Usage: reconcile manifest build"),
        ("policies", "topic", "keep-both"),
        ("E_LOCKED", "error", "lock"),
    ],
)
def test_help_in_json(words: str, kind: str, said: str, environment: dict[str, str]) -> None:
    answer = run(f"help {words} --json", environment)
    document = json.loads(answer.stdout)
    assert (document["format"], document["kind"]) == ("reconcile-help/1.0", kind)
    assert said in document["text"]
    assert "\x1b" not in document["text"]


def test_the_pages_are_in_the_package() -> None:
    """`reconcile/cli/manual` is the folder of the pages; the wheel holds what it leads to."""
    folder = Path(manual_pages.__file__).with_name("manual")
    names = [name for name, _ in TOPICS.values()] + [manual_pages.ERRORS]
    assert [name for name in names if not (folder / name).is_file()] == []


def test_the_wheel_holds_the_manual_and_the_scripts_for_shells(tmp_path: Path) -> None:
    builder = WheelBuilder(str(ROOT))
    wheel = next(builder.build(directory=str(tmp_path), versions=["standard"]))
    names = set(zipfile.ZipFile(wheel).namelist())
    pages = {f"reconcile/cli/manual/{name}" for name, _ in TOPICS.values()}
    pages |= {f"reconcile/cli/manual/{page.source}" for page in PAGES if page.source}
    scripts = {"reconcile.bash", "_reconcile", "reconcile.fish"}
    assert pages | {f"reconcile/cli/shell/{name}" for name in scripts} <= names


def test_help_speaks_to_the_terminal_it_has() -> None:
    look = Look(colour=True, columns=60)
    lines = list(page_lines(error_blocks("E_LOCKED"), look))
    assert any("\x1b[1m`--lock-wait 10m`\x1b[0m" in line for line in lines)
    assert face_of("help E_LOCKED").words == ["E_LOCKED"]
