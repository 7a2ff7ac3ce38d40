"""A pair called otherwise than it was last run is told so, and advice means what it says."""

import subprocess
from pathlib import Path

import pytest

from reconcile.model.errors import ExitCode
from tests.cli.test_schemas import Shell


@pytest.fixture
def shell(tmp_path: Path, environment: dict[str, str]) -> Shell:
    """`a b`, run once as a mirror without `*.tmp`."""
    found = Shell(tmp_path, environment)
    for side in "ab":
        (tmp_path / side).mkdir()
    (tmp_path / "a/x").write_text("x")
    assert found.run("apply", "a", "b", *ASKED, "--yes")[0] == 0
    return found


ASKED = ("--mode", "mirror", "--exclude", "*.tmp")


def codes(shell: Shell, *words: str) -> list[str]:
    return [e["code"] for e in shell.events(*words) if e["type"] in ("warning", "error")]


def test_what_status_advises_means_what_was_run(shell: Shell) -> None:
    """It advised a plan into the source of a mirror."""
    (shell.where / "b/only-there").write_text("would travel into the source")
    out = shell.run("status")[1].decode()
    [line] = [line for line in out.splitlines() if line.startswith("next:")]
    assert line.endswith("--mode mirror --exclude '*.tmp'")
    words = line.removeprefix("next:  reconcile ").replace("'", "").split()
    steps = [e for e in shell.events(*words) if e["type"] == "step"]
    assert [(step["action"], step["to"]) for step in steps] == [("delete", "right")]


def test_a_pair_called_otherwise_is_told(shell: Shell) -> None:
    assert codes(shell, "diff", "a", "b", *ASKED) == []
    assert codes(shell, "diff", "a", "b") == ["E_ASKED_OTHERWISE"]
    said = shell.run("diff", "a", "b", "--mode", "update", "--exclude", "*.tmp")[1].decode()
    assert "asked with `--mode mirror`; now it is asked with `--mode update`" in said
    assert "In sync" in said


@pytest.mark.parametrize(
    ("mode", "said"),
    [("two-way", "now carry it over:  reconcile apply a b"), ("mirror", "changed back by the")],
)
def test_after_a_restore_it_is_said_what_the_next_run_does(
    tmp_path: Path, environment: dict[str, str], mode: str, said: str
) -> None:
    """One side had the old content, and nothing said what comes of it."""
    shell = Shell(tmp_path, environment)
    for side in "ab":
        (tmp_path / side).mkdir()
    for text in ("one", "two"):
        (tmp_path / "a/x").write_text(text)
        assert shell.run("apply", "a", "b", "--mode", mode, "--yes")[0] == 0
    done = subprocess.run(
        ["reconcile", "restore", "x", "--yes"], cwd=tmp_path, env=environment,
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert said.replace("a b", f"{tmp_path}/a {tmp_path}/b") in done.stderr


def test_swapped_sides_are_no_silent_first_run(shell: Shell) -> None:
    assert codes(shell, "diff", "b", "a") == ["E_SWAPPED"]


def test_a_job_with_another_root_is_told_and_how_to_go_on(shell: Shell) -> None:
    book = "version = 1\n[job.mine]\nleft = 'a'\nright = '{}'\n"
    (shell.where / "reconcile.toml").write_text(book.format("c"))
    (shell.where / "c").mkdir()
    assert shell.run("apply", "mine", "--yes")[0] == 0
    (shell.where / "c").rename(shell.where / "d")
    (shell.where / "reconcile.toml").write_text(book.format("d"))
    [told] = [e for e in shell.events("diff", "mine") if e.get("code") == "E_JOB_MOVED"]
    assert f"reconcile pair move {shell.where}/c {shell.where}/d" in told["message"]


def test_status_knows_what_a_diff_has_just_shown(shell: Shell) -> None:
    assert shell.run("status", "--exit-code")[0] == 0
    (shell.where / "a/y").write_text("y")
    shell.run("diff", "a", "b", *ASKED)
    assert shell.run("status", "--exit-code")[0] == ExitCode.CHANGES
    [pair] = shell.document("status.json", "status")["pairs"]
    assert (pair["state"], pair["pending"]) == ("differs", 1)
    assert shell.run("apply", "a", "b", *ASKED, "--yes")[0] == 0
    assert shell.run("status", "--exit-code")[0] == 0


def test_an_audit_leaves_no_word_in_the_state(shell: Shell) -> None:
    (shell.where / "a/y").write_text("y")
    shell.run("diff", "a", "b", *ASKED, "--audit")
    assert shell.run("status", "--exit-code")[0] == 0


def test_a_root_that_is_gone_is_no_pair_in_sync(shell: Shell) -> None:
    (shell.where / "b").rename(shell.where / "away")
    assert shell.run("status", "--exit-code")[0] == ExitCode.NOT_FOUND
    [pair] = shell.document("status.json", "status")["pairs"]
    assert (pair["state"], pair["gone"]) == ("no root", str(shell.where / "b"))


def test_a_job_file_that_cannot_be_read_is_no_success(shell: Shell) -> None:
    (shell.where / "reconcile.toml").write_text("job = [")
    assert shell.run("status", "--exit-code")[0] == ExitCode.CONFIG
    assert shell.run("status")[0] == 0
    failed = [e["topic"] for e in shell.events("doctor") if e.get("level") == "fail"]
    assert failed == ["jobs"]


def test_a_doctor_finds_what_jobs_name_and_is_not_there(shell: Shell) -> None:
    """All was well with a root that is gone and a host whose key nobody had pinned."""
    (shell.where / "reconcile.toml").write_text(
        "version = 1\n[job.a]\nleft = 'a'\nright = 'gone'\n"
        "[job.b]\nleft = 'a'\nright = 'ssh://nobody.invalid:1/x'\n"
    )
    failed = {e["topic"]: e for e in shell.events("doctor") if e.get("level") == "fail"}
    assert sorted(failed) == ["host-key", "root"]
    assert "reconcile endpoint trust" in failed["host-key"]["fix"]
