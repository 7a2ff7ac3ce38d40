"""Jobs from Python: the pairs of a job file, as the command line has them."""

from pathlib import Path
from typing import Any

import pytest

from reconcile import ConfigError, NotFound, UsageError, demo, init, load_jobs
from tests.api.conftest import Sides


def write(place: Path, text: str) -> Path:
    """A job file that is ours alone."""
    place.write_text(text, encoding="utf-8")
    place.chmod(0o600)
    return place


def test_a_job_is_a_pair_with_its_options(sides: Sides, tmp_path: Path) -> None:
    config = write(
        tmp_path / "reconcile.toml",
        'version = 1\n[job.docs]\nleft = "left"\nright = "right"\nexclude = ["*.tmp"]\n'
        'mode = "mirror"\n',
    )
    sides.fill(left_a="x", left_b__tmp="y")
    jobs = load_jobs(config, state_dir=sides.state, durability="none")
    assert list(jobs) == ["docs"]
    pair = jobs["docs"]
    assert (pair.left, pair.job.rules.mode.value) == (str(sides.left), "mirror")
    assert pair.job.durability.value == "none"
    assert pair.apply().done == 1


def test_what_is_wrong_with_a_job_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load_jobs(write(tmp_path / "r.toml", "version = 1\n[job.x]\nleft = 3\n"))
    with pytest.raises(ConfigError):
        load_jobs(tmp_path / "none.toml")


def test_a_wrong_option_is_said(sides: Sides, tmp_path: Path) -> None:
    config = write(
        tmp_path / "reconcile.toml", 'version = 1\n[job.d]\nleft = "left"\nright = "right"\n'
    )
    with pytest.raises(UsageError, match="no option `modes`"):
        load_jobs(config, modes="x")  # type: ignore[call-arg]  # that is it


def test_without_a_job_file_there_is_no_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "RECONCILE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    if not Path("/etc/reconcile/jobs.d").exists():
        with pytest.raises(NotFound):
            load_jobs()


def test_a_job_file_is_written_once_and_names_its_pair(sides: Sides, tmp_path: Path) -> None:
    config = tmp_path / "reconcile.toml"
    pair = init(sides.left, sides.right, config=config, preset="temp", on_conflict=["newer"])
    assert (pair.left, pair.right) == (str(sides.left), str(sides.right))
    assert pair.job.filters == load_jobs(config)["left"].job.filters
    assert pair.job.filters.rules
    assert [policy.value for policy in pair.job.rules.policies] == ["newer"]
    written = config.read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        init(sides.left, sides.right, config=config, name="other")
    assert config.read_bytes() == written


@pytest.mark.parametrize("wrong", [{"mode": "sideways"}, {"name": "a b"}, {"preset": ["nothing"]}])
def test_a_job_that_cannot_be_is_not_written(
    wrong: dict[str, Any], sides: Sides, tmp_path: Path
) -> None:
    config = tmp_path / "reconcile.toml"
    with pytest.raises(UsageError):
        init(sides.left, sides.right, config=config, **wrong)
    with pytest.raises(UsageError, match="left"):
        init(sides.left, sides.left, config=config)
    assert not config.exists()


def test_the_example_is_a_pair_with_all_that_can_happen(tmp_path: Path) -> None:
    pair = demo(tmp_path / "try")
    plan = pair.plan().plan
    assert {step.action.value for step in plan.steps} >= {"create", "update", "move", "delete"}
    assert len(plan.conflicts) == 2
    assert pair.apply().done == len(plan.steps)
    before = {path for path in (tmp_path / "try").rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="not empty"):
        demo(tmp_path / "try")
    assert {path for path in (tmp_path / "try").rglob("*") if path.is_file()} == before
