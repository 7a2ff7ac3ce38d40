"""The index answers what trying every glob in turn would, at a cost that follows few of them."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.decide.filters import Filter, compile_filter
from reconcile.decide.glob_index import GlobIndex
from reconcile.decide.globs import Glob, parse_glob
from reconcile.model.errors import UsageError
from reconcile.model.job import FilterRule, FilterSpec
from reconcile.model.treepath import TreePath

LETTERS = "ab.*?[]!^-\\/"
PATTERNS = st.one_of(
    st.text(LETTERS, min_size=1, max_size=8),
    st.lists(st.sampled_from(["a", "ab", "b.a", "*", "**/", "/**", "[ab]", "[!a]", "?", "/", "\\*",
                              "[]a]", "[!]b]", "a]"]), min_size=1, max_size=5).map("".join),
)  # fmt: skip
TEXTS = st.one_of(
    st.text("ab.", min_size=1, max_size=6),
    st.lists(st.text("ab.]*", min_size=1, max_size=4), min_size=1, max_size=3).map("/".join),
)


def tried_in_turn(globs: list[tuple[int, Glob]], text: bytes) -> int:
    found = (n for n, glob in globs if re.compile(glob.regex, re.DOTALL).fullmatch(text))
    return max(found, default=-1)


@given(st.lists(PATTERNS, max_size=6), st.lists(TEXTS, min_size=1, max_size=4), st.booleans())
def test_it_answers_what_trying_each_in_turn_would(
    patterns: list[str], texts: list[str], of_paths: bool
) -> None:
    every = enumerate(parse_glob(pattern.encode()) for pattern in patterns)
    globs = [pair for pair in every if pair[1].by_path is of_paths]
    index = GlobIndex(globs)
    for text in texts:
        name = text.encode() if of_paths else text.replace("/", "").encode()
        assert index(name) == tried_in_turn(globs, name), (patterns, text)


MANY = 5_000
FORMS: dict[str, Callable[[int], str]] = {
    "a beginning": lambda i: f"name{i}x*",
    "an end": lambda i: f"*x{i}name",
    "a place": lambda i: f"/dir{i}/file.txt",
    "a place below": lambda i: f"dir/x{i}*/**/*.t{i}",
    "anywhere": lambda i: f"**/name{i}",
    "the middle": lambda i: f"*ax{i}y*",
    "brackets": lambda i: f"[a-z]x{i}y[0-9]",
}


@pytest.mark.parametrize("form", FORMS)
def test_of_many_globs_hardly_one_is_made_into_an_expression(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bytes] = []
    regex = Glob.regex.fget
    assert regex is not None
    monkeypatch.setattr(Glob, "regex", property(lambda glob: made.append(glob) or regex(glob)))
    found = filter_of(*(FORMS[form](number) for number in range(MANY)))
    assert not found.excludes(TreePath(b"docs/letter-7.odt"), is_dir=False)
    assert len(made) < MANY / 10


def test_globs_without_a_letter_have_a_number_that_is_told() -> None:
    letterless = ["?" * number + "*" for number in range(1, 2000)]
    with pytest.raises(UsageError, match="1,999 patterns hold no letter"):
        filter_of(*letterless)
    assert filter_of(*letterless[:900]).excludes(TreePath(b"x"), is_dir=False)
    assert filter_of(*(["?*"] * 5000)).excludes(TreePath(b"x"), is_dir=False)


def filter_of(*patterns: str) -> Filter:
    found = compile_filter(FilterSpec(tuple(FilterRule(pattern) for pattern in patterns)))
    assert found is not None
    return found
