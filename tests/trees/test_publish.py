"""Publishing: metadata, the version area, and places with rules of their own."""

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.model.entry import Tracked
from reconcile.model.manifest import Header
from reconcile.model.plan import Action, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.trees.base import RunOptions
from reconcile.trees.local import LocalTree
from tests.nobody import as_nobody
from tests.trees.looking import T0, Steps, directory, entry_at, file, fill, snapshot
from tests.trees.test_staging import Stream

CONTENT = b"new content"
OPTIONS = RunOptions("r-1")


def run(root: bytes, steps: list[Step], options: RunOptions = OPTIONS) -> list[Receipt]:
    """Stage and carry out; every step wants `CONTENT`."""
    tree = LocalTree(root)
    try:
        tree.begin(options, ())
        failures = {r.step: r for r in tree.stage(steps, Stream(CONTENT))}
        receipts = {r.step: r for r in tree.carry_out([s for s in steps if s.id not in failures])}
        return [(failures | receipts)[step.id] for step in steps]
    finally:
        tree.close()


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    (tmp_path / "root").mkdir()
    return os.fsencode(tmp_path / "root")


def update(root: bytes, path: bytes, mode: int = 0o644) -> Step:
    """A step that replaces what is there."""
    want = file(path, CONTENT, mode=mode)
    return Steps().add(Action.UPDATE, path, entry_at(root, path), want)


def test_setuid_and_setgid_are_never_carried_and_sticky_only_of_directories(root: bytes) -> None:
    fill(root, {"old": b"old"})
    os.chmod(root + b"/old", 0o6755)
    steps = Steps()
    steps.add(Action.CREATE, b"new", None, file(b"new", CONTENT, mode=0o7755))
    steps.add(Action.UPDATE, b"old", entry_at(root, b"old"), file(b"old", CONTENT, mode=0o7755))
    steps.add(Action.MKDIR, b"dir", None, directory(b"dir", mode=0o1777))
    assert [r.status for r in run(root, steps.made)] == [Status.DONE] * 3
    modes = [stat.S_IMODE(os.stat(root + b"/" + n).st_mode) for n in (b"new", b"old", b"dir")]
    assert modes == [0o755, 0o755, 0o1777]


def test_a_replacement_keeps_the_targets_mode_owner_and_attributes(root: bytes) -> None:
    fill(root, {"a": b"old"})
    location = root + b"/a"
    os.chmod(location, 0o640)
    os.setxattr(location, "user.note", b"mine")
    if os.geteuid() == 0:
        os.chown(location, 12, 34)
    before = os.stat(location)
    [receipt] = run(root, [update(root, b"a", mode=0o666)])
    after = os.stat(location)
    assert receipt.status is Status.DONE
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )
    assert os.getxattr(location, "user.note") == b"mine"


def test_a_mode_changed_while_the_content_was_on_its_way_stays(root: bytes) -> None:
    fill(root, {"a": b"old"})
    step = update(root, b"a")
    tree = LocalTree(root)
    tree.begin(RunOptions("r-1"), ())
    assert tree.stage([step], Stream(CONTENT)) == []
    os.chmod(root + b"/a", 0o600)
    assert tree.carry_out([step])[0].status is Status.DONE
    tree.close()
    assert stat.S_IMODE(os.stat(root + b"/a").st_mode) == 0o600


def test_an_executable_bit_set_meanwhile_is_not_taken_back(root: bytes) -> None:
    fill(root, {"a": b"old"})
    step = update(root, b"a")
    os.chmod(root + b"/a", 0o755)
    assert run(root, [step])[0].status is Status.STALE


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [(0o640, 0o777, 0o750), (0o755, 0o600, 0o644), (0o600, 0o711, 0o700), (0o744, 0o755, 0o744)],
)
def test_the_executable_bit_goes_where_reading_is_allowed(
    root: bytes, before: int, wanted: int, after: int
) -> None:
    fill(root, {"a": CONTENT})
    os.chmod(root + b"/a", before)
    entry = entry_at(root, b"a")
    step = Steps().add(Action.META, b"a", entry, file(b"a", CONTENT, mode=wanted))
    [receipt] = run(root, [step])
    assert receipt.status is Status.DONE
    assert receipt.fingerprint is not None
    assert stat.S_IMODE(os.stat(root + b"/a").st_mode) == after


