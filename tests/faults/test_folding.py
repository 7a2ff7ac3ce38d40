"""Killed, failing and raced on a file system that folds names: as on any other.

The very same tests, their directories on the folding layer.
"""

import tempfile
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path

import pytest

from tests.faults import test_crash, test_errors, test_kill, test_races
from tests.trees.mounts import folding

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One mount for all."""
    with folding(tmp_path_factory.mktemp("layer")) as place:
        yield place


@pytest.fixture
def tmp_path(layer: Path) -> Path:
    """A fresh directory on it."""
    return Path(tempfile.mkdtemp(dir=layer))


def again(test: Callable[..., None]) -> Callable[..., None]:
    """The test, once more, under marks of its own."""

    @wraps(test)
    def repeated(*arguments: object, **named: object) -> None:
        test(*arguments, **named)

    return repeated


test_killed = again(test_kill.test_a_killed_process_leaves_no_lock_and_loses_nothing)
test_crashed = pytest.mark.slow(again(test_crash.test_crashes_in_a_row_change_nothing))
test_once_and_for_good = pytest.mark.slow(
    again(test_errors.test_a_call_that_fails_costs_its_paths_only_and_nothing_is_lost)
)
test_raced = pytest.mark.slow(again(test_races.test_what_others_write_during_a_run_is_never_lost))
test_raced_at_the_rename = pytest.mark.slow(
    again(test_races.test_a_change_right_before_the_rename_is_undone_and_keeps_its_name)
)
