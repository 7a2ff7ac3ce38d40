"""Survey: what is asked for later is told in advance, and nothing is touched."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3

from reconcile.model.plan import Action, Step
from reconcile.trees.base import RunOptions
from reconcile.trees.growing import STREAM_RESUMED_FROM
from reconcile.trees.local import LocalTree
from reconcile.trees.temporary import PART, step_temp
from tests.nobody import as_nobody
from tests.trees.looking import Steps, directory, entry_at, file, fill, snapshot
from tests.trees.systems import Counting

LARGE = blake3(b"large").digest(length=STREAM_RESUMED_FROM + 1000)
MOST = 1 << 40


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    (tmp_path / "root").mkdir()
    return os.fsencode(tmp_path / "root")


def create(content: bytes = b"content", path: bytes = b"a") -> Step:
    """A step that brings a new file."""
    return Steps().add(Action.CREATE, path, None, file(path, content))


def needs(root: bytes, steps: list[Step], most: int = MOST) -> list[tuple[int, str, int]]:
    """The answers, after which nothing is different."""
    counting = Counting()
    tree = LocalTree(root, system=counting)
    try:
        tree.begin(RunOptions("r-1"), ())
        before = snapshot(root, ours=True)
        counting.names.clear()
        answers = tree.survey(steps, most)
        assert counting.names == []
        assert snapshot(root, ours=True) == before
    finally:
        tree.close()
    return answers


def leave(root: bytes, step: Step, content: bytes, suffix: bytes = b"") -> None:
    """A leftover of an interrupted run."""
    with open(root + b"/" + step_temp(step) + suffix, "wb") as stream:
        stream.write(content)


def test_a_new_file_is_needed_whole(root: bytes) -> None:
    assert needs(root, [create()]) == [(1, "whole", 0)]


@pytest.mark.parametrize(
    ("there", "answer"),
    [(b"content", "have"), (b"another", "stale"), (b"longer than that", "stale")],
)
def test_a_name_that_is_taken(root: bytes, there: bytes, answer: str) -> None:
    fill(root, {"a": there})
    assert needs(root, [create()]) == [(1, answer, 0)]


@pytest.mark.parametrize(
    ("now", "answer"), [(b"old", "whole"), (b"content", "have"), (b"theirs", "stale")]
)
def test_an_update(root: bytes, now: bytes, answer: str) -> None:
    fill(root, {"a": b"old"})
    step = Steps().add(Action.UPDATE, b"a", entry_at(root, b"a"), file(b"a", b"content"))
    fill(root, {"a": now})
    assert needs(root, [step]) == [(1, answer, 0)]


@pytest.mark.parametrize(
    ("left", "answer"), [(b"content", "have"), (b"CONTENT", "whole"), (b"cont", "whole")]
)
def test_a_complete_leftover(root: bytes, left: bytes, answer: str) -> None:
    step = create()
    leave(root, step, left)
    assert needs(root, [step]) == [(1, answer, 0)]


@pytest.mark.parametrize(
    ("length", "most", "answer"),
    [
        (1, MOST, ("part", 1)),
        (len(LARGE) - 1, MOST, ("part", len(LARGE) - 1)),
        (1000, 1000, ("part", 1000)),
        (1000, 999, ("whole", 0)),
        (0, MOST, ("whole", 0)),
        (len(LARGE), 0, ("have", 0)),
    ],
)
def test_a_part(root: bytes, length: int, most: int, answer: tuple[str, int]) -> None:
    step = create(LARGE)
    leave(root, step, LARGE[:length], PART)
    assert needs(root, [step], most) == [(1, *answer)]


@pytest.mark.parametrize("left", [LARGE + b"!", LARGE[:-1] + b"!"], ids=["longer", "wrong"])
def test_a_part_that_is_of_no_use(root: bytes, left: bytes) -> None:
    step = create(LARGE)
    leave(root, step, left, PART)
    assert needs(root, [step]) == [(1, "whole", 0)]


def test_a_part_of_a_file_that_does_not_grow_as_one_is_of_no_use(root: bytes) -> None:
    step = create(LARGE[:STREAM_RESUMED_FROM])
    leave(root, step, LARGE[:1000], PART)
    assert needs(root, [step]) == [(1, "whole", 0)]


@pytest.mark.parametrize("suffix", [b"", PART])
def test_what_only_has_the_name_of_a_leftover_is_of_no_use(root: bytes, suffix: bytes) -> None:
    step = create(LARGE)
    name = root + b"/" + step_temp(step) + suffix
    fill(root, {"elsewhere": LARGE})
    makes: list[Callable[[], None]] = [
        lambda: os.symlink(b"elsewhere", name),
        lambda: os.link(root + b"/elsewhere", name),
        lambda: os.mkfifo(name),
    ]
    for make in makes:
        make()
        tree = LocalTree(root)
        tree.begin(RunOptions("r-1"), ())
        assert tree.survey([step], MOST) == [(1, "whole", 0)]
        tree.close()
        os.unlink(name)


def test_a_missing_directory_may_still_be_made(root: bytes) -> None:
    assert needs(root, [create(path=b"d/a")]) == [(1, "whole", 0)]


@pytest.mark.parametrize(
    "path", [b"f/a", b"l/a", b"../a", b".reconcile/a", b".rcn-0000000000000001"]
)
def test_a_place_that_cannot_be_written_needs_nothing(root: bytes, path: bytes) -> None:
    fill(root, {"f": b"a file", "d": None, "l": "d"})
    assert needs(root, [create(path=path)]) == [(1, "stale", 0)]


def test_steps_without_content_are_passed_over(root: bytes) -> None:
    steps = Steps()
    steps.add(Action.MKDIR, b"d", None, directory(b"d"))
    steps.add(Action.CREATE, b"a", None, file(b"a", b"content"))
    steps.add(Action.DELETE, b"b", file(b"b", b"x"), None)
    assert needs(root, steps.made) == [(2, "whole", 0)]


def test_many_files_of_one_directory_are_told_apart(root: bytes) -> None:
    steps = Steps()
    for number in range(40):
        path = b"d/f%d" % number
        steps.add(Action.CREATE, path, None, file(path, b"content"))
    fill(root, {"d/f3": b"content", "d/f4": b"theirs", "elsewhere": b""})
    with open(os.path.join(root, b"d", step_temp(steps.made[5])), "wb") as stream:
        stream.write(b"content")
    answers = {number: word for number, word, _ in needs(root, steps.made)}
    assert [n for n, word in answers.items() if word == "have"] == [4, 6]
    assert [n for n, word in answers.items() if word == "stale"] == [5]
    assert list(answers) == [step.id for step in steps.made]


def test_names_of_a_large_directory_are_not_all_read(root: bytes) -> None:
    fill(root, {f"d/old{number}": b"" for number in range(400)})
    steps = Steps()
    for number in range(10):
        path = b"d/f%d" % number
        steps.add(Action.CREATE, path, None, file(path, b"content"))
    fill(root, {"d/f3": b"content"})
    answers = [word for _, word, _ in needs(root, steps.made)]
    assert answers == ["whole"] * 3 + ["have"] + ["whole"] * 6


def test_a_parts_digest_is_that_of_the_bytes_told_of(root: bytes) -> None:
    step = create(LARGE)
    tree = LocalTree(root)
    tree.begin(RunOptions("r-1"), ())
    assert tree.part_digest(step, 1000) == b""
    leave(root, step, LARGE[:1000], PART)
    assert tree.part_digest(step, 1000) == blake3(LARGE[:1000]).digest()
    assert tree.part_digest(step, 999) == b""
    assert tree.part_digest(create(LARGE, b"no/a"), 1000) == b""
    tree.close()


def test_what_cannot_be_read_is_asked_for(root: bytes, tmp_path: Path) -> None:
    step = create()
    leave(root, step, b"content")
    for path, mode in ((root + b"/" + step_temp(step), 0), (root, 0o777)):
        os.chmod(path, mode)

    def attempt() -> list[tuple[int, str, int]]:
        tree = LocalTree(root)
        try:
            tree.begin(RunOptions("r-1"), ())
            return tree.survey([step], MOST)
        finally:
            tree.close()

    answers = as_nobody(attempt, tmp_path) if os.geteuid() == 0 else attempt()
    assert answers == [(1, "whole", 0)]