def test_a_tracked_mode_is_carried_whole(root: bytes) -> None:
    options = RunOptions("r-1", header=Header(tracked=Tracked(exec=False, mode=True)))
    fill(root, {"a": b"old", "d": None})
    steps = Steps()
    want = file(b"a", CONTENT, mode=0o604)
    steps.add(Action.UPDATE, b"a", entry_at(root, b"a"), want)
    steps.add(Action.META, b"d", entry_at(root, b"d"), directory(b"d", mode=0o711))
    assert [r.status for r in run(root, steps.made, options)] == [Status.DONE] * 2
    modes = [stat.S_IMODE(os.stat(root + b"/" + n).st_mode) for n in (b"a", b"d")]
    assert modes == [0o604, 0o711]


@pytest.mark.parametrize(("meanwhile", "status"), [(0o640, Status.STALE), (0o600, Status.DONE)])
def test_a_tracked_mode_changed_meanwhile_is_not_taken_back(
    root: bytes, meanwhile: int, status: Status
) -> None:
    options = RunOptions("r-1", header=Header(tracked=Tracked(exec=False, mode=True)))
    fill(root, {"a": CONTENT})
    steps = Steps()
    steps.add(Action.META, b"a", entry_at(root, b"a"), file(b"a", CONTENT, mode=0o600))
    os.chmod(root + b"/a", meanwhile)
    assert [r.status for r in run(root, steps.made, options)] == [status]
    assert stat.S_IMODE(os.stat(root + b"/a").st_mode) == meanwhile


def test_a_receipt_carries_the_fingerprint_of_the_final_name(root: bytes) -> None:
    [receipt] = run(root, [Steps().add(Action.CREATE, b"a", None, file(b"a", CONTENT))])
    status = os.lstat(root + b"/a")
    assert receipt.fingerprint is not None
    assert receipt.fingerprint.ctime_ns == status.st_ctime_ns
    assert receipt.fingerprint.inode == status.st_ino
    assert receipt.fingerprint.mtime_ns == T0


def test_names_that_clash_in_the_version_area_are_all_kept(root: bytes) -> None:
    for content in (b"one", b"two", b"three"):
        fill(root, {"a": content})
        steps = Steps()
        steps.add(Action.DELETE, b"a", entry_at(root, b"a"), None)
        assert run(root, steps.made)[0].status is Status.DONE
    fill(root, {"a/b": b"below a name that was kept as a file"})
    steps = Steps()
    steps.add(Action.DELETE, b"a/b", entry_at(root, b"a/b"), None)
    [receipt] = run(root, steps.made)
    kept = snapshot(root, ours=True)
    files = {path: thing for path, thing in kept.items() if thing.startswith(b"f:")}
    top = b".reconcile/versions/r-1/"
    assert files == {
        top + b"a": b"f:one",
        top + b"a.~2~": b"f:two",
        top + b"a.~3~": b"f:three",
        top + b"a.~4~/b": b"f:below a name that was kept as a file",
    }
    assert receipt.version == ".reconcile/versions/r-1/a.~4~/b"


def test_the_version_area_is_closed_to_others(root: bytes) -> None:
    fill(root, {"a": b"old"})
    run(root, [update(root, b"a")])
    assert stat.S_IMODE(os.stat(root + b"/.reconcile").st_mode) == 0o700


def test_a_name_of_255_bytes_can_be_replaced_and_kept_twice(root: bytes) -> None:
    name = b"n" * 255
    for content in (b"one", b"two"):
        fill(root, {name.decode(): content})
        assert run(root, [update(root, name)])[0].status is Status.DONE
        os.unlink(root + b"/" + name)
    contents = [t for t in snapshot(root, ours=True).values() if t.startswith(b"f:")]
    assert sorted(contents) == [b"f:one", b"f:two"]


