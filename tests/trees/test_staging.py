"""Staging: content is verified where it was written, large files are resumed, holes stay holes."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from blake3 import blake3

from reconcile.engine.apply import Routed
from reconcile.model.plan import Action, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.trees.base import ContentChanged, RunOptions, Supply
from reconcile.trees.local import LocalTree
from reconcile.trees.staging import RESUMED_FROM
from reconcile.trees.syscalls import System
from reconcile.trees.temporary import PART, step_temp
from tests.trees.looking import Steps, entry_at, file, fill, snapshot
from tests.trees.systems import Corrupting, Counting, Stuttering

SIZES = [0, 1, 5_000, 100_000, (1 << 20) + 1, RESUMED_FROM + 12_345]


class Stream(Supply):
    """Content from far away; remembers from where on it was asked for."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.offsets: list[int] = []

    def read(self, step: Step, offset: int) -> Iterator[bytes]:
        self.offsets.append(offset)
        for start in range(offset, len(self.content), 1 << 20):
            yield self.content[start : start + (1 << 20)]


def content_of(size: int) -> bytes:
    """So many bytes, without repetition in sight."""
    return blake3(b"%d" % size).digest(length=size) if size else b""


def places(tmp_path: Path) -> tuple[bytes, bytes]:
    """The two roots, empty."""
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
    return os.fsencode(tmp_path / "left"), os.fsencode(tmp_path / "right")


def create(root: bytes, step: Step, supply: Supply, system: System | None = None) -> Receipt:
    """Stage and carry out one step."""
    tree = LocalTree(root, system=system or System())
    try:
        tree.begin(RunOptions("r-1"), ())
        failures = tree.stage([step], supply)
        return failures[0] if failures else tree.carry_out([step])[0]
    finally:
        tree.close()


def step_for(content: bytes) -> Step:
    """A step that wants this content at `a`."""
    return Steps().add(Action.CREATE, b"a", None, file(b"a", content))


@pytest.mark.parametrize("system", [System(), Stuttering()], ids=["whole", "short writes"])
@pytest.mark.parametrize("far", [False, True], ids=["local", "stream"])
@pytest.mark.parametrize("size", SIZES)
def test_content_of_any_size_arrives(
    tmp_path: Path, size: int, system: System, *, far: bool
) -> None:
    left, right = places(tmp_path)
    content = content_of(size)
    fill(left, {"a": content})
    source = LocalTree(left)
    supply = Stream(content) if far else Routed(source, source)
    assert create(right, step_for(content), supply, system).status is Status.DONE
    source.close()
    assert snapshot(right, ours=True) == {b"a": b"f:" + content}


@pytest.mark.parametrize("far", [False, True], ids=["local", "stream"])
@pytest.mark.parametrize("size", SIZES[1:])
def test_content_that_was_not_kept_as_written_is_never_published(
    tmp_path: Path, size: int, *, far: bool
) -> None:
    left, right = places(tmp_path)
    content = content_of(size)
    fill(left, {"a": content})
    source = LocalTree(left)
    supply = Stream(content) if far else Routed(source, source)
    receipt = create(right, step_for(content), supply, Corrupting())
    source.close()
    assert receipt.status is not Status.DONE
    assert snapshot(right, ours=True) == {}


@pytest.mark.parametrize("size", SIZES)
def test_a_supply_that_delivers_something_else_is_not_believed(tmp_path: Path, size: int) -> None:
    _, right = places(tmp_path)
    wrong = content_of(size)[:-1] + b"!"
    receipt = create(right, step_for(content_of(size)), Stream(wrong))
    assert (receipt.status, receipt.code) == (Status.STALE, "E_CHANGED_WHILE_READING")
    assert snapshot(right, ours=True) == {}


def test_a_supply_that_breaks_off_leaves_a_part_and_the_rest_is_asked_for(tmp_path: Path) -> None:
    _, right = places(tmp_path)
    content = content_of(SIZES[-1])

    class Broken(Stream):
        def read(self, step: Step, offset: int) -> Iterator[bytes]:
            yield content[: 5 << 20]
            raise OSError(104, "connection reset")

    step = step_for(content)
    assert create(right, step, Broken(content)).status is Status.FAILED
    assert os.listdir(right) == [step_temp(step) + PART]
    rest = Stream(content)
    assert create(right, step, rest).status is Status.DONE
    assert rest.offsets == [5 << 20]
    assert snapshot(right, ours=True) == {b"a": b"f:" + content}


