"""Start-up is a requirement: what is imported is counted, because times are noise."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"typer", "rich", "msgspec", "dataclasses", "argparse", "click", "inspect", "pydantic"}
PROBE = """
import sys
from reconcile.cli.main import main
code = main(sys.argv[1:])
print(" ".join(sys.modules), file=sys.stderr)
sys.exit(code)
"""


def imported(words: list[str], environment: dict[str, str], where: Path) -> set[str]:
    """Modules in memory when the command ends."""
    answer = subprocess.run(
        [sys.executable, "-c", PROBE, *words],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=where,
    )
    return set(answer.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "words", [["--version"], ["version"], ["version", "--json"], ["--json", "version", "-v"]]
)
def test_the_version_imports_nothing_heavy(
    words: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    found = imported(words, environment, tmp_path)
    assert not found & HEAVY
    ours = {name for name in found if name.startswith("reconcile")}
    assert len(ours) <= 19, sorted(ours)
    assert len(found) <= 110, len(found)


def test_the_shortest_question_imports_almost_nothing_of_ours(
    environment: dict[str, str], tmp_path: Path
) -> None:
    found = imported(["--version"], environment, tmp_path)
    ours = {name for name in found if name.startswith("reconcile")}
    front = {f"reconcile.cli.{name}" for name in ("main", "streams", "table")}
    assert ours == {"reconcile", "reconcile.cli"} | front


def test_a_later_diff_of_two_empty_trees_imports_no_library_that_it_does_not_use(
    environment: dict[str, str], tmp_path: Path
) -> None:
    for side in ("left", "right"):
        (tmp_path / side).mkdir()
    imported(["diff", "left", "right"], environment, tmp_path)
    found = imported(["diff", "left", "right"], environment, tmp_path)
    unwanted = {"typer", "rich", "click", "pydantic", "argparse", "sqlite_utils", "asyncio"}
    assert not found & unwanted


@pytest.mark.parametrize("command", ["diff", "explain a", "verify"])
def test_two_local_sides_load_no_network_code(
    environment: dict[str, str], tmp_path: Path, command: str
) -> None:
    for side in ("left", "right"):
        (tmp_path / side).mkdir()
    found = imported([*command.split(), "left", "right"], environment, tmp_path)
    trees = ("agent_tree", "session", "ssh", "sftp", "carry")
    network = ("paramiko", "reconcile.agent", *(f"reconcile.trees.{name}" for name in trees))
    assert {name for name in found if name.startswith(network)} == set()


JOB_FILES = {"tomllib", "reconcile.engine.job_files", "reconcile.decide.job_file"}


def test_two_sides_without_a_job_file_load_nothing_of_job_files(
    environment: dict[str, str], tmp_path: Path
) -> None:
    for side in ("left", "right"):
        (tmp_path / side).mkdir()
    assert not imported(["diff", "left", "right"], environment, tmp_path) & JOB_FILES
    assert not imported(["version", "--json"], environment, tmp_path) & JOB_FILES
    assert not imported(["status"], environment, tmp_path) & JOB_FILES


def test_a_job_loads_no_library_that_it_does_not_use(
    environment: dict[str, str], tmp_path: Path
) -> None:
    for side in ("left", "right"):
        (tmp_path / side).mkdir()
    job = "version = 1\n[job.a]\nleft = 'left'\nright = 'right'\n"
    (tmp_path / "reconcile.toml").write_text(job, encoding="utf-8")
    (tmp_path / "reconcile.toml").chmod(0o644)
    imported(["diff"], environment, tmp_path)
    found = imported(["diff"], environment, tmp_path)
    assert found >= JOB_FILES
    assert not found & {"typer", "rich", "pydantic", "paramiko", "jsonschema", "sqlite_utils"}
