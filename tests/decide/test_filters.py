"""Which entries take part: one row a rule. That git agrees is in test_filters_git.py."""

import pytest

from reconcile.decide.filters import (
    PRESETS,
    Filter,
    compile_filter,
    compile_patterns,
    explain_path,
    looks_like_text,
    parse_filter_file,
    preset_rules,
)
from reconcile.model.job import FilterRule, FilterSpec
from reconcile.model.treepath import TreePath


def of(patterns: bytes) -> FilterSpec:
    return FilterSpec(parse_filter_file(patterns, "f"))


def excluded(spec: FilterSpec, path: bytes) -> bool:
    """A path that ends in `/` is a directory."""
    return explain_path(compile_filter(spec), TreePath(path.rstrip(b"/")), path[-1:] == b"/")[0]


MATCHES: list[tuple[bytes, bytes, bool]] = [
    # patterns, path (a directory ends in /), excluded
    (b"", b"a", False),
    # a name matches at every depth, as a whole
    (b"a", b"a", True),
    (b"a", b"a/", True),
    (b"a", b"d/a", True),
    (b"a", b"d/e/a", True),
    (b"a", b"ab", False),
    (b"a", b"ba", False),
    (b"a", b"A", False),
    (b"a", b"a/b", True),
    (b"a", b"d/a/b/c", True),
    # a slash before the end anchors
    (b"/a", b"a", True),
    (b"/a", b"d/a", False),
    (b"d/a", b"d/a", True),
    (b"d/a", b"e/d/a", False),
    (b"/d/a", b"d/a", True),
    (b"d/a", b"d/a/b", True),
    # a slash at the end asks for a directory
    (b"a/", b"a/", True),
    (b"a/", b"a", False),
    (b"a/", b"d/a/", True),
    (b"a/", b"a/b", True),
    (b"d/a/", b"d/a/", True),
    (b"d/a/", b"e/d/a/", False),
    # stars stay in a component
    (b"*", b"a", True),
    (b"*.c", b"x.c", True),
    (b"*.c", b".c", True),
    (b"*.c", b"d/x.c", True),
    (b"*.c", b"x.c.d", False),
    (b"*.c", b"x.b.c", True),
    (b"*.b.c", b"x.b.c", True),
    (b"*.b.c", b"x.c", False),
    (b"a*b", b"ab", True),
    (b"a*b", b"axxb", True),
    (b"a*b*c", b"a1b2c", True),
    (b"a*b*c", b"a1c2b", False),
    (b"*a*a*", b"a", False),
    (b"*a*a*", b"aa", True),
    (b"d/*", b"d/a", True),
    (b"d/*/b", b"d/a/b", True),
    (b"d/*/b", b"d/b", False),
    (b"d/*/b", b"d/a/c/b", False),
    (b"d/a*b", b"d/a/b", False),
    # ? and brackets
    (b"?", b"a", True),
    (b"?", b"ab", False),
    (b"?", b"\xff", True),
    (b"a?b", b"a/b", False),
    (b"[ab]", b"b", True),
    (b"[ab]", b"c", False),
    (b"[a-c]", b"b", True),
    (b"[!a-c]", b"b", False),
    (b"[!a-c]", b"d", True),
    (b"[^a]", b"b", True),
    (b"[]x]", b"]", True),
    (b"[]-]", b"-", True),
    (b"[c-a]", b"b", False),
    (b"[c-a]", b"c", True),
    (b"[c-a]", b"a", False),
    (b"d/x[!a]y", b"d/x/y", False),
    (b"d/x[!a]y", b"d/xby", True),
    (b"[a[:digit:]-z]", b"c", False),
    (b"[a[:digit:]-z]", b"-", True),
    (b"[\\]x]", b"]", True),
    (b"[[:digit:]]", b"7", True),
    (b"[[:digit:]]", b"x", False),
    (b"[![:alpha:]_]", b"_", False),
    (b"[[:nope:]]", b"n", False),
    (b"[[:nope:]]", b":]", False),
    (b"[a", b"[a", False),
    # whole components of two stars
    (b"**/a", b"a", True),
    (b"**/a", b"d/e/a", True),
    (b"**/d/a", b"x/d/a", True),
    (b"**/d/a", b"x/dd/a", False),
    (b"d/**", b"d/a", True),
    (b"d/**", b"d/e/a", True),
    (b"d/**", b"d/", False),
    (b"d/**/a", b"d/a", True),
    (b"d/**/a", b"d/e/f/a", True),
    (b"d/**/a", b"da", False),
    (b"d/**/e/**/a", b"d/1/e/2/3/a", True),
    (b"d/**/e/**/a", b"d/1/2/a", False),
    (b"**", b"a", True),
    (b"**.c", b"d/x.c", True),
    (b"d/**x", b"d/ax", True),
    (b"d/**x", b"d/a/x", False),
    (b"foo**/bar", b"foo1/bar", True),
    (b"foo**/bar", b"foo/x/bar", False),
    # the last match wins
    (b"*.c\n!x.c", b"x.c", False),
    (b"*.c\n!x.c", b"y.c", True),
    (b"!x.c\n*.c", b"x.c", True),
    (b"*.c\n!x.c\nx.*", b"x.c", True),
    (b"*\n!*/\n!*.c", b"d/x.c", False),
    (b"*\n!*/\n!*.c", b"d/x.h", True),
    (b"a\n!a\na", b"a", True),
    (b"a\n!/a", b"a", False),
    (b"a\n!/a", b"d/a", True),
    (b"a\n!a/", b"a", True),
    (b"a\n!a/", b"a/", False),
    # nothing comes back out of an excluded directory
    (b"d/\n!d/a", b"d/a", True),
    (b"d\n!a", b"d/a", True),
    (b"d/*\n!d/a", b"d/a", False),
    (b"d/*\n!d/e/\nd/e/*\n!d/e/a", b"d/e/a", False),
    (b"d/*\n!d/e/\nd/e/*\n!d/e/a", b"d/e/b", True),
    (b"/*\n!/d", b"d/a", False),
    (b"/*\n!/d", b"e/a", True),
    # escapes, blanks, comments
    (b"#a", b"#a", False),
    (b"\\#a", b"#a", True),
    (b"\\!a", b"!a", True),
    (b"!!a", b"!a", False),
    (b"\\*", b"*", True),
    (b"\\*", b"a", False),
    (b"a\\", b"a\\", False),
    (b"a\\\\", b"a\\", True),
    (b"a ", b"a", True),
    (b"a ", b"a ", False),
    (b"a\\ ", b"a ", True),
    (b"a\\ ", b"a", False),
    (b" a", b" a", True),
    (b"a\t", b"a\t", True),
    (b"a\r\nb", b"a", True),
    (b"\xef\xbb\xbfa", b"a", True),
    (b"/", b"a/", False),
    (b"//a", b"a", False),
    # names are bytes
    (b"\xff*", b"\xff\xfe", True),
    (b"\xc3\xa9", b"\xc3\xa9", True),
    (b"\xc3\xa9", b"e\xcc\x81", False),
    (b"a*", b"a\nb", True),
    (b"a", b"a\n", False),
    (b"a.b", b"axb", False),
    (b"(a|b)+", b"(a|b)+", True),
    (b"$a^", b"$a^", True),
]


