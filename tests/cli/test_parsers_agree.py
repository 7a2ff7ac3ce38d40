"""The fast parser and typer's read the same table: what the first understands, the second does."""

from functools import cache
from typing import Any

import pytest
import typer
import typer.main
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.cli.app import build
from reconcile.cli.options import OPTIONS, options_of
from reconcile.cli.parse import parse, scan, verb_first
from reconcile.cli.table import COUNT, FLAG, LIST, SWITCH, VALUE, Option, Parsed
from reconcile.cli.verb_table import VERBS, verb_named


@cache
def command() -> Any:
    return typer.main.get_command(build())


def by_typer(argv: list[str]) -> Parsed | None:
    """What typer's parser makes of a line; None for help and errors."""
    try:
        answer = command().main(verb_first(argv), "reconcile", standalone_mode=False)
    except (typer.TyperException, typer.Abort):
        return None
    return answer if isinstance(answer, Parsed) else None


UNDERSTOOD = [
    (["diff", "A", "B"], Parsed("diff", {}, ["A", "B"])),
    (["plan", "A", "B"], Parsed("diff", {}, ["A", "B"])),
    (["--json", "diff", "A", "B"], Parsed("diff", {"json": True}, ["A", "B"])),
    (["-o", "diff", "diff", "A", "B"], Parsed("diff", {"out": "diff"}, ["A", "B"])),
    (["diff", "-ox", "A", "B"], Parsed("diff", {"out": "x"}, ["A", "B"])),
    (["diff", "-o=x", "A", "B"], Parsed("diff", {"out": "=x"}, ["A", "B"])),
    (["diff", "--out=x=y", "A", "B"], Parsed("diff", {"out": "x=y"}, ["A", "B"])),
    (["diff", "A", "--limit", "-3", "B"], Parsed("diff", {"limit": "-3"}, ["A", "B"])),
    (["diff", "A", "B", "-qqv"], Parsed("diff", {"quiet": 2, "verbose": 1}, ["A", "B"])),
    (["diff", "A", "B", "--no-delete"], Parsed("diff", {"delete": False}, ["A", "B"])),
    (["diff", "A", "B", "--no-delete", "--delete"], Parsed("diff", {"delete": True}, ["A", "B"])),
    (["diff", "--", "--json", "-q"], Parsed("diff", {}, ["--json", "-q"])),
    (["diff", "-", "A"], Parsed("diff", {}, ["-", "A"])),
    (["diff", "A", "B", "--out", ""], Parsed("diff", {"out": ""}, ["A", "B"])),
    (
        ["diff", "A", "B", "--exclude", "a", "--include", "b", "--exclude", "c"],
        Parsed("diff", {"exclude": ["a", "c"], "include": ["b"]}, ["A", "B"]),
    ),
    (["apply", "x.rplan"], Parsed("apply", {}, ["x.rplan"])),
    (["apply", "-n", "A", "B"], Parsed("apply", {"only_show": True}, ["A", "B"])),
    (["manifest", "build", "A", "-o", "m"], Parsed("manifest build", {"out": "m"}, ["A"])),
    (["manifest", "--json", "show", "m"], Parsed("manifest show", {"json": True}, ["m"])),
    (["-y", "baseline", "reset", "A", "B"], Parsed("baseline reset", {"yes": True}, ["A", "B"])),
    (["status"], Parsed("status", {}, [])),
    (["status", "a", "b", "c"], Parsed("status", {}, ["a", "b", "c"])),
    (["diff"], Parsed("diff", {}, [])),
    (["diff", "photos", "-c", "x.toml"], Parsed("diff", {"config": "x.toml"}, ["photos"])),
    (["explain", "x"], Parsed("explain", {}, ["x"])),
]
LEFT_TO_TYPER = [
    [], ["--help"], ["diff", "-h"], ["dif", "A", "B"], ["explain"], ["diff", "A", "B", "C"],
    ["diff", "A", "B", "--mod", "mirror"], ["diff", "A", "B", "--mode", "x"],
    ["diff", "A", "B", "--json=1"], ["diff", "A", "B", "--out"], ["diff", "A", "B", "-x"],
    ["manifest"], ["manifest", "bild", "A"], ["version", "A"], ["show", "p", "--mode", "mirror"],
    ["apply", "A", "B", "C", "D"],
]  # fmt: skip


