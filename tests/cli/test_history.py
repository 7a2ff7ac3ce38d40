"""`history` and `versions` as a user types them: text off a terminal, and JSON."""

import os
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconcile.cli.look import Look
from reconcile.cli.moment import moment_ns
from reconcile.cli.render_history import fitted, limits_text
from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.model.errors import UsageError
from reconcile.model.job import KEEP_ALL, Job, Retention
from tests.cli.test_schemas import Shell

DAY_NS = 86_400 * 10**9
NOW_NS = 1_795_269_900 * 10**9


@pytest.fixture
def shell(tmp_path: Path, environment: dict[str, str]) -> Shell:
    """Three runs: `a` made, changed, deleted; `notes/todo.txt` changed from the right."""
    found = Shell(tmp_path, environment)
    for side in ("left", "right"):
        (tmp_path / side).mkdir()
    (tmp_path / "left/notes").mkdir()
    (tmp_path / "left/a").write_text("one")
    (tmp_path / "left/notes/todo.txt").write_text("film")
    apply(found)
    (tmp_path / "left/a").write_text("three")
    apply(found)
    (tmp_path / "left/a").unlink()
    (tmp_path / "right/notes/todo.txt").write_text("domain")
    apply(found)
    return found


def apply(shell: Shell, left: str = "left", right: str = "right") -> None:
    """In this process: what is told of it is what is tried here."""
    where = shell.where
    job = Job(str(where / left), str(where / right), shell.environment["RECONCILE_STATE_DIR"])
    apply_job(job, silent, lambda planning: planning.plan)


def text(shell: Shell, *words: str, code: int = 0) -> str:
    found, out = shell.run(*words)
    assert found == code, out
    return out.decode()


def runs(shell: Shell, *words: str) -> list[str]:
    document = shell.document("history.json", "history", *words)
    return [run["run"] for run in document["runs"]]


def kept(shell: Shell, *words: str) -> list[tuple[str, int, str]]:
    document = shell.document("versions.json", "versions", "list", *words)
    return [
        (version["path"], version["number"], version["side"])
        for pair in document["pairs"]
        for version in pair["versions"]
    ]


def test_runs_are_listed_newest_first_and_lead_to_the_next_command(shell: Shell) -> None:
    newest, *_ = runs(shell)
    lines = text(shell, "history").splitlines()
    assert lines[0].split() == [
        "RUN",
        "TIME",
        "KIND",
        "RESULT",
        "LEFT",
        "RIGHT",
        "BASELINE",
        "TOOK",
    ]
    assert lines[1].startswith(newest)
    assert lines[1].split()[3:10] == ["sync", "done", "~1", "-1", "#2", "→", "#3"]
    assert lines[3].split()[3:9] == ["sync", "done", "-", "+3", "→", "#1"]
    assert lines[-1] == f"next:  reconcile history {newest}"
    assert text(shell, "log") == text(shell, "history")


def test_runs_are_narrowed_by_number_time_pair_and_outcome(shell: Shell) -> None:
    every = runs(shell)
    assert runs(shell, "-n", "1") == every[:1]
    assert runs(shell, "-n1", "left", "right") == every[:1]
    assert "2 earlier runs not shown: -n 3" in text(shell, "history", "-n", "1")
    assert runs(shell, "--since", "1h") == every
    assert runs(shell, "--since", "0") == []
    assert runs(shell, "--since", "2099-01-01") == []
    assert runs(shell, "--failed") == []
    assert text(shell, "history", "--failed") == "None of 3 runs is asked for.\n"
    (shell.where / "other").mkdir()
    assert runs(shell, "left", "other") == []
    shell.run("history", "--since", "yesterday")


def test_nothing_yet_says_how_to_begin(tmp_path: Path, environment: dict[str, str]) -> None:
    empty = Shell(tmp_path, environment)
    assert text(empty, "history").splitlines()[-1] == "next:  reconcile diff LEFT RIGHT"
    assert text(empty, "versions") == "No superseded content is kept.\n"
    assert "nothing is kept" in text(empty, "versions", "prune", "--keep", "1", "--yes")


