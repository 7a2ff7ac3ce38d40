"""Paths: what may be one, and their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.model.errors import PathRefused
from reconcile.model.treepath import (
    ROOT,
    TreePath,
    check_name,
    is_under,
    join,
    order_key,
    parents,
    parse,
    rebase,
    split,
)
from tests.model.strategies import NAMES

PATHS = st.lists(NAMES, max_size=4).map(lambda names: TreePath(b"/".join(names)))

REFUSED = {
    "leading slash": b"/a",
    "trailing slash": b"a/",
    "empty name": b"a//b",
    "dot": b"a/./b",
    "dot dot": b"../a",
    "dot dot inside": b"a/..",
    "nul": b"a\0b",
    "name of 256 bytes": b"x" * 256,
    "path of 4097 bytes": b"/".join([b"x" * 240] * 17)[:4096] + b"x",
    "129 names": b"/".join([b"x"] * 129),
}


@pytest.mark.parametrize("why", REFUSED)
def test_refused(why: str) -> None:
    with pytest.raises(PathRefused):
        parse(REFUSED[why])


ACCEPTED = {
    "the root": b"",
    "not UTF-8": b"\xff\xfe/\x80",
    "dots and blanks": b".../ a/b./..c",
    "backslash, colon, line feed": b"a\\b/c:d/e\nf",
    "255 bytes": b"x" * 255,
    "128 names": b"/".join([b"x"] * 128),
    "4096 bytes": b"/".join([b"x" * 255] * 16),
}


@pytest.mark.parametrize("what", ACCEPTED)
def test_accepted(what: str) -> None:
    assert len(ACCEPTED["4096 bytes"]) == 4095
    assert parse(ACCEPTED[what]) == ACCEPTED[what]


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"a\0", b"x" * 256])
def test_no_name(name: bytes) -> None:
    with pytest.raises(PathRefused) as caught:
        check_name(name)
    assert caught.value.path == name


def test_a_refusal_shows_what_it_can_of_a_long_path() -> None:
    with pytest.raises(PathRefused) as caught:
        parse(b"x" * 5000)
    assert len(str(caught.value)) < 200


@given(NAMES)
def test_what_may_be_a_name_is_one(name: bytes) -> None:
    assert check_name(name) == name


@given(PATHS, NAMES)
def test_split_undoes_join(parent: TreePath, name: bytes) -> None:
    assert split(join(parent, name)) == (parent, name)
    assert parents(join(parent, name))[0] == parent


def test_the_root_splits_into_itself() -> None:
    assert split(ROOT) == (ROOT, b"")
    assert parents(ROOT) == []
    assert parents(TreePath(b"a/b/c")) == [b"a/b", b"a", b""]


def test_under_means_at_or_below() -> None:
    assert is_under(TreePath(b"a/b"), TreePath(b"a"))
    assert is_under(TreePath(b"a"), TreePath(b"a"))
    assert is_under(TreePath(b"a"), ROOT)
    assert not is_under(TreePath(b"ab"), TreePath(b"a"))
    assert not is_under(TreePath(b"a"), TreePath(b"a/b"))


@given(PATHS, PATHS, PATHS)
def test_rebasing_there_and_back_changes_nothing(a: TreePath, b: TreePath, rest: TreePath) -> None:
    path = TreePath(b"/".join(part for part in (a, rest) if part))
    moved = rebase(path, a, b)
    assert is_under(moved, b)
    assert rebase(moved, b, a) == path


def walked(paths: set[TreePath], top: TreePath = ROOT) -> list[TreePath]:
    """A preorder walk, siblings by name bytes."""
    below = {path.removeprefix(top + b"/" if top else b"").split(b"/")[0] for path in paths}
    found: list[TreePath] = []
    for name in sorted(below):
        at = join(top, name)
        inner = {path for path in paths if path != at and is_under(path, at)}
        found += [at] if at in paths else []
        found += walked(inner, at) if inner else []
    return found


@given(st.sets(PATHS.filter(bool), max_size=8))
def test_the_order_is_that_of_a_walk(paths: set[TreePath]) -> None:
    assert sorted(paths, key=order_key) == walked(paths)


def test_a_directory_stands_before_what_it_holds_and_that_before_its_sibling() -> None:
    paths = [TreePath(path) for path in (b"a", b"a/b", b"a/b/c", b"a-b", b"a.c", b"ab")]
    assert sorted(paths, key=order_key) == paths
