"""What could not be set is seen, told once, and never travels back as a change.

The sides here are ordinary directories; what one of them lacks shows in what it
answers: an account that may give nothing away, a directory that swallows chmod.
"""

import os
import stat
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.engine.outcome import Outcome
from reconcile.model.entry import Tracked
from reconcile.model.job import Job
from reconcile.trees.syscalls import System
from tests.nobody import as_nobody

_ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def run(job: Job, **changes: object) -> Outcome:
    """One apply, everything approved."""
    return apply_job(replace(job, **changes), silent, lambda planning: planning.plan)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    for name in ("left", "right", "state"):
        (tmp_path / name).mkdir()
    return Job(*(str(tmp_path / name) for name in ("left", "right", "state")))


def mode_of(root: str, name: str) -> int:
    return stat.S_IMODE(os.lstat(os.path.join(root, name)).st_mode)


def test_a_known_mode_is_kept_also_none_at_all(job: Job) -> None:
    Path(job.left, "shadow").write_text("s")
    Path(job.left, "closed").mkdir()
    Path(job.left, "everybody").mkdir()
    for name, mode in (("shadow", 0), ("closed", 0), ("everybody", 0o1777)):
        os.chmod(os.path.join(job.left, name), mode)
    run(job)
    modes = [mode_of(job.right, name) for name in ("shadow", "closed", "everybody")]
    assert modes == [0, 0, 0o1777]


@pytest.mark.parametrize("time_s", [10_413_792_000, 15_021_072_000, -2_147_483_648])
def test_a_time_that_no_entry_can_say_costs_nobody_a_run(job: Job, time_s: int) -> None:
    late = os.path.join(job.left, "late")
    Path(late).write_text("x")
    os.utime(late, (time_s, time_s))
    Path(job.left, "other").write_text("y")
    first, second = run(job), run(job)
    assert {"late", "other"} <= set(os.listdir(job.right))
    assert not second.planning.plan.steps
    is_told = [p.path for p in first.problems if p.code == "E_NOT_KEPT"]
    assert is_told == ([b"late"] if time_s > 2**63 // 10**9 else [])


class Deaf(System):
    """A side that answers chmod with success, and does nothing."""

    def chmod(self, fd: int, mode: int) -> None:
        """See `System.chmod`."""


def test_a_mode_that_does_not_take_never_widens_the_good_side(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = os.path.join(job.left, "id_rsa")
    Path(key).write_text("k")
    os.chmod(key, 0o644)
    tracked = Tracked(mode=True)
    run(job, tracked=tracked)
    os.chmod(key, 0o600)
    monkeypatch.setattr(System, "chmod", Deaf.chmod)
    told = run(job, tracked=tracked)
    again = run(job, tracked=tracked, paranoid=True)
    assert [(p.path, p.code) for p in told.problems] == [(b"id_rsa", "E_NOT_KEPT")]
    assert not again.planning.plan.steps
    assert (mode_of(job.left, "id_rsa"), mode_of(job.right, "id_rsa")) == (0o600, 0o644)
    monkeypatch.undo()
    os.chmod(os.path.join(job.right, "id_rsa"), 0o640)
    run(job, tracked=tracked)
    assert mode_of(job.left, "id_rsa") == 0o640, "what somebody does there is a change"


@_ROOT_ONLY
def test_owners_that_an_ordinary_user_cannot_give_stay_as_they_are(
    job: Job, tmp_path: Path
) -> None:
    Path(job.left, "theirs").write_text("t")
    os.chown(os.path.join(job.left, "theirs"), 12_345, 12_345)
    for name in ("right", "state"):
        os.chown(tmp_path / name, 65_534, 65_534)

    def three() -> list[object]:
        outcomes = [run(job, tracked=Tracked(owner=True)) for _ in range(3)]
        return [
            [len(o.planning.plan.steps), [p.reason for p in o.problems if p.path]] for o in outcomes
        ]

    assert as_nobody(three, tmp_path) == [
        [1, ["owner 12345:12345 is 65534:65534 there"]],
        [0, []],
        [0, []],
    ]


@_ROOT_ONLY
def test_a_directory_that_its_owner_may_not_fill_is_filled_and_closed(
    job: Job, tmp_path: Path
) -> None:
    closed = Path(job.left, "closed")
    closed.mkdir()
    (closed / "file").write_text("f")
    closed.chmod(0o555)
    for name in ("left", "left/closed", "left/closed/file", "right", "state"):
        os.chown(tmp_path / name, 65_534, 65_534)

    def twice() -> list[int]:
        outcomes = [run(job, tracked=Tracked(mode=True)) for _ in range(3)]
        return [len(o.planning.plan.steps) for o in outcomes]

    assert as_nobody(twice, tmp_path) == [2, 0, 0]
    assert (mode_of(job.left, "closed"), mode_of(job.right, "closed")) == (0o555, 0o555)


def test_a_new_directory_gets_its_attributes(job: Job) -> None:
    Path(job.left, "told").mkdir()
    try:
        os.setxattr(os.path.join(job.left, "told"), "user.told", b"yes")
    except OSError:
        pytest.skip("no extended attributes here")
    run(job, tracked=Tracked(xattr=True))
    assert os.getxattr(os.path.join(job.right, "told"), "user.told") == b"yes"
    assert not run(job, tracked=Tracked(xattr=True)).planning.plan.steps