def test_one_run_is_told_step_by_step(shell: Shell) -> None:
    newest = runs(shell)[0]
    lines = text(shell, "history", newest[:-1]).splitlines()
    assert lines[0] == f"Run {newest}: sync, done"
    assert any(line.split()[:4] == ["-", "at", "right", "a"] for line in lines)
    assert "Kept of it: 2 versions, 9 B" in lines
    assert lines[-1] == f"Undo this run: reconcile undo {newest}"
    assert text(shell, "history", "last").splitlines() == lines
    found = shell.document("run.json", "history", newest)
    assert [(s["step"]["action"], s["step"]["path"], s["status"]) for s in found["steps"]] == [
        ("update", "notes/todo.txt", "done"), ("delete", "a", "done"),
    ]  # fmt: skip
    assert {version["hash"][:3] for version in found["versions"]} == {"b3:"}


def test_what_a_run_left_undone_is_said_with_its_reason(shell: Shell) -> None:
    (shell.where / "left/a").write_text("mine")
    (shell.where / "right/a").write_text("theirs")
    (shell.where / "left/b").write_text("b")
    apply(shell)
    lines = text(shell, "history", runs(shell)[0]).splitlines()
    assert "left alone:" in lines
    [conflict] = [line for line in lines if line.lstrip().startswith("!")]
    assert " a " in conflict


def test_a_run_nobody_knows_is_not_found(shell: Shell) -> None:
    assert shell.run("history", "r-none")[0] == 12


def test_what_was_replaced_and_is_not_kept_is_not_promised_back(shell: Shell) -> None:
    (shell.where / "left/b").write_text("b")
    (shell.where / "right/notes/todo.txt").write_text("other")
    shell.run("apply", "left", "right", "--yes", "--no-versions")
    newest = runs(shell)[0]
    last = text(shell, "history", "last").splitlines()[-1]
    assert last.endswith(f"not kept. Undo the rest: reconcile undo {newest} --skip-changed")
    assert shell.run("undo", newest, "--skip-changed", "--yes")[0] == 0
    assert not (shell.where / "right/b").exists()


@pytest.mark.parametrize("words", [("--", "a"), ("--path", "a"), ("--", "./a")])
def test_one_path_is_told_across_runs_with_what_is_kept(
    shell: Shell, words: tuple[str, ...]
) -> None:
    lines = text(shell, "history", *words).splitlines()
    assert [line.split("  ")[0].split()[0] for line in lines[1:4]] == [
        datetime.now(UTC).strftime("%Y-%m-%d")
    ] * 3
    assert "deleted" in lines[1]
    assert "5 B → -" in lines[1]
    assert lines[1].endswith("v3")
    assert "3 B → 5 B" in lines[2]
    assert lines[2].endswith("v1")
    assert "created" in lines[3]
    assert lines[-1] == "next:  reconcile restore a --at v3"
    found = shell.document("path-history.json", "history", "--path", "a")
    assert [event["kept"] and event["kept"]["number"] for event in found["events"]] == [3, 1, None]
    assert [version["number"] for version in found["versions"]] == [3, 1]


def test_a_path_may_be_asked_of_one_pair(shell: Shell) -> None:
    (shell.where / "other").mkdir()
    assert "deleted" in text(shell, "history", "left", "right", "--", "a")
    assert "Nothing is known of a" in text(shell, "history", "left", "other", "--", "a")


def test_a_directory_is_told_by_what_is_below_it(shell: Shell) -> None:
    (shell.where / "left/deep/er").mkdir(parents=True)
    (shell.where / "left/deep/er/f").write_text("x")
    apply(shell)
    lines = text(shell, "history", "--", ".").splitlines()
    assert lines[0].split()[-1] == "PATH"
    assert any(line.endswith("deep/er/f") for line in lines)


def test_a_path_without_its_mark_is_told_how_to_write_it(shell: Shell) -> None:
    code, out = shell.run("history", "notes/todo.txt", "--json")
    assert code == 64
    assert b"of a path: reconcile history -- notes/todo.txt" in out
    assert shell.run("history", "--", "/etc/passwd")[0] == 64
    assert shell.run("history", "--", "../a")[0] == 64


def test_an_undone_run_and_its_undo_name_each_other(shell: Shell) -> None:
    newest = runs(shell)[0]
    assert shell.run("undo", newest, "--yes")[0] == 0
    undo = runs(shell)[0]
    assert f"undo of {newest}" in text(shell, "history", undo)
    lines = text(shell, "history", newest).splitlines()
    assert f"  undone by {undo}" in lines
    assert "done, undone" in lines[0]
    assert not lines[-1].startswith("Undo")


