"""Every key of a TOML text has a place, and it is where the key stands."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.decide.job_shown import toml
from reconcile.decide.toml_places import Path, places_of

TEXT = '''\
version = 1 # a comment with = and "quotes"
list = ["a",  # one
   'b]', """x ] " """,]
[table]
  key = "10%"
a.b = {x = 1, y.z = [1, 2]}
[job."pho.tos"]
left = "a\\"]b"
when = 1979-05-27 07:32:00
[[rule]]
match = 'a'
[[rule]]
match = """"a""""
[rule.sub]
k = """
# no comment
[no.table]
"""
last = true'''


def paths(value: Any, path: Path = ()) -> list[Path]:
    """Every key and element below a value."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    found = [(*path, key) for key, _ in items]
    return found + [each for key, one in items for each in paths(one, (*path, key))]


def at(text: str, path: Path) -> str:
    """What stands at a path's place, to the end of its line."""
    place = places_of(text)[path]
    return text.split("\n")[place.line - 1][place.column - 1 :]


@pytest.mark.parametrize(
    ("path", "begins"),
    [
        (("version",), "version = 1"),
        (("list", 0), '"a",'),
        (("list", 1), "'b]'"),
        (("list", 2), '"""x ]'),
        (("table",), "[table]"),
        (("table", "key"), 'key = "10%"'),
        (("table", "a", "b", "y", "z", 1), "2]}"),
        (("job",), '[job."pho.tos"]'),
        (("job", "pho.tos", "left"), "left"),
        (("job", "pho.tos", "when"), "when"),
        (("rule", 0, "match"), "match = 'a'"),
        (("rule", 1), "[[rule]]"),
        (("rule", 1, "match"), 'match = """'),
        (("rule", 1, "sub", "k"), "k = "),
        (("rule", 1, "sub", "last"), "last = true"),
    ],
)
def test_a_place_is_where_it_stands(path: Path, begins: str) -> None:
    assert at(TEXT, path).startswith(begins)


def test_every_key_and_element_has_a_place() -> None:
    assert set(paths(tomllib.loads(TEXT))) <= set(places_of(TEXT))


KEYS = st.from_regex(r"[a-z]{1,3}", fullmatch=True)
LEAVES = st.one_of(
    st.booleans().map(toml),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6).map(toml),
    st.text("ab#]},=\n ", max_size=6).map(lambda text: f'"""\n{text}"""'),
    st.integers(0, 99).map(str),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: f"[ {' , '.join(parts)} ]"),
        st.dictionaries(KEYS, inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{k} = {v}" for k, v in table.items()) + "}"
        ),
    ),
    max_leaves=6,
)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), KEYS)
def test_whatever_tomllib_accepts_is_found_line_by_line(table: dict[str, str], name: str) -> None:
    text = f"[{name}]\n" + "".join(f"  {key} = {value}\n" for key, value in table.items())
    places = places_of(text)
    assert set(paths(tomllib.loads(text))) <= set(places)
    for key in table:
        assert at(text, (name, key)).startswith(f"{key} = ")
        assert places[name, key].column == 3
