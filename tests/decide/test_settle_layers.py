"""What a job file says, among flags, environment and defaults: the nearest counts."""

from typing import Any

import msgspec
import pytest

from reconcile.decide.given import Flag
from reconcile.decide.job_shown import shown, toml
from reconcile.decide.settle import settle
from reconcile.model.errors import UsageError
from reconcile.model.job import FilterRule, Job, Retention
from reconcile.model.policy import Mode, PathPolicy, Policy, Rights
from tests.decide.job_files import HEAD, book_of
from tests.decide.test_settle import pick

NAMED = Job("/l", "/r", "/state", name="a")
TEXT = """\
version = 1
[defaults]
mode = 'update'
exclude = ['d1', 'd2']
require = 'm'
window = '9s'
[job.a]
left = 'l'
right = 'r'
mode = 'mirror'
exclude = ['j']
include = 'i'
require = 'n'
select = ['s', 't']
"""


def settled(text: str, flags: dict[str, Flag], env: dict[str, str]) -> Job:
    return settle(flags, env, NAMED, layers=book_of(text).jobs["a"].layers)


ORDER: list[tuple[str, dict[str, Flag], dict[str, str], Mode, str]] = [
    ("the job before the defaults", {}, {}, Mode.MIRROR, "f.toml:10"),
    ("everybody's variable before the job", {}, {"RECONCILE_MODE": "two-way"}, Mode.TWO_WAY,
        "RECONCILE_MODE"),
    ("the job's own variable before everybody's", {},
        {"RECONCILE_MODE": "two-way", "RECONCILE_JOB__A__MODE": "update"}, Mode.UPDATE,
        "RECONCILE_JOB__A__MODE"),
    ("a flag before all", {"mode": "two-way"}, {"RECONCILE_JOB__A__MODE": "update"},
        Mode.TWO_WAY, "--mode"),
    ("another job's variable says nothing", {}, {"RECONCILE_JOB__B__MODE": "update"},
        Mode.MIRROR, "f.toml:10"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("flags", "env", "mode", "origin"), [row[1:] for row in ORDER], ids=[row[0] for row in ORDER]
)
def test_the_nearest_counts(
    flags: dict[str, Flag], env: dict[str, str], mode: Mode, origin: str
) -> None:
    job = settled(TEXT, flags, env)
    assert job.rules.mode is mode
    assert dict(job.origins)["mode"] == origin


def test_what_the_job_does_not_say_the_defaults_say() -> None:
    job = settled(TEXT, {}, {})
    assert job.rules.window_ns == 9 * 10**9
    assert dict(job.origins)["window"] == "f.toml:6"


def test_patterns_add_up_the_farthest_first_each_with_its_own_line() -> None:
    flags: dict[str, Flag] = {"exclude": ["x"], "filters": ["exclude=x"]}
    assert settled(TEXT, flags, {}).filters.rules == (
        FilterRule("d1", False, "f.toml:4"),
        FilterRule("d2", False, "f.toml:4"),
        FilterRule("j", False, "f.toml:11"),
        FilterRule("i", True, "f.toml:12"),
        FilterRule("x", False, "--exclude"),
    )


def test_a_flag_never_drops_what_the_file_requires() -> None:
    assert settled(TEXT, {"require": ["x"]}, {}).limits.require == (b"m", b"n", b"x")


def test_a_selection_is_replaced() -> None:
    assert settled(TEXT, {}, {}).filters.select == (b"s", b"t")
    assert settled(TEXT, {"select": ["x"]}, {}).filters.select == (b"x",)


def test_a_mode_on_the_line_is_not_held_back_by_the_file_s_update() -> None:
    text = f"{HEAD}mode = 'update'\n"
    assert settled(text, {}, {}).rules.delete is False
    assert settled(text, {"mode": "mirror"}, {}).rules.delete is True


def test_hidden_names_left_out_by_the_file_can_be_had_back_there() -> None:
    text = f"{HEAD}hidden = false\ninclude = '.config/'\n"
    patterns = [rule.pattern for rule in settled(text, {}, {}).filters.rules]
    assert patterns == [".*", ".config/"]


VALUES: list[tuple[str, str, Any]] = [
    ("max_delete = 5", "limits.max_delete_count", 5),
    ("max_delete = '5%'", "limits.max_delete_share", 0.05),
    ("max_delete = '5%'", "limits.origin", "f.toml:5"),
    ("max_delete_size = 1000", "limits.max_delete_bytes", 1000),
    ("on_conflict = 'newer'", "rules.policies", (Policy.NEWER,)),
    ("on_conflict = ['newer', '*.md=merge', 'left']", "rules.policies",
        (Policy.NEWER, Policy.LEFT)),
    ("on_conflict = ['newer', '*.md=merge', 'left']", "rules.path_policies",
        (PathPolicy("*.md", (Policy.MERGE,), "f.toml:5"),)),
    ("rights = { left = 'edit' }", "rules.rights_left", Rights(False, True, False)),
    ("rights = { left = 'edit' }", "rules.rights_right", Rights()),
    ("meta = ['mode', 'owner']", "tracked.owner", True),
    ("meta = ['mode', 'owner']", "tracked.exec", False),
    ("compress = true", "compress", True),
    ("versions = false", "versions", False),
    ("versions = { keep = 5, max_age = '2d', max_size = '1k' }", "retention",
        Retention(5, 2 * 86400 * 10**9, 1024)),
    ("versions = { keep = 5 }", "versions", True),
    ("filter_from = 'x'", "filters.rules", (FilterRule("p", False, "/dir/x:1"),)),
]  # fmt: skip


@pytest.mark.parametrize(("line", "place", "expected"), VALUES)
def test_values_of_a_file(line: str, place: str, expected: Any) -> None:
    layers = book_of(f"{HEAD}{line}\n").jobs["a"].layers
    job = settle({}, {}, NAMED, lambda name: b"p\n" if name == "/dir/x" else b"", layers)
    assert pick(job, place) == expected


def test_a_flag_that_does_not_go_with_the_file_is_told() -> None:
    with pytest.raises(UsageError) as caught:
        settled(f"{HEAD}delete = true\n", {"mode": "update"}, {})
    assert caught.value.message == "f.toml:5: `delete = true`: mode `update` deletes nothing"


def test_a_file_that_says_nothing_changes_nothing() -> None:
    job = settled(HEAD, {}, {})
    assert msgspec.structs.replace(job, origins=()) == NAMED


SHOWN: list[tuple[str, dict[str, str], str, str, str]] = [
    ("mode = 'mirror'", {}, "mode", '"mirror"', "f.toml:5"),
    ("", {}, "mode", '"two-way"', "default"),
    ("", {"RECONCILE_MODE": "update"}, "mode", '"update"', "RECONCILE_MODE"),
    ("on_conflict = ['newer', '*.md=merge', 'left']", {}, "on_conflict",
        '["newer", "left", "*.md=merge"]', "f.toml:5"),
    ("marker = 'm'\nrequire = ['n']", {"RECONCILE_REQUIRE": "o, p"}, "require",
        '["m", "n", "o", "p"]', "f.toml:5, f.toml:6, RECONCILE_REQUIRE"),
    ("labels = { left = 'x' }", {"RECONCILE_JOB__A__LABELS_RIGHT": "y"}, "labels",
        '{ left = "x", right = "y" }', "f.toml:5, RECONCILE_JOB__A__LABELS_RIGHT"),
    ("versions = { keep = 5 }", {}, "versions", '{ keep = "5" }', "f.toml:5"),
    ("versions = { keep = 5 }", {"RECONCILE_VERSIONS": "no"}, "versions", "false",
        "RECONCILE_VERSIONS"),
    ("meta = ['mode', 'owner']", {}, "meta", '["mode", "owner"]', "f.toml:5"),
    ("compress = true", {}, "compress", "true", "f.toml:5"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "env", "key", "value", "origin"), SHOWN)
def test_what_counts_is_shown_with_where_it_stands(
    line: str, env: dict[str, str], key: str, value: str, origin: str
) -> None:
    every = shown(book_of(f"{HEAD}{line}\n").jobs["a"].layers, env, "a")
    assert [(one.value, one.origin) for one in every if one.key == key] == [(value, origin)]


def test_what_toml_writes_tomllib_reads_back() -> None:
    import tomllib

    for text in ('a"b\\c', "\x7f\x1b\n\t", "é☃", "", "'''"):
        assert tomllib.loads(f"x = {toml((text, text))}")["x"] == [text, text]
