"""Mounts inside a root that come and go: what is not mounted is not deleted."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.engine.cycle import apply_job, explain
from reconcile.engine.outcome import Outcome
from reconcile.model.errors import Refused
from reconcile.model.job import Job
from reconcile.model.plan import Side
from reconcile.model.treepath import TreePath
from tests.engine.far_pair import FarPair


class Mounts:
    """Mounted for one test."""

    def __init__(self) -> None:
        self.places: list[Path] = []

    def mount(self, place: Path, *what: str) -> None:
        arguments = what or ("-t", "tmpfs", "tmpfs")
        done = subprocess.run(["mount", *arguments, str(place)], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("nothing can be mounted here (needs root)")
        self.places.append(place)

    def unmount(self, place: Path) -> None:
        subprocess.run(["umount", str(place)], check=True)
        self.places.remove(place)


@pytest.fixture
def mounts() -> Iterator[Mounts]:
    found = Mounts()
    yield found
    for place in reversed(found.places):
        found.unmount(place)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    for name in ("A/d/photos", "B", "disk"):
        (tmp_path / name).mkdir(parents=True)
    for number in range(60):
        (tmp_path / f"A/k{number}").write_text(str(number))
    return tmp_path


def fill(place: Path, count: int = 12, word: str = "p") -> None:
    for number in range(count):
        (place / f"{word}{number}").write_text(f"{word} {number}")


def job(top: Path, *, paranoid: bool = False, accept: bool = False) -> Job:
    return Job(
        str(top / "A"), str(top / "B"), state_dir=str(top / "state"),
        paranoid=paranoid, accept_new_root=accept,
    )  # fmt: skip


def agree(job: Job) -> Outcome:
    return apply_job(job, lambda event: None, lambda planning: planning.plan)


def photos(top: Path) -> int:
    return len(list((top / "B/d/photos").iterdir()))


def problems(outcome: Outcome) -> list[tuple[bytes, str]]:
    return [(p.path, p.code) for p in outcome.problems if p.severity == "error"]


MISSED = [(b"d/photos", "E_MOUNT")]


@pytest.mark.parametrize("paranoid", [False, True])
@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_a_mount_that_is_missing_is_not_a_deletion(
    top: Path, mounts: Mounts, kind: str, paranoid: bool
) -> None:
    place = top / "A/d/photos"
    fill(top / "disk")
    mounts.mount(place, *(("--bind", str(top / "disk")) if kind == "bind" else ()))
    if kind == "tmpfs":
        fill(place)
    agree(job(top))
    assert photos(top) == 12
    mounts.unmount(place)

    for _ in range(2):
        outcome = agree(job(top, paranoid=paranoid))
        assert problems(outcome) == MISSED
        assert "not mounted now" in outcome.problems[0].reason
        assert photos(top) == 12

    (top / "A/k1").write_text("edited")
    assert problems(agree(job(top))) == MISSED
    assert (top / "B/k1").read_text() == "edited"


def test_mounting_it_again_goes_on(top: Path, mounts: Mounts) -> None:
    place = top / "A/d/photos"
    fill(top / "disk")
    mounts.mount(place, "--bind", str(top / "disk"))
    agree(job(top))
    mounts.unmount(place)
    agree(job(top))
    mounts.mount(place, "--bind", str(top / "disk"))
    (place / "p0").unlink()
    (place / "new").write_text("new")

    assert agree(job(top)).problems == ()

    assert sorted(path.name for path in (top / "B/d/photos").iterdir()) == sorted(
        ["new", *(f"p{number}" for number in range(1, 12))]
    )


def test_what_a_mount_lost_while_it_is_there_is_deleted(top: Path, mounts: Mounts) -> None:
    place = top / "A/d/photos"
    mounts.mount(place)
    fill(place, 8)
    agree(job(top))
    for path in place.iterdir():
        path.unlink()

    assert agree(job(top)).problems == ()
    assert photos(top) == 0


def test_a_mount_over_a_directory_hides_what_it_holds(top: Path, mounts: Mounts) -> None:
    place = top / "A/d/photos"
    fill(place)
    agree(job(top))
    mounts.mount(place)
    (place / "other").write_text("x")

    for paranoid in (False, True):
        outcome = agree(job(top, paranoid=paranoid))
        assert problems(outcome) == MISSED
        assert "mounted over" in outcome.problems[0].reason
    assert photos(top) == 12

    mounts.unmount(place)
    assert agree(job(top)).problems == ()


def test_another_file_system_in_the_place_of_a_mount_is_not_taken_for_it(
    top: Path, mounts: Mounts
) -> None:
    """The device has the same number: it is told apart by its own id and its birth."""
    place = top / "A/d/photos"
    mounts.mount(place)
    fill(place)
    agree(job(top))
    mounts.unmount(place)
    mounts.mount(place)
    fill(place, 3, "q")

    outcome = agree(job(top))

    assert problems(outcome) == MISSED
    assert photos(top) == 12
    assert "q0" not in {path.name for path in (top / "B/d/photos").iterdir()}


def test_what_was_moved_out_of_a_mount_into_its_directory_is_still_there(
    top: Path, mounts: Mounts
) -> None:
    place = top / "A/d/photos"
    mounts.mount(place)
    fill(place)
    agree(job(top))
    mounts.unmount(place)
    fill(place)

    assert agree(job(top)).problems == ()
    assert photos(top) == 12


def test_who_says_so_lets_a_mount_go(top: Path, mounts: Mounts) -> None:
    place = top / "A/d/photos"
    mounts.mount(place)
    fill(place, 8)
    agree(job(top))
    mounts.unmount(place)
    assert problems(agree(job(top))) == MISSED

    assert agree(job(top, accept=True)).problems == ()
    assert photos(top) == 0


def test_what_a_run_wrote_into_an_empty_mount_is_missed_with_it(top: Path, mounts: Mounts) -> None:
    place = top / "A/d/photos"
    (top / "B/d/photos").mkdir(parents=True)
    fill(top / "B/d/photos")
    mounts.mount(place)
    agree(job(top))
    assert len(list(place.iterdir())) == 12
    mounts.unmount(place)

    assert problems(agree(job(top))) == MISSED
    assert photos(top) == 12


def test_explain_says_why_a_path_below_is_not_looked_at(top: Path, mounts: Mounts) -> None:
    place = top / "A/d/photos"
    mounts.mount(place)
    fill(place)
    agree(job(top))
    mounts.unmount(place)

    found = explain(job(top), TreePath(b"d/photos/p1"), lambda event: None)

    assert [(p.path, p.code) for p in found.problems] == MISSED
    assert "not mounted" in found.problems[0].reason


def test_many_directories_shared_out_to_workers_are_watched_too(top: Path, mounts: Mounts) -> None:
    for number in range(40):
        (top / f"A/w{number}").mkdir()
        fill(top / f"A/w{number}", 20)
    place = top / "A/w7/deep/er"
    place.mkdir(parents=True)
    mounts.mount(place)
    fill(place)
    agree(job(top))
    mounts.unmount(place)

    for _ in range(2):
        assert problems(agree(job(top))) == [(b"w7/deep/er", "E_MOUNT")]
    assert len(list((top / "B/w7/deep/er").iterdir())) == 12


def test_another_disk_in_the_place_of_a_root_is_refused(tmp_path: Path, mounts: Mounts) -> None:
    """Two sticks are used in turn; device and inode of both are the same, and so are most files."""
    left, right = tmp_path / "A", tmp_path / "B"
    left.mkdir()
    right.mkdir()
    mounts.mount(right)
    both = Job(str(left), str(right), state_dir=str(tmp_path / "state"))
    fill(left, 20)
    agree(both)
    known = (right.stat().st_dev, right.stat().st_ino)
    old = {path.name: path.read_text() for path in right.iterdir() if path.is_file()}
    (left / "p1").write_text("this week's work")
    agree(both)
    mounts.unmount(right)
    mounts.mount(right)
    for name, text in old.items():
        (right / name).write_text(text)

    with pytest.raises(Refused, match="another file system") as caught:
        agree(both)

    assert (right.stat().st_dev, right.stat().st_ino) == known
    assert caught.value.code == "E_ROOT_CHANGED"
    assert "--allow root-changed" in caught.value.hint
    assert (left / "p1").read_text() == "this week's work"
    assert (right / "p1").read_text() == "p 1"


def test_what_is_mounted_on_the_far_side_is_watched_there(tmp_path: Path, mounts: Mounts) -> None:
    pair = FarPair(tmp_path, Side.LEFT)
    place = tmp_path / "left/d/e"
    (place / "c").unlink()
    mounts.mount(place)
    fill(place)
    pair.run()
    assert len(list((tmp_path / "right/d/e").iterdir())) == 12
    mounts.unmount(place)

    for _ in range(2):
        outcome = pair.run()
        assert [(p.path, p.code) for p in outcome.problems] == [(b"d/e", "E_MOUNT")]
    assert len(list((tmp_path / "right/d/e").iterdir())) == 12

    mounts.mount(place)
    fill(place)
    assert pair.run().problems == ()
