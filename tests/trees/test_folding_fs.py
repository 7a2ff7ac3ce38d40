"""The folding file system itself: what the fault suite believes of it is so."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.trees.syscalls import System
from tests.trees.mounts import folding

NOREPLACE, EXCHANGE = 1, 2
NFC, NFD = "é", "e\u0301"


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One mount for all."""
    with folding(tmp_path_factory.mktemp("layer")) as place:
        yield place


@pytest.fixture
def place(layer: Path, request: pytest.FixtureRequest) -> Path:
    made: Path = layer / request.node.name
    made.mkdir()
    return made


def rename(place: Path, old: str, new: str, flags: int) -> None:
    fd = os.open(place, os.O_RDONLY)
    try:
        System().renameat2(fd, old.encode(), fd, new.encode(), flags)
    finally:
        os.close(fd)


def test_a_name_keeps_its_spelling_and_is_found_by_any(place: Path) -> None:
    (place / "Readme").write_text("one")
    (place / "README").write_text("two")
    assert os.listdir(place) == ["Readme"]
    assert (place / "readme").read_text() == "two"
    (place / ("x" + NFC)).touch()
    assert (place / ("X" + NFD)).exists()


def test_inodes_are_those_of_the_thing_however_it_is_spelled(place: Path) -> None:
    (place / "Readme").write_text("one")
    inode = (place / "Readme").stat().st_ino
    assert (place / "README").stat().st_ino == inode
    os.rename(place / "Readme", place / "README")
    assert os.listdir(place) == ["README"]
    assert (place / "README").stat().st_ino == inode


def test_a_rename_that_may_not_replace_does_not(place: Path) -> None:
    (place / "a").write_text("one")
    (place / "B").write_text("two")
    with pytest.raises(FileExistsError):
        rename(place, "a", "b", NOREPLACE)
    with pytest.raises(FileExistsError):
        rename(place, "a", "A", NOREPLACE)
    assert (place / "B").read_text() == "two"
    rename(place, "a", "c", NOREPLACE)
    assert sorted(os.listdir(place)) == ["B", "c"]


def test_an_exchange_swaps_and_both_keep_their_spelling(place: Path) -> None:
    (place / "a").write_text("one")
    (place / "B").write_text("two")
    rename(place, "a", "b", EXCHANGE)
    assert {name: (place / name).read_text() for name in os.listdir(place)} == {
        "a": "two",
        "B": "one",
    }


def test_it_can_lack_modes_links_attributes_and_flags(tmp_path: Path) -> None:
    with folding(tmp_path, "modes", "links", "xattrs", "flags") as place:
        file = place / "a"
        file.touch()
        file.chmod(0o600)
        assert file.stat().st_mode & 0o777 == 0o777
        for forbidden in (
            lambda: (place / "l").symlink_to("a"),
            lambda: os.setxattr(file, "user.x", b"y"),
            lambda: rename(place, "a", "b", NOREPLACE),
        ):
            with pytest.raises(OSError, match=r"not permitted|not supported|nvalid"):
                forbidden()


def test_it_can_compose_and_tell_case_apart(tmp_path: Path) -> None:
    with folding(tmp_path, "case", "compose") as place:
        (place / NFD).touch()
        (place / "a").touch()
        (place / "A").touch()
        assert sorted(os.listdir(place)) == ["A", "a", NFC]
