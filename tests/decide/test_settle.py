"""How flags, environment and defaults become one job: one row a value."""

from typing import Any

import msgspec
import pytest

from reconcile.decide.filters import preset_rules
from reconcile.decide.given import Flag
from reconcile.decide.settle import settle
from reconcile.decide.units import (
    parse_count_or_share,
    parse_duration_ns,
    parse_share,
    parse_size,
    parse_switch,
)
from reconcile.model.entry import Tracked
from reconcile.model.errors import ExitCode, UsageError
from reconcile.model.job import Durability, FilterRule, Job, Retention
from reconcile.model.plan import Side
from reconcile.model.policy import Limits, Mode, PathPolicy, Policy, Rights

DEFAULTS = Job("/l", "/r", "/state")


def pick(job: Job, place: str) -> Any:  # Any: the fields have many types
    """`rules.mode` of a job."""
    value: Any = job
    for name in place.split("."):
        value = getattr(value, name)
    return value


SIZES: list[tuple[str, int | None]] = [
    ("0", 0),
    ("1500", 1500),
    ("1500b", 1500),
    ("10k", 10 * 1024),
    ("10K", 10 * 1024),
    ("10M", 10 * 1024**2),
    ("10 MiB", 10 * 1024**2),
    ("10MB", 10 * 1000**2),
    ("1GiB", 1024**3),
    ("1.5G", 1536 * 1024**2),
    ("2T", 2 * 1024**4),
    ("1P", 1024**5),
    ("0.1k", 102),
    ("9007199254740993", 9007199254740993),
    ("", None),
    ("M", None),
    ("-1", None),
    ("10X", None),
    ("10Mi", None),
    ("1e3", None),
    ("inf", None),
    ("1,5M", None),
    ("١٠", None),
]

DURATIONS: list[tuple[str, int | None]] = [
    ("0", 0),
    ("0s", 0),
    ("500ms", 500 * 10**6),
    ("2s", 2 * 10**9),
    ("1.5s", 1_500_000_000),
    ("5m", 300 * 10**9),
    ("1h30m", 5400 * 10**9),
    ("90d", 90 * 86400 * 10**9),
    ("2w", 14 * 86400 * 10**9),
    ("", None),
    ("2", None),
    ("s", None),
    ("-2s", None),
    ("2 s", None),
    ("5 minutes", None),
    ("2M", None),
    ("١s", None),
]

SHARES: list[tuple[str, float | None]] = [
    ("20%", 0.2),
    ("0%", 0.0),
    ("12.5%", 0.125),
    ("150%", 1.5),
    ("20", None),
    ("%", None),
    ("-5%", None),
    ("5k%", None),
    ("nan%", None),
]


def value_or_none(parse: Any, text: str) -> Any:  # Any: parsers of several types
    try:
        return parse(text)
    except ValueError:
        return None


@pytest.mark.parametrize(("text", "expected"), SIZES)
def test_sizes(text: str, expected: int | None) -> None:
    assert value_or_none(parse_size, text) == expected


@pytest.mark.parametrize(("text", "expected"), DURATIONS)
def test_durations(text: str, expected: int | None) -> None:
    assert value_or_none(parse_duration_ns, text) == expected


@pytest.mark.parametrize(("text", "expected"), SHARES)
def test_shares(text: str, expected: float | None) -> None:
    assert value_or_none(parse_share, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("20", 20), ("0", 0), ("20%", 0.2), ("20.5", None), ("-1", None), ("²", None), ("١٠", None)],
)
def test_a_bare_number_is_a_count_and_a_percent_a_share(text: str, expected: float | None) -> None:
    found = value_or_none(parse_count_or_share, text)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("yes", True), ("On", True), ("1", True), ("no", False), ("FALSE", False), ("2", None)],
)
def test_switches(text: str, expected: bool | None) -> None:
    assert value_or_none(parse_switch, text) is expected