def test_a_report_of_a_run_is_written_and_only_of_one(shell: Shell) -> None:
    newest = runs(shell)[0]
    text(shell, "history", newest, "--report", "run.csv")
    head, *rows = (shell.where / "run.csv").read_text().splitlines()
    assert head.startswith('"plan","run","action","direction","path"')
    assert len(rows) == 2
    assert all(newest in row for row in rows)
    assert text(shell, "history", newest, "--format", "csv").splitlines() == [head, *rows]
    assert shell.run("history", "--report", "all.csv")[0] == 64
    assert shell.run("history", "--format", "csv", "--", "a")[0] == 64


def test_kept_versions_are_listed_and_narrowed(shell: Shell) -> None:
    assert kept(shell) == [("a", 3, "right"), ("notes/todo.txt", 2, "left"), ("a", 1, "right")]
    assert kept(shell, "--only", "notes/**") == [("notes/todo.txt", 2, "left")]
    assert kept(shell, "--side", "right") == [("a", 3, "right"), ("a", 1, "right")]
    lines = text(shell, "versions", "list", "left", "right", "--limit", "1").splitlines()
    assert lines[2] == "2 more lines: --limit 3"
    assert lines[3] == "3 versions, 12 B, kept until pruned"


def test_pruning_is_shown_then_asked_for_then_done(shell: Shell) -> None:
    shown = text(shell, "versions", "prune", "--keep", "1", "--dry-run").splitlines()
    assert "more than enough of its path" in shown[1]
    assert shown[2].startswith("to be removed for good: 1 version, 3 B, of 3 kept, 12 B")
    assert len(kept(shell)) == 3
    assert shell.run("versions", "prune", "--keep", "1")[0] == 64
    assert len(kept(shell)) == 3
    done = text(shell, "versions", "prune", "--keep", "1", "--yes").splitlines()
    assert done[-1] == "Removed 1 version, 3 B"
    assert kept(shell) == [("a", 3, "right"), ("notes/todo.txt", 2, "left")]
    again = text(shell, "versions", "prune", "--keep", "1", "--yes")
    assert again.startswith("Nothing goes: 2 versions")


def test_pruning_says_what_stays_for_an_undo_and_lets_it_go_when_told(shell: Shell) -> None:
    told = " ".join(text(shell, "versions", "prune", "--keep", "0", "--yes").split())
    assert "stay: the last run superseded that, and is undone with it" in told
    assert "add --even-last" in told
    [stays] = [each["spared"] for each in pruned(shell) if each["spared"]]
    assert {each["needed"] for each in stays} == {"last"}
    assert len(stays) == len(kept(shell)) > 0
    text(shell, "versions", "prune", "--keep", "0", "--even-last", "--yes")
    assert kept(shell) == []


def pruned(shell: Shell) -> list[dict[str, Any]]:  # Any: of a document
    document = shell.document("prune.json", "versions", "prune", "--keep", "0", "--dry-run")
    pairs: list[dict[str, Any]] = document["pairs"]
    return pairs


def test_pruning_asks_how_much_is_to_be_kept(shell: Shell) -> None:
    assert shell.run("versions", "prune", "--yes")[0] == 64
    assert shell.run("versions", "prune", "--keep", "all", "--yes")[0] == 64
    assert len(kept(shell)) == 3


def test_pruning_one_pair_leaves_the_others(shell: Shell) -> None:
    for name in ("left2", "right2"):
        (shell.where / name).mkdir()
    for content in ("1", "2", "3"):
        (shell.where / "left2/z").write_text(content)
        apply(shell, "left2", "right2")
    found = shell.document(
        "prune.json", "versions", "prune", "left2", "right2", "--keep", "0", "--yes"
    )
    [pair] = found["pairs"]
    assert (pair["count"], pair["removed"], found["dry_run"]) == (2, 1, False)
    assert len(kept(shell, "left", "right")) == 3
    every = shell.document("prune.json", "versions", "prune", "--keep", "1", "--yes")
    assert sorted(pair["removed"] for pair in every["pairs"]) == [0, 1]


def test_a_pair_that_cannot_be_pruned_does_not_keep_the_others(shell: Shell) -> None:
    for name in ("left2", "right2"):
        (shell.where / name).mkdir()
    for content in ("1", "2", "3"):
        (shell.where / "left2/z").write_text(content)
        apply(shell, "left2", "right2")
    os.rename(shell.where / "right", shell.where / "gone")
    code, out = shell.run("versions", "prune", "--keep", "0", "--yes", "--json")
    assert code == 12
    assert b'"error":{' in out
    assert b'"removed":1' in out


