"""A disk of another kind mounted inside a root: what it cannot hold is found out for it alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.filesystems.program import Pair, modes, names
from tests.trees.mounts import mounted

pytestmark = pytest.mark.root


@pytest.fixture(params=["right", pytest.param("left", marks=pytest.mark.slow)])
def pair(tmp_path: Path, exfat: Path, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Two directories; in one of them an exFAT disk is mounted at `usb`."""
    pair = Pair(tmp_path)
    with mounted(exfat, tmp_path / request.param / "usb", "--bind"):
        if request.param == "left":
            pair.left, pair.right = pair.right, pair.left
            pair.swapped = True  # type: ignore[attr-defined]
        yield pair


def run(pair: Pair, *words: str) -> int:
    """`apply`, the disk's side on the right or, swapped, on the left."""
    sides = [str(pair.left), str(pair.right)]
    if hasattr(pair, "swapped"):
        sides.reverse()
    return pair.run("apply", *sides, "--yes", "--progress", "none", *words).code


@pytest.mark.parametrize("meta", ["mode", pytest.param("none", marks=pytest.mark.slow)])
def test_names_links_and_modes_are_those_of_the_disk_below_it_only(pair: Pair, meta: str) -> None:
    (pair.left / "usb").mkdir()
    for name, mode in (("usb/Readme", 0o600), ("usb/run", 0o755), ("Home", 0o640)):
        (pair.left / name).write_text(name)
        (pair.left / name).chmod(mode)
    for place in ("", "usb/"):
        (pair.left / f"{place}a:b").write_text("odd")
        (pair.left / f"{place}link").symlink_to("nowhere")
    before = names(pair.left), modes(pair.left)
    for _ in range(2):
        assert run(pair, "--meta", meta) == 4
        assert (names(pair.left), modes(pair.left)) == before
    assert names(pair.right).keys() == {"Home", "a:b", "link", "usb", "usb/Readme", "usb/run"}
    os.rename(pair.left / "usb/Readme", pair.left / "usb/README")
    (pair.right / "usb/new").write_text("new")
    for _ in range(2):
        assert run(pair, "--meta", meta) == 4
    assert {"usb/README", "usb/new"} <= names(pair.right).keys()
    assert "usb/Readme" not in names(pair.left)
    found = modes(pair.left)
    assert (found["usb/README"], found["usb/new"], found["usb/run"]) == (0o600, 0o644, 0o755)
    (pair.right / "usb/run").unlink()
    assert run(pair, "--meta", meta) == 4
    assert "usb/run" not in names(pair.left)
