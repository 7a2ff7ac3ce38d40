"""Disks that take turns, mounts inside a root, file systems that cannot move or be written."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.disks import disk, lacking
from tests.filesystems.program import Pair, names
from tests.trees.mounts import mounted, need, overlay, unmount

pytestmark = pytest.mark.root


@pytest.fixture
def inner(tmp_path: Path) -> Iterator[Path]:
    """A memory file system mounted at left/photos, with twelve files."""
    with mounted("tmpfs", tmp_path / "left/photos", "-t", "tmpfs") as place:
        for number in range(12):
            (place / f"p{number}").write_text(f"photo {number}")
        yield place


def test_two_disks_in_turn_on_one_mount_point_are_two_roots(tmp_path: Path) -> None:
    why = lacking("ext4")
    if why:
        pytest.skip(why)
    place = tmp_path / "stick"
    pair = Pair(tmp_path, right=tmp_path / "stick/data")
    images = tmp_path / "one", tmp_path / "two"

    def plugged(image: Path) -> None:
        subprocess.run(["mount", "-o", "loop", image, place], check=True)
        pair.right.mkdir(exist_ok=True)

    for image in images:
        subprocess.run(["truncate", "-s", "16M", image], check=True)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    (pair.left / "diary").write_text("monday")
    try:
        for image in images:
            plugged(image)
            assert pair.apply("--allow", "root-changed").code == 0
            unmount(place)
        plugged(images[1])
        (pair.left / "diary").write_text("tuesday")
        assert pair.apply().code == 0
        unmount(place)
        plugged(images[0])
        for _ in range(2):
            ran = pair.apply()
            assert (pair.left / "diary").read_text() == "tuesday", ran.text
            assert ran.code not in (0, 1), ran.text
    finally:
        unmount(place)


def test_a_mount_inside_a_root_that_is_not_mounted_deletes_nothing(
    tmp_path: Path, inner: Path
) -> None:
    pair = Pair(tmp_path)
    for number in range(60):
        (pair.left / f"k{number}").write_text(f"other {number}")
    assert pair.apply().code == 0
    whole = names(pair.right)
    with mounted(inner, tmp_path / "kept", "--bind"):
        unmount(inner)
        (pair.left / "k1").write_text("edited meanwhile")
        for _ in range(2):
            ran = pair.apply()
            assert ran.code not in (0, 1), ran.text
            assert "photos" in ran.text
            assert {**names(pair.right), "k1": whole["k1"]} == whole
        subprocess.run(["mount", "--bind", tmp_path / "kept", inner], check=True)
    (inner / "p1").write_text("edited")
    assert pair.apply().code == 0
    assert names(pair.right) == names(pair.left)


def test_moves_into_and_out_of_an_inner_mount_are_carried(tmp_path: Path, inner: Path) -> None:
    pair = Pair(tmp_path)
    (pair.left / "out").write_text("to go in")
    assert pair.apply().code == 0
    with mounted("tmpfs", pair.right / "photos", "-t", "tmpfs") as other:
        for file in inner.iterdir():
            (other / file.name).write_text(file.read_text())
        assert pair.apply("--allow", "root-changed").code in (0, 10)
        os.rename(inner / "p1", inner / "p1b")
        (inner / "in").write_text((pair.left / "out").read_text())
        (pair.left / "out").unlink()
        (pair.left / "p2").write_text((inner / "p2").read_text())
        (inner / "p2").unlink()
        for _ in range(2):
            ran = pair.apply()
        assert ran.code == 0, ran.text
        assert names(pair.right) == names(pair.left)


def test_on_an_overlay_directories_of_the_lower_layer_are_replaced_and_moved(
    tmp_path: Path,
) -> None:
    lower = tmp_path / "layers/lower"
    (lower / "was-dir").mkdir(parents=True)
    (lower / "was-dir/a").write_text("one")
    (lower / "moved").mkdir()
    (lower / "moved/b").write_text("two")
    (lower / "file").write_text("three")
    with overlay(tmp_path / "layers") as place:
        pair = Pair(tmp_path, right=place)
        assert pair.apply().code == 0
        subprocess.run(["rm", "-r", pair.left / "was-dir"], check=True)
        (pair.left / "was-dir").write_text("a file now")
        os.rename(pair.left / "moved", pair.left / "moved-on")
        (pair.left / "file").write_text("changed")
        for _ in range(2):
            ran = pair.apply()
        assert ran.code == 0, ran.text
        assert names(pair.right) == names(pair.left)


@pytest.mark.parametrize("flags", ["ro", "nosuid,nodev,noexec"])
def test_a_side_that_is_mounted_otherwise(tmp_path: Path, flags: str) -> None:
    pair = Pair(tmp_path)
    (pair.left / "a").write_text("one")
    assert pair.apply().code == 0
    (pair.left / "a").write_text("two")
    (pair.left / "run").write_text("x")
    (pair.left / "run").chmod(0o4755)
    subprocess.run(["mount", "--bind", pair.right, pair.right], check=True)
    try:
        subprocess.run(["mount", "-o", f"remount,bind,{flags}", pair.right], check=True)
        ran = pair.apply()
        if flags == "ro":
            assert ran.code not in (0, 1), ran.text
            assert names(pair.right) == {"a": "one"}
            assert "read-only" in ran.text
            assert pair.run("diff", str(pair.left), str(pair.right), "--audit").code != 70
        else:
            assert ran.code == 0, ran.text
            assert names(pair.right) == names(pair.left)
    finally:
        unmount(pair.right)
    assert pair.apply().code == 0
    assert names(pair.right) == names(pair.left)
    assert (pair.right / "run").stat().st_mode & 0o6000 == 0


def test_a_read_only_mount_inside_a_root_costs_only_what_is_in_it(tmp_path: Path) -> None:
    need("mount")
    pair = Pair(tmp_path)
    (pair.left / "in").mkdir()
    (pair.left / "in/a").write_text("one")
    assert pair.apply().code == 0
    (pair.left / "in/a").write_text("two")
    (pair.left / "b").write_text("goes")
    inside = pair.right / "in"
    subprocess.run(["mount", "--bind", inside, inside], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", inside], check=True)
        ran = pair.apply()
        assert ran.code not in (0, 1), ran.text
        assert (pair.right / "b").read_text() == "goes"
        assert (pair.right / "in/a").read_text() == "one"
        assert "run again to continue" not in ran.text
    finally:
        unmount(inside)
    assert pair.apply().code == 0
    assert names(pair.right) == names(pair.left)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ramfs", "tmpfs"])
def test_sides_in_memory(tmp_path: Path, kind: str) -> None:
    with mounted(kind, tmp_path / "right", "-t", kind) as place:
        pair = Pair(tmp_path, right=place)
        (pair.left / "d").mkdir()
        (pair.left / "d/a").write_text("one")
        (pair.left / "l").symlink_to("d/a")
        (pair.left / "s").write_text("secret")
        (pair.left / "s").chmod(0o600)
        assert pair.apply("--meta", "mode,xattr").code == 0
        os.rename(pair.left / "d/a", pair.left / "b")
        (place / "s").write_text("changed there")
        for _ in range(2):
            ran = pair.apply("--meta", "mode,xattr")
        assert ran.code == 0, ran.text
        assert names(place) == names(pair.left)
        assert (pair.left / "s").stat().st_mode & 0o777 == 0o600


def test_a_full_disk_costs_only_what_finds_no_room(tmp_path: Path) -> None:
    with mounted("tmpfs", tmp_path / "right", "-t", "tmpfs", "-o", "size=1m") as place:
        pair = Pair(tmp_path, right=place)
        (pair.left / "small").write_text("one")
        assert pair.apply().code == 0
        (pair.left / "large").write_bytes(os.urandom(4 << 20))
        (pair.left / "small").write_text("two")
        ran = pair.apply()
        assert ran.code not in (0, 1), ran.text
        assert not (place / "large").exists()
        assert (place / "small").read_text() in ("one", "two")
        subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
        assert pair.apply().code == 0
        assert (place / "large").read_bytes() == (pair.left / "large").read_bytes()
        assert (place / "small").read_text() == "two"


@pytest.mark.slow
def test_a_disk_that_is_unplugged_deletes_nothing(tmp_path: Path) -> None:
    why = lacking("exfat")
    if why:
        pytest.skip(why)
    pair = Pair(tmp_path)
    with disk("exfat", tmp_path / "stick") as place:
        pair.right = place
        for number in range(5):
            (pair.left / f"k{number}").write_text(str(number))
        assert pair.apply().code == 0
    (tmp_path / "stick").mkdir(exist_ok=True)
    before = names(pair.left)
    for _ in range(2):
        ran = pair.apply()
        assert ran.code not in (0, 1), ran.text
        assert names(pair.left) == before