@pytest.mark.parametrize(("patterns", "path", "expected"), MATCHES)
def test_patterns(patterns: bytes, path: bytes, expected: bool) -> None:
    assert excluded(of(patterns), path) is expected


SELECTS: list[tuple[bytes, bool]] = [
    (b"docs/2025/", False),
    (b"docs/2025/a", False),
    (b"docs/2025/deep/", False),
    (b"docs/2025/x.tmp", True),
    (b"docs/", False),
    (b"docs", True),
    (b"docs/2024/", True),
    (b"docs/20255/", True),
    (b"docs/a", True),
    (b"music/", False),
    (b"music", False),
    (b"music/a", False),
    (b"other/", True),
    (b"a", True),
]


@pytest.mark.parametrize(("path", "expected"), SELECTS)
def test_only_what_is_selected_takes_part_and_the_way_to_it(path: bytes, expected: bool) -> None:
    select = (TreePath(b"docs/2025"), TreePath(b"music"))
    rules = (FilterRule("*.tmp"), FilterRule("other", include=True))
    assert excluded(FilterSpec(rules, select), path) is expected


def test_what_is_not_selected_is_explained_by_the_option() -> None:
    filter_ = Filter(FilterSpec(select=(TreePath(b"docs"), TreePath(b"\xff"))))
    rule = filter_.rule_for(TreePath(b"a"), is_dir=False)
    assert rule == FilterRule("docs, \\xff", origin="--select")


