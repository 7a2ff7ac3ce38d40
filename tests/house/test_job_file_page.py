"""docs/job-file.md names every key."""

import os

from tests.house.checkout import ROOT
from tests.house.job_file_page import current, parts

FIX = "UPDATE_DOCS=1 python -m pytest -q tests/house/test_job_file_page.py"


def test_the_job_file_page_is_current() -> None:
    place = ROOT / "docs/job-file.md"
    page = place.read_text(encoding="utf-8")
    assert parts(page) == ["job", "versions", "endpoint", "later"]
    if os.environ.get("UPDATE_DOCS"):
        place.write_text(current(page), encoding="utf-8")
        page = place.read_text(encoding="utf-8")
    assert page == current(page), f"after reading the difference: {FIX}"
