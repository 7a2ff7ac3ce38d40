"""A side that cannot hold modes, owners, links or attributes: what it lacks never travels back."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.filesystems.program import Pair, modes, names, slowly
from tests.trees.mounts import folding

pytestmark = pytest.mark.root


@pytest.fixture
def layer(tmp_path: Path) -> Iterator[Path]:
    with folding(tmp_path / "layer", "modes", "links", "xattrs", "flags") as place:
        yield place


@pytest.fixture(params=["exfat", *slowly("layer", "ntfs")])
def side(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("meta", ["mode", *slowly("none", "exec", "mode,xattr", "owner")])
def test_modes_of_the_good_side_stay_as_they_are(tmp_path: Path, side: Path, meta: str) -> None:
    pair = Pair(tmp_path, right=side)
    for name, mode in (("note", 0o644), ("id_rsa", 0o600), ("run.sh", 0o755), ("shadow", 0)):
        (pair.left / name).write_text(name)
        (pair.left / name).chmod(mode)
    (pair.left / "private").mkdir(mode=0o700)
    (pair.left / "private/key").write_text("key")
    os.setxattr(pair.left / "note", b"user.mark", b"mine")
    before = modes(pair.left), names(pair.left)
    for _ in range(3):
        ran = pair.apply("--meta", meta)
        assert ran.code == 0, ran.text
        assert (modes(pair.left), names(pair.left)) == before
        assert os.getxattr(pair.left / "note", b"user.mark") == b"mine"
    assert names(side) == names(pair.left)
    (side / "id_rsa").write_text("changed over there")
    (side / "new").write_text("made over there")
    for _ in range(2):
        assert pair.apply("--meta", meta).code == 0
    assert (pair.left / "id_rsa").read_text() == "changed over there"
    assert modes(pair.left)["id_rsa"] == 0o600
    assert os.getxattr(pair.left / "note", b"user.mark") == b"mine"
    assert "In sync" in pair.apply("--meta", meta).text


def test_a_link_that_cannot_be_held_is_told_and_stays(tmp_path: Path, exfat: Path) -> None:
    pair = Pair(tmp_path, right=exfat)
    (pair.left / "link").symlink_to("nowhere")
    (pair.left / "file").write_text("one")
    for _ in range(3):
        ran = pair.apply()
        assert ran.code not in (0, 1), ran.text
        assert "link" in ran.text
        assert names(pair.left) == {"link": "l:nowhere", "file": "one"}
        assert names(exfat) == {"file": "one"}


@pytest.mark.parametrize("name", ["a:b.txt", *slowly("what?", "x*")])
def test_a_name_that_cannot_be_held_is_told_before_anything_is_written(
    tmp_path: Path, exfat: Path, name: str
) -> None:
    pair = Pair(tmp_path, right=exfat)
    (pair.left / name).write_text("one")
    (pair.left / "other").write_text("two")
    plan = pair.run("diff", str(pair.left), str(pair.right))
    assert name in plan.text
    assert "E_NAME" in plan.text or "name" in plan.text
    for _ in range(2):
        ran = pair.apply()
        assert ran.code not in (0, 1), ran.text
        assert "E_CHANGED" not in ran.text
        assert "run again" not in ran.text
        assert names(exfat) == {"other": "two"}
        assert names(pair.left) == {name: "one", "other": "two"}


def test_a_time_that_is_far_away_stops_nobody_else(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    for name in ("late", "early", "other"):
        (pair.left / name).write_text(name)
    os.utime(pair.left / "late", (10_413_792_000, 10_413_792_000))  # the year 2300
    os.utime(pair.left / "early", (-8_000_000_000, -8_000_000_000))
    for _ in range(2):
        ran = pair.apply()
        assert "E_STATE" not in ran.text
        assert (pair.right / "other").read_text() == "other"
    (pair.left / "other").write_text("again")
    pair.apply()
    assert (pair.right / "other").read_text() == "again"
    shown = names(pair.right)
    for name in ("late", "early"):
        assert shown.get(name) == name or name in ran.text


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("file", 0),
        ("directory", 0),
        ("directory", 0o1777),
        ("file", 0o4755),
        ("file", 0o2775),
        ("directory", 0o2775),
    ],
)
def test_what_arrives_is_never_wider_than_what_was_sent(
    tmp_path: Path, kind: str, mode: int
) -> None:
    pair = Pair(tmp_path)
    thing = pair.left / "thing"
    thing.write_text("x") if kind == "file" else thing.mkdir()
    thing.chmod(mode)
    for _ in range(2):
        assert pair.apply().code == 0
        assert modes(pair.left)["thing"] == mode
        arrived = modes(pair.right)["thing"]
        assert arrived & ~mode == 0
        if mode & 0o1000 and kind == "directory":
            assert arrived & 0o1002 != 0o0002, "others may delete what is not theirs"


@pytest.mark.parametrize("words", [(), pytest.param(("--no-moves",), marks=pytest.mark.slow)])
def test_what_is_renamed_where_no_modes_are_held_stays_as_private_as_it_was(
    tmp_path: Path, exfat: Path, words: tuple[str, ...]
) -> None:
    pair = Pair(tmp_path, right=exfat)
    for name, mode in (("private", 0o700), ("private/inner", 0o711), ("shared", 0o750)):
        (pair.left / name).mkdir()
        (pair.left / name).chmod(mode)
    (pair.left / "private/inner/key").write_text("key")
    (pair.left / "shared/plan").write_text("plan")
    for name in ("one", "two"):
        (pair.left / name).write_text("twice there")
        (pair.left / name).chmod(0o600)
    assert pair.apply().code == 0
    (exfat / "one").rename(exfat / "three")
    (exfat / "two").rename(exfat / "four")
    (exfat / "private").rename(exfat / "secret")
    (exfat / "shared/plan").rename(exfat / "secret/inner/plan")
    (exfat / "new").mkdir()
    (exfat / "new/file").write_text("new")
    for _ in range(2):
        assert pair.apply(*words).code == 0
    found = modes(pair.left)
    assert (found["three"], found["four"]) == (0o600, 0o600)
    assert (found["secret"], found["secret/inner"]) == (0o700, 0o710)
    assert (found["new"], found["shared"]) == (0o755, 0o750)
