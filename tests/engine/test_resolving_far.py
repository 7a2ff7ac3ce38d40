"""Conflicts with a side that is far away: its texts, and its kept versions as bases."""

import shutil
from pathlib import Path

import pytest

from reconcile.decide.chosen import Choice, Ending
from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.engine.planning import make_plan
from reconcile.engine.resolving import Decided, Resolution, open_conflicts, sides_of
from reconcile.model.job import Job
from reconcile.model.plan import Side
from tests.engine.far_pair import LEFT, RIGHT, FarPair
from tests.peers.sshd import Sshd

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="`git merge-file` merges")
BASE = b"one\n\n\n\n\ntwo\n"
ONE, TWO = BASE.replace(b"one", b"1"), BASE.replace(b"two", b"2")


@pytest.fixture(params=[(LEFT,), (RIGHT,), (LEFT, RIGHT)], ids=["left", "right", "both"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> FarPair:
    """Both agree on BASE, of which only a version of the right side is left; both edited it."""
    far: tuple[Side, ...] = request.param
    pair = FarPair(tmp_path, *far, left={"d/a": BASE})
    for text in (BASE, ONE, BASE):
        (tmp_path / "left/d/a").write_bytes(text)
        pair.run()
    for content in (tmp_path / "state/pairs").glob("*/content"):
        shutil.rmtree(content)
    (tmp_path / "left/d/a").write_bytes(ONE)
    (tmp_path / "right/d/a").write_bytes(TWO)
    make_plan(pair.job, silent)
    return pair


@needs_git
@pytest.mark.parametrize(
    ("choice", "text"),
    [
        (Choice.MERGE, ONE.replace(b"two", b"2")),
        (Choice.BASE, BASE),
        (Choice.CONTENT, b"given"),
        (Choice.RIGHT, TWO),
    ],
)
def test_a_far_conflict_is_resolved(
    choice: Choice, text: bytes, pair: FarPair, tmp_path: Path
) -> None:
    (found,) = open_conflicts(pair.job.state_dir)
    with sides_of(pair.job) as sides:
        behind = sides.behind(found.conflict)
    assert behind == (BASE, ONE, TWO)
    resolution = Resolution([Decided(found.conflict, choice, b"given")])
    outcome = apply_job(pair.job, silent, lambda planning: planning.plan, resolution)
    assert [each.ending for each in resolution.settle(outcome)] == [Ending.DONE]
    for side in Side:
        assert (tmp_path / side.value / "d/a").read_bytes() == text


@needs_git
def test_a_version_behind_nothing_but_sftp_is_a_base(tmp_path: Path) -> None:
    with Sshd(tmp_path, internal_sftp_only=True) as server:
        (tmp_path / "left").mkdir()
        (tmp_path / "right").mkdir()
        right = server.url(tmp_path / "right", "sftp")
        job = Job(str(tmp_path / "left"), right, str(tmp_path / "state"))
        for text in (BASE, ONE, BASE):
            (tmp_path / "left/a").write_bytes(text)
            apply_job(job, silent, lambda planning: planning.plan)
        for content in (tmp_path / "state/pairs").glob("*/content"):
            shutil.rmtree(content)
        (tmp_path / "left/a").write_bytes(ONE)
        (tmp_path / "right/a").write_bytes(TWO)
        make_plan(job, silent)
        (found,) = open_conflicts(job.state_dir)
        resolution = Resolution([Decided(found.conflict, Choice.MERGE)])
        apply_job(job, silent, lambda planning: planning.plan, resolution)
        assert [each.ending for each in resolution.answers] == [Ending.DONE]
        assert (tmp_path / "right/a").read_bytes() == ONE.replace(b"two", b"2")
