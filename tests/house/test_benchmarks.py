"""The benchmarks measure what they say: equal trees from equal seeds, honest verdicts."""

import hashlib
import json
import sys
from pathlib import Path

import pytest

from benchmarks import page as pages
from benchmarks import report
from benchmarks.measure import BenchmarkFailed, Command, compare, run, tree_memory_mib
from benchmarks.mutate import Shares, mutate
from benchmarks.workloads import QUICK, WORKLOADS, make


def fingerprint(top: Path) -> str:
    """Names, kinds, modes, times and content of a tree, as one hash."""
    digest = hashlib.sha256()
    for path in sorted(top.rglob("*")):
        status = path.stat()
        mtime_ns = 0 if path.is_dir() else status.st_mtime_ns
        digest.update(repr((path.relative_to(top), status.st_mode, mtime_ns)).encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def test_w1_is_200_000_files_in_10_100_directories() -> None:
    folders = WORKLOADS["W1"].folders(1)
    assert (sum(folder.files for folder in folders), len(folders)) == (200_000, 10_100)


def test_w2_is_60_000_files_in_5_000_directories() -> None:
    folders = WORKLOADS["W2"].folders(1)
    assert (sum(folder.files for folder in folders), len(folders)) == (60_000, 5_000)


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_the_same_workload_is_the_same_tree(name: str, tmp_path: Path) -> None:
    counts = make(name, tmp_path / "one", divisor=QUICK)
    make(name, tmp_path / "two", divisor=QUICK)
    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "two")
    files = [path for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert (len(files), sum(path.stat().st_size for path in files)) == (counts.files, counts[2])
    for top in (tmp_path / "one", tmp_path / "two"):
        assert mutate(top, Shares(0.01, 0.01, 0.01, 0.01), seed=3) >= 4 * len(files) // 100
    names = [sorted(p.relative_to(top) for p in top.rglob("*")) for top in tmp_path.iterdir()]
    assert names[0] == names[1]


def test_a_command_that_fails_is_no_measurement() -> None:
    with pytest.raises(BenchmarkFailed, match="ended with 3"):
        run(Command("fails", [sys.executable, "-c", "raise SystemExit(3)"]))


def test_the_work_of_children_is_counted() -> None:
    busy = "import hashlib; [hashlib.sha256(bytes(1 << 20)).digest() for _ in range(100)]"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"
    result = compare(
        Command("direct", [sys.executable, "-c", busy]),
        Command("by a child", [sys.executable, "-c", parent]),
        rounds=2,
        warm=False,
    )
    assert result.cpu_ratio > 0.8


def test_the_memory_of_children_is_counted() -> None:
    hungry = "import hashlib; x = b'x' * (60 << 20); [hashlib.sha256(x).digest() for _ in 'abcd']"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hungry!r}])"
    assert tree_memory_mib(Command("hungry child", [sys.executable, "-c", parent])) > 60


def row(wall_ratio: float, section: str = "no-change") -> report.Row:
    """A row judged by its wall ratio."""
    limits = (report.Limit("wall_ratio", 0.75),)
    return report.Row(section, "W1", "rsync", "diff", 5, 2.0, 1.0, wall_ratio, 1.0, 30, 40, limits)


def test_a_missed_mark_is_called_short() -> None:
    assert row(0.76).verdict() == "short"
    assert row(0.75).verdict() == "pass"
    assert row(0.76)._replace(limits=()).verdict() == "reported"


def test_the_page_shows_the_latest_full_row_of_each_name(tmp_path: Path) -> None:
    page, records = tmp_path / "page.md", tmp_path / "rows.jsonl"
    page.write_text(f"before\n{pages.BEGIN}\nold\n{pages.END}\nafter\n", encoding="utf-8")
    report.append(records, row(0.9), quick=False, machine={"cores": "2"})
    report.append(records, row(0.6), quick=False, machine={"cores": "2"})
    report.append(records, row(0.1), quick=True, machine={"cores": "2"})
    pages.rewrite_page(page, records)
    shown = page.read_text(encoding="utf-8")
    assert shown.startswith("before\n")
    assert shown.endswith("after\n")
    assert "| 0.60 |" in shown
    assert "0.90" not in shown
    assert "0.10" not in shown
    assert "old" not in shown
    assert json.loads(records.read_text(encoding="utf-8").splitlines()[0])["verdict"] == "short"
