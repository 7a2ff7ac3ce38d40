"""The near side's copy of far pages: told once, checked, made anew when it is not one any more."""

import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconcile.engine.cycle import apply_job, explain, verify
from reconcile.engine.events import silent
from reconcile.engine.looks import observe_both
from reconcile.engine.opened import Opened
from reconcile.model.block import page_id, page_key
from reconcile.model.codec import decode_entries, encode_entries
from reconcile.model.errors import Locked, Refused, Unreachable
from reconcile.model.manifest import PageRow, lookup
from reconcile.model.plan import Side
from reconcile.model.treepath import TreePath
from tests.engine.far_pair import LEFT, RIGHT, FarPair
from tests.trees.looking import T0

PAGES = 4
"""Directories of `FarPair`'s tree, the root included; one page each."""


def agreed_pair(place: Path) -> FarPair:
    """Left here, right far away, in agreement and all told."""
    pair = FarPair(place, RIGHT)
    pair.run()
    pair.told()
    return pair


def test_our_own_writes_are_not_told_back(tmp_path: Path) -> None:
    pair = agreed_pair(tmp_path)
    pair.put(LEFT, "d/new", b"from here")
    assert pair.run().done == 1
    pair.run()
    assert pair.told() == 0


def test_a_far_side_that_lost_its_cache_tells_everything_anew(tmp_path: Path) -> None:
    pair = agreed_pair(tmp_path)
    pair.fars[RIGHT].forget()
    pair.assert_equal()
    assert pair.told() == PAGES
    pair.assert_equal()
    assert pair.told() == 0


def test_another_session_of_the_far_side_does_not_hide_a_change(tmp_path: Path) -> None:
    """Somebody else's look moves its cursor on; ours stays where it was."""
    pair = agreed_pair(tmp_path)
    pair.put(RIGHT, "d/b", b"changed over there")
    other = replace(pair.job, state_dir=str(tmp_path / "other"))
    apply_job(other, silent, lambda planning: None)
    pair.told()
    assert [step.at for step in pair.plan().plan.steps] == [b"d/b"]
    assert pair.told() == 2


def damage(pair: FarPair, statement: str) -> None:
    [name] = os.listdir(os.path.join(pair.job.state_dir, "pairs"))
    with sqlite3.connect(os.path.join(pair.job.state_dir, "pairs", name, "state.db")) as state:
        assert state.execute(statement).rowcount > 0
    state.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE blocks SET crc = crc + 1 WHERE tree = 2 AND key = x'00'",
        "DELETE FROM blocks WHERE tree = 2 AND key = x'00'",
        "DELETE FROM sides WHERE tree = 2",
    ],
)
def test_a_damaged_copy_is_asked_for_anew(tmp_path: Path, statement: str) -> None:
    pair = agreed_pair(tmp_path)
    damage(pair, statement)
    pair.assert_equal()
    assert pair.told() == PAGES


def test_a_copy_that_has_drifted_is_noticed_and_asked_for_anew(tmp_path: Path) -> None:
    """A page below was lost; the one above it, told now, names it by its id."""
    pair = agreed_pair(tmp_path)
    damage(pair, f"DELETE FROM blocks WHERE tree = 2 AND key = x'{page_key(TreePath(b'd')).hex()}'")
    pair.put(RIGHT, "a", b"changed over there")
    assert [step.at for step in pair.plan().plan.steps] == [b"a"]
    assert pair.told() == 1 + PAGES
    pair.run()
    pair.assert_equal()


def lying(row: PageRow) -> PageRow:
    """A page whose directories are said to be other trees than they are told to be."""
    entries = tuple(
        replace(entry, id=b"\1" * 32) if entry.name == b"d" else entry
        for entry in decode_entries(row.block)
    )
    return row._replace(id=page_id(entries), block=encode_entries(entries))


