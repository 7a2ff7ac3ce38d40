"""Pairs with a side on a disk of another kind: exFAT and NTFS by FUSE, in whole cycles.

What such a side cannot hold is found out; it costs nobody a file, and the other
side's names and metadata stay as they are.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.engine.outcome import Outcome
from reconcile.engine.planning import make_plan
from reconcile.model.entry import Tracked
from reconcile.model.job import Job
from tests.disks import disk, lacking

_KINDS = [
    pytest.param(kind, marks=pytest.mark.skipif(bool(lacking(kind)), reason=lacking(kind)))
    for kind in ("exfat", "ntfs")
]


class Pair:
    """An ordinary directory and a disk of another kind."""

    def __init__(self, place: Path, kind: str, other: Path) -> None:
        self.kind = kind
        self.good, self.other = place / "good", other
        self.good.mkdir()
        self.job = Job(str(self.good), str(other), str(place / "state"))

    def run(self, **changes: object) -> Outcome:
        """One apply, everything approved."""
        job = replace(self.job, **changes)
        return apply_job(job, silent, lambda planning: planning.plan)

    def settle(self, **changes: object) -> Outcome:
        """Runs until one has nothing to do, three at most."""
        for _ in range(3):
            outcome = self.run(**changes)
            if not outcome.planning.plan.steps:
                break
        return outcome


@pytest.fixture(params=_KINDS)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    with disk(request.param, tmp_path / "other") as other:
        yield Pair(tmp_path, request.param, other)


def held(root: Path) -> dict[str, str]:
    """Path, without its letter case, -> content, of every file."""
    return {
        str(path.relative_to(root)).lower(): path.read_text()
        for path in root.rglob("*")
        if path.is_file() and ".reconcile" not in path.parts
    }


def test_names_whose_case_changed_are_deleted_on_no_side(pair: Pair) -> None:
    (pair.good / "Pkg").mkdir()
    (pair.good / "Pkg" / "__init__.py").write_text("")
    for name in ("Readme", "Licence"):
        (pair.good / name).write_text("same\n")
    (pair.good / "Report.txt").write_text("its own content\n")
    before = held(pair.good)
    pair.settle()
    for old, new in (("Pkg", "pkg"), ("Readme", "README"), ("Licence", "LICENCE")):
        (pair.good / old).rename(pair.good / new)
    (pair.good / "Report.txt").rename(pair.good / "report.txt")
    outcome = pair.settle()
    assert held(pair.good) == held(pair.other) == before
    assert not outcome.planning.plan.steps
    assert sorted(set(os.listdir(pair.good)) - {".reconcile"}) == [
        "LICENCE",
        "README",
        "pkg",
        "report.txt",
    ]
    there = set(os.listdir(pair.other)) - {".reconcile"}
    assert {name.replace("Pkg", "pkg") for name in there} == set(os.listdir(pair.good)) - {
        ".reconcile"
    }


def test_a_rename_in_case_there_arrives_here(pair: Pair) -> None:
    for name in ("Readme", "aB", "Cd"):
        (pair.good / name).write_text(name)
    pair.settle()
    (pair.other / "Readme").rename(pair.other / "README")
    (pair.good / "aB").rename(pair.good / "Ab")
    (pair.good / "Cd").rename(pair.good / "cD")
    (pair.good / "cD").write_text("edited")
    pair.settle()
    assert sorted(set(os.listdir(pair.good)) - {".reconcile"}) == ["Ab", "README", "cD"]
    assert set(os.listdir(pair.other)) - {".reconcile"} == {"Ab", "README", "cD"}
    assert (pair.other / "cD").read_text() == "edited"


def test_two_names_that_swap_their_case_keep_their_contents(pair: Pair) -> None:
    (pair.good / "one").write_text("1")
    (pair.good / "two").write_text("2")
    pair.settle()
    (pair.good / "one").rename(pair.good / "x")
    (pair.good / "two").rename(pair.good / "ONE")
    (pair.good / "x").rename(pair.good / "TWO")
    pair.settle()
    assert held(pair.good) == held(pair.other) == {"one": "2", "two": "1"}


def test_two_names_that_one_side_folds_are_a_conflict(pair: Pair) -> None:
    if pair.kind != "exfat":
        pytest.skip("ntfs-3g tells letter case apart")
    (pair.good / "note").write_text("small")
    (pair.good / "NOTE").write_text("large")
    outcome = pair.settle()
    assert {c.kind for c in outcome.planning.plan.conflicts} == {"case"}
    assert sorted(os.listdir(pair.good)) == ["NOTE", "note"]
    assert held(pair.other) == {}


@pytest.mark.parametrize("tracked", [Tracked(), Tracked(mode=True, owner=True, xattr=True)])
def test_what_the_other_side_cannot_hold_never_comes_back(pair: Pair, tracked: Tracked) -> None:
    modes = {"id_rsa": 0o600, "note": 0o644, "run.sh": 0o755}
    for name, mode in modes.items():
        (pair.good / name).write_text(name)
        (pair.good / name).chmod(mode)
    (pair.good / "private").mkdir(mode=0o700)
    os.setxattr(pair.good / "note", "user.told", b"yes")
    for _ in range(3):
        outcome = pair.run(tracked=tracked, paranoid=True)
    assert not outcome.planning.plan.steps
    assert {n: stat.S_IMODE((pair.good / n).stat().st_mode) for n in modes} == modes
    assert stat.S_IMODE((pair.good / "private").stat().st_mode) == 0o700
    assert os.getxattr(pair.good / "note", "user.told") == b"yes"


def test_what_is_new_there_arrives_with_a_plain_mode(pair: Pair) -> None:
    (pair.other / "new").write_text("n")
    pair.settle()
    assert stat.S_IMODE((pair.good / "new").stat().st_mode) == 0o644


def test_a_look_leaves_no_trace(pair: Pair) -> None:
    (pair.good / "note").write_text("n")
    make_plan(pair.job, silent)
    assert os.listdir(pair.other) == []


def test_a_name_it_cannot_hold_is_a_problem_in_the_plan(pair: Pair) -> None:
    if pair.kind != "exfat":
        pytest.skip("ntfs-3g holds every character")
    (pair.good / "a:b.txt").write_text("x")
    (pair.good / "link").symlink_to("a:b.txt")
    plan = make_plan(pair.job, silent).plan
    assert [(p.path, p.code) for p in plan.problems if p.severity == "error"] == [
        (b"a:b.txt", "E_NAME_UNREPRESENTABLE"),
        (b"link", "E_LINK_UNREPRESENTABLE"),
    ]
    assert not plan.steps
