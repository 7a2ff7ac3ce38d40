"""Run the benchmarks, print a line for each row as it is measured, and keep it.

    python -m benchmarks.run                          everything; about an hour on two cores
    python -m benchmarks.run no-change manifest       these sections only
    python -m benchmarks.run ssh                      all of ssh-...
    python -m benchmarks.run --quick                  trees 40 times smaller: does it work at all?
    python -m benchmarks.run --workload W2 mirror     one tree only

Ends with 1 when a pass mark was missed or a section failed, marks not judged with --quick.
"""

import argparse
import contextlib
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import page, report
from benchmarks.bench import Bench
from benchmarks.measure import BenchmarkFailed
from benchmarks.sections import SECTIONS
from benchmarks.workloads import WORKLOADS

CHECKOUT = Path(__file__).resolve().parents[1]
RECORDS = CHECKOUT / "benchmarks" / "results.jsonl"
PAGE = CHECKOUT / "docs" / "benchmarks.md"
STOPS = (signal.SIGINT, signal.SIGTERM)


def main() -> int:
    """The process's exit code."""
    options = _options()
    for stop in STOPS:
        signal.signal(stop, _stop)
    bad = 0
    with (
        _scratch(options.work, options.keep) as work,
        Bench(work, options.reconcile, quick=options.quick, rounds=options.rounds) as bench,
    ):
        facts = report.machine(
            [
                ("reconcile", [options.reconcile, "--version"]),
                ("rsync", ["rsync", "--version"]),
                ("b3sum", ["b3sum", "--version"]),
                ("rclone", ["rclone", "--version"]),
                ("unison", ["unison", "-version"]),
            ]
        )
        for name in [name for name in SECTIONS if name in options.sections]:
            try:
                for row in SECTIONS[name](bench, options.workload):
                    print(report.line(row, quick=options.quick), flush=True)
                    report.append(options.records, row, quick=options.quick, machine=facts)
                    bad += bool(row.shortfalls()) and not options.quick
            except (BenchmarkFailed, FileNotFoundError) as error:
                print(f"failed   {name}: {error}", flush=True)
                bad += 1
    if options.records == RECORDS and RECORDS.exists():
        page.rewrite_page(PAGE, RECORDS)
    return 1 if bad else 0


def _stop(number: int, _: object) -> None:
    """Clean up and end; a second signal does not disturb that."""
    for stop in STOPS:
        signal.signal(stop, signal.SIG_IGN)
    sys.exit(128 + number)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--workload", action="append", choices=sorted(WORKLOADS))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of runs (default 5)")
    parser.add_argument("--work", type=Path, help="scratch space below this directory")
    parser.add_argument("--keep", action="store_true", help="leave the scratch directory behind")
    parser.add_argument("--records", type=Path, help="JSON lines are appended to this file")
    parser.add_argument("--reconcile", default=_installed(), help="the command to measure")
    options = parser.parse_args()
    if "ssh" in options.sections:
        options.sections += [name for name in SECTIONS if name.startswith("ssh-")]
        options.sections.remove("ssh")
    options.sections = options.sections or list(SECTIONS)
    unknown = sorted(set(options.sections) - set(SECTIONS))
    if unknown:
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    options.workload = options.workload or sorted(WORKLOADS)
    if options.records is None:
        quick = Path(tempfile.gettempdir()) / "reconcile-benchmarks-quick.jsonl"
        options.records = quick if options.quick else RECORDS
    return options


def _installed() -> str:
    beside = Path(sys.executable).with_name("reconcile")
    return str(beside) if beside.exists() else "reconcile"


@contextlib.contextmanager
def _scratch(below: Path | None, keep: bool) -> Iterator[Path]:
    """A new directory, gone at the end."""
    if below:
        below.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="reconcile-bench-", dir=below))
    try:
        yield work
    finally:
        if keep:
            print(f"kept: {work}")
        else:
            shutil.rmtree(work)


if __name__ == "__main__":
    sys.exit(main())
