"""Pruning a side behind a real SSH server: by its agent, and by SFTP alone."""

import os
from pathlib import Path

import pytest

from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.engine.history import kept_versions
from reconcile.engine.pruning import prune
from reconcile.model.job import Job, Retention
from tests.peers.sshd import Sshd
from tests.trees.looking import snapshot


@pytest.mark.parametrize("scheme", ["ssh", "sftp"])
def test_what_is_kept_too_long_far_away_goes_there_too(tmp_path: Path, scheme: str) -> None:
    left, right = tmp_path / "left", tmp_path / "right"
    left.mkdir()
    right.mkdir()
    with Sshd(tmp_path) as server:
        url = server.url(right, scheme)
        job = Job(str(left), url, str(tmp_path / "state"), retention=Retention(keep=1))
        for content in ("1", "2", "3", "4"):
            (left / "d").mkdir(exist_ok=True)
            (left / "d" / "\udcff\n").write_text(content)
            later = Job(job.left, job.right, job.state_dir)
            apply_job(later, silent, lambda planning: planning.plan)
        pruning = prune(job, silent, lambda found: True)
    assert (pruning.count, pruning.removed, pruning.problems) == (3, 2, ())
    [found] = kept_versions(job.state_dir)
    top = b".reconcile/versions/"
    everything = snapshot(os.fsencode(right), ours=True)
    kept = {path: thing for path, thing in everything.items() if path.startswith(top)}
    [version] = found.versions
    assert version.place is not None
    record = b"/".join((*version.place.split(b"/")[:3], b".reconcile"))
    assert b'"format":"reconcile-kept/1"' in kept.pop(record)
    assert {path: thing for path, thing in kept.items() if thing != b"d"} == {version.place: b"f:3"}
    assert len([path for path in kept if path.count(b"/") == 2]) == 1
