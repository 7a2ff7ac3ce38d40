"""What is kept is known again where the state is lost, or was begun anew."""

import os
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.engine.history import kept_versions
from reconcile.engine.orphans import adopt
from reconcile.engine.pruning import prune
from reconcile.engine.restoring import Asked, At, pair_of, restore_maker
from reconcile.model.job import Job, Retention
from reconcile.model.treepath import TreePath
from tests.engine.kept_pair import KeptPair

A = TreePath(b"a")


@pytest.fixture
def pair(tmp_path: Path) -> KeptPair:
    """Three versions of `a` were superseded at right, and then the state was lost."""
    pair = KeptPair(tmp_path)
    pair.change("a", "1", "22", "333", "4444")
    shutil.rmtree(pair.state_dir)
    return pair


def listed(job: Job) -> list[tuple[bytes, int]]:
    adopt(job, silent)
    found = [each for kept in kept_versions(job.state_dir) for each in kept.versions]
    return [(each.version.path, each.version.size_bytes) for each in found]


def test_they_are_listed_at_once(pair: KeptPair) -> None:
    assert listed(pair.job) == [(A, 3), (A, 2), (A, 1)]


@pytest.mark.parametrize("ran_since", [False, True])
def test_one_comes_back(pair: KeptPair, ran_since: bool) -> None:
    if ran_since:
        pair.run()
    adopt(pair.job, silent)
    known = pair_of(pair.state_dir, [A])
    assert known.job is not None
    make = restore_maker(Asked((A,), At(version=2)))
    apply_job(known.job, silent, lambda planning: planning.plan, make)
    assert (pair.place / "right/a").read_text() == "22"


def test_they_can_be_pruned_and_their_record_goes_with_the_last(pair: KeptPair) -> None:
    pair.run()
    pruning = prune(pair.keeping(0), silent, lambda shown: True, even_last=True)
    assert pruning.removed == 3
    assert os.listdir(pair.place / "right/.reconcile/versions") == []


def test_a_root_that_moved_has_them_still(pair: KeptPair) -> None:
    moved = pair.place / "moved"
    (pair.place / "right").rename(moved)
    assert listed(replace(pair.job, right=str(moved))) == [(A, 3), (A, 2), (A, 1)]


def test_another_pairs_are_left_to_it(pair: KeptPair) -> None:
    (pair.place / "third").mkdir()
    other = replace(pair.job, left=str(pair.place / "third"))
    pair.run()
    assert adopt(other, silent) == 0
    assert adopt(pair.job, silent) == 3


def test_a_forged_record_makes_nothing_happen_elsewhere(pair: KeptPair) -> None:
    """It may name any place: only what lies below its own run's directory is ever named."""
    top = pair.place / "right/.reconcile/versions"
    for run in top.iterdir():
        told = (run / ".reconcile").read_text()
        (run / ".reconcile").write_text(told.replace(run.name, "../../../..", 1))
    assert sorted(listed(pair.job)) == [(A, 1), (A, 2), (A, 3)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several accounts")
def test_what_a_stranger_put_there_is_no_version(pair: KeptPair) -> None:
    planted = pair.place / "right/.reconcile/versions/r-000000000aa"
    planted.mkdir()
    (planted / "a").write_text("hers")
    os.chown(planted, 12345, 12345)
    assert listed(pair.job) == [(A, 3), (A, 2), (A, 1)]


def test_what_is_known_already_is_not_noted_twice(pair: KeptPair) -> None:
    assert adopt(pair.job, silent) == 3
    assert adopt(pair.job, silent) == 0
    assert Retention() == pair.job.retention
