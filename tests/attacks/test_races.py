"""A stranger exchanges directories for links while root writes: nothing outside is touched.

The stranger owns the directory that root was told to write into, swaps a directory in
it for a link that leads outside as fast as the kernel takes it, and plants links under
the names that are written. What lies outside keeps its bytes, owners and modes, and
nothing is added to it.
"""

import contextlib
import ctypes
import mmap
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconcile import Pair, ReconcileError, build_manifest, write_report
from reconcile.cli.verbs.completion import install
from reconcile.engine.example import make_example
from reconcile.engine.health_sides import side_checks
from reconcile.engine.job_writing import write_job_file
from tests.attacks.handed_over import STRANGER, tree_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root and an account beside it")
_AT_CWD, _EXCHANGE = -100, 2
NAMES = ("p.rplan", "r.html", "m.rman", "j.toml", "reconcile")


@pytest.fixture
def here(open_place: Path) -> Path:
    """A pair, what lies outside, and a directory of the stranger with a way and a link in it."""
    for name in ("left", "right", "outside", "theirs", "theirs/way"):
        (open_place / name).mkdir()
    (open_place / "left" / "f").write_text("x")
    for name in ("kept", *NAMES):
        (open_place / "outside" / name).write_text("outside\n")
        (open_place / "outside" / name).chmod(0o640)
    for name in NAMES:
        (open_place / "theirs" / "way" / name).symlink_to(open_place / "outside" / "kept")
    (open_place / "theirs" / "link").symlink_to(open_place / "outside")
    for place in (open_place / "theirs", *(open_place / "theirs").rglob("*")):
        os.lchown(place, STRANGER, STRANGER)
    return open_place


@contextlib.contextmanager
def exchanging(theirs: Path) -> Iterator[Callable[[], int]]:
    """The stranger at work; how many exchanges there were so far."""
    counter = mmap.mmap(-1, 8)
    child = os.fork()
    if not child:
        os.setgroups([])
        os.setgid(STRANGER)
        os.setuid(STRANGER)
        kernel = ctypes.CDLL(None)
        way, link = bytes(theirs / "way"), bytes(theirs / "link")
        done = 0
        while not kernel.renameat2(_AT_CWD, way, _AT_CWD, link, _EXCHANGE):
            done += 1
            counter[:8] = done.to_bytes(8, "little")
        os._exit(1)
    try:
        yield lambda: int.from_bytes(counter[:8], "little")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def writers(here: Path) -> list[Callable[[], object]]:
    """Everything that writes a file somebody named, into the stranger's directory."""
    way = here / "theirs" / "way"
    pair = Pair(here / "left", here / "right", state_dir=here / "state")
    plan = pair.plan()
    left, right = str(here / "left"), str(here / "right")
    said = {"left": left, "right": right}
    return [
        lambda: pair.save(plan, way / "p.rplan"),
        lambda: write_report(plan, way / "r.html"),
        lambda: build_manifest(here / "left", way / "m.rman"),
        lambda: write_job_file(str(way / "j.toml"), "job", said),
        lambda: install("# made by `reconcile completion`\n", str(way / "reconcile")),
        lambda: make_example(str(way / "demo")),
        lambda: list(side_checks(str(way), right, probe=True)),
    ]


def race(here: Path, rounds: int, exchanges: int) -> None:
    """Until every writer has had so many turns, among at least so many exchanges."""
    before = tree_of(here / "outside")
    every = writers(here)
    with exchanging(here / "theirs") as count:
        while rounds > 0 or count() < exchanges:
            rounds -= 1
            for write in every:
                with contextlib.suppress(ReconcileError):
                    write()
                assert tree_of(here / "outside") == before


def test_nothing_outside_is_touched_while_a_stranger_exchanges_the_way(here: Path) -> None:
    race(here, 5, 3_000)


@pytest.mark.slow
def test_nor_in_a_hundred_thousand_exchanges(here: Path) -> None:
    race(here, 20, 100_000)


def test_each_writer_alone_refuses_the_link(here: Path) -> None:
    theirs = here / "theirs"
    (theirs / "way").rename(theirs / "real")
    (theirs / "link").rename(theirs / "way")
    before = tree_of(here / "outside")
    for write in writers(here)[:-1]:
        with pytest.raises(ReconcileError):
            write()
        assert tree_of(here / "outside") == before
