"""What a run tells of itself once it is over."""

import os
from pathlib import Path

from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.engine.outcome import Outcome
from reconcile.model.job import Job


def apply(place: Path) -> Outcome:
    """One run over `left` and `right` below `place`, approved."""
    job = Job(str(place / "left"), str(place / "right"), state_dir=str(place / "state"))
    return apply_job(job, silent, lambda planning: planning.plan)


def test_done_bytes_counts_content_only(tmp_path: Path) -> None:
    left = tmp_path / "left"
    left.mkdir()
    (tmp_path / "right").mkdir()
    for name in ("moved", "mode", "gone", "stays"):
        (left / name).write_text(name * 100)
    assert apply(tmp_path).done_bytes == 100 * len("movedmodegonestays")
    (left / "moved").rename(left / "elsewhere")
    (left / "mode").chmod(0o755)
    (left / "gone").unlink()
    (left / "new").write_bytes(b"12345")
    (left / "directory").mkdir()
    outcome = apply(tmp_path)
    done = {action for _, action, count in outcome.counts if count}
    assert done >= {"move", "meta", "delete", "create", "mkdir"}
    assert outcome.done_bytes == 5
    assert os.path.exists(tmp_path / "right/elsewhere")
