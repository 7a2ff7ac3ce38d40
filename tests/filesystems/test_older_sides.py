"""A side that went back: another clone of the disk, a restored backup, a snapshot."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.disks import lacking
from tests.filesystems.program import Pair, names, slowly
from tests.trees.mounts import unmount


def _weeks(pair: Pair) -> Path:
    """Two runs; a copy of the right as it was after the first is answered."""
    for name in ("diary", "notes", "plan"):
        (pair.left / name).write_text(f"{name} of last week")
    assert pair.apply().code == 0
    kept = pair.place / "kept"
    subprocess.run(["cp", "-a", pair.right, kept], check=True)
    (pair.left / "diary").write_text("diary of this week, longer")
    (pair.right / "notes").write_text("notes of this week, longer")
    (pair.left / "new").write_text("made this week")
    assert pair.apply().code == 0
    return kept


def _put_back(pair: Pair, kept: Path) -> None:
    """Contents and times of `kept` in the very directory, as a snapshot does it."""
    for held in pair.right.iterdir():
        if held.name != ".reconcile":
            held.unlink()
    shutil.copytree(
        kept, pair.right, ignore=shutil.ignore_patterns(".reconcile"), dirs_exist_ok=True
    )


def test_last_weeks_copy_does_not_win_unasked(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    _put_back(pair, _weeks(pair))
    before = names(pair.left), names(pair.right)
    for _ in range(2):
        ran = pair.apply()
        assert ran.code == 5, ran.text
        assert "E_WENT_BACK" in ran.text
        assert "--allow went-back" in ran.text
        assert (names(pair.left), names(pair.right)) == before
    looked = pair.run("diff", str(pair.left), str(pair.right))
    assert "went back" in looked.text, looked.text
    told = pair.run("diff", str(pair.left), str(pair.right), "--json").text.splitlines()
    [planned] = [event for event in map(json.loads, told) if "guards" in event]
    guards = {guard["name"]: guard for guard in planned["guards"]}
    assert not guards["went_back"]["ok"]
    assert pair.apply("--allow", "went-back").code == 0
    assert names(pair.left) == before[1]
    assert pair.apply().code == 0


def test_a_tree_that_was_replaced_by_an_undated_copy_is_asked_about(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    kept = _weeks(pair)
    shutil.rmtree(pair.right)
    shutil.copytree(kept, pair.right, copy_function=shutil.copyfile)
    ran = pair.apply()
    assert ran.code == 5, ran.text
    assert "diary of this week, longer" in names(pair.left).values()


def test_two_clones_of_one_disk_in_turn(tmp_path: Path) -> None:
    why = lacking("ext4")
    if why:
        pytest.skip(why)
    place = tmp_path / "stick"
    place.mkdir()
    one, two = tmp_path / "one", tmp_path / "two"
    subprocess.run(["truncate", "-s", "16M", one], check=True)
    subprocess.run(["mkfs.ext4", "-q", "-F", one], check=True)

    def plugged(image: Path) -> None:
        subprocess.run(["mount", "-o", "loop", image, place], check=True)

    plugged(one)
    try:
        pair = Pair(tmp_path, right=place / "data")
        (pair.left / "diary").write_text("monday")
        assert pair.apply().code == 0
        unmount(place)
        shutil.copyfile(one, two)
        plugged(one)
        (pair.left / "diary").write_text("tuesday, more")
        assert pair.apply().code == 0
        unmount(place)
        plugged(two)
        ran = pair.apply()
        assert ran.code == 5, ran.text
        assert (pair.left / "diary").read_text() == "tuesday, more"
        assert (pair.right / "diary").read_text() == "monday"
    finally:
        unmount(place)


def _exchanged(pair: Pair, kept: Path) -> None:
    """The whole of another copy of the right in its place, its area too: an older clone."""
    shutil.rmtree(pair.right / ".reconcile")
    for held in pair.right.iterdir():
        held.unlink()
    shutil.copytree(kept, pair.right, dirs_exist_ok=True)


def test_an_older_clone_is_known_by_its_token_whatever_else_it_holds(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    _exchanged(pair, _weeks(pair))
    (pair.right / "today").write_text("work of today, on the clone")
    before = names(pair.left), names(pair.right)
    looked = pair.run("diff", str(pair.left), str(pair.right), "-o", str(tmp_path / "p.rplan"))
    assert "bears the token of another run" in looked.text, looked.text
    ran = pair.apply()
    assert ran.code == 5, ran.text
    assert "E_WENT_BACK" in ran.text
    assert (names(pair.left), names(pair.right)) == before
    assert pair.apply("--allow", "went-back").code == 0
    assert names(pair.left)["today"] == "work of today, on the clone"
    (pair.left / "today").write_text("more of it")
    assert pair.apply().code == 0


def test_a_plan_that_was_saved_before_is_stale_on_an_older_clone(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    kept = _weeks(pair)
    (pair.left / "today").write_text("work of today")
    plan = str(tmp_path / "p.rplan")
    pair.run("diff", str(pair.left), str(pair.right), "-o", plan)
    _exchanged(pair, kept)
    ran = pair.run("apply", plan)
    assert ran.code == 6, ran.text
    assert "bears the token of another run" in ran.text
    assert "today" not in names(pair.right)


def test_who_removes_our_area_is_asked_only_when_the_content_is_gone_too(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    _weeks(pair)
    shutil.rmtree(pair.right / ".reconcile")
    (pair.left / "today").write_text("work of today")
    assert pair.apply().code == 0
    shutil.rmtree(pair.right / ".reconcile")
    for name in ("diary", "notes", "plan", "new", "today"):
        (pair.right / name).unlink()
        (pair.right / f"{name}.other").write_text("of another disk")
    ran = pair.apply("--max-delete", "100%")
    assert ran.code == 5, ran.text
    assert "it bears no token of this pair any more" in ran.text


def test_a_disk_that_was_copied_whole_is_known_by_its_token(tmp_path: Path) -> None:
    why = lacking("ext4")
    if why:
        pytest.skip(why)
    place, image = tmp_path / "stick", tmp_path / "image"
    place.mkdir()
    pair = Pair(tmp_path, right=place)
    for name in ("diary", "notes", "plan"):
        (pair.left / name).write_text(name)
    assert pair.apply().code == 0
    kept = tmp_path / "kept"
    shutil.copytree(pair.right, kept)
    subprocess.run(["truncate", "-s", "16M", image], check=True)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    try:
        shutil.copytree(kept, place, dirs_exist_ok=True)
        shutil.rmtree(place / "lost+found")
        (pair.left / "more").write_text("of today")
        ran = pair.apply()
        assert ran.code == 0, ran.text
        assert (place / "more").read_text() == "of today"
    finally:
        unmount(place)


@pytest.mark.parametrize("way", ["restore", *slowly("undo", "editor", "bin", "rename", "more")])
def test_what_a_person_does_is_not_asked_about(tmp_path: Path, way: str) -> None:
    pair = Pair(tmp_path)
    kept = _weeks(pair)
    if way == "restore":
        ran = pair.run("restore", str(pair.right / "diary"), "--at", "v1", "--yes")
        assert ran.code in (0, 10), ran.text
    elif way == "undo":
        assert pair.run("undo", "last", "--yes").code in (0, 10)
    elif way == "editor":
        (pair.right / "diary").write_text("diary of last week")
    elif way == "bin":
        os.unlink(pair.left / "plan")
        assert pair.apply().code == 0
        shutil.copy2(kept / "plan", pair.right / "plan")
    elif way == "rename":
        shutil.copy2(kept / "diary", pair.right / "diary.bak")
        assert pair.apply().code == 0
        os.rename(pair.right / "diary.bak", pair.right / "diary")
    else:
        _put_back(pair, kept)
        (pair.right / "today").write_text("work of today")
    ran = pair.apply()
    assert ran.code == 0, ran.text
    assert names(pair.left) == names(pair.right)
