"""Disks that count characters hold names of more bytes than others: told, and nothing stops."""

from pathlib import Path

import pytest

from tests.filesystems.program import Pair, names

pytestmark = pytest.mark.root

LONG = "\u00e9" * 200


def test_a_name_of_more_bytes_than_travel_is_told_and_everything_else_goes(
    tmp_path: Path, exfat: Path
) -> None:
    pair = Pair(tmp_path, left=exfat)
    (exfat / LONG).write_text("one")
    (exfat / "holds").mkdir()
    (exfat / "holds" / f"dir-{LONG}").mkdir()
    (exfat / "holds" / f"dir-{LONG}" / "file").write_text("two")
    (exfat / "other").write_text("three")
    before = names(exfat)
    for _ in range(2):
        ran = pair.apply()
        assert ran.code == 4, ran.text
        assert "has 404 bytes, and at most 255 travel" in ran.text
        assert "has 400 bytes, and at most 255 travel" in ran.text
        assert names(pair.right) == {"other": "three", "holds": "d"}
        assert names(exfat) == before
    (pair.right / "holds").rmdir()
    ran = pair.apply()
    assert names(exfat) == before
    assert "E_CHANGED" not in ran.text
    (exfat / LONG).rename(exfat / "short")
    ran = pair.apply("--exclude", "/holds/dir*")
    assert ran.code in (0, 4), ran.text
    assert "404 bytes" not in ran.text
    assert names(pair.right)["short"] == "one"
    assert names(exfat).keys() >= {"holds", "short", "other"}
