"""The benchmarks over SSH count what they say: both ends' work, and the bytes between them."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import big
from benchmarks.bench import Bench
from benchmarks.far import COUNTING, DIRECT, SLOW, FarHost
from benchmarks.measure import Command, run
from benchmarks.sections import SECTIONS

SENT_BYTES = 2_000_000
BUSY = "import hashlib; [hashlib.sha256(bytes(1 << 20)).digest() for _ in range(300)]"


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarHost]:
    """A far host."""
    with FarHost(tmp_path_factory.mktemp("far") / "far", quick=True) as host:
        yield host


def there(far: FarHost, script: str, host: str = DIRECT) -> Command:
    """A shell script that runs there."""
    words = ["ssh", "-F", str(far.config), host, script]
    return Command("there", words, meter=far.meter(host))


@pytest.mark.parametrize("host", [DIRECT, SLOW])
@pytest.mark.parametrize("script", ["head -c {} /dev/zero", "head -c {} /dev/zero | cat >&2"])
def test_what_travels_is_counted_once(far: FarHost, host: str, script: str) -> None:
    done = run(there(far, script.format(SENT_BYTES), host))
    assert SENT_BYTES < done.wire_bytes < SENT_BYTES * 1.1


@pytest.mark.parametrize("script", ["{} -c '{}'", "({} -c '{}') >&- 2>&- <&- &"])
def test_the_work_of_the_far_end_is_counted_to_its_end(far: FarHost, script: str) -> None:
    idle = run(there(far, "true"))
    here = run(Command("here", [sys.executable, "-c", BUSY]))
    busy = run(there(far, script.format(sys.executable, BUSY)))
    assert busy.cpu_s - idle.cpu_s > here.cpu_s / 4


def test_requests_of_sftp_are_counted(far: FarHost, tmp_path: Path) -> None:
    batch = tmp_path / "batch"
    batch.write_text("pwd\nls /\n", encoding="utf-8")
    before = far.requests()
    run(Command("sftp", ["sftp", "-F", str(far.config), "-b", str(batch), COUNTING]))
    assert far.requests() > before
    assert far.requests() - before < 100


def test_the_same_edits_make_the_same_file(tmp_path: Path) -> None:
    for name in ("one", "two"):
        big.make(tmp_path / name, 2)
        big.edit(tmp_path / name, 1, insert=True)
        big.edit(tmp_path / name, 2, insert=False)
    content = (tmp_path / "one").read_bytes()
    assert content == (tmp_path / "two").read_bytes()
    assert len(content) == 2 * big.MIB + big.INSERTED_BYTES
    big.edit(tmp_path / "two", 3, insert=False)
    differ = sum(a != b for a, b in zip(content, (tmp_path / "two").read_bytes(), strict=True))
    assert 0 < differ <= 64 * 5


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="first copies go into a mounted file system")
def test_every_section_over_ssh_runs(tmp_path: Path) -> None:
    """On the small trees; nothing is judged."""
    reconcile = Path(sys.executable).with_name("reconcile")
    with Bench(tmp_path, str(reconcile), quick=True, rounds=2) as bench:
        for name, section in SECTIONS.items():
            if name.startswith("ssh-"):
                assert list(section(bench, ["W2"])), name
