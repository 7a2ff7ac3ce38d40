"""What manifest files may cost: memory and work, measured in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MIB = 1024
"""KiB."""


def measured(case: str, where: Path) -> dict[str, float]:
    """What `tests.model.rman_cases` tells of one case."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.model.rman_cases", case, str(where)],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=300,
    )
    return {name: float(value) for name, value in json.loads(ran.stdout).items()}


ACCEPTED = {
    "files": 170_000,
    "pairs": 160_000,
    "flood": 262_144,
    "orphans": 100_000,
    "wide_list": 65_536,
}
"""Entries and records that are well-formed, as far as they go, before a file is refused."""


@pytest.mark.parametrize(
    "case", ["bomb", "lie", "flood", "files", "pairs", "orphans", "claims", "noise", "wide_list"]
)
def test_a_hostile_file_is_refused_in_bounded_memory_and_work(case: str, tmp_path: Path) -> None:
    told = measured(case, tmp_path / "m.rman")
    accepted = ACCEPTED.get(case, 0)
    assert told["growth_kib"] < 64 * MIB + 0.4 * accepted
    # LIMIT: many tiny records cost by the piece, not by the byte.
    assert told["calls"] < 20_000 + 140 * accepted


@pytest.mark.slow
def test_a_million_files_in_one_directory_cost_pages(tmp_path: Path) -> None:
    wrote = measured("write_million", tmp_path / "m.rman")
    assert wrote["growth_kib"] < 16 * MIB
    assert wrote["records"] > 900
    looked = measured("look_million", tmp_path / "m.rman")
    assert looked["records_read"] == 3  # the root, the list of pages, one page
    assert looked["growth_kib"] < 16 * MIB
    walked = measured("walk_million", tmp_path / "m.rman")
    assert walked["entries"] == 1_000_001
    assert walked["growth_kib"] < 32 * MIB
    checked = measured("verify_million", tmp_path / "m.rman")
    assert checked["growth_kib"] < 16 * MIB