def test_leftovers_are_put_away_and_empty_ones_just_go(root: bytes) -> None:
    fill(
        root,
        {
            "d/.rcn-0000000000000001": b"an old version",
            ".rcn-0000000000000002": b"",
            ".rcn-0000000000000003": None,
            ".rcn-0000000000000004": "target",
        },
    )
    tree = LocalTree(root)
    names = [
        b"d/.rcn-0000000000000001",
        b".rcn-0000000000000002",
        b".rcn-0000000000000003",
        b".rcn-0000000000000004",
        b"d/.rcn-00000000000090ee",
    ]
    assert tree.begin(RunOptions("r-1"), [TreePath(name) for name in names]) == []
    tree.close()
    assert snapshot(root) == {b"d": b"d"}
    kept = {path: t for path, t in snapshot(root, ours=True).items() if t[:2] in (b"f:", b"l:")}
    assert kept == {
        b".reconcile/quarantine/r-1/d/.rcn-0000000000000001": b"f:an old version",
        b".reconcile/quarantine/r-1/.rcn-0000000000000004": b"l:target",
    }


def test_what_may_not_be_written_fails_and_the_rest_goes_on(tmp_path: Path, root: bytes) -> None:
    fill(root, {"closed/a": b"old", "open": None})
    os.chmod(root + b"/closed", 0o555)
    os.chmod(root + b"/open", 0o777)
    os.chmod(root, 0o777)
    steps = Steps()
    old = entry_at(root, b"closed/a")
    steps.add(Action.UPDATE, b"closed/a", old, file(b"a", CONTENT))
    steps.add(Action.CREATE, b"closed/b", None, file(b"b", CONTENT))
    steps.add(Action.DELETE, b"closed/a", old, None)
    steps.add(Action.CREATE, b"open/c", None, file(b"c", CONTENT))
    made = steps.made

    def attempt() -> list[tuple[str, str]]:
        return [(receipt.status.value, receipt.code) for receipt in run(root, made)]

    answers = as_nobody(attempt, tmp_path) if os.geteuid() == 0 else attempt()
    assert answers == [("failed", "E_DENIED")] * 3 + [("done", "")]
    assert entry_at(root, b"closed/a") == old


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[bytes]:
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    subprocess.run(command, check=True)
    yield os.fsencode(place)
    subprocess.run(["umount", str(place)], check=True)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


@pytest.mark.root
@needs_root
def test_a_full_disk_fails_what_does_not_fit_and_nothing_else(small_disk: bytes) -> None:
    fill(small_disk, {"a": b"old"})
    with open(small_disk + b"/ballast", "wb") as stream:
        stream.write(bytes(900_000))
    large = bytes(range(256)) * 2000
    steps = Steps()
    steps.add(Action.UPDATE, b"a", entry_at(small_disk, b"a"), file(b"a", large))
    tree = LocalTree(small_disk)
    tree.begin(RunOptions("r-1"), ())
    [failure] = tree.stage(steps.made, Stream(large))
    tree.close()
    assert (failure.status, failure.code) == (Status.FAILED, "E_NO_SPACE")
    assert snapshot(small_disk)[b"a"] == b"f:old"
    assert sorted(os.listdir(small_disk)) == [b"a", b"ballast"]


@pytest.mark.root
@needs_root
def test_versions_of_a_mount_below_the_root_are_copied_and_verified(
    tmp_path: Path, small_disk: bytes
) -> None:
    root = os.fsencode(tmp_path)
    fill(small_disk, {"a": b"old", "b": b"deleted", "l": "target"})
    steps = Steps()
    steps.add(Action.UPDATE, b"small/a", entry_at(root, b"small/a"), file(b"a", CONTENT))
    steps.add(Action.DELETE, b"small/b", entry_at(root, b"small/b"), None)
    steps.add(Action.DELETE, b"small/l", entry_at(root, b"small/l"), None)
    assert [r.status for r in run(root, steps.made)] == [Status.DONE] * 3
    kept = {path: t for path, t in snapshot(root, ours=True).items() if t[:2] in (b"f:", b"l:")}
    assert kept == {
        b"small/a": b"f:" + CONTENT,
        b".reconcile/versions/r-1/small/a": b"f:old",
        b".reconcile/versions/r-1/small/b": b"f:deleted",
        b".reconcile/versions/r-1/small/l": b"l:target",
    }