@pytest.mark.parametrize(
    ("spec", "is_needed"),
    [
        (FilterSpec(), False),
        (FilterSpec((FilterRule("a", include=True),)), False),
        (FilterSpec((FilterRule("a"),)), True),
        (FilterSpec(select=(TreePath(b"a"),)), True),
        (FilterSpec(text_only=True), True),
        (FilterSpec(max_size_bytes=0), True),
        (FilterSpec(min_age_ns=1), True),
    ],
)
def test_there_is_no_filter_when_nothing_can_be_excluded(spec: FilterSpec, is_needed: bool) -> None:
    assert (compile_filter(spec) is not None) is is_needed


@pytest.mark.parametrize(
    ("size_bytes", "mtime_ns", "origin"),
    [
        (100, 0, None),
        (101, 0, "--max-size"),
        (100, 950, None),
        (100, 951, "--min-age"),
        (100, 2000, "--min-age"),
    ],
)
def test_size_and_age(size_bytes: int, mtime_ns: int, origin: str | None) -> None:
    filter_ = Filter(FilterSpec(max_size_bytes=100, min_age_ns=50))
    rule = filter_.excludes_file(size_bytes, mtime_ns, now_ns=1000)
    assert (rule.origin if rule else None) == origin
    assert Filter(FilterSpec()).excludes_file(10**12, 2000, now_ns=1000) is None


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"", True),
        (b"text\n", True),
        (b"\xff\x00", False),
        (b"caf\xe9 in latin-1", True),
        (b"a\0b", False),
        (b"x" * 8191 + b"\0", False),
        (b"x" * 8192 + b"\0", True),
        (b"\xff\xfea\0b\0", True),
        (b"\xfe\xff\0a\0b", True),
    ],
)
def test_text_holds_no_nul_or_is_marked_as_utf_16(head: bytes, expected: bool) -> None:
    assert looks_like_text(head) is expected


EXPLAINED: list[tuple[bytes, bytes, bool, str | None, bytes]] = [
    # patterns, path, excluded, origin of the rule, where it was decided
    (b"a", b"b", False, None, b"b"),
    (b"\n#\na", b"a", True, "f:3", b"a"),
    (b"a\n!a", b"a", False, "f:2", b"a"),
    (b"d/\n!a", b"d/e/a", True, "f:1", b"d"),
    (b"e\n*.c", b"d/e/x.c", True, "f:1", b"d/e"),
    (b"/d/*\n!/d/e", b"d/e/f/a", False, None, b"d/e/f/a"),
]


@pytest.mark.parametrize(("patterns", "path", "is_excluded", "origin", "at"), EXPLAINED)
def test_a_decision_names_its_rule_and_its_place(
    patterns: bytes, path: bytes, is_excluded: bool, origin: str | None, at: bytes
) -> None:
    found = explain_path(compile_filter(of(patterns)), TreePath(path), is_dir=False)
    assert (found.excluded, found.at) == (is_excluded, at)
    assert (found.rule.origin if found.rule else None) == origin


def test_without_a_filter_everything_takes_part() -> None:
    assert explain_path(None, TreePath(b"a/b"), is_dir=False) == (False, None, b"a/b")


