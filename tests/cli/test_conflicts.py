"""`conflicts list|show|resolve` as a user types them, off a terminal and as JSON."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_schemas import Shell

NAMES = ("one.txt", "notes/two.txt", "notes/three.txt")
BASE = "one\n\n\n\n\ntwo\n"
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="`git merge-file` merges")


@pytest.fixture
def shell(tmp_path: Path, environment: dict[str, str]) -> Shell:
    """Three conflicts: texts that merge."""
    found = Shell(tmp_path, environment)
    for side in ("left", "right"):
        (tmp_path / side / "notes").mkdir(parents=True)
        for name in NAMES:
            (tmp_path / side / name).write_text(BASE)
    assert found.run("apply", "left", "right", "--yes")[0] == 0
    for side, old, new in (("left", "one", "1"), ("right", "two", "2")):
        for name in NAMES:
            (tmp_path / side / name).write_text(BASE.replace(old, new))
    assert found.run("diff", "left", "right")[0] == 0
    return found


def ids(shell: Shell, *words: str) -> dict[str, str]:
    """Path -> id."""
    document = shell.document("conflicts.json", "conflicts", *words)
    return {c["conflict"]["path"]: c["conflict"]["id"] for c in document["conflicts"]}


def held(shell: Shell, side: str, name: str = "one.txt") -> str:
    return (shell.where / side / name).read_text()


def test_what_diff_saw_is_listed_and_can_be_narrowed(shell: Shell) -> None:
    assert set(ids(shell)) == set(NAMES)
    assert set(ids(shell, "list", "left", "right", "--only", "notes/*")) == set(NAMES[1:])
    code, out = shell.run("conflicts")
    assert code == 0
    assert out.decode().splitlines()[-1].startswith("3 conflicts.  Resolve:")


@needs_git
def test_one_is_shown_line_by_line(shell: Shell) -> None:
    wanted = ids(shell)["one.txt"]
    found = shell.document("conflict.json", "conflicts", "show", wanted[:-1])
    assert found["standing"]["conflict"]["id"] == wanted
    changed = [(line["by"], line["sign"], line["text"]) for line in found["diff"] if line["by"]]
    assert changed == [
        ("left", "-", "one"),
        ("left", "+", "1"),
        ("right", "-", "two"),
        ("right", "+", "2"),
    ]
    assert (found["merges"], found["base_text"]["lines"]) == (True, 6)
    text = shell.run("conflicts", "show", wanted)[1].decode()
    assert "L-one" in text
    assert text.splitlines()[-1] == f"Resolve:  reconcile conflicts resolve {wanted}"


@needs_git
def test_a_side_that_moved_on_is_told_so(shell: Shell) -> None:
    (shell.where / "left/one.txt").write_text("moved on\n")
    found = shell.document("conflict.json", "conflicts", "show", ids(shell)["one.txt"])
    assert found["left_text"]["missing"] == "changed since, or it cannot be read"
    assert (found["merges"], found["diff"]) == (None, [])


@needs_git
def test_some_are_merged_by_a_pattern_and_the_rest_waits(shell: Shell) -> None:
    events = shell.events("conflicts", "resolve", "--keep", "merge", "--only", "notes/**", "--yes")
    resolved = [event for event in events if event["type"] == "conflict_resolved"]
    assert {(e["path"], e["choice"], e["outcome"]) for e in resolved} == {
        (name, "merge", "done") for name in NAMES[1:]
    }
    assert events[-1]["code"] == 0
    assert not [event for event in events if event["type"] == "conflict"], "others are not its own"
    merged = BASE.replace("one", "1").replace("two", "2")
    assert held(shell, "left", NAMES[1]) == held(shell, "right", NAMES[1]) == merged
    assert set(ids(shell)) == {"one.txt"}


def test_a_file_answers_one_conflict(shell: Shell) -> None:
    (shell.where / "mine.txt").write_text("mine\n")
    words = ("conflicts", "resolve", "--keep", "mine.txt", "--yes")
    assert shell.run(*words, "--all")[0] == 64
    assert shell.run(*words, ids(shell)["one.txt"])[0] == 0
    assert held(shell, "left") == held(shell, "right") == "mine\n"


def test_what_stays_says_why_and_is_code_3(shell: Shell) -> None:
    events = shell.events("conflicts", "resolve", "--all", "--keep", "older", "--yes")
    notes = {event["note"] for event in events if event["type"] == "conflict_resolved"}
    assert (notes, events[-1]["code"]) == ({"the times are too close"}, 3)
    code, out = shell.run("conflicts", "resolve", "--all", "--keep", "older", "--yes")
    assert (code, out.decode().splitlines()[0]) == (3, "Resolved 0 of 3.")
    assert "stays: the times are too close" in out.decode()


def test_a_resolution_is_shown_or_saved_and_nothing_changes_before_it_is_applied(
    shell: Shell,
) -> None:
    words = ("conflicts", "resolve", "--all", "--keep", "right")
    events = shell.events(*words, "-n")
    assert {e["outcome"] for e in events if e["type"] == "conflict_resolved"} == {"planned"}
    assert shell.run(*words, "-o", "r.rplan")[0] == 0
    assert held(shell, "left") != held(shell, "right")
    assert len(ids(shell)) == 3
    assert shell.run("apply", "r.rplan")[0] == 0
    assert held(shell, "left") == held(shell, "right")
    assert ids(shell) == {}


def test_given_content_waits_in_the_state_until_the_saved_plan_is_applied(shell: Shell) -> None:
    (shell.where / "mine.txt").write_text("mine\n")
    wanted = ids(shell)["one.txt"]
    words = ("conflicts", "resolve", wanted, "--keep", "mine.txt", "-o", "r.rplan")
    assert shell.run(*words)[0] == 0
    (shell.where / "mine.txt").unlink()
    shell.run("apply", "r.rplan")
    assert held(shell, "left") == held(shell, "right") == "mine\n"


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        ("resolve", 64, "E_NEEDS_APPROVAL"),
        ("resolve --all --keep left", 64, "E_NEEDS_APPROVAL"),
        ("resolve --keep left --yes", 64, "E_USAGE"),
        ("resolve --all --keep lft --yes", 64, "E_USAGE"),
        ("resolve c-zzzzz --keep left --yes", 12, "E_NOT_FOUND"),
        ("resolve c- --keep left --yes", 64, "E_USAGE"),
        ("show c-zzzzz", 12, "E_NOT_FOUND"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_before_anything_happens(
    words: str, code: int, error: str, shell: Shell
) -> None:
    before = held(shell, "left")
    found = shell.run("conflicts", *words.split(), "--json")
    last = [json.loads(line) for line in found[1].splitlines()]
    assert found[0] == code
    assert any(error == event.get("code") for event in last)
    assert held(shell, "left") == before


@pytest.mark.parametrize(
    ("words", "which"),
    [
        ("", "--all"),
        ("left right", "left right"),
        ("--only notes/*", "--only 'notes/*'"),
        ("left right -c a&b.toml", "left right -c 'a&b.toml'"),
    ],
)
def test_what_to_type_instead_answers_no_more_than_was_asked(
    words: str, which: str, shell: Shell
) -> None:
    (shell.where / "a&b.toml").write_text("version = 1\n")
    answer = shell.run("conflicts", "resolve", *words.split(), "--json")[1]
    refused = json.loads(answer.splitlines()[-2])
    assert refused["hint"].startswith(f"reconcile conflicts resolve {which} --keep newer")


def test_an_empty_pattern_matches_none(shell: Shell) -> None:
    assert ids(shell, "list", "--only", "") == {}
    line = ("conflicts", "resolve", "--all", "--keep", "left", "--only", "", "--yes")
    assert shell.run(*line)[0] == 0
    assert set(ids(shell)) == set(NAMES)


def test_without_any_conflict_there_is_nothing_to_do(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    shell = Shell(tmp_path, environment)
    assert ids(shell) == {}
    assert shell.run("conflicts")[1].startswith(b"No conflict stands")
    assert shell.events("conflicts", "resolve", "--all", "--keep", "left", "--yes")[-1]["code"] == 0


def test_a_thousand_are_resolved_by_one_command(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    shell = Shell(tmp_path, environment)
    names = [f"d{n % 10}/{n}" for n in range(1_000)]
    for side in ("left", "right"):
        for name in names:
            (tmp_path / side / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / side / name).write_text(side)
    shell.run("diff", "left", "right")
    code, out = shell.run("conflicts", "resolve", "--keep", "left", "--only", "d[0-8]/*", "--yes")
    assert code == 0
    assert b"Resolved 900 of 900." in out
    assert {(tmp_path / "right" / name).read_text() for name in names[:9]} == {"left"}
    assert len(ids(shell)) == 100


def test_a_state_that_cannot_be_read_is_no_state_without_conflicts(shell: Shell) -> None:
    (database,) = (shell.where / "state").glob("pairs/*/state.db")
    database.write_bytes(b"no database")
    code, out = shell.run("conflicts", "list", "left", "right", "--json")
    assert (code, json.loads(out)["code"]) == (10, "E_STATE_CORRUPT")
    told = subprocess.run(
        ["reconcile", "conflicts"],
        cwd=shell.where,
        env=shell.environment,
        capture_output=True,
        check=True,
    )
    assert f"the state of pair {database.parent.name} cannot be read" in told.stderr.decode()


def test_a_pair_that_fails_does_not_deny_what_was_resolved_before_it(shell: Shell) -> None:
    for side in ("left2", "right2"):
        (shell.where / side).mkdir()
        (shell.where / side / "x").write_text(side)
    assert shell.run("diff", "left2", "right2")[0] == 0
    (shell.where / "right2").rename(shell.where / "away")
    events = shell.events("conflicts", "resolve", "--all", "--keep", "left", "--yes")
    assert [event["type"] for event in events].count("conflict_resolved") == 3
    (error,) = (event for event in events if event["type"] == "error")
    assert error["changed"].startswith("nothing in this pair")
    assert error["changed"].endswith("; what was resolved before it stands")


def test_the_same_path_in_two_pairs_is_told_apart_by_naming_the_pair(shell: Shell) -> None:
    for side in ("other", "third"):
        (shell.where / side).mkdir()
        (shell.where / side / "one.txt").write_text(side)
    shell.run("diff", "other", "third")
    wanted = ids(shell, "list", "left", "right")["one.txt"]
    assert len(shell.document("conflicts.json", "conflicts")["conflicts"]) == 4
    words = ("conflicts", "resolve", wanted, "--keep", "right", "--yes")
    assert shell.run(*words)[0] == 64
    assert shell.run(*words, "other", "third")[0] == 0
    assert held(shell, "other") == held(shell, "third") == "third"
    assert held(shell, "left") != held(shell, "right")
    assert shell.run("conflicts", "resolve", wanted, "--keep", "right", "--yes")[0] == 0


def test_conflicts_of_several_pairs_are_resolved_one_pair_after_the_other(shell: Shell) -> None:
    for side in ("other", "third"):
        (shell.where / side).mkdir()
        (shell.where / side / "x").write_text(side)
    shell.run("diff", "other", "third")
    words = ("conflicts", "resolve", "--all", "--keep", "left", "--yes")
    assert shell.run(*words, "-o", "p.rplan")[0] == 64
    events = shell.events(*words)
    first, second = (place for place, event in enumerate(events) if event["type"] == "summary")
    of_second = {event.get("run") for event in events[first + 1 : second + 1]}
    assert events[first]["run"] not in of_second
    assert ids(shell) == {}
    assert held(shell, "third", "x") == "other"
    assert held(shell, "right") == held(shell, "left")


def test_what_is_excluded_from_the_pair_stays_excluded(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    shell = Shell(tmp_path, environment)
    for side in ("left", "right"):
        (tmp_path / side).mkdir()
        for name in ("a", "a.tmp"):
            (tmp_path / side / name).write_text(side)
    shell.run("diff", "left", "right", "--exclude", "*.tmp")
    assert set(ids(shell)) == {"a"}
    assert shell.run("conflicts", "resolve", "--all", "--keep", "left", "--yes")[0] == 0
    assert ids(shell) == {}
    assert held(shell, "right", "a.tmp") == "right"
    assert shell.run("status", "--json")[1].count(b'"in sync"') == 1


def test_a_guard_stops_a_resolution_too(tmp_path: Path, environment: dict[str, str]) -> None:
    shell = Shell(tmp_path, environment)
    for side in ("left", "right"):
        (tmp_path / side / "d").mkdir(parents=True)
        (tmp_path / side / "keep").write_text("k")
        for number in range(20):
            (tmp_path / side / f"d/{number}").write_text("x")
    shell.run("apply", "left", "right", "--yes")
    shutil.rmtree(tmp_path / "left/d")
    (tmp_path / "right/d/0").write_text("edited")
    shell.run("diff", "left", "right")
    words = ("conflicts", "resolve", "--all", "--keep", "left", "--yes")
    assert shell.run(*words)[0] == 5
    assert len(list((tmp_path / "right/d").iterdir())) == 20
    assert ids(shell) != {}
    assert shell.run(*words, "--max-delete", "20")[0] == 0
    assert not (tmp_path / "right/d").exists()