ALL, NONE = Rights(), Rights(False, False, False)
VALUES: list[tuple[str, Flag, str, Any]] = [
    # option, as given, place in the job, value there
    ("mode", "mirror", "rules.mode", Mode.MIRROR),
    ("mode", "mirror", "rules.delete", True),
    ("mode", "update", "rules.delete", False),
    ("delete", False, "rules.delete", False),
    ("delete", True, "rules.delete", True),
    ("on_conflict", "newer", "rules.policies", (Policy.NEWER,)),
    ("on_conflict", "newer,left", "rules.policies", (Policy.NEWER, Policy.LEFT)),
    ("on_conflict", "newer, keep-both", "rules.policies", (Policy.NEWER, Policy.KEEP_BOTH)),
    ("on_conflict", "keep_local", "rules.policies", (Policy.LEFT,)),
    ("on_conflict", "keep_server", "rules.policies", (Policy.RIGHT,)),
    ("on_conflict", "create_version", "rules.policies", (Policy.KEEP_BOTH,)),
    ("on_conflict", "last-write-wins", "rules.policies", (Policy.NEWER, Policy.RIGHT)),
    ("on_conflict", "merge,last-write-wins", "rules.policies", (
        Policy.MERGE, Policy.NEWER, Policy.RIGHT)),
    ("on_conflict", ["left", "*.md=merge,newer", "a=b/=right"], "rules.policies", (Policy.LEFT,)),
    ("on_conflict", ["left", "*.md=merge,newer", "a=b/=right"], "rules.path_policies", (
        PathPolicy("*.md", (Policy.MERGE, Policy.NEWER), "--on-conflict"),
        PathPolicy("a=b/", (Policy.RIGHT,), "--on-conflict"))),
    ("tie", "right", "rules.tie", Policy.RIGHT),
    ("window", "5m", "rules.window_ns", 300 * 10**9),
    ("keep_name", "right", "rules.keep_name", Side.RIGHT),
    ("delete_vs_edit", "keep", "rules.keep_deleted_edit", True),
    ("delete_vs_edit", "policy", "rules.keep_deleted_edit", False),
    ("rights_left", "edit", "rules.rights_left", Rights(False, True, False)),
    ("rights_left", "edit", "rules.rights_right", ALL),
    ("rights_right", "create,edit", "rules.rights_right", Rights(True, True, False)),
    ("rights_right", "all", "rules.rights_right", ALL),
    ("rights_right", "none", "rules.rights_right", NONE),
    ("unicode", "exact", "rules.pair_unicode", False),
    ("fix_case", True, "rules.fix_case", True),
    ("moves", False, "rules.detect_moves", False),
    ("meta", "mode,owner", "tracked", Tracked(False, True, True, False)),
    ("meta", "mode,owner", "rules.tracked", Tracked(False, True, True, False)),
    ("meta", "exec,xattr", "tracked", Tracked(True, False, False, True)),
    ("meta", "mtime", "tracked", Tracked(False, False, False, False)),
    ("meta", "mode,mtime", "tracked", Tracked(False, True, False, False)),
    ("meta", "none", "tracked", Tracked(False, False, False, False)),
    ("hash", "sha256", "hash_name", "sha256"),
    ("links", "skip", "links", "skip"),
    ("durability", "full", "durability", Durability.FULL),
    ("versions", False, "versions", False),
    ("paranoid", True, "paranoid", True),
    ("allow", ("root-changed",), "accept_new_root", True),
    ("allow", ("space", "went-back"), "accept_older", True),
    ("allow", ("space", "went-back"), "limits.check_space", False),
    ("allow", ("went-back",), "limits.allow_empty", False),
    ("allow", ("empty-side",), "limits.allow_empty", True),
    ("allow", "state-corrupt", "first_run", True),
    ("space_check", False, "limits.check_space", False),
    ("lock_wait", "1m", "lock_wait_s", 60.0),
    ("lock_wait", "500ms", "lock_wait_s", 0.5),
    ("bwlimit", "1M", "bwlimit", "1M"),
    ("bwlimit", "08:00,512k 23:00,off", "bwlimit", "08:00,512k 23:00,off"),
    ("versions_keep", "5", "retention", Retention(keep=5)),
    ("versions_max_age", "90d", "retention", Retention(max_age_ns=90 * 86_400 * 10**9)),
    ("versions_max_age", "9" * 20 + "w", "retention", Retention(max_age_ns=2**63 - 1)),
    ("versions_max_size", "2G", "retention", Retention(max_size_bytes=2 << 30)),
    ("keep_versions", "0", "retention", Retention(keep=0)),
    ("keep_versions", "36h", "retention", Retention(max_age_ns=36 * 3600 * 10**9)),
    ("max_delete", "20", "limits.max_delete_count", 20),
    ("max_delete", "0", "limits.max_delete_count", 0),
    ("max_delete", "20%", "limits.max_delete_share", 0.2),
    ("max_delete", "20%", "limits.max_delete_count", None),
    ("max_delete", "20%", "limits.max_delete_floor", 0),
    ("max_delete", "20%", "limits.origin", "--max-delete"),
    ("max_delete_size", "1G", "limits.max_delete_bytes", 1024**3),
    ("max_change", "30%", "limits.max_change_share", 0.3),
    ("max_change", "30%", "limits.origin", "--max-change"),
    ("max_change", "30%", "limits.max_delete_share", 0.25),
    ("allow_empty_side", True, "limits.allow_empty", True),
    ("require", [".here", "./a/b/"], "limits.require", (b".here", b"a/b")),
    ("select", ["2025", "docs/\udcff"], "filters.select", (b"2025", b"docs/\xff")),
    ("text_only", True, "filters.text_only", True),
    ("max_size", "10M", "filters.max_size_bytes", 10 * 1024**2),
    ("min_age", "2s", "filters.min_age_ns", 2 * 10**9),
    ("exclude", ["*.a", "!b", "#c"], "filters.rules", (
        FilterRule("*.a", False, "--exclude"),
        FilterRule("b", True, "--exclude"),
        FilterRule("#c", False, "--exclude"))),
    ("include", ["b"], "filters.rules", (FilterRule("b", True, "--include"),)),
    ("filter_from", ["f"], "filters.rules", (
        FilterRule("x", False, "f:2"), FilterRule("y", True, "f:3"))),
    ("hidden", False, "filters.rules", (FilterRule(".*", False, "preset hidden"),)),
    ("hidden", True, "filters.rules", ()),
    ("select", "a,b", "filters.select", (b"a,b",)),
    ("preset", "hidden", "filters.rules", (FilterRule(".*", False, "preset hidden"),)),
    ("filters", ["include=a=b", "exclude=c"], "filters.rules", (
        FilterRule("a=b", True, "--include"), FilterRule("c", False, "--exclude"))),
]  # fmt: skip