POLICIES: list[tuple[list[str], bytes, int | None]] = [
    ([], b"a", None),
    (["*.md"], b"d/a.md", 0),
    (["*.md"], b"a.txt", None),
    (["*.md", "docs/"], b"docs/a.md", 1),
    (["docs/", "*.md"], b"docs/a.md", 1),
    (["docs/", "*.md"], b"docs/sub/a.txt", 0),
    (["docs/"], b"docs", 0),
    (["/a", "d/*"], b"d/e/f", 1),
    (["/a", "d/*"], b"x/a", None),
    (["*", "[x"], b"[x", 0),
    (["\udcff"], b"\xff", 0),
    (["*"], b"", None),
]


@pytest.mark.parametrize(("patterns", "path", "expected"), POLICIES)
def test_the_last_pattern_that_matches_a_path_or_a_directory_above_it_counts(
    patterns: list[str], path: bytes, expected: int | None
) -> None:
    assert compile_patterns(patterns)(path) == expected


PRESET_ROWS: list[tuple[str, bytes, bool]] = [
    ("hidden", b".bashrc", True),
    ("hidden", b".git/", True),
    ("hidden", b"d/.x/a", True),
    ("hidden", b"a.b", False),
    ("temp", b"d/.a.swp", True),
    ("temp", b"a.tmp", True),
    ("temp", b"a~", True),
    ("temp", b".#lock", True),
    ("temp", b"#auto#", True),
    ("temp", b"#heading", False),
    ("temp", b".~lock.a.odt#", True),
    ("temp", b"~$report.docx", True),
    ("temp", b".DS_Store", True),
    ("temp", b"Thumbs.db", True),
    ("temp", b"template", False),
    ("temp", b".bashrc", False),
    ("text", b"a.txt", False),
    ("text", b"d/e/a.py", False),
    ("text", b"d/", False),
    ("text", b"Makefile", False),
    ("text", b"a.jpg", True),
    ("text", b"noextension", True),
]


@pytest.mark.parametrize(("name", "path", "expected"), PRESET_ROWS)
def test_presets(name: str, path: bytes, expected: bool) -> None:
    assert excluded(FilterSpec(preset_rules(name)), path) is expected


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_signs_its_rules(name: str) -> None:
    assert {rule.origin for rule in preset_rules(name)} == {f"preset {name}"}


def test_a_rule_of_a_file_keeps_its_line_and_its_bytes() -> None:
    assert parse_filter_file(b"a\n\n#\n!b\xff  \r\n!\n", "job/ignore") == (
        FilterRule("a", False, "job/ignore:1"),
        FilterRule("b\udcff", True, "job/ignore:4"),
        FilterRule("", True, "job/ignore:5"),
    )


BASE = FilterSpec((FilterRule("a"), FilterRule("b", include=True)), select=(TreePath(b"s"),))
DIGESTS = [
    FilterSpec(),
    FilterSpec(BASE.rules),
    FilterSpec(BASE.rules[::-1], BASE.select),
    FilterSpec((FilterRule("a"), FilterRule("b")), BASE.select),
    FilterSpec(BASE.rules, (TreePath(b"t"),)),
    FilterSpec(BASE.rules, BASE.select, text_only=True),
    FilterSpec(BASE.rules, BASE.select, max_size_bytes=0),
    FilterSpec(BASE.rules, BASE.select, min_age_ns=0),
]


def test_the_digest_is_equal_exactly_when_the_filters_judge_alike() -> None:
    elsewhere = tuple(FilterRule(rule.pattern, rule.include, "x:9") for rule in BASE.rules)
    assert Filter(FilterSpec(elsewhere, BASE.select)).digest == Filter(BASE).digest
    two, owt = (TreePath(b"s"), TreePath(b"t")), (TreePath(b"t"), TreePath(b"s"))
    assert Filter(FilterSpec(select=two)).digest == Filter(FilterSpec(select=owt)).digest
    assert len({Filter(spec).digest for spec in [BASE, *DIGESTS]}) == len(DIGESTS) + 1


def test_no_pattern_takes_time_that_explodes() -> None:
    """Backtracking would take longer than anybody waits."""
    stars = of(b"*a" * 30 + b"*b\n")
    deep = of(b"**/a/" * 30 + b"b\n")
    assert not excluded(stars, b"a" * 250)
    assert not excluded(deep, b"a/" * 120 + b"c")
