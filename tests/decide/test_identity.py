"""Whether a root is the one of the last run, by what its side says of it."""

import pytest

from reconcile.decide.identity import Kinship, kinship

SAME, UNSURE, ANOTHER = Kinship


@pytest.mark.parametrize(
    ("known", "seen", "expected"),
    [
        pytest.param("", "8:2 ab:77", SAME, id="nothing was known"),
        pytest.param("8:2 ab:77", "8:2 ab:77", SAME, id="nothing changed"),
        pytest.param("8:2", "8:2 ab:77", SAME, id="known by a version that saw less"),
        pytest.param("8:2", "9:2 ab:77", UNSURE, id="and another device"),
        pytest.param("8:2 ab:77", "9:2 ab:77", SAME, id="the disk has another device number"),
        pytest.param("8:2 ab:77", "9:2 cd:77", SAME, id="its id follows the number, its birth not"),
        pytest.param("8:2 ab:77", "8:2 cd:77", ANOTHER, id="formatted in the same moment"),
        pytest.param(f"8:2 ab:{10**9}", f"9:2 cd:{10**9}", UNSURE, id="in the same second"),
        pytest.param("8:2 ab:77", "8:2 cd:99", ANOTHER, id="another disk on the mount point"),
        pytest.param("8:2 ab:77", "9:5 cd:99", ANOTHER, id="restored to another disk"),
        pytest.param("8:2 ab:77", "8:3 ab:99", UNSURE, id="made anew on the same disk"),
        pytest.param("8:2 ab:77", "8:2 ab:99", UNSURE, id="made anew, its number taken again"),
        pytest.param("8:2 ab:0", "8:2 cd:0", ANOTHER, id="another disk, births are not told"),
        pytest.param("8:2 ab:0", "9:2 cd:0", UNSURE, id="perhaps another number only"),
        pytest.param("8:2 ab:0", "8:2 ab:0", SAME, id="births are not told"),
        pytest.param("8:2 0:0", "8:2 0:0", SAME, id="nothing but the device is told"),
        pytest.param("8:2 0:0", "8:3 0:0", UNSURE, id="another directory, nothing else is told"),
        pytest.param("sftp:ab:/x", "sftp:cd:/x", UNSURE, id="another volume at a server"),
        pytest.param("8:2 ab:77", "sftp:ab:/x", UNSURE, id="reached in another way"),
    ],
)
def test_a_root_is_known_by_its_file_system_and_its_birth(
    known: str, seen: str, expected: Kinship
) -> None:
    assert kinship(known, seen) is expected