def read_file(name: str) -> bytes:
    if name != "f":
        raise FileNotFoundError(2, "No such file or directory")
    return b"# comment\nx\n!y\n"


def origins_of(flags: dict[str, Flag]) -> dict[str, Flag]:
    """The command line hands the three filter options over apart as well."""
    listed = flags.get("filters", ())
    assert not isinstance(listed, bool)
    for one in listed:
        name, _, value = one.partition("=")
        flags = {**flags, name: [value]}
    return flags


@pytest.mark.parametrize(("option", "value", "place", "expected"), VALUES)
def test_values(option: str, value: Flag, place: str, expected: Any) -> None:
    job = settle(origins_of({option: value}), {}, DEFAULTS, read_file)
    assert pick(job, place) == expected


WRONG: list[tuple[dict[str, Flag], dict[str, str], str]] = [
    # flags, environment, the sentence
    ({"mode": "miror"}, {}, ("`--mode miror`: `miror` is none of two-way, mirror, update;"
        " did you mean `mirror`?")),
    ({"mode": "zzz"}, {}, "`--mode zzz`: `zzz` is none of two-way, mirror, update"),
    ({}, {"RECONCILE_MODE": "Mirror"}, ("`RECONCILE_MODE=Mirror`: `Mirror` is none of"
        " two-way, mirror, update; did you mean `mirror`?")),
    ({"on_conflict": "newer,lft"}, {}, ("`--on-conflict newer,lft`: `lft` is none of report, newer,"
        " older, larger, smaller, left, right, keep-both, merge, keep_local, keep_server,"
        " create_version, last-write-wins; did you mean `left`?")),
    ({"on_conflict": ""}, {}, ("`--on-conflict `: `` is none of report, newer, older, larger,"
        " smaller, left, right, keep-both, merge, keep_local, keep_server, create_version,"
        " last-write-wins")),
    ({"on_conflict": ["=left"]}, {}, "`--on-conflict =left`: no pattern that could match anything"),
    ({"tie": "newer"}, {}, "`--tie newer`: `newer` is none of report, left, right"),
    ({"max_delete": "2x"}, {}, ("`--max-delete 2x`: neither a count like `20` nor a share"
        " like `20%`")),
    ({}, {"RECONCILE_MAX_DELETE": "-1"}, ("`RECONCILE_MAX_DELETE=-1`: neither a count like `20`"
        " nor a share like `20%`")),
    ({"max_change": "20"}, {}, "`--max-change 20`: no share like `20%`"),
    ({"versions_keep": "-1"}, {}, "`--versions-keep -1`: no whole number like `5`"),
    ({"keep_versions": "some"}, {}, ("`--keep-versions some`: neither a count like `5` nor a "
                                     "duration like `90d`")),
    ({"keep_versions": "1" * 10}, {}, ("`--keep-versions 1111111111`: neither a count like `5` "
                                       "nor a duration like `90d`")),
    ({"bwlimit": "fast"}, {}, ("`--bwlimit fast`: no limit like `1M` (bytes a second), `8Mbit`"
        " or `off`")),
    ({}, {"RECONCILE_BWLIMIT": "8:00,1M 25:00,off"}, (
        "`RECONCILE_BWLIMIT=8:00,1M 25:00,off`: there is no time `25:00`")),
    ({"max_size": "10Q"}, {}, "`--max-size 10Q`: no size like `500k`, `10M` or `1GiB`"),
    ({"window": "2"}, {}, "`--window 2`: no duration like `2s`, `5m`, `1h30m` or `90d`"),
    ({"rights_left": "edt"}, {}, ("`--rights-left edt`: `edt` is none of create, edit, delete, all,"
        " none; did you mean `edit`?")),
    ({"rights_left": "edit,all"}, {}, "`--rights-left edit,all`: `all` stands alone"),
    ({"meta": "ctime"}, {}, ("`--meta ctime`: `ctime` is none of exec, mode, owner, xattr, mtime,"
        " none; did you mean `mtime`?")),
    ({"meta": "none,mode"}, {}, "`--meta none,mode`: `none` stands alone"),
    ({"mode": "update", "delete": True}, {}, "`--delete`: mode `update` deletes nothing"),
    ({"require": ["/abs"]}, {}, "`--require /abs`: not relative to the root of the trees"),
    ({"require": ["a/../b"]}, {}, ("`--require a/../b`: path b'..' is refused:"
        " `.` and `..` are not names")),
    ({"select": ["./"]}, {}, "`--select ./`: the root itself"),
    ({"exclude": ["[a"]}, {}, "`--exclude [a`: no pattern that could match anything"),
    ({"exclude": [""]}, {}, "`--exclude `: no pattern that could match anything"),
    ({"include": ["/"]}, {}, "`--include /`: no pattern that could match anything"),
    ({"filter_from": ["g"]}, {}, "`--filter-from g`: cannot be read: No such file or directory"),
    ({"preset": "hiden"}, {}, ("`--preset hiden`: `hiden` is none of hidden, temp, text;"
        " did you mean `hidden`?")),
    ({}, {"RECONCILE_PARANOID": "maybe"}, "`RECONCILE_PARANOID=maybe`: neither `yes` nor `no`"),
    ({"mode": "x", "tie": "y"}, {}, ("`--mode x`: `x` is none of two-way, mirror, update;"
        " `--tie y`: `y` is none of report, left, right")),
]  # fmt: skip


