"""What interrupted runs left that no run could use is listed, and goes only by an age asked for."""

import os
from pathlib import Path

from msgspec.structs import replace

import tests.engine.test_undoing_far  # noqa: F401  # brings piped-sftp://
from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.engine.known import known_pairs
from reconcile.engine.pruning import Pruning, everything, look, prune
from reconcile.engine.quarantined import quarantined
from reconcile.model.job import Retention
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


def test_it_goes_by_age_when_that_is_asked_for_and_was_shown(tmp_path: Path) -> None:
    pair = filled(tmp_path)
    shown: list[tuple[Side, int, int]] = []

    def agree(pruning: Pruning) -> bool:
        shown.extend((o.side, len(o.leftovers), o.size_bytes) for o in pruning.outlived)
        return True

    place = tmp_path / "right/.reconcile/quarantine"
    kept = pair.kept()
    young = prune(pair.keeping(None, 10**15), silent, agree, even_last=True)
    assert (shown, young.cleared) == ([], 0)
    refused = prune(pair.keeping(None, 1), silent, lambda shown: False)
    assert (refused.cleared, len(os.listdir(place))) == (0, 1)
    pruning = prune(pair.keeping(None, 1), silent, agree)
    size = len("left over") + len(str(tmp_path))
    assert shown == [(Side.RIGHT, 2, size)]
    assert (pruning.cleared, pruning.problems) == (2, ())
    assert os.listdir(place) == []
    assert tmp_path.is_dir()
    assert pair.kept() == kept, "what the last run superseded stays"


def test_no_run_removes_it_by_itself(tmp_path: Path) -> None:
    pair = filled(tmp_path)
    pair.write(Side.LEFT, a="333")
    pair.run(retention=Retention(None, 1))
    assert (tmp_path / "right/.reconcile/quarantine/r-1/d/x").exists()


def test_it_goes_from_a_server_as_well(tmp_path: Path) -> None:
    """Where SFTP tells no more than when a directory last changed, it is as old as that."""
    pair = filled(tmp_path)
    job = replace(pair.keeping(None, 3600 * 10**9), right=f"piped-sftp://{tmp_path / 'right'}")
    apply_job(job, silent, lambda planning: planning.plan)
    place = tmp_path / "right/.reconcile/quarantine"
    assert prune(job, silent, lambda shown: True).cleared == 0
    os.utime(place / "r-1/d", (1_600_000_000, 1_600_000_000))
    assert prune(job, silent, lambda shown: True).cleared == 2
    assert os.listdir(place) == []


def test_a_server_that_is_away_is_told_and_keeps_nobody_from_looking_here(tmp_path: Path) -> None:
    pair = filled(tmp_path)
    (tmp_path / "left/.reconcile/quarantine/r-2").mkdir(parents=True)
    (tmp_path / "left/.reconcile/quarantine/r-2/y").write_text("left over")
    job = replace(pair.keeping(None, 1), right=f"piped-sftp://{tmp_path / 'gone'}")
    found = look(job, silent, everything)
    assert [old.side for old in found.outlived] == [Side.LEFT]
    [note] = found.unseen
    assert (note.side, note.severity) == (Side.RIGHT, "note")


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    pair = filled(tmp_path)
    place = tmp_path / "right/.reconcile/quarantine"
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    [known] = known_pairs(pair.state_dir)
    assert quarantined(known) == ()
