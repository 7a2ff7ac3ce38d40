"""Pruning on this machine: what stays, what is refused, and what a crash in the middle leaves."""

import errno
import os
from pathlib import Path

import pytest

from reconcile.model.job import Durability
from reconcile.model.plan import Problem
from reconcile.model.treepath import TreePath
from reconcile.trees.base import RunOptions
from reconcile.trees.local import LocalTree
from reconcile.trees.syscalls import System
from reconcile.trees.versions import place_of, text_of
from tests.trees.looking import fill, snapshot
from tests.trees.systems import Counting, Stopped, Stopping

TOP = b".reconcile/versions/"
KEPT = {
    ".reconcile/versions/r-1/d/e/a": b"one",
    ".reconcile/versions/r-1/d/b": b"two",
    ".reconcile/versions/r-2/d/b": b"three",
    ".reconcile/quarantine/r-1/x": b"four",
    "d/b": b"now",
}


def filled(place: Path) -> bytes:
    root = os.fsencode(place / "root")
    os.mkdir(root)
    fill(root, dict(KEPT))
    return root


def prune(
    root: bytes,
    *places: bytes,
    system: System | None = None,
    durability: Durability = Durability.BATCH,
) -> list[Problem]:
    tree = LocalTree(root, system=system or System(), workers=0)
    try:
        tree.begin(RunOptions("r-prune", durability, versions=False), ())
        return list(tree.prune([TreePath(place) for place in places]))
    finally:
        tree.close()


def names(root: bytes) -> set[bytes]:
    return {path for path, thing in snapshot(root, ours=True).items() if thing != b"d"}


def test_directories_left_empty_go_and_no_others(tmp_path: Path) -> None:
    root = filled(tmp_path)
    assert prune(root, TOP + b"r-1/d/e/a") == []
    assert not os.path.exists(root + b"/" + TOP + b"r-1/d/e")
    assert prune(root, TOP + b"r-1/d/b") == []
    assert sorted(os.listdir(root + b"/" + TOP)) == [b"r-2"]
    assert names(root) == {TOP + b"r-2/d/b", b".reconcile/quarantine/r-1/x", b"d/b"}


def test_what_somebody_else_put_there_stays(tmp_path: Path) -> None:
    root = filled(tmp_path)
    fill(root, {".reconcile/versions/r-1/d/theirs": b"theirs"})
    assert prune(root, TOP + b"r-1/d/e/a", TOP + b"r-1/d/b") == []
    assert TOP + b"r-1/d/theirs" in names(root)


@pytest.mark.parametrize("at", ["", "versions", "versions/r-1", "versions/r-1/d"])
def test_nothing_is_removed_through_a_link(tmp_path: Path, at: str) -> None:
    root = filled(tmp_path)
    place = os.path.join(root, b".reconcile", at.encode()).rstrip(b"/")
    aside = os.fsencode(tmp_path / "elsewhere")
    os.rename(place, aside)
    os.symlink(aside, place)
    before = snapshot(aside)
    [problem] = prune(root, TOP + b"r-1/d/b")
    assert problem.severity == "error"
    assert snapshot(aside) == before


def test_a_directory_is_no_kept_content(tmp_path: Path) -> None:
    root = filled(tmp_path)
    before = names(root)
    [problem] = prune(root, TOP + b"r-1/d")
    assert problem.path == TOP + b"r-1/d"
    assert names(root) == before


def test_a_link_that_was_kept_goes_and_not_what_it_leads_to(tmp_path: Path) -> None:
    root = filled(tmp_path)
    fill(root, {".reconcile/versions/r-1/l": "../../../d/b"})
    assert prune(root, TOP + b"r-1/l") == []
    assert b"d/b" in names(root)


class Dark(System):
    """Flushing fails."""

    def fsync(self, fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    syncfs = fsync


def test_what_may_come_back_after_a_crash_does_not_count_as_removed(tmp_path: Path) -> None:
    root = filled(tmp_path)
    places = (TOP + b"r-1/d/e/a", TOP + b"r-1/d/b")
    problems = prune(root, *places, system=Dark())
    assert [problem.path for problem in problems] == list(places)


class Flushed(Counting):
    """Which directories were flushed, after the last removal."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed: set[int] = set()

    def before(self, k: int, name: str, arguments: tuple[object, ...]) -> None:
        if name in ("unlink", "rmdir"):
            self.flushed.clear()
        if name == "fsync" and isinstance(arguments[0], int):
            self.flushed.add(os.fstat(arguments[0]).st_ino)


def test_removals_are_flushed_also_those_of_an_interrupted_run(tmp_path: Path) -> None:
    root = filled(tmp_path)
    for _ in range(2):
        system = Flushed()
        assert prune(root, TOP + b"r-1/d/b", system=system, durability=Durability.FULL) == []
        assert os.stat(root + b"/" + TOP + b"r-1/d").st_ino in system.flushed


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_crash_at_any_call_leaves_what_the_next_run_finishes(tmp_path: Path, how: str) -> None:
    places = (TOP + b"r-1/d/e/a", TOP + b"r-1/d/b")
    counting = Counting()
    (tmp_path / "0").mkdir()
    prune(filled(tmp_path / "0"), *places, system=counting)
    stays = {TOP + b"r-2/d/b", b".reconcile/quarantine/r-1/x", b"d/b"}
    for at in range(1, counting.count + 1):
        (tmp_path / str(at)).mkdir()
        root = filled(tmp_path / str(at))
        with pytest.raises(Stopped):
            prune(root, *places, system=Stopping(at, how))
        assert stays <= names(root)
        assert prune(root, *places) == []
        assert names(root) == stays
        assert sorted(os.listdir(root + b"/" + TOP)) == [b"r-2"]


PLACES = [
    (b"a", "r-1/a", b"r-1/a"),
    (b"a", "r-1/a.~2~", b"r-1/a.~2~"),
    (b"d/a", "r-1/d.~3~/a", b"r-1/d.~3~/a"),
    (b"a\xff", "r-1/a\\xff", b"r-1/a\xff"),
    (b"a\\xff", "r-1/a\\xff", b"r-1/a\\xff"),
    (b"\xff/\xfe", "r-1/\\xff/\\xfe.~2~", b"r-1/\xff/\xfe.~2~"),
    (b"x" * 255, "r-1/" + "x" * 250 + ".~2~", None),
    (b"x" * 255, "r-1/" + "x" * 251 + ".~2~", b"r-1/" + b"x" * 251 + b".~2~"),
    (b"a", "r-1/b", None),
    (b"a", "r-2/a", None),
    (b"a", "r-1/a/b", None),
    (b"a", "r-1", None),
    (b"a", "r-1/a.~0~", None),
    (b"a", "r-1/../a", None),
]


@pytest.mark.parametrize(("path", "told", "place"), PLACES)
def test_a_place_is_found_again_from_its_text(path: bytes, told: str, place: bytes | None) -> None:
    found = place_of("r-1", TreePath(path), ".reconcile/versions/" + told)
    assert found == (None if place is None else TOP + place)
    if found is not None:
        assert text_of(found) == ".reconcile/versions/" + told