def test_a_wrong_byte_in_a_part_is_found_and_the_part_put_away(tmp_path: Path) -> None:
    _, right = places(tmp_path)
    content = content_of(SIZES[-1])
    step = step_for(content)
    with open(right + b"/" + step_temp(step) + PART, "wb") as stream:
        stream.write(b"!" + content[1:1000])
    supply = Stream(content)
    assert create(right, step, supply).status is Status.DONE
    assert supply.offsets == [1000, 0]
    assert snapshot(right) == {b"a": b"f:" + content}
    assert (b"f:!" + content[1:]) in snapshot(right, ours=True).values()


def test_a_complete_leftover_is_used_again_without_reading_the_source(tmp_path: Path) -> None:
    _, right = places(tmp_path)
    step = step_for(b"content")
    with open(right + b"/" + step_temp(step), "wb") as stream:
        stream.write(b"content")
    supply = Stream(b"content")
    assert create(right, step, supply).status is Status.DONE
    assert supply.offsets == []
    assert entry_at(right, b"a") == step.want


def test_a_leftover_that_holds_something_else_is_put_away_not_unlinked(tmp_path: Path) -> None:
    left, right = places(tmp_path)
    fill(left, {"a": b"content"})
    step = step_for(b"content")
    with open(right + b"/" + step_temp(step), "wb") as stream:
        stream.write(b"a displaced old version")
    source = LocalTree(left)
    assert create(right, step, Routed(source, source)).status is Status.DONE
    source.close()
    assert b"f:a displaced old version" in snapshot(right, ours=True).values()


def test_holes_stay_holes(tmp_path: Path) -> None:
    left, right = places(tmp_path)
    size = 20 << 20
    with open(left + b"/a", "wb") as stream:
        stream.seek(3 << 20)
        stream.write(b"in the middle")
        stream.truncate(size)
    entry = entry_at(left, b"a")
    assert entry is not None
    source = LocalTree(left)
    step = Steps().add(Action.CREATE, b"a", None, entry)
    assert create(right, step, Routed(source, source)).status is Status.DONE
    source.close()
    status = os.stat(right + b"/a")
    assert status.st_size == size
    assert status.st_blocks * 512 < 1 << 20


def test_a_file_system_that_cannot_copy_in_the_kernel_is_copied_by_hand(tmp_path: Path) -> None:
    left, right = places(tmp_path)
    content = content_of(3 << 20)
    fill(left, {"a": content})

    class ByHand(System):
        def copy_range(self, source_fd: int, fd: int, offset: int, count: int) -> int:
            raise OSError(18, "invalid cross-device link")

    source = LocalTree(left)
    receipt = create(right, step_for(content), Routed(source, source), ByHand())
    source.close()
    assert receipt.status is Status.DONE
    assert snapshot(right) == {b"a": b"f:" + content}


def test_a_source_that_grew_shrank_or_kept_its_size_is_stale(tmp_path: Path) -> None:
    left, right = places(tmp_path)
    for now in (b"longer than it was", b"s", b"", b"PLANNED"):
        fill(left, {"a": now})
        source = LocalTree(left)
        receipt = create(right, step_for(b"planned"), Routed(source, source))
        source.close()
        assert receipt.status is Status.STALE
        assert os.listdir(right) == []


def test_a_supply_that_says_it_changed_is_stale(tmp_path: Path) -> None:
    _, right = places(tmp_path)

    class Changed(Stream):
        def read(self, step: Step, offset: int) -> Iterator[bytes]:
            raise ContentChanged
            yield b""

    receipt = create(right, step_for(content_of(SIZES[-1])), Changed(b""))
    assert receipt.status is Status.STALE
    assert os.listdir(right) == []


def test_a_small_file_costs_few_changing_calls(tmp_path: Path) -> None:
    left, right = places(tmp_path)
    fill(left, {"a": b"content"})
    source = LocalTree(left)
    counting = Counting()
    create(right, step_for(b"content"), Routed(source, source), counting)
    source.close()
    content = ["create", "write", "chmod", "set_mtime", "fsync", "renameat2", "fsync"]
    assert counting.names == ["mkdir", *content], "the directory of the lock, then the file"
