"""Kernels and containers that lack a call: what stands in for it is as safe, or it is refused."""

import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconcile import Pair
from tests.attacks.older_kernel import OPENAT2, RENAMEAT2, refuse
from tests.attacks.test_tree_races import World, hers, race, stranger_at
from tests.nobody import as_nobody

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several accounts")
LACKING = {
    "no openat2": ((OPENAT2,), errno.ENOSYS),
    "openat2 forbidden": ((OPENAT2,), errno.EPERM),
    "no renameat2": ((RENAMEAT2,), errno.ENOSYS),
    "neither": ((OPENAT2, RENAMEAT2), errno.ENOSYS),
    "both forbidden": ((OPENAT2, RENAMEAT2), errno.EPERM),
}


def there(calls: tuple[int, ...], error: int, function: Callable[[], object]) -> object:
    """What `function` answers on a kernel that lacks the calls."""

    def lacking() -> object:
        refuse(calls, error)
        kernel = ctypes.CDLL(None, use_errno=True)
        for call in calls:
            assert kernel.syscall(call, -1, None, -1, None, 0) == -1
            assert ctypes.get_errno() == error
        return function()

    return as_nobody(lacking, Path("/"), uid=0)


@pytest.mark.parametrize("why", ["openat2 forbidden", "neither"])
def test_nothing_outside_is_touched_in_a_race(open_place: Path, why: str) -> None:
    world = World(open_place)
    with stranger_at(world) as stranger:
        done = there(*LACKING[why], lambda: race(world, stranger, hers, 300))
    assert isinstance(done, int), done
    assert stranger.count >= 300


@pytest.mark.slow
def test_nor_in_a_hundred_thousand_exchanges(open_place: Path) -> None:
    world = World(open_place)
    with stranger_at(world) as stranger:
        done = there(*LACKING["neither"], lambda: race(world, stranger, hers, 100_000))
    assert isinstance(done, int), done
    assert stranger.count >= 100_000


@pytest.mark.parametrize("why", LACKING)
def test_every_change_is_done_or_told_and_nothing_is_lost(tmp_path: Path, why: str) -> None:
    left, right = tmp_path / "left", tmp_path / "right"
    for side in (left, right):
        (side / "d").mkdir(parents=True)
        (side / "d" / "f").write_text("old")
    pair = Pair(left, right, state_dir=tmp_path / "state")
    pair.apply()
    (left / "d" / "f").write_text("a new one")
    (left / "d" / "new").write_text("new")

    def applied() -> int:
        return len(pair.apply().not_done)

    not_done = there(*LACKING[why], applied)
    if why == "both forbidden":  # EPERM may be for a reason: nothing is done another way
        assert not_done == 2
        assert (right / "d" / "f").read_text() == "old"
        assert not (right / "d" / "new").exists()
    else:
        assert not_done == 0
        assert (right / "d" / "f").read_text() == "a new one"
        assert (right / "d" / "new").read_text() == "new"
        assert "old" in {each.read_text() for each in right.rglob(".reconcile/versions/*/d/f")}