def test_a_run_prunes_when_it_is_told_to(shell: Shell) -> None:
    (shell.where / "left/a").write_text("again")
    apply(shell)
    assert len(kept(shell)) == 3
    (shell.where / "left/a").write_text("once more")
    code, out = shell.run("apply", "left", "right", "--yes", "--keep-versions", "1")
    assert code == 0
    assert b"removed 2 versions, 8 B" in out
    assert kept(shell) == [("a", 4, "right"), ("notes/todo.txt", 2, "left")]


def test_how_much_a_run_was_told_to_keep_is_not_told_to_a_later_restore(shell: Shell) -> None:
    for content in ("again", "once more"):
        (shell.where / "left/a").write_text(content)
        shell.run("apply", "left", "right", "--yes", "--keep-versions", "2")
    before = [each for each in kept(shell) if each[0] == "a"]
    assert len(before) == 2
    oldest = before[-1][1]
    assert shell.run("restore", "a", "--at", f"v{oldest}", "--yes")[0] == 0
    assert len([each for each in kept(shell) if each[0] == "a"]) == 3


MOMENTS = [
    ("2h", NOW_NS - 7_200 * 10**9),
    ("7d", NOW_NS - 7 * DAY_NS),
    ("0", NOW_NS),
    ("2026-11-20", 1_795_132_800 * 10**9),
    ("2026-11-20 14:02", 1_795_183_320 * 10**9),
    ("2026-11-20T14:02:30Z", 1_795_183_350 * 10**9),
    ("2026-11-20T14:02:30+02:00", 1_795_176_150 * 10**9),
]


@pytest.mark.parametrize(("said", "moment"), MOMENTS)
def test_a_moment_is_a_time_or_how_long_ago(utc: None, said: str, moment: int) -> None:
    assert moment_ns("since", said, NOW_NS) == moment


@pytest.mark.parametrize(
    "said", ["yesterday", "", "2026-13-01", "-2h", "9999999999999999999-01-01"]
)
def test_what_is_no_moment_is_refused(said: str) -> None:
    with pytest.raises(UsageError, match="neither a time nor a duration"):
        moment_ns("since", said, time.time_ns())


def test_a_limit_is_said_in_words() -> None:
    assert limits_text(KEEP_ALL) == "no limit"
    asked = Retention(5, 90 * DAY_NS, 2 << 30)
    assert limits_text(asked) == "at most 5 of each path, 90 days, 2.0 GiB in all"
    assert limits_text(Retention(max_age_ns=5_400 * 10**9)) == "at most 1 h 30 min"


def test_a_table_that_does_not_fit_becomes_blocks() -> None:
    rows = [["r-1", "a long cell", "", "another"], ["r-2", "x", "y", "z"]]
    narrow = Look(columns=20, is_terminal=True)
    assert fitted("ABCD", rows, narrow) == ["r-1  a long cell", "    another", "r-2  x  y  z"]
    assert fitted("ABCD", rows, Look(columns=20))[0].split() == ["A", "B", "C", "D"]
    assert fitted("ABCD", rows, narrow, [["1"], ["2"]]) == ["1", "2"]


@pytest.mark.parametrize("name", [b"-rf", b"new\nline", b"bad\xff", b"it's", b" ", b"$'x'", b"~"])
def test_the_next_command_of_any_name_can_be_typed(shell: Shell, name: bytes) -> None:
    file = Path(os.fsdecode(os.fsencode(shell.where / "left") + b"/" + name))
    for content in ("one", "another"):
        file.write_text(content)
        apply(shell)
    asked = text(shell, "versions").splitlines()[-1].removeprefix("next:  reconcile ")
    told = text(shell, *typed(asked)).splitlines()[-1].removeprefix("next:  reconcile ")
    text(shell, *typed(told), "--yes")
    right = Path(os.fsdecode(os.fsencode(shell.where / "right") + b"/" + name))
    assert right.read_text() == "one"


def typed(words: str) -> list[str]:
    """The words that a shell makes of them."""
    told = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {words}"], capture_output=True, check=True
    )
    return [os.fsdecode(word) for word in told.stdout.split(b"\0")[:-1]]
