"""A stranger who may write one side exchanges its directories for links while we write it.

She owns the right root and swaps directories, files, the version area and the root
itself for links to what lies outside, which is the victim's own and closed to her.
Whatever the verb: what lies outside keeps its bytes, owners, modes and times, and
nothing of it is read into a tree or into the versions. The victim is root, or an
ordinary account beside another one.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconcile import Pair, ReconcileError, restore, write_version
from tests.attacks.exchanging import Exchanger
from tests.nobody import NOBODY, as_nobody

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several accounts")
STRANGER = 65533
SECRET = b"nobody reads this\n"
MTIME = (1_700_000_000, 1_700_000_000)
AGREED = ("f", "c", "d/f", "d/g", "d/m", "d/r", "d/sub/h", "e/x", "gone/away")
OUTSIDE = (*AGREED, "d/new", "e/m", "e/y", "versions/kept", "quarantine/kept", "lock")
SWAPPED = ("d", "e", "d/sub", "f", "d/r", ".reconcile", "gone")
Go = Callable[[], bool]


class World:
    """Two sides that once agreed and were edited since, and what lies outside."""

    def __init__(self, place: Path) -> None:
        self.place, self.left, self.outside = place, place / "left", place / "outside"
        self.theirs, self.right = place / "theirs", place / "theirs" / "root"
        _fill(self.outside, dict.fromkeys(OUTSIDE, SECRET))
        for found in self.outside.rglob("*"):
            found.chmod(0o700 if found.is_dir() else 0o640)

    def swaps(self) -> list[tuple[Path, Path, Path]]:
        """What the stranger exchanges, each for a link beside it."""
        outside = [self.outside if name[0] == "." else self.outside / name for name in SWAPPED]
        names = [self.right / name for name in SWAPPED]
        every = [*zip(names, outside, strict=True), (self.right, self.outside)]
        return [(name, name.with_name(f"beside-{name.name}"), to) for name, to in every]

    def make(self, her: Callable[[Path], None]) -> None:
        """Anew, agreed on, with nothing changed since; `her` makes a place the stranger's."""
        for name in (self.left, self.theirs, self.place / "state"):
            shutil.rmtree(name, ignore_errors=True)
        _fill(self.left, {name: name.encode().ljust(len(SECRET)) for name in AGREED})
        self.theirs.mkdir()
        self.right.mkdir()
        her(self.theirs)
        her(self.right)
        self.pair().apply()
        for name in ("d", "e", "d/sub", "gone", *AGREED):
            her(self.right / name)

    def pair(self, **options: object) -> Pair:
        """With a state of its own; what only the stranger needs takes no part."""
        return Pair(  # type: ignore[misc]
            self.left, self.right, state_dir=self.place / "state", exclude=["beside-*"],
            max_delete="1000", max_change="100%", **options,
        )  # fmt: skip

    def edit(self) -> None:
        """Of every kind of step one, on both sides, and a conflict."""
        _fill(self.left, dict.fromkeys(("d/new", "d/dir/n", "f", "d/f", "d/sub/h", "c"), b"new"))
        (self.left / "d" / "g").unlink()
        (self.left / "d" / "m").rename(self.left / "e" / "m")
        shutil.rmtree(self.left / "gone")
        hers = {name: name.upper().encode().ljust(len(SECRET)) for name in ("d/r", "e/x", "e/y")}
        _fill(self.right, {**hers, "c": b"hers"})

    def applied(self) -> None:
        """The edits, too, and a second time, so that versions are kept of several runs."""
        self.edit()
        self.pair().apply()

    def leaks(self) -> list[Path]:
        """What holds bytes from outside."""
        every = [*self.left.rglob("*"), *self.theirs.rglob("*"), *(self.place / "state").rglob("*")]
        files = [each for each in every if each.is_file() and not each.is_symlink()]
        return [each for each in files if SECRET in each.read_bytes()]

    def untouched(self) -> dict[str, tuple[int, ...] | bytes]:
        """Everything outside: owner, mode, times, links to it, and bytes."""
        found: dict[str, tuple[int, ...] | bytes] = {}
        for place in [self.outside, *sorted(self.outside.rglob("*"))]:
            now = place.lstat()
            found[str(place)] = (now.st_uid, now.st_gid, now.st_mode, now.st_mtime_ns, now.st_nlink)
            if place.is_file():
                found[f"{place}:"] = place.read_bytes()
        return found


