"""The state lies where nobody else can put another in its place: by no name, link or list."""

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

from reconcile import Pair, ReconcileError
from reconcile.agent.index import IndexHolder
from reconcile.model.errors import StateError
from reconcile.store.own_files import check_way
from reconcile.trees.above import is_own_group, open_above
from tests.attacks.exchanging import Exchanger
from tests.attacks.handed_over import STRANGER, run, tree_of

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root and an account beside it")


@pytest.fixture
def sides(open_place: Path) -> Path:
    for name in ("left", "right", "outside", "theirs"):
        (open_place / name).mkdir()
    (open_place / "left" / "f").write_text("x")
    os.chown(open_place / "theirs", STRANGER, STRANGER)
    return open_place


@as_root
@pytest.mark.parametrize("exchanges", [3_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_no_state_is_led_outside_while_a_stranger_exchanges_the_way(
    sides: Path, exchanges: int
) -> None:
    way = sides / "theirs" / "way"
    way.mkdir()
    os.chown(way, STRANGER, STRANGER)
    before = tree_of(sides / "outside")
    stranger = Exchanger([(way, sides / "theirs" / "link", sides / "outside")], STRANGER)
    try:
        stranger.work()
        while stranger.count < exchanges:
            pair = Pair(sides / "left", sides / "right", state_dir=way / "state")
            with contextlib.suppress(ReconcileError):
                pair.apply(pair.plan())
            assert tree_of(sides / "outside") == before
    finally:
        stranger.end()
    assert not (sides / "right" / "f").exists()


@as_root
@pytest.mark.parametrize("state", ["theirs/state", "theirs/way/deep/state", "theirs/link/state"])
def test_a_state_in_a_directory_of_somebody_else_is_not_begun(sides: Path, state: str) -> None:
    (sides / "theirs" / "way").mkdir()
    (sides / "theirs" / "link").symlink_to(sides / "outside")
    before = tree_of(sides / "outside"), tree_of(sides / "theirs")
    words = ("apply", "left", "right", "--yes", "--allow", "state-corrupt", "--state-dir", state)
    done = run(*words, cwd=sides)
    assert done.code == 10, done
    assert "could put another state in the place of this one" in done.err
    assert (tree_of(sides / "outside"), tree_of(sides / "theirs")) == before
    assert os.listdir(sides / "right") == []


@as_root
def test_a_stranger_s_link_in_a_sticky_directory_leads_no_state_away(sides: Path) -> None:
    sticky = sides / "sticky"
    sticky.mkdir()
    sticky.chmod(0o1777)
    (sticky / "state").symlink_to(sides / "outside")
    os.lchown(sticky / "state", STRANGER, STRANGER)
    for state in ("sticky/state", "sticky/state/below"):
        done = run("apply", "left", "right", "--yes", "--state-dir", state, cwd=sides)
        assert done.code == 10, done
    assert os.listdir(sides / "outside") == os.listdir(sides / "right") == []
    done = run("apply", "left", "right", "--yes", "--state-dir", "sticky/own", cwd=sides)
    assert done.code == 0, done


@as_root
def test_what_an_access_list_lets_in_is_seen_where_the_mode_shows_our_own_group(
    sides: Path,
) -> None:
    place = sides / "left"
    place.chmod(0o775)
    assert open_above(str(place / "state")) == ""
    subprocess.run(["setfacl", "-m", f"u:{STRANGER}:rwx", place], check=True)
    assert open_above(str(place / "state")) == str(place)
    with pytest.raises(StateError, match="others may write"):
        check_way(str(place / "state"))
    subprocess.run(["setfacl", "-m", f"u:{STRANGER}:r-x", place], check=True)
    assert open_above(str(place / "state")) == ""


@as_root
def test_a_group_of_many_is_not_our_own(sides: Path) -> None:
    place = sides / "left"
    place.chmod(0o2775)
    os.chown(place, -1, 100)
    assert open_above(str(place / "state")) == str(place)
    assert is_own_group(0)
    assert not is_own_group(100)


@as_root
def test_what_lies_above_our_own_home_is_not_judged(
    sides: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = sides / "theirs" / "home"

    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    check_way(str(home / "state"))
    os.chown(home, STRANGER, STRANGER)
    with pytest.raises(StateError, match="others may write"):
        check_way(str(home / "state"))
    holder = IndexHolder(bytes(sides / "left"), "pair")
    assert holder.hold() is None
    assert "others may write" in holder.why_not
    assert os.listdir(home) == []