@pytest.mark.parametrize(("flags", "env", "sentence"), WRONG)
def test_what_is_wrong_is_said_with_its_origin_and_all_at_once(
    flags: dict[str, Flag], env: dict[str, str], sentence: str
) -> None:
    with pytest.raises(UsageError) as caught:
        settle(flags, env, DEFAULTS, read_file)
    assert caught.value.message == sentence
    assert caught.value.exit_code is ExitCode.USAGE


ENV: list[tuple[dict[str, Flag], dict[str, str], str, Any, str, str]] = [
    # flags, environment, place, value there, option, its origin
    ({}, {}, "rules.mode", Mode.TWO_WAY, "mode", "default"),
    ({}, {"RECONCILE_MODE": ""}, "rules.mode", Mode.TWO_WAY, "mode", "default"),
    ({}, {"RECONCILE_MODE": "mirror"}, "rules.mode", Mode.MIRROR, "mode", "RECONCILE_MODE"),
    ({"mode": "update"}, {"RECONCILE_MODE": "mirror"}, "rules.mode", Mode.UPDATE, "mode", "--mode"),
    ({"mode": "update"}, {"RECONCILE_MODE": "bad"}, "rules.mode", Mode.UPDATE, "mode", "--mode"),
    ({}, {"RECONCILE_DELETE": "no"}, "rules.delete", False, "delete", "RECONCILE_DELETE"),
    ({"delete": False}, {"RECONCILE_DELETE": "yes"}, "rules.delete", False, "delete",
        "--no-delete"),
    ({}, {"RECONCILE_PARANOID": "1"}, "paranoid", True, "paranoid", "RECONCILE_PARANOID"),
    ({}, {"RECONCILE_MAX_DELETE": "9"}, "limits.origin", "RECONCILE_MAX_DELETE", "max_delete",
        "RECONCILE_MAX_DELETE"),
    ({"max_change": "1%"}, {"RECONCILE_MAX_DELETE": "9"}, "limits.origin",
        "RECONCILE_MAX_DELETE, --max-change", "max_change", "--max-change"),
    ({}, {}, "limits.origin", "default", "max_delete", "default"),
    ({}, {"RECONCILE_SELECT": "a, b/c,"}, "filters.select", (b"a", b"b/c"), "select",
        "RECONCILE_SELECT"),
    ({"select": ["a,b"]}, {}, "filters.select", (b"a,b",), "select", "--select"),
    ({"exclude": ["x"]}, {"RECONCILE_EXCLUDE": "y"}, "filters.rules",
        (FilterRule("x", False, "--exclude"),), "exclude", "--exclude"),
    ({"filters": ["include=i"], "include": ["i"]}, {"RECONCILE_EXCLUDE": "y"}, "filters.rules",
        (FilterRule("y", False, "RECONCILE_EXCLUDE"), FilterRule("i", True, "--include")),
        "exclude", "RECONCILE_EXCLUDE"),
    ({}, {"RECONCILE_ON_CONFLICT": "newer,left"}, "rules.policies", (Policy.NEWER, Policy.LEFT),
        "on_conflict", "RECONCILE_ON_CONFLICT"),
    ({}, {"RECONCILE_ON_CONFLICT": "*.md=newer,left"}, "rules.path_policies",
        (PathPolicy("*.md", (Policy.NEWER, Policy.LEFT), "RECONCILE_ON_CONFLICT"),),
        "on_conflict", "RECONCILE_ON_CONFLICT"),
]  # fmt: skip


