"""One place is one pair, however it is reached."""

from pathlib import Path

from blake3 import blake3

from reconcile.engine.former import state_of
from reconcile.engine.pairs import pair_id
from reconcile.model.job import Job
from reconcile.store.state import pair_directory


def test_one_directory_at_a_host_is_one_pair_by_agent_and_by_sftp(tmp_path: Path) -> None:
    here = str(tmp_path)
    ways = ["ssh://far/p", "sftp://far/p", "ssh://far/p?agent=never", "sftp://far/p?identity=/k"]
    assert len({pair_id(here, way) for way in ways}) == 1
    assert len({pair_id(way, here) for way in ways}) == 1
    assert pair_id(here, "sftp://far/q") != pair_id(here, "ssh://far/p")
    assert pair_id(here, "sftp://other/p") != pair_id(here, "ssh://far/p")


def test_a_state_that_was_made_for_sftp_is_gone_on_with_by_either_way(tmp_path: Path) -> None:
    """It was called by its scheme: a first run would bring back what was deleted."""
    left, state = str(tmp_path / "A"), str(tmp_path / "state")
    former = blake3(b"\0".join([left.encode(), b"sftp://far/p"])).hexdigest()[:16]
    before = Path(pair_directory(state, former))
    before.mkdir(parents=True)
    (before / "state.db").write_text("what was agreed on")
    job = Job(left, "ssh://far/p", state)
    pair = pair_id(job.left, job.right)

    assert state_of(job, pair, keeps=False) == str(before), "who only looks moves nothing"

    found = state_of(job, pair, keeps=True)
    assert found == pair_directory(state, pair)
    assert (Path(found) / "state.db").read_text() == "what was agreed on"
    assert state_of(Job(left, "sftp://far/p", state), pair, keeps=True) == found


def test_a_state_of_today_is_never_replaced_by_a_former_one(tmp_path: Path) -> None:
    left, state = str(tmp_path / "A"), str(tmp_path / "state")
    former = blake3(b"\0".join([left.encode(), b"sftp://far/p"])).hexdigest()[:16]
    job = Job(left, "sftp://far/p", state)
    now = pair_directory(state, pair_id(job.left, job.right))
    for place in (pair_directory(state, former), now):
        Path(place).mkdir(parents=True)

    assert state_of(job, pair_id(job.left, job.right), keeps=True) == now
    assert Path(pair_directory(state, former)).is_dir()
