"""Manifest files on disk: whole or not there, never over another one, errors of the run."""

import os
from pathlib import Path

import pytest

from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import (
    ManifestBroken,
    ManifestError,
    NotFound,
    Unreachable,
    UsageError,
)
from reconcile.model.manifest import ABSENT, TreeManifest, build, walk
from reconcile.model.treepath import TreePath
from reconcile.trees.rman_file import new_file, open_rman, verify_rman, write_rman

TREE = build(
    {
        TreePath(b"d"): Entry(b"", Kind.DIR, mode=0o755),
        TreePath(b"d/f"): Entry(b"", Kind.FILE, 3, 4, 0o644, b"\1" * 32),
    }
)
OTHER = build({TreePath(b"x"): Entry(b"", Kind.IGNORED)})


def written(where: Path, tree: TreeManifest = TREE, *, overwrite: bool = False) -> str:
    location = str(where / "m.rman")
    write_rman(tree, location, overwrite=overwrite)
    return location


def test_a_written_file_is_read_and_verified(tmp_path: Path) -> None:
    location = written(tmp_path)
    found = open_rman(location)
    assert list(walk(found)) == list(walk(TREE))
    assert verify_rman(location) == found.counts
    found.close()
    assert os.listdir(tmp_path) == ["m.rman"]


def test_a_file_is_never_overwritten_unasked(tmp_path: Path) -> None:
    location = written(tmp_path)
    with pytest.raises(UsageError, match="exists already"):
        written(tmp_path, OTHER)
    assert verify_rman(location).files == 1
    written(tmp_path, OTHER, overwrite=True)
    assert verify_rman(location).ignored == 1
    assert os.listdir(tmp_path) == ["m.rman"]


def put(location: Path, taken: bytes = b"", fault: Exception | None = None) -> None:
    """A file `ours`; meanwhile its name is taken, or something fails."""
    with new_file(str(location)) as sink:
        sink.write(b"ours")
        if taken:
            location.write_bytes(taken)
        if fault:
            raise fault


def test_a_name_that_is_taken_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    location = tmp_path / "m.rman"
    with pytest.raises(UsageError):
        put(location, taken=b"theirs")
    assert location.read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["m.rman"]


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ManifestError):
        put(tmp_path / "m.rman", fault=ManifestBroken("page", 0, "a reason"))
    assert os.listdir(tmp_path) == []


def test_nothing_appears_before_all_is_written(tmp_path: Path) -> None:
    with new_file(str(tmp_path / "m.rman")) as sink:
        sink.write(b"half")
        sink.flush()
        (only,) = os.listdir(tmp_path)
        assert only.startswith(".rcn-")
    assert os.listdir(tmp_path) == ["m.rman"]


def test_a_dangling_link_is_a_taken_name(tmp_path: Path) -> None:
    (tmp_path / "m.rman").symlink_to("elsewhere")
    with pytest.raises(UsageError):
        written(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


def test_an_open_manifest_outlives_its_name(tmp_path: Path) -> None:
    found = open_rman(written(tmp_path))
    written(tmp_path, OTHER, overwrite=True)
    assert list(walk(found)) == list(walk(TREE))
    found.close()


def test_a_relative_location_is_beside_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_rman(TREE, "m.rman")
    assert verify_rman("m.rman").files == 1


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_rman(str(tmp_path / "none.rman"))
    with pytest.raises(NotFound):
        write_rman(TREE, str(tmp_path / "none" / "m.rman"))


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for place in (tmp_path, tmp_path / "fifo"):
        with pytest.raises(UsageError, match="regular"):
            open_rman(str(place))


def test_what_the_disk_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(Unreachable, match="loop"):
        open_rman(str(tmp_path / "loop"))


def test_a_damaged_file_is_refused_and_closed(tmp_path: Path) -> None:
    location = written(tmp_path)
    data = Path(location).read_bytes()
    Path(location).write_bytes(data[:-1])
    before = len(os.listdir("/proc/self/fd"))
    for read in (open_rman, verify_rman):
        with pytest.raises(ManifestBroken):
            read(location)
    assert len(os.listdir("/proc/self/fd")) == before


def test_no_tree_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no tree"):
        written(tmp_path, ABSENT)
    assert os.listdir(tmp_path) == []