def _fill(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.utime(file, MTIME)


def _apply(world: World, go: Go) -> None:
    world.pair().apply(approve=lambda _: go())


def _undo(world: World, go: Go) -> None:
    world.pair().undo(approve=lambda _: go())


def _restore(world: World, go: Go) -> None:
    restore("d/f", "d/g", "gone", side="right", pair=world.pair(), approve=lambda _: go())


def _write_version(world: World, go: Go) -> None:
    go()
    write_version("d/g", world.right / "e" / "out", pair=world.pair())


def _prune(world: World, go: Go) -> None:
    world.pair(versions_keep=0).prune(even_last=True, agree=lambda _: go())


def _resolve(world: World, go: Go) -> None:
    world.pair().resolve("left", approve=lambda _: go())


def _resolve_both(world: World, go: Go) -> None:
    world.pair().resolve("both", approve=lambda _: go())


VERBS = {
    _apply: World.edit,
    _undo: World.applied,
    _restore: World.applied,
    _write_version: World.applied,
    _prune: World.applied,
    _resolve: World.applied,
    _resolve_both: World.applied,
}
"""Each with what stands before it."""


def race(world: World, stranger: Exchanger, her: Callable[[Path], None], exchanges: int) -> int:
    """Every verb, with the stranger at work before its plan is made and only after that, in
    turn, until there were so many exchanges and a verb did all that was asked of it; how many did.
    """

    def go() -> bool:
        stranger.work()
        return True

    before = world.untouched()
    rounds = done = 0
    while rounds < 1 or stranger.count < exchanges or not done:
        assert rounds < 20 or stranger.count < 20 * exchanges, "no verb was ever done"
        for number, (verb, prepare) in enumerate(VERBS.items()):
            world.make(her)
            prepare(world)
            if (rounds + number) % 3 == 2:
                go()
            with contextlib.suppress(ReconcileError):
                verb(world, go)
                done += 1
            stranger.rest()
            assert world.untouched() == before, verb.__name__
            assert world.leaks() == [], verb.__name__
        rounds += 1
    return done


@contextlib.contextmanager
def stranger_at(world: World) -> Iterator[Exchanger]:
    found = Exchanger(world.swaps(), STRANGER)
    try:
        yield found
    finally:
        found.end()


def hers(place: Path) -> None:
    os.lchown(place, STRANGER, STRANGER)


def for_all(place: Path) -> None:
    """As an ordinary account can: both may write."""
    if not place.is_symlink():
        place.chmod(0o777 if place.is_dir() else 0o666)


@pytest.fixture
def world(open_place: Path) -> World:
    return World(open_place)


def raced_by_root(world: World, exchanges: int) -> None:
    with stranger_at(world) as stranger:
        assert race(world, stranger, hers, exchanges) > 0
        assert stranger.count >= exchanges


def once_undisturbed(world: World) -> None:
    """Every module is loaded: an account may be unable to read the Python of root's home."""
    for verb, prepare in VERBS.items():
        world.make(lambda _: None)
        prepare(world)
        verb(world, lambda: True)


def raced_by_an_account(world: World, exchanges: int) -> None:
    once_undisturbed(world)
    for place in [world.place, *world.place.rglob("*")]:
        os.chown(place, NOBODY, NOBODY)
    with stranger_at(world) as stranger:
        done = as_nobody(lambda: race(world, stranger, for_all, exchanges), world.place)
        assert isinstance(done, int), done
        assert done > 0
        assert stranger.count >= exchanges


def test_root_writes_and_reads_nothing_outside(world: World) -> None:
    raced_by_root(world, 300)


def test_nor_does_an_account_beside_another_one(world: World) -> None:
    raced_by_an_account(world, 300)


@pytest.mark.slow
def test_nor_root_in_a_hundred_thousand_exchanges(world: World) -> None:
    raced_by_root(world, 100_000)


@pytest.mark.slow
def test_nor_an_account_in_a_hundred_thousand_exchanges(world: World) -> None:
    raced_by_an_account(world, 100_000)
