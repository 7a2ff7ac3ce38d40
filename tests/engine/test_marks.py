"""`--require`: a mark that filters hide is there as well."""

from pathlib import Path

import msgspec
import pytest

from reconcile.engine.cycle import make_plan
from reconcile.engine.events import silent
from reconcile.model.job import FilterRule, FilterSpec, Job
from reconcile.model.plan import GuardCheck
from reconcile.model.policy import Limits
from reconcile.model.treepath import TreePath

EXCLUDED = FilterSpec(rules=(FilterRule("/cache/", False, "--exclude"),))
SELECTED = FilterSpec(select=(TreePath(b"docs"),))
ROWS = [
    ("below an excluded directory", EXCLUDED, b"cache/mounted", ""),
    ("outside of what is selected", SELECTED, b"disk.mark", ""),
    ("excluded itself", EXCLUDED, b"cache", ""),
    ("in another Unicode form", FilterSpec(), "cafe\u0301".encode(), ""),
    ("shown", FilterSpec(), b"docs/a", ""),
    ("not there, where nothing is shown", EXCLUDED, b"cache/other", "left lacks `cache/other`"),
    ("not there", FilterSpec(), b"nope/a", "left lacks `nope/a`"),
    ("through a link", EXCLUDED, b"cache/link/mounted", "left lacks `cache/link/mounted`"),
]


@pytest.mark.parametrize(
    ("spec", "required", "told"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_what_is_required_is_looked_for_where_filters_hide_it(
    tmp_path: Path, spec: FilterSpec, required: bytes, told: str
) -> None:
    for side in ("left", "right"):
        for name in ("cache/mounted", "docs/a", "disk.mark", "caf\u00e9"):
            (tmp_path / side / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / side / name).write_text("x")
        (tmp_path / side / "cache" / "link").symlink_to(".")

    check = required_by(tmp_path, spec, required)

    assert check.ok is not bool(told)
    assert check.detail.startswith(told)


def required_by(tmp_path: Path, spec: FilterSpec, required: bytes) -> GuardCheck:
    job = Job(str(tmp_path / "left"), str(tmp_path / "right"), str(tmp_path / "state"))
    job = msgspec.structs.replace(job, filters=spec, limits=Limits(require=(required,)))
    guards = make_plan(job, silent).plan.guards
    return next(guard for guard in guards if guard.name == "require")