@pytest.mark.parametrize(("argv", "parsed"), UNDERSTOOD, ids=lambda value: str(value)[:50])
def test_both_understand(argv: list[str], parsed: Parsed) -> None:
    assert parse(argv) == parsed
    assert by_typer(argv) == parsed


@pytest.mark.parametrize("argv", LEFT_TO_TYPER, ids=" ".join)
def test_the_fast_parser_leaves_what_it_does_not_understand(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert parse(argv) is None
    assert by_typer(argv) is None


def value_of(option: Option) -> st.SearchStrategy[str]:
    plain = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=6)
    return st.sampled_from(option.choices) if option.choices else plain


def written(option: Option) -> st.SearchStrategy[list[str]]:
    """One option as a user may write it."""
    names = [option.name] + ([option.short] if option.short else [])
    if option.kind == SWITCH:
        return st.sampled_from([[option.name], [option.negative]])
    if option.kind in (FLAG, COUNT):
        return st.sampled_from([[name] for name in names])
    spelled = [st.builds(lambda v: [option.name, v], value_of(option))]
    spelled.append(st.builds(lambda v: [f"{option.name}={v}"], value_of(option)))
    if option.short:
        spelled.append(st.builds(lambda v: [option.short, v], value_of(option)))
    return st.one_of(spelled)


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """A command line that is right, its options anywhere."""
    verb = draw(st.sampled_from(VERBS))
    words = verb.name.split()
    for word in verb.words:
        count = draw(st.integers(word.least, min(max(word.least, word.most), word.least + 4)))
        words += draw(
            st.lists(st.sampled_from(["A", "B", "dir/x", "-"]), min_size=count, max_size=count)
        )
    parts = [[word] for word in words]
    options = draw(st.lists(st.sampled_from(options_of(verb.name)), max_size=5))
    for option in options:
        place = draw(st.integers(0, len(parts)))
        parts.insert(place, draw(written(option)))
    return [word for part in parts for word in part]


@given(lines())
@settings(max_examples=80, deadline=None)
def test_both_parsers_agree_on_every_right_line(argv: list[str]) -> None:
    parsed = parse(argv)
    assert parsed is not None
    assert by_typer(argv) == parsed


@given(lines(), st.data())
@settings(max_examples=80, deadline=None)
def test_what_the_fast_parser_accepts_of_a_broken_line_typer_accepts_too(
    argv: list[str], data: st.DataObject
) -> None:
    broken = list(argv)
    place = data.draw(st.integers(0, len(broken) - 1))
    junk = st.sampled_from(["--bogus", "-Z", "--json=x", "--mode", "x", "--", "-qo", "--no-json"])
    broken[place] = data.draw(junk)
    parsed = parse(broken)
    if parsed is not None:
        assert by_typer(broken) == parsed


def test_the_order_of_patterns_is_kept() -> None:
    argv = ["diff", "A", "B", "--exclude", "1", "--include=2", "--filter-from", "3"]
    given_order = [(option.dest, value) for option, value in scan(argv).given]
    assert given_order == [("exclude", "1"), ("include", "2"), ("filter_from", "3")]


def test_a_name_has_one_shape_whichever_verb_takes_it() -> None:
    shapes: dict[str, tuple[str, str]] = {}
    for option in OPTIONS:
        shape = shapes.setdefault(option.name, (option.kind, option.short))
        assert shape == (option.kind, option.short), option.name


def test_every_option_is_of_a_known_kind_and_verb_and_says_what_it_does() -> None:
    for option in OPTIONS:
        assert option.kind in (FLAG, SWITCH, VALUE, LIST, COUNT)
        assert all(verb_named(verb) for verb in option.verbs), option.name
        assert option.help.endswith("."), option.name
        assert not option.takes_value or option.metavar, option.name
