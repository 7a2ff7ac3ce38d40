"""The version area: what is superseded goes to no stranger, and comes back as it was kept."""

import os
import shutil
import stat
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from reconcile.engine.apply import apply
from reconcile.engine.events import silent
from reconcile.engine.planning import make_plan
from reconcile.model.errors import Denied
from reconcile.model.plan import Action, Side, Source, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.trees.base import RunOptions
from reconcile.trees.local import LocalTree
from tests.engine.kept_pair import KeptPair
from tests.faults.scenario import Committed, plan_of
from tests.nobody import NOBODY, as_nobody
from tests.trees.looking import Steps, entry_at, file, fill

STRANGER = 12345
GROUP = 23456
SECRET = b"an old text of a directory that is closed to others"
AREA = b"/.reconcile"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several accounts")


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    """See `open_root`."""
    return open_root(tmp_path)


def open_root(tmp_path: Path) -> bytes:
    """One that everybody may write to, with a directory that is closed to others; any account
    can get there."""
    for above in (tmp_path, *tmp_path.parents):
        above.chmod(stat.S_IMODE(above.stat().st_mode) | 0o055)
    place = tmp_path / "root"
    place.mkdir()
    place.chmod(0o1777)
    root = os.fsencode(place)
    fill(root, {"private/t": SECRET})
    os.chmod(root + b"/private", 0o700)
    return root


def made_by(uid: int, *locations: bytes, mode: int = 0o777, gid: int = -1) -> None:
    for location in locations:
        os.mkdir(location)
        os.chown(location, uid, gid)
        os.chmod(location, mode)


def deletion(root: bytes, path: bytes = b"private/t") -> Step:
    return Steps().add(Action.DELETE, path, entry_at(root, path), None)


def run(
    root: bytes, steps: Sequence[Step], run_id: str = "r-1", *, versions: bool = True
) -> list[Receipt]:
    tree = LocalTree(root, workers=0)
    try:
        tree.begin(RunOptions(run_id, versions=versions), ())
        return list(tree.carry_out(steps))
    finally:
        tree.close()


def restored(root: bytes, steps: Sequence[Step]) -> list[Receipt]:
    """By a run of its own, from this very root."""
    trees = LocalTree(root, workers=0), LocalTree(root, workers=0)
    options = RunOptions("r-2", versions=False)
    trees[1].begin(options, ())
    try:
        return apply(plan_of(steps), *trees, Committed(), silent, options)
    finally:
        for tree in trees:
            tree.close()


def back(kept: Receipt, step: Step) -> Step:
    assert step.expect is not None
    source = Source(Side.RIGHT, TreePath(kept.version.encode()), step.expect)
    return Step(1, Side.RIGHT, Action.CREATE, step.at, step.at, None, step.expect, source)


def modes_below(location: bytes) -> dict[str, int]:
    found = {}
    for top, _, _ in os.walk(location):
        found[os.path.relpath(top, location).decode()] = stat.S_IMODE(os.stat(top).st_mode)
    return found


def versions_in_ours(root: bytes) -> None:
    made_by(0, root + AREA)
    made_by(STRANGER, root + AREA + b"/versions", mode=0o755)


def quarantine_in_ours(root: bytes) -> None:
    made_by(0, root + AREA, mode=0o700)
    made_by(STRANGER, root + AREA + b"/quarantine")


HER_AREAS: dict[str, Callable[[bytes], None]] = {
    "the area": lambda root: made_by(STRANGER, root + AREA),
    "the versions": lambda root: made_by(STRANGER, root + AREA, root + AREA + b"/versions"),
    "a closed area": lambda root: made_by(STRANGER, root + AREA, mode=0o700),
    "versions in an area of ours": versions_in_ours,
    "the quarantine": quarantine_in_ours,
}


@pytest.mark.parametrize("make", HER_AREAS.values(), ids=HER_AREAS)
def test_nothing_is_kept_in_an_area_that_a_stranger_made(
    root: bytes, make: Callable[[bytes], None]
) -> None:
    make(root)
    step = deletion(root)
    with pytest.raises(Denied, match="belongs to another account") as refusal:
        run(root, [step])
    assert refusal.value.code == "E_AREA"
    assert "--no-versions" in refusal.value.hint
    assert entry_at(root, b"private/t") is not None


def test_who_keeps_no_versions_needs_no_area(root: bytes) -> None:
    made_by(STRANGER, root + AREA)
    assert [r.status for r in run(root, [deletion(root)], versions=False)] == [Status.DONE]
    assert os.listdir(root + AREA) == []


