"""Races: somebody else changes a path after the plan was made, at any moment of the run.

The step at that path refuses or is undone, the others go on, and what was
written meanwhile is still there: under its name, in the version area or in the
quarantine.
"""

import os
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from reconcile.model.plan import Step
from reconcile.model.receipt import Status
from tests.faults.scenario import Scenario
from tests.trees.looking import all_contents, snapshot
from tests.trees.systems import Counting, Meddling

THEIRS = b"written by somebody else meanwhile"
Meddle = Callable[[bytes], None]


def edit(location: bytes) -> None:
    """In place, as editors that keep the inode do."""
    with open(location, "r+b") as stream:
        stream.write(THEIRS)
        stream.truncate()


def replace(location: bytes) -> None:
    """By a rename over the name, as most editors do."""
    with open(location + b"~", "wb") as stream:
        stream.write(THEIRS)
    os.rename(location + b"~", location)


def add_below(location: bytes) -> None:
    """A new file in a directory."""
    with open(location + b"/theirs", "wb") as stream:
        stream.write(THEIRS)


def create(location: bytes) -> None:
    """A new file where there was nothing."""
    fd = os.open(location, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.write(fd, THEIRS)
    os.close(fd)


class Somebody:
    """Meddles with one location when called."""

    def __init__(self, meddle: Meddle, location: bytes) -> None:
        self._meddle = meddle
        self._location = location
        self.did = False

    def __call__(self) -> None:
        try:
            self._meddle(self._location)
        except OSError:
            return  # the name was not there, or not free, at this moment
        self.did = True


FILES = (b"changed", b"deep/changed", b"gone", b"was-file", b"gone-dir/a/b")
NEW = (b"new", b"empty", b"was-file/in")
MEDDLING: list[tuple[bytes, Meddle]] = [
    *product(FILES, (edit, replace)),
    *product((b"was-dir", b"gone-dir/a", b"deep", b"was-file"), (add_below,)),
    *product(NEW, (create,)),
    *product((b"was-link", b"link"), (replace,)),
]


@pytest.mark.parametrize("versions", [True, False], ids=["kept", "unkept"])
@pytest.mark.parametrize("afterwards", [False, True], ids=["before a call", "after a call"])
def test_what_others_write_during_a_run_is_never_lost(
    tmp_path: Path, *, afterwards: bool, versions: bool
) -> None:
    scenario = Scenario(tmp_path)
    counting = Counting()
    scenario.run(counting, versions=versions)
    met = 0
    for at in range(1, counting.count + 1):
        for path, meddle in MEDDLING[at % 3 :: 3]:
            scenario.reset()
            before = all_contents(scenario.left, scenario.right)
            somebody = Somebody(meddle, os.path.join(scenario.right, path))
            scenario.run(Meddling(at, somebody, afterwards=afterwards), versions=versions)
            if not somebody.did:
                continue
            met += 1
            where = f"{meddle.__name__} of {path!r} at call {at}: {counting.names[at - 1]}"
            now = all_contents(scenario.left, scenario.right)
            assert THEIRS in now, where
            gone = before - now if versions else set()
            assert len(gone) <= (meddle in (edit, replace)), f"{gone} after {where}"
            scenario.settle()
            assert THEIRS in all_contents(scenario.left, scenario.right), where
    assert met > counting.count


REPLACED = (b"changed", b"gone", b"was-file", b"was-link", b"link")


@pytest.mark.parametrize("versions", [True, False], ids=["kept", "unkept"])
@pytest.mark.parametrize("path", REPLACED)
def test_a_change_right_before_the_rename_is_undone_and_keeps_its_name(
    tmp_path: Path, path: bytes, *, versions: bool
) -> None:
    scenario = Scenario(tmp_path)
    counting = Counting()
    scenario.run(counting, scenario_steps(scenario, path), versions=versions)
    scenario.reset()
    location = os.path.join(scenario.right, path)
    rename = counting.names.index("renameat2") + 1
    meddling = Meddling(rename, lambda: replace(location))
    [receipt] = scenario.run(meddling, scenario_steps(scenario, path), versions=versions)
    assert receipt.status is Status.STALE
    assert snapshot(scenario.right)[path] == b"f:" + THEIRS
    assert scenario.leftovers() == []


def scenario_steps(scenario: Scenario, path: bytes) -> list[Step]:
    """The steps at one path, planned now."""
    return [step for step in scenario.steps() if step.at == path]


def test_two_changes_around_an_exchange_both_survive(tmp_path: Path) -> None:
    """One before it, so that it is undone; one after it, which the undoing must not take away."""
    scenario = Scenario(tmp_path)
    location = scenario.right + b"/changed"
    steps = scenario_steps(scenario, b"changed")
    counting = Counting()
    scenario.run(counting, steps)
    exchange = counting.names.index("renameat2") + 1
    scenario.reset()

    def write(content: bytes) -> None:
        with open(location + b"~", "wb") as stream:
            stream.write(content)
        os.rename(location + b"~", location)

    both = MeddlingTwice(exchange, lambda: write(b"first"), lambda: write(b"second"))
    [receipt] = scenario.run(both, scenario_steps(scenario, b"changed"))
    assert receipt.status is not Status.DONE
    assert snapshot(scenario.right)[b"changed"] == b"f:second"
    assert {b"first", b"second"} <= all_contents(scenario.right)


class MeddlingTwice(Counting):
    """Somebody acts right before and right after call k."""

    def __init__(self, at: int, first: Callable[[], None], second: Callable[[], None]) -> None:
        super().__init__()
        self.at = at
        self.first = first
        self.second = second

    def before(self, k: int, name: str, arguments: tuple[object, ...]) -> None:
        if k == self.at:
            self.first()

    def after(self, k: int, name: str) -> None:
        if k == self.at:
            self.second()


@pytest.mark.parametrize(
    ("path", "meddle"), MEDDLING, ids=[f"{m.__name__} {p.decode()}" for p, m in MEDDLING]
)
def test_a_step_refuses_what_changed_since_the_plan_and_the_others_go_on(
    tmp_path: Path, path: bytes, meddle: Meddle
) -> None:
    scenario = Scenario(tmp_path)
    steps = scenario.steps()
    if path == b"was-file/in" or (path, meddle) == (b"was-file", add_below):
        return  # there is no such directory before the run
    meddle(os.path.join(scenario.right, path))
    receipts = scenario.run(steps=steps)
    kept = snapshot(scenario.right)
    theirs = path + b"/theirs" if meddle is add_below else path
    assert kept[theirs] == b"f:" + THEIRS
    for step, receipt in zip(steps, receipts, strict=True):
        above = theirs.startswith(step.at + b"/") and step.want is None
        if step.at == path or above:
            assert receipt.status is not Status.DONE or step.at == b"deep"
        elif not step.at.startswith(path + b"/") and not step.needs:
            assert receipt.status is Status.DONE, step.at
    assert scenario.lost() <= {b"an older content below", *_only_at(path, scenario)}


def _only_at(path: bytes, scenario: Scenario) -> set[bytes]:
    """What stood at `path` at the start: the meddler, not we, is answerable for it."""
    return {thing[2:] for name, thing in snapshot(scenario.template_right).items() if name == path}


def test_a_source_that_changes_during_the_run_is_not_published_half(tmp_path: Path) -> None:
    scenario = Scenario(tmp_path)
    counting = Counting()
    scenario.run(counting)
    for at in range(1, counting.count + 1, 2):
        scenario.reset()
        location = scenario.left + b"/changed"
        scenario.run(Meddling(at, lambda location=location: edit(location)))
        assert scenario.torn() == {}
        with open(scenario.right + b"/changed", "rb") as stream:
            assert stream.read() in (b"the older content", b"the newer content")


def test_an_edit_right_after_publishing_is_seen_by_the_next_run(tmp_path: Path) -> None:
    scenario = Scenario(tmp_path, {"changed": b"the newer content"})
    steps = [step for step in scenario.steps() if step.at == b"changed"]
    counting = Counting()
    scenario.run(counting, steps)
    scenario.reset()
    location = scenario.right + b"/changed"
    exchange = counting.names.index("renameat2") + 1
    meddling = Meddling(exchange, lambda: edit(location), afterwards=True)
    [receipt] = scenario.run(meddling, scenario.steps()[-1:])
    assert receipt.fingerprint is None, "the stat index would vouch for their content as ours"
