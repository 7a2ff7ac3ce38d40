"""Documentation: complete and current. That its blocks run: `test_doc_blocks.py`."""

import os
import re

import pytest

from reconcile.cli.options import OPTIONS
from reconcile.cli.verb_table import VERBS
from reconcile.model.errors import ExitCode
from tests.house import events_page
from tests.house.checkout import ROOT, modules
from tests.house.commands_page import page
from tests.house.doc_blocks import pages, text

PAGES = pages()
FIX = "UPDATE_DOCS=1 python -m pytest -q tests/house/test_docs.py"
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)(?:#[^)]*)?\)")
ANCHOR = re.compile(r"\]\((?!https?:|mailto:)([^)#]*)#([^)]+)\)")
ERROR = re.compile(r"\bE_[A-Z][A-Z0-9_]+\b")


@pytest.mark.parametrize("name", PAGES)
def test_the_links_lead_somewhere(name: str) -> None:
    where = (ROOT / name).parent
    dead = [link for link in LINK.findall(text(name)) if not (where / link).exists()]
    assert not dead


def slugs(name: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    prose = re.sub(r"^```.*?^```$", "", text(name), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", PAGES)
def test_the_anchors_lead_to_a_heading(name: str) -> None:
    where = (ROOT / name).parent
    dead = []
    for place, anchor in ANCHOR.findall(text(name)):
        page = (where / place).resolve() if place else ROOT / name
        if page.suffix == ".md" and anchor not in slugs(page.relative_to(ROOT).as_posix()):
            dead.append(f"{place}#{anchor}")
    assert not dead


def test_the_tests_that_pages_name_exist() -> None:
    named = {each for name in PAGES for each in re.findall(r"`(tests/[\w/.*]+)`", text(name))}
    assert [each for each in sorted(named) if not list(ROOT.glob(each))] == []


def test_every_page_can_be_found_from_the_index() -> None:
    listed = {f"docs/{link}" for link in LINK.findall(text("docs/README.md"))}
    missing = {name for name in PAGES if name.startswith("docs/")} - listed - {"docs/README.md"}
    assert not missing, "add it to docs/README.md"


def test_the_commands_page_is_current() -> None:
    place = ROOT / "docs/commands.md"
    if os.environ.get("UPDATE_DOCS"):
        place.write_text(page(), encoding="utf-8")
    assert place.read_text(encoding="utf-8") == page(), f"after reading the difference: {FIX}"


def test_the_events_page_is_current() -> None:
    place = ROOT / "docs/events.md"
    if os.environ.get("UPDATE_DOCS"):
        place.write_text(events_page.page(), encoding="utf-8")
    assert place.read_text(encoding="utf-8") == events_page.page(), f"after reading: {FIX}"


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