@pytest.mark.parametrize(("flags", "env", "place", "expected", "option", "origin"), ENV)
def test_a_flag_goes_before_the_environment_and_that_before_the_default(
    flags: dict[str, Flag],
    env: dict[str, str],
    place: str,
    expected: Any,
    option: str,
    origin: str,
) -> None:
    job = settle(flags, env, DEFAULTS)
    assert pick(job, place) == expected
    assert dict(job.origins)[option] == origin


def test_nothing_given_leaves_the_defaults_as_they_are() -> None:
    kept = msgspec.structs.replace(
        DEFAULTS,
        name="n",
        rules=msgspec.structs.replace(DEFAULTS.rules, now_ns=7),
        versions=False,
    )
    job = settle({"json": True, "limit": "5"}, {"HOME": "/h"}, kept)
    assert msgspec.structs.replace(job, origins=()) == kept
    assert {origin for _, origin in job.origins} == {"default"}


def test_a_share_that_is_given_takes_the_place_of_a_count() -> None:
    counted = msgspec.structs.replace(DEFAULTS, limits=Limits(max_delete_count=5))
    assert settle({"max_delete": "20%"}, {}, counted).limits.max_delete_count is None
    assert settle({}, {}, counted).limits.max_delete_count == 5


def test_several_presets_stand_in_the_order_given() -> None:
    rules = settle({"preset": "temp,hidden"}, {}, DEFAULTS).filters.rules
    assert rules == preset_rules("temp") + preset_rules("hidden")


def test_filters_come_as_presets_files_excludes_includes() -> None:
    flags: dict[str, Flag] = {
        "include": ["i"],
        "exclude": ["e"],
        "filter_from": ["f"],
        "hidden": False,
    }
    rules = settle(flags, {}, DEFAULTS, read_file).filters.rules
    assert [rule.pattern for rule in rules] == [".*", "x", "y", "e", "i"]
