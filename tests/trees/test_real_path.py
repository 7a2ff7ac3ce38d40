"""Where a path lies is told, too, while somebody exchanges a link and a directory on the way."""

import os
from pathlib import Path

from reconcile.engine.places import refuse_overlap
from reconcile.trees.open import place_name
from reconcile.trees.own_places import paths_inside
from reconcile.trees.way import ids_above, real_path
from tests.trees.test_escape import Flipper

ROUNDS = 3_000


def test_exchanged_names_end_nothing(tmp_path: Path) -> None:
    (tmp_path / "d" / "root").mkdir(parents=True)
    (tmp_path / "else" / "root").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "d-link").symlink_to("else")
    root = str(tmp_path / "d" / "root")
    flipper = Flipper(bytes(tmp_path))
    flipper.start()
    try:
        for _ in range(ROUNDS):
            assert real_path(root) in (root, str(tmp_path / "else" / "root"))
            refuse_overlap(root, str(tmp_path / "other"))
            place_name(root)
            paths_inside(tmp_path.stat(), [os.fsencode(root)])
    finally:
        flipper.over.set()
        flipper.join()
    assert flipper.flips > 0


def test_above_are_the_directories_that_hold_it_through_links(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "link").symlink_to(inner)
    expected = [(place.stat().st_dev, place.stat().st_ino) for place in inner.parents]
    assert ids_above(str(tmp_path / "link")) == expected


def test_nothing_is_above_what_is_missing(tmp_path: Path) -> None:
    assert ids_above(str(tmp_path / "missing")) == []
