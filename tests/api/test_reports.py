"""Reports from Python: the same rows for a plan and for the run that carried it out."""

import csv
import io
from pathlib import Path

import pytest

from reconcile import ReconcileError, UsageError, report, write_report
from tests.api.conftest import Sides


def rows(data: bytes) -> list[dict[str, str]]:
    """A CSV report."""
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_a_plan_and_its_run_have_the_same_rows(sides: Sides) -> None:
    sides.fill(left_a="x", right_b="y")
    pair = sides.pair()
    planned = rows(report(pair.plan(), "csv"))
    done = rows(report(pair.apply().run, "csv", state_dir=sides.state))
    assert [row["path"] for row in planned] == ["a", "b"] == [row["path"] for row in done]
    assert planned[0].keys() == done[0].keys()


@pytest.mark.parametrize("form", ["txt", "md", "csv", "json", "html"])
def test_every_form_is_written_by_its_suffix(sides: Sides, tmp_path: Path, form: str) -> None:
    sides.fill(left_a="x")
    planning = sides.pair().plan()
    place = tmp_path / f"report.{form}"
    write_report(planning, place)
    write_report(planning.plan, place)
    assert b"a" in place.read_bytes()
    (tmp_path / f"mine.{form}").write_text("mine", encoding="utf-8")
    with pytest.raises(ReconcileError):
        write_report(planning, tmp_path / f"mine.{form}")


def test_what_is_no_form_is_said(sides: Sides, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        report(sides.pair().plan(), "pdf")
    with pytest.raises(UsageError):
        write_report(sides.pair().plan(), tmp_path / "x.pdf")
