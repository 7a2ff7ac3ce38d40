"""What a disk of another kind holds is told before the first write, and in doctor."""

import os
from pathlib import Path

import pytest

from tests.filesystems.program import Pair, names
from tests.trees.mounts import call, folding, mounted, need

pytestmark = pytest.mark.root


def test_times_that_the_disk_cannot_hold_stand_in_the_plan_and_never_come_back(
    tmp_path: Path, exfat: Path
) -> None:
    pair = Pair(tmp_path, right=exfat)
    for name, time_s in (("old", -2_000_000_000), ("late", 5_000_000_000), ("now", 1_700_000_000)):
        (pair.left / name).write_text(name)
        os.utime(pair.left / name, (time_s, time_s))
    planned = pair.run("diff", str(pair.left), str(pair.right))
    assert "right (exfat) keeps times to 1 s, from 1980 to 2107" in planned.text
    lines = [line for line in planned.text.splitlines() if "E_NOT_KEPT" in line]
    assert len(lines) == 2
    assert "old" in lines[1]
    assert "its time (1906) is outside 1980 to 2107" in lines[1]
    ran = pair.apply()
    assert ran.code == 0, ran.text
    assert ran.text.count("E_NOT_KEPT") <= 4, "told in the plan and at the end, once each"
    kept = {name: (pair.left / name).stat().st_mtime for name in names(pair.left)}
    os.utime(exfat / "old", (400_000_000, 400_000_000))
    for _ in range(2):
        ran = pair.apply()
        assert ran.code == 0, ran.text
        assert "E_NOT_KEPT" not in ran.text
        assert {name: (pair.left / name).stat().st_mtime for name in names(pair.left)} == kept


def test_a_state_where_nothing_is_private_says_what_helps(tmp_path: Path) -> None:
    with folding(tmp_path / "layer", "modes") as place:
        pair = Pair(tmp_path)
        (pair.left / "a").write_text("one")
        state = "--state-dir", str(place / "state")
        for _ in range(2):
            ran = pair.apply(*state)
            assert ran.code == 10, ran.text
            assert "E_STATE_UNAVAILABLE" in ran.text
            assert "keeps no modes" in ran.text
            assert "--state-dir DIR" in ran.text
            assert "E_STATE_CORRUPT" not in ran.text
        assert names(pair.right) == {}
        assert "--state-dir DIR" in pair.run("doctor", *state).text
    assert pair.apply().code == 0


@pytest.mark.slow
def test_doctor_says_no_more_than_it_knows(tmp_path: Path, ntfs: Path) -> None:
    pair = Pair(tmp_path, right=ntfs)
    told = pair.run("doctor", str(pair.left), str(pair.right)).text
    assert "times are kept to 100 ns" in told
    assert told.count("as far as looking tells") == 2
    tried = pair.run("doctor", str(pair.left), str(pair.right), "--probe").text
    assert "cannot hold permission bits" in tried
    assert list(ntfs.iterdir()) == []


def test_small_inodes_of_ext4_keep_whole_seconds_until_2038(tmp_path: Path) -> None:
    need("mkfs.ext4")
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(16 << 20)
    call("mkfs.ext4", "-q", "-F", "-I", "128", image)
    pair = Pair(tmp_path)
    (pair.left / "late").write_text("late")
    os.utime(pair.left / "late", (2_200_000_000, 2_200_000_000))
    with mounted(image, tmp_path / "right", "-o", "loop"):
        planned = pair.run("diff", str(pair.left), str(pair.right), "--exclude", "lost+found")
        assert "its time (2039) is outside 1901 to 2038" in planned.text
        told = pair.run("doctor", str(pair.left), str(pair.right)).text
        assert "times are kept to 1 s, from 1901 to 2038" in told
