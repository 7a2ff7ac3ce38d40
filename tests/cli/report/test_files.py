"""Report files: written whole, by suffix, over nothing that is no report, and known to be possible
before anything is done."""

import os
import subprocess
from pathlib import Path

import pytest

from reconcile.cli.report.columns import Report
from reconcile.cli.report.files import FORMS, ReportUnwritten, check_reports, write_report
from reconcile.cli.report.rows import report_of_plan
from reconcile.model.errors import UsageError
from tests.cli.plans import NOON_NS, mockup


@pytest.fixture
def report() -> Report:
    return report_of_plan(mockup().plan, "p-1", NOON_NS)


@pytest.mark.parametrize("suffix", FORMS)
def test_a_report_is_replaced_by_any_other(suffix: str, report: Report, tmp_path: Path) -> None:
    place = tmp_path / f"r{suffix}"
    write_report(str(place), report)
    first = place.read_bytes()
    for other in FORMS:
        write_report(str(tmp_path / f"o{other}"), report)
        os.replace(tmp_path / f"o{other}", place)
        check_reports([str(place)])
        write_report(str(place), report)
        assert place.read_bytes() == first
    assert os.listdir(tmp_path) == [place.name]


@pytest.mark.parametrize("suffix", FORMS)
def test_what_is_no_report_is_left_as_it_is(suffix: str, report: Report, tmp_path: Path) -> None:
    place = tmp_path / f"r{suffix}"
    place.write_text("path,size\nprecious,1\n")
    for act in (lambda: check_reports([str(place)]), lambda: write_report(str(place), report)):
        with pytest.raises(ReportUnwritten, match="is no report; it was left as it is"):
            act()
    assert place.read_text() == "path,size\nprecious,1\n"
    assert os.listdir(tmp_path) == [place.name]


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "r.csv")
    with pytest.raises(ReportUnwritten, match="is no report"):
        check_reports([str(tmp_path / "r.csv")])


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="names no kind of report"):
        check_reports([str(tmp_path / "r.pdf")])


def test_nothing_is_left_of_a_report_that_fails(report: Report, tmp_path: Path) -> None:
    (tmp_path / "r.csv").mkdir()
    with pytest.raises(ReportUnwritten, match="is no report"):
        write_report(str(tmp_path / "r.csv"), report)
    assert os.listdir(tmp_path) == ["r.csv"]


def test_a_report_that_cannot_be_written_stops_before_anything_is_applied(
    environment: dict[str, str], tmp_path: Path
) -> None:
    left, right = tmp_path / "left", tmp_path / "right"
    left.mkdir()
    right.mkdir()
    (left / "a").write_text("a")
    done = subprocess.run(
        ["reconcile", "apply", "left", "right", "--yes", "--report", "missing/r.csv"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 64
    assert "E_REPORT" in done.stderr
    assert not list(right.iterdir())