def test_a_far_side_that_contradicts_itself_is_not_believed(tmp_path: Path) -> None:
    pair = agreed_pair(tmp_path)
    pair.put(RIGHT, "a", b"changed over there")
    pair.fars[RIGHT].twist = lying
    with pytest.raises(Unreachable) as refused:
        pair.run()
    assert refused.value.code == "E_PROTOCOL"
    assert pair.content(LEFT)[b"a"] == b"f:one"
    pair.fars[RIGHT].twist = lambda row: row
    pair.run()
    pair.assert_equal()


def test_an_incomplete_listing_deletes_nothing_and_is_not_gone_on_from(tmp_path: Path) -> None:
    pair = agreed_pair(tmp_path)
    pair.fars[RIGHT].complete = False
    os.unlink(pair.at(RIGHT, "a"))
    with pytest.raises(Refused) as refused:
        pair.run()
    assert refused.value.code == "E_INCOMPLETE"
    pair.fars[RIGHT].complete = True
    pair.told()
    pair.run()
    assert pair.told() == PAGES
    pair.assert_equal()


def test_a_time_alone_reaches_the_copy(tmp_path: Path) -> None:
    pair = agreed_pair(tmp_path)
    os.utime(pair.at(RIGHT, "d/b"), ns=(T0 + 5, T0 + 5))
    pair.plan()
    with Opened(pair.job, silent, exclusive=False) as opened:
        found = lookup(opened.store.manifest(RIGHT), TreePath(b"d/b"))
        assert found is not None
        assert found.mtime_ns == T0 + 5


def test_whoever_may_not_write_the_state_sees_the_same(tmp_path: Path) -> None:
    pair = agreed_pair(tmp_path)
    pair.put(RIGHT, "d/b", b"changed over there")
    os.unlink(pair.at(RIGHT, "d/e/c"))
    os.rmdir(pair.at(RIGHT, "d/e"))
    pair.put(RIGHT, "d/e", b"a file now")
    with Opened(pair.job, silent, run="r-x", exclusive=True):
        locked_out = pair.plan().plan
        with pytest.raises(Locked):
            pair.run()
    told = pair.told()
    free = pair.plan().plan
    assert (locked_out.steps, told) == (free.steps, pair.told())
    assert len(free.steps) == 3


def test_verify_reads_both_sides_and_leaves_no_trace(tmp_path: Path) -> None:
    pair = agreed_pair(tmp_path)
    cache = pair.fars[RIGHT].cache
    before = {name: os.stat(os.path.join(cache, name)).st_mtime_ns for name in os.listdir(cache)}
    found = verify(pair.job, silent)
    assert found.equal
    assert found.right.hashed_files == 3
    assert {n: os.stat(os.path.join(cache, n)).st_mtime_ns for n in os.listdir(cache)} == before
    status = os.stat(pair.at(RIGHT, "a"))
    pair.put(RIGHT, "a", b"eno", status.st_mtime_ns)
    [mismatch] = verify(pair.job, silent).mismatches
    assert (mismatch.path, mismatch.side) == (b"a", RIGHT)
    assert "damaged" in mismatch.detail


def test_a_path_of_a_remote_pair_is_explained(tmp_path: Path) -> None:
    pair = agreed_pair(tmp_path)
    pair.put(RIGHT, "d/b", b"changed over there")
    found = explain(pair.job, TreePath(b"d/b"), silent)
    assert found.right is not None
    assert found.right.size == len(b"changed over there")
    assert [step.side for step in found.steps] == [Side.LEFT]


def test_what_went_is_gone_for_whoever_may_not_write_the_state(tmp_path: Path) -> None:
    pair = agreed_pair(tmp_path)
    shutil.rmtree(pair.at(RIGHT, "d"))
    pair.put(RIGHT, "d", b"a file now")
    with (
        Opened(pair.job, silent, run="r-x", exclusive=True),
        Opened(pair.job, silent, exclusive=False) as reader,
    ):
        assert not reader.is_writable
        seen = observe_both(reader)
        assert seen is not None
        _, right = seen
        for path in (b"d/b", b"d/e", b"d/e/c"):
            assert lookup(right.manifest, TreePath(path)) is None
        found = lookup(right.manifest, TreePath(b"d"))
        assert found is not None
        assert found.size == len(b"a file now")
