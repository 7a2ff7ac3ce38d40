"""What is ours takes part in no tree, wherever it lies; a user's own names always do."""

from pathlib import Path

import pytest

from reconcile.engine.cycle import apply_job
from reconcile.engine.manifests import build_manifest, list_manifest
from reconcile.engine.outcome import Outcome
from reconcile.model.errors import UsageError
from reconcile.model.job import Job
from reconcile.model.policy import Mode, Rules


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("A", "B"):
        (tmp_path / name).mkdir()
    return tmp_path / "A", tmp_path / "B"


def agree(left: Path, right: Path, state: Path, mode: Mode = Mode.TWO_WAY) -> Outcome:
    job = Job(str(left), str(right), state_dir=str(state), rules=Rules(mode=mode))
    return apply_job(job, lambda event: None, lambda planning: planning.plan)


def files(root: Path) -> set[str]:
    """Without the tokens of the pair's own area."""
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {str(path) for path in found if path.parts[:2] != (".reconcile", "pairs")}


def test_the_state_inside_a_root_is_not_carried_over(sides: tuple[Path, Path]) -> None:
    left, right = sides
    (left / "note").write_text("x")
    state = left / ".local/state/reconcile"

    first, second = agree(left, right, state), agree(left, right, state)

    assert files(right) == {"note"}
    assert (first.done, second.done, second.not_done, second.problems) == (1, 0, (), ())


def test_the_state_inside_the_side_that_is_to_become_a_mirror_stays(
    sides: tuple[Path, Path],
) -> None:
    left, right = sides
    (left / "note").write_text("x")
    state = right / ".local/state/reconcile"

    for _ in range(2):
        outcome = agree(left, right, state, Mode.MIRROR)

    assert files(right) > {"note"}
    assert list(state.rglob("state.db"))
    assert outcome.problems == ()
    assert outcome.not_done == ()


def test_a_state_reached_by_a_link_into_the_root_is_not_carried_over(
    sides: tuple[Path, Path],
) -> None:
    left, right = sides
    (left / "note").write_text("x")
    (left / "kept").mkdir()
    link = left.parent / "state"
    link.symlink_to(left / "kept")

    for _ in range(2):
        agree(left, right, link / "state")

    assert "note" in files(right)
    assert not list(right.rglob("state.db"))


def test_the_state_of_another_pair_is_not_carried_over(sides: tuple[Path, Path]) -> None:
    left, right = sides
    (left / "note").write_text("x")
    other = left.parent / "other"
    other.mkdir()
    agree(left, other, left / "of-another")

    agree(left, right, left.parent / "state")

    assert files(right) == {"note"}


def test_a_users_own_state_db_is_a_file_like_any_other(sides: tuple[Path, Path]) -> None:
    left, right = sides
    (left / "state.db").write_bytes(b"SQLite format 3\0" + b"x" * 100)

    agree(left, right, left.parent / "state")

    assert files(right) == {"state.db"}


def test_the_area_of_a_root_inside_the_root_is_not_carried_over(sides: tuple[Path, Path]) -> None:
    left, right = sides
    inner, other = left / "sub", left.parent / "C"
    inner.mkdir()
    other.mkdir()
    (inner / "a").write_text("one")
    agree(inner, other, left.parent / "state")
    (other / "a").write_text("two, longer")
    agree(inner, other, left.parent / "state")
    assert list(inner.glob(".reconcile/versions/*/a"))

    agree(left, right, left.parent / "state")

    assert files(right) == {"sub/a"}


@pytest.mark.parametrize(
    "name",
    [".rcn-notes", "d/.rcn-", "d/.reconcile/notes.txt", "d/.reconcile/lock/x/y", "d/.reconcilex"],
)
def test_a_users_name_that_only_looks_like_ours_is_carried_over(
    sides: tuple[Path, Path], name: str
) -> None:
    left, right = sides
    (left / name).parent.mkdir(parents=True, exist_ok=True)
    (left / name).write_text("x")
    (left / "d").mkdir(exist_ok=True)
    (left / "d/.reconcile").mkdir(exist_ok=True)
    (left / "d/.reconcile/mine").write_text("y")

    agree(left, right, left.parent / "state")

    assert name in files(right)
    assert files(left) == files(right)


def test_a_file_under_the_name_of_our_area_is_told_of(sides: tuple[Path, Path]) -> None:
    left, right = sides
    (left / ".reconcile").write_text("mine")

    outcome = agree(left, right, left.parent / "state")

    assert [(p.path, p.code) for p in outcome.problems] == [(b".reconcile", "E_PATH")]
    assert "give it another name" in outcome.problems[0].reason
    assert (left / ".reconcile").read_text() == "mine"


def built(root: Path, location: Path) -> list[bytes]:
    build_manifest(
        Job(str(root), str(root), state_dir=""), str(location), lambda event: None, created_ns=0
    )
    return [path for path, _ in list_manifest(str(location)).entries]


def test_a_manifest_inside_its_tree_does_not_list_itself_and_is_built_anew(
    sides: tuple[Path, Path],
) -> None:
    left, _ = sides
    (left / "a").write_text("x")

    assert built(left, left / "list.rman") == [b"a"]
    (left / "b").write_text("y")
    assert built(left, left / "list.rman") == [b"a", b"b"]


@pytest.mark.parametrize("kind", ["file", "link", "directory"])
def test_a_manifest_replaces_nothing_but_a_manifest(sides: tuple[Path, Path], kind: str) -> None:
    left, right = sides
    place = right / "list.rman"
    if kind == "file":
        place.write_text("mine")
    elif kind == "link":
        built(left, right / "other.rman")
        place.symlink_to("other.rman")
    else:
        place.mkdir()

    with pytest.raises(UsageError, match="left as it is"):
        built(left, place)