@pytest.mark.parametrize("name", [b"", b"/versions", b"/versions/r-1", b"/versions/r-1/private"])
def test_an_area_that_is_exchanged_in_the_midst_of_a_run_gets_nothing(
    root: bytes, name: bytes
) -> None:
    """As the root's owner may do: between two batches the place is another one."""
    fill(root, {"private/u": SECRET})
    first, second = deletion(root, b"private/t"), deletion(root, b"private/u")
    tree = LocalTree(root, workers=0)
    tree.begin(RunOptions("r-1"), ())
    assert [r.status for r in tree.carry_out([first])] == [Status.DONE]
    place = root + AREA + name
    os.rename(place, root + b"/taken")
    made_by(STRANGER, place)
    if name == b"":
        made_by(STRANGER, place + b"/versions", place + b"/versions/r-1")
    [receipt] = tree.carry_out([second])
    tree.close()
    hers = [os.path.join(top, n) for top, _, names in os.walk(place) for n in names]
    assert receipt.status is Status.FAILED
    assert hers == []
    assert entry_at(root, b"private/u") is not None


def test_what_an_exchanged_version_gives_back_is_not_its_owners(root: bytes) -> None:
    """She put her own copy of the same bytes in the place of what was kept."""
    step = deletion(root, b"private/t")
    [kept] = run(root, [step])
    place = root + b"/" + kept.version.encode()
    os.unlink(place)
    fill(root, {kept.version: SECRET})
    os.setxattr(place, "user.note", b"hers")
    os.chown(place, STRANGER, STRANGER)
    os.chown(root + AREA + b"/versions", STRANGER, -1)
    [receipt] = restored(root, [back(kept, step)])
    assert receipt.status is Status.DONE
    found = os.stat(root + b"/private/t")
    assert (found.st_uid, found.st_gid) == (0, 0)
    assert os.listxattr(root + b"/private/t") == []
    with open(root + b"/private/t", "rb") as stream:
        assert stream.read() == SECRET


def test_what_was_kept_of_somebody_comes_back_as_theirs(root: bytes) -> None:
    os.chown(root + b"/private/t", STRANGER, STRANGER)
    step = deletion(root, b"private/t")
    [kept] = run(root, [step])
    restored(root, [back(kept, step)])
    assert os.stat(root + b"/private/t").st_uid == STRANGER


def test_the_area_is_closed_to_others(root: bytes) -> None:
    run(root, [deletion(root)])
    assert set(modes_below(root + AREA).values()) == {0o700}


def test_an_area_that_was_opened_is_closed_again(root: bytes) -> None:
    made_by(0, root + AREA, root + AREA + b"/versions")
    run(root, [deletion(root)])
    assert set(modes_below(root + AREA).values()) == {0o700}


@pytest.fixture
def shared(root: bytes) -> bytes:
    """A folder that a group shares on purpose, with a part that one member keeps closed."""
    os.chown(root, NOBODY, GROUP)
    os.chmod(root, 0o2775)
    fill(root, {"open/t": b"for all of us", "open/u": b"for all of us"})
    os.chown(root + b"/open", STRANGER, GROUP)
    os.chmod(root + b"/open", 0o2775)
    return root


def as_member(uid: int, function: Callable[[], object], reachable: Path) -> object:
    """As `as_nobody`, for an account that is a member of the group."""
    return as_nobody(function, reachable, uid=uid, groups=(GROUP,))


def done(root: bytes, step: Step, run_id: str = "r-1") -> list[str]:
    return [receipt.status.value for receipt in run(root, [step], run_id)]


@pytest.mark.parametrize("mode", [0o2775, 0o2770, 0o0770])
def test_members_of_a_shared_folder_do_not_lock_each_other_out(
    shared: bytes, tmp_path: Path, mode: int
) -> None:
    os.chmod(shared, mode)
    first, second = deletion(shared, b"open/t"), deletion(shared, b"open/u")
    for number, (uid, step) in enumerate(((STRANGER, first), (NOBODY, second)), 1):
        act = partial(done, shared, step, f"r-{number}")
        assert as_member(uid, act, tmp_path) == ["done"]
    found = os.stat(shared + AREA + b"/versions/r-2/open/u")
    assert stat.S_IMODE(found.st_mode) == 0o644
    assert modes_below(shared + AREA) == {
        ".": 0o2770,
        "versions": 0o3770,
        "versions/r-1": 0o2750,
        "versions/r-1/open": 0o750,
        "versions/r-2": 0o2750,
        "versions/r-2/open": 0o750,
    }
    assert {os.stat(top).st_gid for top, _, _ in os.walk(shared + AREA)} == {GROUP}


def test_what_one_member_keeps_closed_stays_closed_when_it_is_old(
    shared: bytes, tmp_path: Path
) -> None:
    os.chown(shared + b"/private", NOBODY, GROUP)
    os.chown(shared + b"/private/t", NOBODY, GROUP)
    step = deletion(shared, b"private/t")
    act = partial(done, shared, step)
    assert as_member(NOBODY, act, tmp_path) == ["done"]
    kept = shared + AREA + b"/versions/r-1/private/t"
    assert os.stat(kept).st_size == len(SECRET)

    def readable() -> bool:
        return os.access(kept, os.R_OK)

    assert as_member(NOBODY, readable, tmp_path) is True
    assert as_member(STRANGER, readable, tmp_path) is False


