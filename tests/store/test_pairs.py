"""Every pair of a state directory is listed; a damaged one hides no other."""

from pathlib import Path

from reconcile.model.manifest import DEFAULT_HEADER
from reconcile.model.plan import Conflict, MadeFrom, Side
from reconcile.model.treepath import TreePath
from reconcile.store.lock import PairLock
from reconcile.store.pairs import pairs
from reconcile.store.records import Run, Version
from reconcile.store.state import Store, pair_directory
from tests.store.helpers import agree, pair, path, tree


def test_a_state_directory_that_is_not_there_knows_no_pair(tmp_path: Path) -> None:
    assert pairs(str(tmp_path / "none")) == ()


def test_pairs_are_listed_with_what_their_state_says(tmp_path: Path) -> None:
    state_dir = str(tmp_path / "s")
    first, second, broken = (Store.open(pair_directory(state_dir, name)) for name in "abc")
    with first.transaction():
        first.note(left="/z", right="/y")
    with second.transaction():
        second.note(left="/a", right="/b")
        made_from = MadeFrom("b", "/a", "/b", 0, b"", b"", b"", DEFAULT_HEADER)
        second.runs.begin(Run("r-1", "p-1", made_from, 5, b"PLAN"))
        second.conflicts.see([Conflict("c-1", path("x"), "type", None, None, None)], "r-1", 5)
    agree(second, tree({"a": "1", "d/": ""}))
    broken.close()
    (Path(broken.directory) / "state.db").write_bytes(b"rubbish")
    (Path(state_dir) / "pairs" / "empty").mkdir()
    with PairLock(second.directory, "r-9"):
        found = {record.pair: record for record in pairs(state_dir)}
    assert list(found) == ["c", "b", "a"]
    assert "damaged" in found["c"].damage
    assert (found["a"].left, found["a"].right, found["a"].damage) == ("/z", "/y", "")
    assert found["a"].baseline is found["a"].last_run is found["a"].holder is None
    assert found["b"].conflicts == 1
    baseline, last, held = found["b"].baseline, found["b"].last_run, found["b"].holder
    assert baseline is not None
    assert last is not None
    assert held is not None
    assert (baseline.number, baseline.files) == (1, 1)
    assert (last.id, last.plan) == ("r-1", b"")
    assert held.run == "r-9"


def test_kept_versions_are_counted(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    version = Version("r-1", Side.LEFT, TreePath(b"a"), "v/a", b"i", 1, 2, 3, "update")
    with store.transaction():
        store.versions.add([version, version])
    store.close()
    [record] = pairs(str(tmp_path / "state"))
    assert record.versions == 2
