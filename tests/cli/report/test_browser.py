"""The page in a real browser: it asks for nothing, sorts, hides, fits a phone, and with 100,000
rows it opens and scrolls. Needs Debian's `chromium`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.many_steps import many_steps
from reconcile.cli.display import display_path
from reconcile.cli.report.files import write_report
from reconcile.cli.report.rows import report_of_plan, report_of_run
from tests.cli.plans import NOON_NS
from tests.cli.report.browser import PROGRAM, Browser
from tests.cli.report.strange import PLAN, STRANGE, plan_of_strange, run_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PROGRAM, reason="needs a browser: apt-get install chromium"),
]
MANY = 100_000
FRAME = "new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(scrollY))))"
COLUMN = "[...document.querySelectorAll('#steps tbody tr')].map(r => r.cells[{}].textContent)"


@pytest.fixture
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


def test_a_page_of_strange_names_is_quiet_and_shows_them(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "run.html"
    write_report(str(page), report_of_run(*run_of(plan_of_strange())))
    browser.show(1280, 900)
    browser.open(page)
    assert browser.requests == [page.as_uri()]
    assert browser.complaints == []
    shown = browser.run(COLUMN.format(2))
    assert {display_path(name) for name in STRANGE} <= set(shown)


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_the_screen(
    browser: Browser, tmp_path: Path, width: int, dark: bool
) -> None:
    page = tmp_path / "plan.html"
    write_report(str(page), report_of_plan(plan_of_strange(), PLAN, NOON_NS))
    browser.show(width, 740, dark=dark)
    browser.open(page)
    assert browser.run("document.documentElement.scrollWidth") == width
    paper = browser.run("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(22, 24, 26)" if dark else "rgb(253, 253, 251)")


def test_it_sorts_and_hides(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "plan.html"
    write_report(str(page), report_of_plan(plan_of_strange(), PLAN, NOON_NS))
    browser.show(1280, 900)
    browser.open(page)
    first = browser.run(COLUMN.format(2))
    browser.run("document.querySelectorAll('#steps th button')[3].click()")
    why = browser.run(COLUMN.format(4))
    assert why == sorted(why)
    assert sorted(browser.run(COLUMN.format(2))) == sorted(first)
    browser.run("document.querySelectorAll('#steps th button')[1].click()")
    assert browser.run(COLUMN.format(2)) == first
    visible = "[...document.querySelectorAll('#steps tbody tr')].filter(r => r.offsetHeight).length"
    browser.run("document.querySelector('[for=f-create]').click()")
    assert browser.run(visible) == 1


def test_100_000_rows_open_scroll_and_sort(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "many.html"
    write_report(str(page), report_of_plan(many_steps(MANY), PLAN, NOON_NS))
    browser.show(1280, 900)
    browser.open(page)
    assert browser.run("document.querySelectorAll('#steps tbody tr').length") == MANY
    for _ in range(3):
        at = browser.run(f"scrollTo(0, document.body.scrollHeight); {FRAME}")
    assert at > 1_000_000
    seen = browser.run("document.elementFromPoint(640, 300).closest('tr, footer') !== null")
    assert seen
    browser.run("document.querySelectorAll('#steps th button')[2].click()")
    sizes = "[...document.querySelectorAll('#steps tbody tr')].map(r => +r.cells[3].dataset.b || 0)"
    found = browser.run(f"(s => s.every((x, i) => !i || s[i - 1] <= x))({sizes})")
    assert found
    browser.show(360, 740)
    assert browser.run(f"scrollTo(0, 500000); {FRAME}") == 500_000
    assert browser.requests == [page.as_uri()]