def test_a_member_cannot_take_away_what_another_kept(shared: bytes, tmp_path: Path) -> None:
    step = deletion(shared, b"open/t")
    as_member(NOBODY, partial(done, shared, step), tmp_path)
    kept = shared + AREA + b"/versions/r-1"

    def take() -> str:
        try:
            os.rename(kept, shared + b"/taken")
        except OSError as error:
            return type(error).__name__
        return "taken"

    assert as_member(STRANGER, take, tmp_path) == "PermissionError"


def test_an_area_of_old_that_is_closed_to_a_member_is_named(shared: bytes, tmp_path: Path) -> None:
    made_by(STRANGER, shared + AREA, mode=0o700)
    step = deletion(shared, b"open/t")

    def tried() -> str:
        try:
            run(shared, [step])
        except Denied as error:
            return f"{error.code} {error.message}"
        return "done"

    told = as_member(NOBODY, tried, tmp_path)
    assert told == (
        "E_AREA what is superseded cannot be kept: "
        "`.reconcile` is closed to this account: nothing is kept there"
    )
    act = partial(done, shared, step)
    assert as_member(STRANGER, act, tmp_path) == ["done"], "and its owner opens it by a run"
    assert modes_below(shared + AREA)["."] == 0o2770


def test_an_account_goes_on_in_its_own_root_after_root_ran_there(tmp_path: Path) -> None:
    place = tmp_path / "home"
    place.mkdir(mode=0o755)
    root = os.fsencode(place)
    fill(root, {"a": b"a", "b": b"b"})
    for name in (b"", b"/a", b"/b"):
        os.chown(root + name, NOBODY, NOBODY)
    first, second = deletion(root, b"a"), deletion(root, b"b")
    assert done(root, first) == ["done"]
    act = partial(done, root, second, "r-2")
    assert as_nobody(act, tmp_path) == ["done"]
    assert set(modes_below(root + AREA).values()) == {0o700}


def test_content_of_a_new_file_is_never_what_lies_in_a_strangers_area(root: bytes) -> None:
    """What she planted below a version's place verifies, and is copied all the same."""
    made_by(STRANGER, root + AREA, root + AREA + b"/versions", root + AREA + b"/versions/r-1")
    planted = root + AREA + b"/versions/r-1/t"
    with open(planted, "wb") as stream:
        stream.write(SECRET)
    os.chown(planted, STRANGER, STRANGER)
    want = file(b"t", SECRET)
    source = Source(Side.RIGHT, TreePath(b".reconcile/versions/r-1/t"), want)
    path = TreePath(b"t")
    step = Step(1, Side.RIGHT, Action.CREATE, path, path, None, want, source)
    trees = LocalTree(root, workers=0), LocalTree(root, workers=0)
    options = RunOptions("r-2", versions=False)
    trees[1].begin(options, ())
    [receipt] = apply(plan_of([step]), *trees, Committed(), silent, options)
    for tree in trees:
        tree.close()
    assert receipt.status is Status.DONE
    new, hers = os.stat(root + b"/t"), os.stat(planted)
    assert new.st_uid == 0
    assert new.st_ino != hers.st_ino


class Planned(NamedTuple):
    """A pair whose next run deletes `private/t` on the right."""

    pair: KeptPair
    root: bytes


@pytest.fixture
def planned(tmp_path: Path) -> Planned:
    pair = KeptPair(tmp_path)
    pair.change("private__t", "text")
    root = os.fsencode(tmp_path / "right")
    shutil.rmtree(root + AREA)
    made_by(STRANGER, root + AREA)
    os.chmod(root, 0o1777)
    return Planned(pair, root)


def test_a_plan_says_beforehand_that_nothing_can_be_kept(planned: Planned) -> None:
    planned.pair.write(Side.LEFT, private__t=None)
    plan = make_plan(planned.pair.job, silent).plan
    [problem] = [each for each in plan.problems if each.code == "E_AREA"]
    assert (problem.side, problem.severity) == (Side.RIGHT, "error")
    with pytest.raises(Denied) as refusal:
        planned.pair.run()
    assert refusal.value.code == "E_AREA"
    assert entry_at(planned.root, b"private/t") is not None


def test_what_supersedes_nothing_needs_no_place_to_keep_it(planned: Planned) -> None:
    planned.pair.write(Side.LEFT, new="a new file")
    assert not make_plan(planned.pair.job, silent).plan.problems
    planned.pair.run()
    assert entry_at(planned.root, b"new") is not None


def test_a_side_that_is_only_read_may_have_anybodys_area(tmp_path: Path) -> None:
    pair = KeptPair(tmp_path)
    pair.change("a", "one")
    pair.change("b", "what the root is known by")
    shutil.rmtree(os.fsencode(tmp_path / "left") + AREA)
    made_by(STRANGER, os.fsencode(tmp_path / "left") + AREA)
    [run_id] = pair.change("a", "two")
    assert (tmp_path / "right/.reconcile/versions" / run_id / "a").read_text() == "one"
