"""Receiving: content that has arrived already is written in bulk, and proven all the same."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconcile.model.entry import Tracked
from reconcile.model.errors import Unreachable
from reconcile.model.job import Durability
from reconcile.model.manifest import Header
from reconcile.model.plan import Action, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.trees.base import ContentChanged, RunOptions, Supply
from reconcile.trees.crew import WORTH_IT
from reconcile.trees.local import LocalTree
from reconcile.trees.syscalls import System
from reconcile.trees.temporary import step_temp
from tests.trees.looking import Steps, children, directory, entry_at, file, fill, snapshot
from tests.trees.systems import Corrupting, Counting, Failing, Stuttering

MANY = 2 * WORTH_IT
OPTIONS = RunOptions("r-1")
BIT_BY_BIT = ["create", "write", "chmod", "set_mtime"]


class Arrived(Supply):
    """Contents at hand, by path; what is an exception is raised instead."""

    def __init__(self, contents: dict[bytes, bytes | Exception]) -> None:
        self.contents = contents
        self.asked: list[bytes] = []
        self.read_instead: list[bytes] = []

    def whole(self, step: Step) -> bytes | None:
        """See `ArrivedSupply`."""
        self.asked.append(step.at)
        found = self.contents.get(step.at)
        if isinstance(found, Exception):
            raise found
        return found

    def read(self, step: Step, offset: int) -> Iterator[bytes]:
        """See `Supply.read`."""
        self.read_instead.append(step.at)
        yield from ()
        raise ContentChanged


def contents(count: int) -> dict[bytes, bytes | Exception]:
    """So many small files in a few directories."""
    return {b"d%d/f%d" % (n // 40, n): b"content %d" % n * (1 + n % 50) for n in range(count)}


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    (tmp_path / "root").mkdir()
    root = os.fsencode(tmp_path / "root")
    fill(root, {f"d{n}": None for n in range(MANY // 40 + 1)})
    for name in ("/.reconcile", "/.reconcile/versions"):  # as an earlier run left them
        os.mkdir(root + name.encode(), 0o700)
    return root


def steps_for(things: dict[bytes, bytes | Exception]) -> list[Step]:
    """New files with these contents; an exception stands for `b"lost"`."""
    steps = Steps()
    for path, thing in things.items():
        steps.add(Action.CREATE, path, None, file(path, thing if type(thing) is bytes else b"lost"))
    return steps.made


def run(
    root: bytes,
    steps: list[Step],
    supply: Supply,
    system: System | None = None,
    options: RunOptions = OPTIONS,
) -> list[Receipt]:
    """Stage and carry out, as the engine does it."""
    tree = LocalTree(root, system=system or System())
    try:
        tree.begin(options, ())
        ended = {receipt.step: receipt for receipt in tree.stage(steps, supply)}
        rest = [step for step in steps if step.id not in ended]
        ended.update((receipt.step, receipt) for receipt in tree.carry_out(rest))
        return [ended[step.id] for step in steps]
    finally:
        tree.close()


def files(root: bytes) -> dict[bytes, bytes]:
    """path -> content of every file, ours included but for the lock."""
    found = snapshot(root, ours=True)
    found.pop(b".reconcile/lock", None)
    return {path: thing[2:] for path, thing in found.items() if thing.startswith(b"f:")}


@pytest.mark.parametrize("durability", list(Durability))
@pytest.mark.parametrize("count", [1, MANY])
def test_files_arrive_and_receipts_are_exact(
    root: bytes, count: int, durability: Durability
) -> None:
    things = contents(count)
    steps = steps_for(things)
    receipts = run(root, steps, Arrived(things), options=RunOptions("r-1", durability))
    assert files(root) == things
    for step, receipt in zip(steps, receipts, strict=True):
        status = os.lstat(os.path.join(root, step.at))
        assert receipt.status is Status.DONE
        assert receipt.entry == entry_at(root, step.at) == step.want
        assert receipt.fingerprint is not None
        assert receipt.fingerprint.inode == status.st_ino
        assert receipt.fingerprint.ctime_ns == status.st_ctime_ns


def test_a_file_costs_five_changing_calls_and_the_batch_one_flush(root: bytes) -> None:
    things = contents(MANY)
    counting = Counting()
    run(root, steps_for(things), Arrived(things), counting)
    staged = BIT_BY_BIT * MANY
    assert counting.names[: len(staged)] == staged
    assert counting.names[len(staged)] == "syncfs"
    assert counting.names[len(staged) + 1 :][:MANY] == ["renameat2"] * MANY


def test_nothing_is_forked_for_content_that_is_here(root: bytes) -> None:
    things = contents(MANY)
    before = children()
    tree = LocalTree(root, workers=2)
    tree.begin(OPTIONS, ())
    steps = steps_for(things)
    assert tree.stage(steps, Arrived(things)) == []
    assert {receipt.status for receipt in tree.carry_out(steps)} == {Status.DONE}
    assert children() <= before
    tree.close()


@pytest.mark.parametrize("other", [b"LOST", b"lost and more", b"los", b""])
@pytest.mark.parametrize("count", [1, MANY])
def test_wrong_content_is_stale_and_the_others_arrive(
    root: bytes, count: int, other: bytes
) -> None:
    things = contents(count)
    steps = steps_for({**things, b"d0/wrong": OSError()})
    receipts = run(root, steps, Arrived({**things, b"d0/wrong": other}))
    assert [r.status for r in receipts[:-1]] == [Status.DONE] * count
    assert (receipts[-1].status, receipts[-1].code) == (Status.STALE, "E_CHANGED_WHILE_READING")
    assert files(root) == things


@pytest.mark.parametrize(
    ("error", "code"),
    [(ContentChanged(), "E_CHANGED_WHILE_READING"), (OSError(5, "it cannot be read"), "E_IO")],
)
def test_content_that_could_not_be_read_costs_its_step_only(
    root: bytes, error: Exception, code: str
) -> None:
    things = {b"d0/lost": error, **contents(MANY)}
    receipts = run(root, steps_for(things), Arrived(things))
    assert receipts[0].code == code
    assert {r.status for r in receipts[1:]} == {Status.DONE}


@pytest.mark.parametrize("call", BIT_BY_BIT)
def test_what_fails_once_is_written_again_from_the_same_bytes(root: bytes, call: str) -> None:
    things = contents(MANY)
    supply = Arrived(things)
    failing = Failing(BIT_BY_BIT.index(call) + 1, 5)
    receipts = run(root, steps_for(things), supply, failing)
    assert {receipt.status for receipt in receipts} == {Status.DONE}
    assert files(root) == things
    assert failing.names.count("write") == MANY + (call != "create")
    assert supply.read_instead == []


def test_what_is_on_the_way_is_read_and_what_is_here_is_not(root: bytes) -> None:
    things = contents(MANY)
    steps = steps_for(things)
    supply = Arrived({path: things[path] for path in list(things)[1:]})
    receipts = run(root, steps, supply)
    assert receipts[0].status is Status.STALE
    assert supply.read_instead == [steps[0].at]
    assert {receipt.status for receipt in receipts[1:]} == {Status.DONE}


@pytest.mark.parametrize("system", [Corrupting(), Stuttering()], ids=["corrupt", "short writes"])
def test_what_was_written_is_read_back(root: bytes, system: System) -> None:
    things: dict[bytes, bytes | Exception] = {b"d0/a": b"content", b"d0/b": b"more content"}
    receipts = run(root, steps_for(things), Arrived(things), system)
    if isinstance(system, Corrupting):
        assert [(r.status, r.code) for r in receipts] == [(Status.FAILED, "E_IO")] * 2
        assert files(root) == {}
    else:
        assert [r.status for r in receipts] == [Status.DONE] * 2
        assert files(root) == things


def test_a_leftover_is_adopted_when_it_verifies_and_put_away_when_not(root: bytes) -> None:
    things = {path: b"content of " + path for path in contents(MANY)}
    steps = steps_for({**things})
    good, bad = (os.path.join(root, b"d0", step_temp(step)) for step in steps[:2])
    for location, content in ((good, things[steps[0].at]), (bad, b"a displaced old version")):
        with open(location, "wb") as stream:
            stream.write(content)
    counting = Counting()
    receipts = run(root, steps, Arrived({**things}), counting)
    assert {receipt.status for receipt in receipts} == {Status.DONE}
    assert counting.names.count("write") == MANY - 1
    kept = files(root)
    assert [v for p, v in kept.items() if p not in things] == [b"a displaced old version"]


def test_a_lost_connection_ends_the_call_and_what_is_complete_is_not_sent_again(
    root: bytes,
) -> None:
    things = {path: b"content of " + path for path in contents(MANY)}
    steps = steps_for({**things})
    arrived = list(things)[: MANY // 2]
    lost = Unreachable("the connection was lost")
    cut = Arrived({path: things[path] if path in arrived else lost for path in things})
    tree = LocalTree(root)
    tree.begin(OPTIONS, ())
    with pytest.raises(Unreachable):
        tree.stage(steps, cut)
    assert sorted(files(root).values()) == sorted(things[path] for path in arrived)
    assert len(cut.asked) == MANY // 2 + 1
    assert {r.status for r in tree.carry_out(steps)} == {Status.FAILED}, "it is not durable yet"
    tree.end()
    tree.begin(OPTIONS, ())
    needs = {steps[number - 1].at: word for number, word, _ in tree.survey(steps, 0)}
    assert {path for path, word in needs.items() if word == "have"} == set(arrived)
    tree.close()
    rest = Arrived({p: c for p, c in things.items() if needs[TreePath(p)] == "whole"})
    assert {r.status for r in run(root, steps, rest)} == {Status.DONE}
    assert rest.read_instead == []
    assert files(root) == things


def test_a_stream_that_is_lost_lets_the_error_out_and_takes_its_small_file_back(
    root: bytes,
) -> None:
    class Lost(Supply):
        def read(self, step: Step, offset: int) -> Iterator[bytes]:
            yield b"half of it"
            raise Unreachable("the connection was lost")

    steps = steps_for({b"d0/a": b"half of it and the rest"})
    tree = LocalTree(root)
    tree.begin(OPTIONS, ())
    with pytest.raises(Unreachable):
        tree.stage(steps, Lost())
    tree.close()
    assert files(root) == {}


def test_nothing_is_published_that_could_not_be_flushed(root: bytes) -> None:
    things = contents(MANY)
    steps = steps_for(things)
    tree = LocalTree(root, system=Failing(1, 5, sticky=True, only=("syncfs",)))
    tree.begin(OPTIONS, ())
    assert {receipt.status for receipt in tree.stage(steps, Arrived(things))} == {Status.FAILED}
    assert {receipt.status for receipt in tree.carry_out(steps)} == {Status.FAILED}
    tree.close()
    assert all(b".rcn-" in path for path in files(root))


def test_a_name_that_is_taken_meanwhile_is_not_replaced(root: bytes) -> None:
    things = contents(MANY)
    path = next(iter(things))
    with open(os.path.join(root, path), "wb") as stream:
        stream.write(b"theirs")
    receipts = run(root, steps_for(things), Arrived(things))
    assert receipts[0].status is Status.STALE
    assert {receipt.status for receipt in receipts[1:]} == {Status.DONE}
    assert files(root) == {**things, path: b"theirs"}


def test_an_update_is_brought_by_the_general_way_from_the_same_bytes(root: bytes) -> None:
    fill(root, {"d0/a": b"old"})
    steps = Steps()
    steps.add(Action.UPDATE, b"d0/a", entry_at(root, b"d0/a"), file(b"a", b"new"))
    supply = Arrived({b"d0/a": b"new"})
    assert [r.status for r in run(root, steps.made, supply)] == [Status.DONE]
    assert snapshot(root)[b"d0/a"] == b"f:new"
    assert supply.read_instead == []


def test_tracked_attributes_need_the_general_way(root: bytes) -> None:
    header = Header(tracked=Tracked(exec=True, owner=True))
    owner = (("owner", b"%d:%d" % (os.geteuid(), os.getegid())),)
    steps = Steps()
    steps.add(Action.CREATE, b"d0/a", None, replace(file(b"a", b"new"), extra=owner))
    supply = Arrived({b"d0/a": b"new"})
    [receipt] = run(root, steps.made, supply, options=RunOptions("r-1", header=header))
    assert receipt.status is Status.DONE
    assert supply.read_instead == []


@pytest.mark.parametrize(
    "path",
    [
        b"d0/../../out",
        b"../out",
        b"d0/a\0b",
        b"no/such",
        b".reconcile/a",
        b"d0/.rcn-0000000000000001",
    ],
)
def test_a_path_that_may_not_be_is_not_written(root: bytes, path: bytes) -> None:
    steps = Steps()
    steps.add(Action.CREATE, path, None, file(b"a", b"content"))
    with_others = [*steps.made, *(replace(s, id=s.id + 1) for s in steps_for(contents(MANY)))]
    supply = Arrived({path: b"content", **contents(MANY)})
    receipts = run(root, with_others, supply)
    assert receipts[0].status is Status.FAILED
    assert os.listdir(os.path.dirname(root)) == [b"root"]
    assert set(files(root)) == set(contents(MANY))


def test_every_kind_of_step_may_stand_between(root: bytes) -> None:
    fill(root, {"old": b"old"})
    steps = Steps()
    steps.add(Action.DELETE, b"old", entry_at(root, b"old"), None)
    steps.add(Action.CREATE, b"d0/a", None, file(b"a", b"new"))
    steps.add(Action.MKDIR, b"e", None, directory(b"e"))
    steps.add(Action.CREATE, b"d0/b", None, file(b"b", b"new too"))
    supply = Arrived({b"d0/a": b"new", b"d0/b": b"new too"})
    assert {r.status for r in run(root, steps.made, supply)} == {Status.DONE}
