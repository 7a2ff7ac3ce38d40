"""Every form of a report: strange names are inert in it and can be had back; forms agree."""

import csv
import io
import json
import re
from base64 import b64decode
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest

from reconcile.cli.report.columns import COLUMNS, MAY_DIFFER, Report
from reconcile.cli.report.files import FORMS, parts
from reconcile.cli.report.names import path_of, text_of_cell
from reconcile.cli.report.rows import report_of_plan, report_of_run, rows_of_plan, rows_of_run
from reconcile.model.plan import Plan
from tests.cli.plans import NOON_NS, mockup
from tests.cli.report.strange import PLAN, RUN, plan_of_strange, run_of

SCHEMA = Path(__file__).parents[3] / "schemas" / "report.json"


def text(report: Report, suffix: str) -> str:
    return b"".join(parts(report, suffix)).decode()


@pytest.fixture
def report() -> Report:
    return report_of_plan(plan_of_strange(), PLAN, NOON_NS)


@pytest.fixture
def run() -> Report:
    return report_of_run(*run_of(plan_of_strange()))


def test_the_columns_are_these() -> None:
    first = "plan,run,action,direction,path,from,size,old_size"
    assert ",".join(COLUMNS) == f"{first},hash,old_hash,reason,policy,status,error"


def test_a_plan_and_its_run_differ_only_where_they_may() -> None:
    plan = plan_of_strange()
    before, after = rows_of_plan(plan, PLAN), rows_of_run(*run_of(plan))
    assert len(before) == len(after)
    for one, other in zip(before, after, strict=True):
        for name in COLUMNS:
            field = "old_path" if name == "from" else name
            if name not in MAY_DIFFER:
                assert getattr(one, field) == getattr(other, field)
    assert {row.status for row in before} == {"planned", "open", "untouched"}
    assert {row.status for row in after} == {"done", "failed", "open", "untouched"}
    assert {row.run for row in after} == {RUN}


def test_rows_do_not_depend_on_the_order_of_steps() -> None:
    plan = plan_of_strange()
    turned = Plan(
        plan.made_from, plan.steps[::-1], conflicts=plan.conflicts[::-1], problems=plan.problems
    )
    assert rows_of_plan(turned, PLAN) == rows_of_plan(plan, PLAN)


def test_what_a_run_never_came_to_is_told() -> None:
    run, journal = run_of(plan_of_strange())
    rows = rows_of_run(run, journal[:3])
    assert sum(row.status == "not-tried" for row in rows) == len(journal) - 3


def csv_paths(written: str) -> list[bytes]:
    assert written.count("\r\n") == len(written.split("\n")) - 1
    rows = list(csv.DictReader(io.StringIO(written, newline="")))
    for row in rows:
        for found in row.values():
            assert not found or found[0] not in "=+-@\t\r"
    return [path_of(text_of_cell(row["path"])) for row in rows]


def json_paths(written: str) -> list[bytes]:
    document = json.loads(written)
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert all(letter.isprintable() or letter == "\n" for letter in written)
    return [
        b64decode(row["path_b64"]) if "path_b64" in row else row["path"].encode()
        for row in document["rows"]
    ]


def text_paths(written: str) -> list[bytes]:
    assert all(letter.isprintable() or letter == "\n" for letter in written)
    lines = [line for line in written.partition("by path:\n")[2].splitlines() if line[0] != " "]
    shape = re.compile(r". (?:left->right|left<-right|at left|at right|both) .*?"
                       r" (?:planned|open|untouched|noted|done|failed) +(.*)")  # fmt: skip
    return [path_of(found[1]) for line in lines if (found := shape.fullmatch(line))]


def markdown_paths(written: str) -> list[bytes]:
    found = []
    for line in written.splitlines():
        cells = re.split(r"(?<!\\)\|", line)[1:-1]
        if len(cells) < 5 or not set(line) - set("|-"):
            continue
        assert not re.search(r"<(?!/?details|/?summary)", re.sub(r"`[^`]*`", "", line))
        spans = [span for each in cells[1:3] for span in re.findall(r"`([^`]*)`", each)]
        found += [path_of(spans[-1])] if spans else []
    return found


class Page(HTMLParser):
    """Every tag, and the text of each cell and card that names a path."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.paths: list[str] = []
        self._in_card = self._in_name = False
        self._aside = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        if tag == "span":
            self._aside += 1
            return
        if tag == "div":
            self._in_card = (values.get("class") or "").startswith("card ")
        self._in_name = (tag, values.get("class")) == ("td", "n") or (
            tag == "code" and self._in_card
        )
        if self._in_name:
            self._in_card = False
            self.paths.append("")

    def handle_data(self, data: str) -> None:
        if self._in_name and not self._aside:
            self.paths[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "span":
            self._aside -= 1
        else:
            self._in_name = False


def html_paths(written: str) -> list[bytes]:
    page = Page()
    page.feed(written)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"img", "iframe", "link", "object", "embed", "form", "a", "svg"}
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not any(
        name.startswith("on") or name in ("src", "href", "style")
        for _, values in page.tags
        for name in values
    )
    return [path_of(shown) for shown in page.paths]


READERS: dict[str, Callable[[str], list[bytes]]] = {
    ".csv": csv_paths, ".json": json_paths, ".txt": text_paths, ".md": markdown_paths,
    ".html": html_paths,
}  # fmt: skip


@pytest.mark.parametrize("suffix", FORMS)
@pytest.mark.parametrize("which", ["report", "run"])
def test_every_name_is_inert_and_comes_back(
    suffix: str, which: str, request: pytest.FixtureRequest
) -> None:
    found: Report = request.getfixturevalue(which)
    assert sorted(READERS[suffix](text(found, suffix))) == sorted(row.path for row in found.rows)


def test_json_is_a_row_a_line(report: Report) -> None:
    lines = text(report, ".json").splitlines()
    assert len(lines) == len(report.rows) + 2
    assert all(json.loads(line.rstrip(",")) for line in lines[1:-1])


def test_the_columns_of_csv_and_json_are_the_same(run: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(text(run, ".csv"), newline="")))
    items = json.loads(text(run, ".json"))["rows"]
    for row, item in zip(rows, items, strict=True):
        assert tuple(row) == COLUMNS
        assert tuple(name for name in item if not name.endswith("_b64")) == COLUMNS
        assert row["size"] == ("" if item["size"] is None else str(item["size"]))
        assert text_of_cell(row["error"]) == item["error"]


def test_a_long_table_is_folded_in_markdown(report: Report) -> None:
    assert "<details><summary>" in text(report, ".md")
    assert "<details>" not in text(report_of_plan(mockup().plan, PLAN, NOON_NS), ".md")


def test_the_page_allows_itself_nothing_but_its_own_style_and_script(report: Report) -> None:
    page = text(report, ".html")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert policy[1].startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy[1]
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert script
    assert len(script[1]) < 1200


def test_conflicts_and_guards_come_before_changes(report: Report) -> None:
    page = text(report, ".html")
    assert 0 < page.index("2 conflicts<small>") < page.index('id="steps"')
