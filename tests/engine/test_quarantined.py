"""What interrupted runs left that no run could use is listed, and nothing removes it."""

import os
from pathlib import Path

from reconcile.engine.events import silent
from reconcile.engine.known import known_pairs
from reconcile.engine.pruning import prune
from reconcile.engine.quarantined import quarantined
from reconcile.model.plan import Side
from tests.engine.kept_pair import KeptPair


def filled(place: Path) -> KeptPair:
    pair = KeptPair(place)
    pair.change("a", "1", "22")
    below = place / "right/.reconcile/quarantine/r-1/d"
    below.mkdir(parents=True)
    (below / "x").write_text("left over")
    (below / "link").symlink_to(place)
    return pair


def test_its_count_size_and_age_are_told(tmp_path: Path) -> None:
    pair = filled(tmp_path)
    place = tmp_path / "right/.reconcile/quarantine/r-1/d"
    [known] = known_pairs(pair.state_dir)
    [held] = quarantined(known)
    oldest = min(os.lstat(place / name).st_ctime_ns for name in ("x", "link"))
    assert (held.side, held.count, held.oldest_ns) == (Side.RIGHT, 2, oldest)


def test_pruning_leaves_it(tmp_path: Path) -> None:
    pair = filled(tmp_path)
    prune(pair.keeping(0), silent, lambda shown: True, even_last=True)
    assert (tmp_path / "right/.reconcile/quarantine/r-1/d/x").read_text() == "left over"


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    pair = filled(tmp_path)
    place = tmp_path / "right/.reconcile/quarantine"
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    [known] = known_pairs(pair.state_dir)
    assert quarantined(known) == ()
