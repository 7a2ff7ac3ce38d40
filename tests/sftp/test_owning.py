"""The version area on a server: no stranger gets what is superseded, and it says whose it is."""

import os
import shutil
import stat
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

import tests.engine.test_undoing_far  # noqa: F401  # brings piped-sftp://
from reconcile.engine.events import silent
from reconcile.engine.planning import make_plan
from reconcile.model.errors import Denied
from reconcile.model.plan import Action, Problem, Side, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.trees.base import RunOptions
from reconcile.trees.sftp.tree import SftpTree
from tests.attacks.test_version_area import (
    AREA,
    GROUP,
    HER_AREAS,
    SECRET,
    STRANGER,
    made_by,
    modes_below,
    open_root,
)
from tests.engine.kept_pair import KeptPair
from tests.nobody import NOBODY
from tests.sftp.servers import Served, liar, plain_server, prepared
from tests.trees.looking import Steps, entry_at, fill

MEMBER = 1
"""An account that every machine knows: sftp-server refuses to serve others."""
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several accounts")


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    """One that everybody may write to, with a directory that is closed to others."""
    return open_root(tmp_path)


def deletion(root: bytes, path: bytes = b"private/t") -> Step:
    entry = entry_at(root, path)
    assert entry is not None
    coarse = replace(entry, mtime_ns=entry.mtime_ns // 10**9 * 10**9)
    return Steps().add(Action.DELETE, path, coarse, None)


def server_of(uid: int) -> Served:
    return prepared(f"os.setgroups([{GROUP}]); os.setgid({uid}); os.setuid({uid})")


def tree_at(root: bytes, serve: Callable[[], Served] = plain_server) -> SftpTree:
    return SftpTree(serve, "sftp://peer/root", root)


def run(
    root: bytes,
    steps: Sequence[Step],
    run_id: str = "r-1",
    *,
    versions: bool = True,
    serve: Callable[[], Served] = plain_server,
    record: bytes = b"",
) -> tuple[list[Problem], list[Receipt]]:
    tree = tree_at(root, serve)
    try:
        options = RunOptions(run_id, versions=versions, record=record)
        notes = list(tree.begin(options, ()))
        return notes, list(tree.carry_out(steps))
    finally:
        tree.close()


@pytest.mark.parametrize("make", HER_AREAS.values(), ids=HER_AREAS)
def test_nothing_is_kept_in_an_area_that_a_stranger_made(
    root: bytes, make: Callable[[bytes], None]
) -> None:
    make(root)
    with pytest.raises(Denied, match="belongs to another account") as refusal:
        run(root, [deletion(root)])
    assert refusal.value.code == "E_AREA"
    assert "--no-versions" in refusal.value.hint
    assert entry_at(root, b"private/t") is not None


def test_an_area_that_is_a_link_is_none(root: bytes, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    os.symlink(tmp_path / "elsewhere", root + AREA)
    with pytest.raises(Denied, match="is no directory"):
        run(root, [deletion(root)])
    assert os.listdir(tmp_path / "elsewhere") == []


def test_an_account_that_is_not_root_is_told_the_same(root: bytes) -> None:
    made_by(STRANGER, root + AREA, mode=0o755)
    fill(root, {"theirs": SECRET})
    os.chown(root + b"/theirs", NOBODY, NOBODY)
    step = deletion(root, b"theirs")
    with pytest.raises(Denied, match="belongs to another account"):
        run(root, [step], serve=lambda: server_of(NOBODY))
    assert entry_at(root, b"theirs") is not None


def test_who_keeps_no_versions_needs_no_area(root: bytes) -> None:
    made_by(STRANGER, root + AREA)
    _, [receipt] = run(root, [deletion(root)], versions=False)
    assert receipt.status is Status.DONE
    assert os.listdir(root + AREA) == []


@pytest.mark.parametrize("name", [b"", b"/versions", b"/versions/r-1"])
def test_an_area_that_is_exchanged_in_the_midst_of_a_run_gets_nothing(
    root: bytes, name: bytes
) -> None:
    fill(root, {"private/u": SECRET})
    first, second = deletion(root, b"private/t"), deletion(root, b"private/u")
    tree = tree_at(root)
    tree.begin(RunOptions("r-1"), ())
    assert [r.status for r in tree.carry_out([first])] == [Status.DONE]
    place = root + AREA + name
    os.rename(place, root + b"/taken")
    made_by(STRANGER, place)
    if name == b"":
        os.link(root + b"/taken/lock", place + b"/lock")
        made_by(STRANGER, place + b"/versions", place + b"/versions/r-1")
    [receipt] = tree.carry_out([second])
    tree.close()
    hers = [n for top, _, names in os.walk(place) for n in names if n != "lock" and n != b"lock"]
    assert receipt.status is Status.FAILED
    assert hers == []
    assert entry_at(root, b"private/u") is not None


def test_an_area_that_was_opened_is_closed_again(root: bytes) -> None:
    made_by(0, root + AREA, root + AREA + b"/versions")
    run(root, [deletion(root)])
    assert set(modes_below(root + AREA).values()) == {0o700}


def test_an_account_that_is_not_root_has_an_area_of_its_own(root: bytes) -> None:
    """In a root that is another's: only by making something is it seen who it is over there."""
    fill(root, {"theirs/a": b"a", "theirs/b": b"b"})
    for name in (b"", b"/a", b"/b"):
        os.chown(root + b"/theirs" + name, NOBODY, NOBODY)
    for number, path in enumerate((b"theirs/a", b"theirs/b"), 1):
        step = deletion(root, path)
        _, [receipt] = run(root, [step], f"r-{number}", serve=lambda: server_of(NOBODY))
        assert receipt.status is Status.DONE
    assert os.stat(root + AREA).st_uid == NOBODY
    assert set(modes_below(root + AREA).values()) == {0o700}
    assert [name for name in os.listdir(root) if name.startswith(b".rcn-")] == []


@pytest.mark.parametrize("mode", [0o2775, 0o2770, 0o0770])
def test_members_of_a_shared_folder_do_not_lock_each_other_out(root: bytes, mode: int) -> None:
    os.chown(root, NOBODY, GROUP)
    fill(root, {"open/t": b"for all of us", "open/u": b"for all of us"})
    os.chown(root + b"/open", MEMBER, GROUP)
    os.chmod(root + b"/open", 0o2775)
    os.chmod(root, mode)
    first, second = deletion(root, b"open/t"), deletion(root, b"open/u")
    for number, (uid, step) in enumerate(((MEMBER, first), (NOBODY, second)), 1):
        _, [receipt] = run(root, [step], f"r-{number}", serve=partial(server_of, uid))
        assert receipt.status is Status.DONE
    assert modes_below(root + AREA) == {
        ".": 0o2770,
        "versions": 0o3770,
        "versions/r-1": 0o2750,
        "versions/r-1/open": 0o750,
        "versions/r-2": 0o2750,
        "versions/r-2/open": 0o750,
    }
    assert {os.stat(top).st_gid for top, _, _ in os.walk(root + AREA)} == {GROUP}


def test_an_account_goes_on_in_its_own_root_after_root_ran_there(root: bytes) -> None:
    os.chmod(root, 0o755)
    fill(root, {"a": b"a", "b": b"b"})
    for name in (b"", b"/a", b"/b"):
        os.chown(root + name, NOBODY, NOBODY)
    first, second = deletion(root, b"a"), deletion(root, b"b")
    run(root, [first])
    _, [receipt] = run(root, [second], "r-2", serve=lambda: server_of(NOBODY))
    assert receipt.status is Status.DONE


def test_what_a_server_does_not_say_is_told(root: bytes) -> None:
    """One that hides owners, as some do: nobody sees whose the area is."""
    made_by(STRANGER, root + AREA)
    notes, [receipt] = run(root, [deletion(root)], serve=lambda: liar("ownerless"))
    assert receipt.status is Status.DONE
    [note] = [each for each in notes if each.code == "E_AREA"]
    assert note.severity == "note"
    assert "does not say whose" in note.reason


def test_the_record_lies_beside_what_is_kept_and_goes_with_the_last(root: bytes) -> None:
    fill(root, {"a": b"a"})
    steps = Steps()
    for path in (b"private/t", b"a"):
        found = deletion(root, path)
        steps.add(Action.DELETE, path, found.expect, None)
    _, receipts = run(root, steps.made, record=b"whose\n")
    record = root + AREA + b"/versions/r-1/.reconcile"
    with open(record, "rb") as stream:
        assert stream.read() == b"whose\n"
    assert stat.S_IMODE(os.stat(record).st_mode) == 0o600
    places = [TreePath(receipt.version.encode()) for receipt in receipts]
    tree = tree_at(root)
    tree.begin(RunOptions("r-prune"), ())
    assert tree.prune(places[:1]) == []
    assert os.path.exists(record)
    assert tree.prune(places[1:]) == []
    tree.end()
    tree.close()
    assert os.listdir(root + AREA + b"/versions") == []


def far_pair(place: Path, scheme: str) -> KeptPair:
    pair = KeptPair(place)
    right = place / "right"
    endpoint = f"piped-sftp://{right}"
    if scheme == "pipe":
        (place / "cache").mkdir()
        endpoint = f"pipe://{place / 'cache'}!{right}"
    pair.job = replace(pair.job, right=endpoint)
    return pair


@pytest.mark.parametrize("scheme", ["pipe", "piped-sftp"])
def test_a_plan_says_beforehand_that_nothing_can_be_kept(tmp_path: Path, scheme: str) -> None:
    pair = far_pair(tmp_path, scheme)
    pair.change("a", "text")
    root = os.fsencode(tmp_path / "right")
    os.chmod(root, 0o1777)
    shutil.rmtree(root + AREA)
    made_by(STRANGER, root + AREA)
    pair.write(Side.LEFT, new="more")
    assert not make_plan(pair.job, silent).plan.problems, "nothing is superseded"
    pair.write(Side.LEFT, a=None)
    plan = make_plan(pair.job, silent).plan
    [problem] = [each for each in plan.problems if each.code == "E_AREA"]
    assert (problem.side, problem.severity) == (Side.RIGHT, "error")
    assert "belongs to another account" in problem.reason
    with pytest.raises(Denied) as refusal:
        pair.run()
    assert refusal.value.code == "E_AREA"
    assert (tmp_path / "right/a").read_text() == "text"


@pytest.mark.parametrize("scheme", ["pipe", "piped-sftp"])
def test_what_is_kept_far_away_says_whose_it_is(tmp_path: Path, scheme: str) -> None:
    pair = far_pair(tmp_path, scheme)
    [_, run_id] = [*pair.change("a", "1"), *pair.change("a", "2")][-2:]
    told = (tmp_path / "right/.reconcile/versions" / run_id / ".reconcile").read_text()
    assert run_id in told
